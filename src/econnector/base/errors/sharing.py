"""Failures of sending a care summary to somebody else."""

from econnector.base.errors.access import AccessFailure
from econnector.base.errors.typed import InputFailure

__all__ = ["ShareNotSent", "ShareRejected"]


class ShareRejected(AccessFailure):
    """A link or its code is wrong, or what it opened has ended: all the same answer."""

    code = "share-rejected"
    title = "This does not open"
    patient = (
        "The link and the code do not fit together, or what was sent to you was withdrawn, is older than 7 days, or was "
        "closed after too many wrong codes. Check the code with whoever sent it to you, or ask them to send it again."
    )
    office = "A care summary that a patient sent to somebody was not opened: {reason}."
    remedy = (
        "Look up the reference in the access log: it has the real reason.",
        "The patient sees in the portal (Health, Care summary, Send) what became of it, and can send it again.",
    )


class ShareNotSent(InputFailure):
    """A care summary cannot be sent; `rule` says why: address, period, language, note, open, often, mail, sent-before."""

    code = "share-not-sent"
    title = "The care summary was not sent"
    patient = "{why}"
    office = "A patient's care summary was not sent: {rule}."
    remedy = (
        "If no mail leaves this office (`mail`): enter the Patient Facing URL and an e-mail account in Open Dental.",
        "Otherwise nothing: the patient corrects it, or waits.",
    )
    public = frozenset({"why", "rule"})
