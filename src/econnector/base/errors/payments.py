"""Failures of taking a payment in the portal. None of them is raised after money may have moved."""

from econnector.base.errors.office import OfficeFailure
from econnector.base.errors.typed import InputFailure

__all__ = [
    "PaymentCredentialsIncomplete",
    "PaymentCredentialsRefused",
    "PaymentGatewayRefused",
    "PaymentGatewaySilent",
    "PaymentNotMade",
    "PaymentsOff",
]


class PaymentsOff(OfficeFailure):
    """The practice takes no payments online."""

    code = "payments-off"
    title = "You cannot pay online here"
    patient = "Your dentist's office does not take payments online at the moment. Nothing was charged. Please call the office to pay."
    office = "No payment can be made in the portal: {why}"
    remedy = (
        "In Open Dental open Setup, Program Links, then EdgeExpress or XCharge: enable the program and its online payments for this clinic.",
        "Or set Stripe up as the payments chapter of the office's manual says.",
        "`econnector doctor --only payments` then says ok, and the portal offers payments at once.",
    )
    check = "payments"
    http = 409


class PaymentCredentialsIncomplete(OfficeFailure):
    """A credential of the processor is missing, or cannot be one."""

    code = "payment-credentials-incomplete"
    title = "You cannot pay online right now"
    patient = "Your dentist's office cannot take online payments right now. Nothing was charged. Please try again later, or call the office."
    office = "{processor} cannot be used for {clinic}: {which}"
    remedy = (
        "In Open Dental open Setup, Program Links, then {program}: enter what is named, as the processor's welcome letter gives it.",
        "`econnector doctor --only payments` tries it at once.",
    )
    check = "payments"
    http = 503


class PaymentCredentialsRefused(OfficeFailure):
    """The processor does not take the office's credentials."""

    code = "payment-credentials-refused"
    title = "You cannot pay online right now"
    today = "OTK Creation Failed. Authentication Error"
    patient = "Your dentist's office cannot take online payments right now. Nothing was charged. Please try again later, or call the office."
    office = "{processor} refused the credentials of {clinic}: {which}. Its words: {words}"
    remedy = (
        "In Open Dental open Setup, Program Links, then {program}: compare each value that is named with the processor's welcome letter.",
        "If they are equal, ask the processor whether the account is active and open for online payments.",
        "`econnector doctor --only payments` tries it at once; patients can then pay again.",
    )
    check = "payments"
    http = 503


class PaymentGatewaySilent(OfficeFailure):
    """The processor cannot be reached, or did not answer in time."""

    code = "payment-gateway-silent"
    title = "You cannot pay online right now"
    patient = "The card processor does not answer right now. Nothing was charged. Please try again in a few minutes."
    office = "{processor} at {address} did not answer: {why}"
    remedy = (
        "Usually it passes; payments that were begun are asked about every minute by themselves.",
        "If it stays: `econnector doctor --only payments` says which step fails; let the firewall or proxy pass the address that is named.",
    )
    check = "payments"
    http = 503
    retry = True


class PaymentGatewayRefused(OfficeFailure):
    """The processor refused for another reason than the credentials."""

    code = "payment-gateway-refused"
    title = "You cannot pay online right now"
    patient = "The card processor did not accept this payment. Nothing was charged. Please try again later, or call the office."
    office = "{processor} refused: {words} (code {number})."
    remedy = (
        "Look the processor's code up in its manual, or tell its support the code and the time.",
        "`econnector doctor --only payments` makes a test call without a charge.",
    )
    check = "payments"
    http = 503


class PaymentNotMade(InputFailure):
    """What was typed cannot be paid; `rule` says why: amount, again, card, open, changed."""

    code = "payment-not-made"
    title = "Nothing was paid"
    patient = "{why}"
    office = "A payment in the portal was not begun: {rule}."
    remedy = ("Nothing: the patient corrects it. Nothing was charged.",)
    public = frozenset({"why", "rule"})
