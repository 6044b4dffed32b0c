"""The letter to whom a patient sends a care summary.

It names the practice and nobody else, and says nothing of a record. The link's token stands behind a `#`, which
browsers send to nobody; opening the link alone shows a page that asks for the code, and the code is not in the letter.
"""

from econnector.eservices.portal import calls
from econnector.eservices.portal.office.invitation import page_of
from econnector.mail.letter import Letter
from econnector.web.formats import day
from econnector.web.language import choose

__all__ = ["WORDS", "letter", "opening_page"]

# ruff: noqa: E501 - sentences that people read stay whole
WORDS = {
    "en": {
        "subject": "{practice}: a health document for you",
        "text": "Somebody has sent you a health document from the patient portal of {practice}.\n\nOpen this page:\n\n{link}\n\nThe page asks for a code. Whoever sent you the document tells you the code themselves: it is in no e-mail. If the page asks for the letter's key, too, it is {token}\n\nThe link works until {until}. You can also type the address {page} yourself.\n\nIf you did not expect this, or do not know who sent it, there is nothing you have to do. Nobody at {practice} asks you for this code{phone}.",
        "phone": ". You can call the office: {phone}",
    },
    "es": {
        "subject": "{practice}: un documento de salud para usted",
        "text": "Alguien le ha enviado un documento de salud desde el portal del paciente de {practice}.\n\nAbra esta página:\n\n{link}\n\nLa página pide un código. Quien le envió el documento le dice el código personalmente: no está en ningún correo. Si la página pide también la clave de la carta, es {token}\n\nEl enlace sirve hasta el {until}. También puede escribir usted la dirección {page}.\n\nSi no esperaba este correo o no sabe quién lo envió, no tiene que hacer nada. Nadie de {practice} le pide este código{phone}.",
        "phone": ". Puede llamar al consultorio: {phone}",
    },
}


def opening_page(url: str) -> str:
    """Return where a share is opened, from where patients sign in; empty where nobody knows."""
    return page_of(url, "shared") if url else ""


def letter(  # noqa: PLR0913, PLR0917 - a letter
    to: str, language: str, practice: calls.Practice, page: str, token: str, until: str, message_id: str
) -> Letter:
    """Return the letter in `language` (`en` or `es`); `until` is the last day (ISO 8601)."""
    words, title = WORDS[language], practice.title or "eConnector"
    text = words["text"].format(
        practice=title,
        link=f"{page}#{token}",
        token=token,
        page=page,
        until=day(until, choose("", language)),
        phone=words["phone"].format(phone=practice.phone) if practice.phone else "",
    )
    return Letter([to], words["subject"].format(practice=title), text + "\n", message_id)
