"""Failures of what patients write and send to the office."""

from econnector.base.errors.typed import InputFailure

__all__ = ["AttachmentRejected", "MessageRejected"]


class AttachmentRejected(InputFailure):
    """A file cannot be taken; `rule` says why: empty, type, size, count, bomb, active, place, unfinished, waiting."""

    code = "attachment-rejected"
    title = "This file cannot be sent"
    patient = "{why}"
    office = "A file that a patient added to a message was refused: {rule}."
    remedy = (
        "Nothing, if it was too large or of another kind: the patient sends a picture or a PDF.",
        "If no file is taken (`place`): files of messages need the images folder, not images in the database.",
    )
    public = frozenset({"why", "rule"})


class MessageRejected(InputFailure):
    """A message cannot be sent; `rule` says why: subject, text, provider, often, sent-before."""

    code = "message-rejected"
    title = "The message was not sent"
    patient = "{why}"
    office = "A patient's message was refused: {rule}."
    remedy = (
        "If nobody reads messages (`provider`): link a user to the provider in Setup, Security, and do not hide either.",
    )
    public = frozenset({"why", "rule"})
