"""Appointments: coming and past, confirming one, and what a calendar needs of it."""

import msgspec

from econnector.eservices.portal.calls.around import Around, PersonAsked
from econnector.wire.call import Call

__all__ = [
    "APPOINTMENT",
    "APPOINTMENTS",
    "CONFIRM_APPOINTMENT",
    "Appointment",
    "AppointmentAsked",
    "AppointmentShown",
    "Appointments",
    "CheckUp",
    "ConfirmAppointment",
]


class Appointment(msgspec.Struct):
    """One visit. The office's own notes on it never leave the office."""

    number: int
    """AptNum."""
    at: str
    """Office time."""
    utc: str = ""
    """The same moment in UTC (`2026-11-24T14:00:00`); empty where the office cannot tell."""
    minutes: int = 0
    """How long it takes; 0 where nobody has said."""
    provider: str = ""
    place: str = ""
    """The clinic, where the practice has several."""
    address: str = ""
    state: str = "past"
    """`coming`, `done`, or `past` (its day is over and nobody has said that it took place)."""
    confirmation: str = ""
    """Of a coming one: `open` (it can be confirmed), `told` (the office was told, and has not entered it yet) or
    `confirmed`."""
    told: str = ""
    """When the office was told, office time."""
    days_ahead: int = -1
    """Of a coming one: 0 today, 1 tomorrow, and so on."""


class CheckUp(msgspec.Struct):
    """A check-up that is due and not scheduled."""

    kind: str
    """What the office calls it."""
    due: str
    link: str = ""
    """Where it can be booked; empty where the office has sent no link for it."""


class Appointments(Around, kw_only=True):
    """All of a person's."""

    coming: list[Appointment]
    """The next first."""
    past: list[Appointment]
    """The latest first."""
    due: list[CheckUp] = msgspec.field(default_factory=list)


class AppointmentAsked(msgspec.Struct):
    """One appointment."""

    token: str
    appointment: int


class AppointmentShown(Around, kw_only=True):
    """One appointment."""

    appointment: Appointment


class ConfirmAppointment(msgspec.Struct):
    """Whoever is signed in says that this person is coming."""

    token: str
    appointment: int
    at: str
    """The time that was on the page: one that was moved meanwhile is not confirmed."""


APPOINTMENTS = Call("portal.appointments", PersonAsked, Appointments, limit=10)
APPOINTMENT = Call("portal.appointment", AppointmentAsked, AppointmentShown, limit=10)
CONFIRM_APPOINTMENT = Call("portal.confirm-appointment", ConfirmAppointment, AppointmentShown, limit=10, changes=True)
