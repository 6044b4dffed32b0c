"""Failures of proving who one is beyond the password: codes, the second step, passkeys."""

from econnector.base.errors.access import AccessFailure

__all__ = ["CodeRejected", "InviteRejected", "PasskeyRejected", "SecondStepRejected", "TwoStepRequired"]


class CodeRejected(AccessFailure):
    """A code for a new password is wrong, used, too old or somebody else's: all the same answer."""

    code = "code-rejected"
    title = "This code is not valid"
    patient = (
        "This code is not right, or it is older than 15 minutes, or it was used. Check it, or ask for a new code. "
        "After several tries we slow down to protect your account."
    )
    office = "A code for a new password was refused: {reason}."
    remedy = (
        "The patient asks for a new code, or gets a new password from the office.",
        "No mail comes: check the address in the patient's chart, and the queue in the eConnector window.",
    )


class InviteRejected(AccessFailure):
    """An invite's code or the birth date is wrong, or it was used, replaced, ended or is too old: all the same answer."""

    code = "invite-rejected"
    title = "This invite does not open"
    patient = (
        "The code and the birth date do not fit together, or the invite was used, is older than 7 days, or a newer one "
        "was sent. Check both, and take the newest e-mail. If you chose a password already, sign in with it. Otherwise "
        "ask the office for a new invite. After several tries we slow down to protect your account."
    )
    office = "An invite to the portal was refused: {reason}."
    remedy = (
        "Look up the reference in the access log: it has the real reason.",
        "Compare the birth date in the chart with what the patient says, then send a new invite (Portal, the patient, Send invite by mail).",
    )


class SecondStepRejected(AccessFailure):
    """The code of the second step is wrong or was used."""

    code = "second-step-rejected"
    title = "This code is not right"
    patient = (
        "This code is not right. Wait for the next code in your app, or use a recovery code that you have not used "
        "yet. After several tries we slow down to protect your account."
    )
    office = "The second step of a sign-in was refused: {reason}."
    remedy = (
        "The clock of the phone may be wrong: set it to automatic.",
        "Phone and recovery codes lost: make sure who it is, then take two-step sign-in off for this patient.",
    )


class PasskeyRejected(AccessFailure):
    """A passkey could not be checked."""

    code = "passkey-rejected"
    title = "The passkey was not accepted"
    patient = "The passkey was not accepted. Nothing was changed. Try again, or use a code instead."
    office = "A passkey was refused: {reason}."
    remedy = (
        "The patient tries again, or uses the app or a recovery code.",
        "After the portal has moved to another address, passkeys must be made anew there.",
    )


class TwoStepRequired(AccessFailure):
    """The practice requires a second step, so the last one cannot be taken away."""

    code = "two-step-required"
    title = "Two-step sign-in must stay on"
    patient = (
        "Your dentist's office requires two-step sign-in. You can replace your way of doing it, but not turn it off."
    )
    office = "A patient tried to turn two-step sign-in off while the practice requires it."
    remedy = ("Nothing, or make it optional in the portal's settings.",)
