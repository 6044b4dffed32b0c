"""The invite's letter and link.

The code stands in the link behind a `#`, which browsers send to nobody: it is in no log and no referrer. It stands in
the text too, for who types the address; the chart keeps the letter without it. The letter names nobody, and nothing of
a record.
"""

from urllib.parse import urlsplit, urlunsplit

from econnector.base.ids import tidy_code
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.letters import language_of
from econnector.mail.letter import Letter
from econnector.opendental.reachable import Reachable
from econnector.storage.state.portal_invites import GOOD_FOR
from econnector.storage.state.sealing import Seal

__all__ = ["WORDS", "digest_of", "letter", "page_of"]

# ruff: noqa: E501 - sentences that people read stay whole
WORDS = {
    "en": {
        "subject": "{practice}: your invite to the patient portal",
        "text": "{practice} invites you to its patient portal: your visits, statements and messages in one place.\n\nOpen this page and choose your password:\n\n{link}\n\nIf the page asks for a code, it is {code}\n\nFor your safety it also asks for the patient's birth date. The invite works once, within {days} days. You can also type the address {page} yourself.\n\nThe office never asks you for this code. If you did not expect this e-mail, there is nothing you have to do{phone}.",
        "phone": ", or you can call the office: {phone}",
        "hidden": "(not kept in the chart)",
    },
    "es": {
        "subject": "{practice}: su invitación al portal del paciente",
        "text": "{practice} le invita a su portal del paciente: sus citas, estados de cuenta y mensajes en un solo lugar.\n\nAbra esta página y elija su contraseña:\n\n{link}\n\nSi la página pide un código, es {code}\n\nPor su seguridad pide también la fecha de nacimiento del paciente. La invitación sirve una sola vez, en un plazo de {days} días. También puede escribir usted la dirección {page}.\n\nEl consultorio nunca le pide este código. Si no esperaba este correo, no tiene que hacer nada{phone}.",
        "phone": ", o puede llamar al consultorio: {phone}",
        "hidden": "(no se guarda en el expediente)",
    },
}
_SIGN_IN = "/sign-in"


def digest_of(seal: Seal, code: str) -> str:
    """Return what a code is kept as, however it was typed. Blocks while the key is read for the first time."""
    return seal.digest("invite", tidy_code(code))


def page_of(url: str, page: str = "invite") -> str:
    """Return where a page of the portal is, from where patients sign in; empty for what is no address of a web page."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"https", "http"} or not parts.hostname:
        return ""
    path = parts.path.rstrip("/").removesuffix(_SIGN_IN)
    return urlunsplit((parts.scheme.lower(), parts.netloc, f"{path}/{page}", "", ""))


def letter(to: Reachable, practice: calls.Practice, page: str, code: str, message_id: str) -> tuple[Letter, str]:
    """Return the invite in the patient's language, else the practice's, and its text as the chart keeps it."""
    words, title = WORDS[language_of(to, practice)], practice.title or "eConnector"
    phone = words["phone"].format(phone=practice.phone) if practice.phone else ""

    def text(link: str, shown: str) -> str:
        return (
            words["text"].format(practice=title, link=link, code=shown, page=page, days=GOOD_FOR.days, phone=phone)
            + "\n"
        )

    subject = words["subject"].format(practice=title)
    return Letter([to.email], subject, text(f"{page}#{code}", code), message_id), text(page, words["hidden"])
