"""The portal's letters about somebody's own sign-in: a code, and the news that something was changed.

They name nobody and nothing of a record, and hold no link: who gets used to links in such mails follows a thief's, too.
"""

from typing import TYPE_CHECKING

from econnector.base.ids import new_id
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.around import card
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.post import Post
from econnector.mail.compose import usable
from econnector.mail.letter import Letter
from econnector.opendental.reachable import Reachable, reachable
from econnector.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["NEWS", "WORDS", "language_of", "send_code", "send_news", "tell"]

_SPANISH = {"es", "spa"}

_CODE_DAYS = 15 / 1440
"""A code that comes too late is of no use."""

# ruff: noqa: E501 - sentences that people read stay whole
WORDS = {
    "en": {
        "code.subject": "{practice}: your code",
        "code": "Somebody, probably you, wants to choose a new password for the patient portal of {practice}.\n\nThe code is {code}\n\nType it on the page where you asked for it, within 15 minutes. It works once. The office never asks you for it.\n\nIf it was not you, there is nothing you have to do: without the code nothing changes.",
        "news.subject": "{practice}: your sign-in was changed",
        "password": "the password was changed",
        "user-name": "the user name was changed",
        "two-step-on": "two-step sign-in was turned on",
        "two-step-off": "two-step sign-in was turned off",
        "two-step-off-office": "the office turned two-step sign-in off; the password alone is enough now",
        "app": "two-step sign-in got a new app",
        "passkey-added": "a passkey was added",
        "passkey-dropped": "a passkey was removed",
        "codes": "new recovery codes were made; the ones from before do not work any more",
        "code-used": "somebody signed in with a recovery code",
        "news": "In the patient portal of {practice}, {what}.\n\nIf it was you, there is nothing you have to do.\n\nIf it was not you, call the office at once{phone}.",
        "phone": ": {phone}",
    },
    "es": {
        "code.subject": "{practice}: su código",
        "code": "Alguien, probablemente usted, quiere elegir una contraseña nueva para el portal del paciente de {practice}.\n\nEl código es {code}\n\nEscríbalo en la página donde lo pidió, en un plazo de 15 minutos. Sirve una sola vez. El consultorio nunca se lo pide.\n\nSi no fue usted, no tiene que hacer nada: sin el código nada cambia.",
        "news.subject": "{practice}: su acceso ha cambiado",
        "password": "se cambió la contraseña",
        "user-name": "se cambió el nombre de usuario",
        "two-step-on": "se activó el acceso en dos pasos",
        "two-step-off": "se desactivó el acceso en dos pasos",
        "two-step-off-office": "el consultorio desactivó el acceso en dos pasos; ahora basta la contraseña",
        "app": "el acceso en dos pasos usa ahora otra aplicación",
        "passkey-added": "se agregó una llave de acceso",
        "passkey-dropped": "se quitó una llave de acceso",
        "codes": "se hicieron códigos de recuperación nuevos; los de antes ya no sirven",
        "code-used": "alguien entró con un código de recuperación",
        "news": "En el portal del paciente de {practice} {what}.\n\nSi fue usted, no tiene que hacer nada.\n\nSi no fue usted, llame de inmediato al consultorio{phone}.",
        "phone": ": {phone}",
    },
}
NEWS = tuple(word for word in WORDS["en"] if "." not in word and word not in {"code", "news", "phone"})
"""What `tell` can tell."""


def tell(desk: Desk, patient: int, news: str) -> None:
    """Have a patient (PatNum) told, after this answer, that `news` (of `NEWS`) happened to their sign-in.

    Who has no mail address in the chart is not told.
    """
    desk.later(_tell(desk, patient, news), f"mail: {news}")


async def _tell(desk: Desk, patient: int, news: str) -> None:
    await send_news(desk.database, desk.post, patient, news)


async def send_news(database: Database, post: Post | None, patient: int, news: str) -> bool:
    """Have a patient (PatNum) told `news` (of `NEWS`) through `post`; return whether there is an address to tell."""
    to, practice = await database.run(_addressed, patient)
    words = _words(to, practice)
    phone = words["phone"].format(phone=practice.phone) if practice.phone else ""
    text = words["news"].format(practice=_title(practice), what=words[news], phone=phone)
    return await _hand_in(post, to, words["news.subject"].format(practice=_title(practice)), text, patient=patient)


async def send_code(desk: Desk, patient: int, code: str) -> None:
    """Mail a code to a patient (PatNum) who has an address."""
    to, practice = await desk.database.run(_addressed, patient)
    words = _words(to, practice)
    text = words["code"].format(practice=_title(practice), code=code)
    # Not recorded in the chart: whoever reads the chart must not find the code there.
    await _hand_in(desk.post, to, words["code.subject"].format(practice=_title(practice)), text, days=_CODE_DAYS)


async def _hand_in(  # noqa: PLR0913 - a letter
    post: Post | None, to: Reachable, subject: str, text: str, *, patient: int = 0, days: float = 4.0
) -> bool:
    if post is None or not usable(to.email):
        return False
    letter = Letter([to.email], subject, text + "\n", f"<{new_id()}@portal.econnector.local>")
    await post.hand_in(letter, purpose="portal", clinic=to.clinic, patient=patient, days=days)
    return True


def _addressed(connection: "Connection", patient: int) -> tuple[Reachable, calls.Practice]:
    return reachable(connection, patient), card(connection)


def language_of(to: Reachable, practice: calls.Practice) -> str:
    """Return `es` or `en`: the patient's language (ISO 639-2 in the chart, `spa`), else the practice's."""
    wanted = (to.language or practice.language).lower()
    return "es" if wanted.partition("-")[0] in _SPANISH else "en"


def _words(to: Reachable, practice: calls.Practice) -> dict[str, str]:
    return WORDS[language_of(to, practice)]


def _title(practice: calls.Practice) -> str:
    return practice.title or "eConnector"
