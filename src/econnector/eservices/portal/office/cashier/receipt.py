"""The receipt by mail: the practice, the amount, the payment's number and the card. Nobody is named, and no treatment."""

from econnector.eservices.portal import calls
from econnector.mail.letter import Letter
from econnector.opendental.balances import dollars
from econnector.storage.state.payments import Attempt

__all__ = ["WORDS", "letter"]

# ruff: noqa: E501 - sentences that people read stay whole
WORDS = {
    "en": {
        "subject": "{practice}: receipt for your payment",
        "text": "{practice} has received your payment.\n\nAmount: {amount}\nPayment number: {number}\nCard: {card}\n\n{partly}This is only a receipt: there is nothing you have to do. You find the payment in the patient portal, too.\n\nIf you know nothing of it, call the office{phone}.",
        "partly": "The card paid less than the {asked} that you entered. The rest is still open.\n\n",
        "phone": ": {phone}",
    },
    "es": {
        "subject": "{practice}: recibo de su pago",
        "text": "{practice} ha recibido su pago.\n\nImporte: {amount}\nNúmero del pago: {number}\nTarjeta: {card}\n\n{partly}Esto es solo un recibo: no tiene que hacer nada. También encuentra el pago en el portal del paciente.\n\nSi no sabe de qué se trata, llame al consultorio{phone}.",
        "partly": "La tarjeta pagó menos de los {asked} que usted indicó. El resto sigue pendiente.\n\n",
        "phone": ": {phone}",
    },
}


def letter(to: str, language: str, practice: calls.Practice, attempt: Attempt) -> Letter:
    """Return the receipt in `language` (`en` or `es`). Handed in twice, it is one letter."""
    words, title = WORDS[language], practice.title or "eConnector"
    text = words["text"].format(
        practice=title,
        amount=dollars(attempt.paid_cents),
        number=attempt.number,
        card=f"{attempt.brand} {attempt.masked}".strip() or "-",
        partly=words["partly"].format(asked=dollars(attempt.cents)) if attempt.state == "partial" else "",
        phone=words["phone"].format(phone=practice.phone) if practice.phone else "",
    )
    return Letter([to], words["subject"].format(practice=title), text + "\n", attempt.mail)
