"""Failures around appointments."""

from econnector.base.errors.access import AccessFailure

__all__ = ["VisitChanged"]


class VisitChanged(AccessFailure):
    """The office moved or cancelled the appointment while the patient looked at it."""

    code = "visit-changed"
    title = "The office has changed this visit"
    patient = "The office has changed this visit since you opened the page, so nothing was confirmed. Look at your appointments as they are now."
    office = "A patient confirmed an appointment that was moved, completed or taken off the schedule in the meantime."
    remedy = ("Nothing: the patient sees the appointment as it is now.",)
    http = 409
