"""Appointments: the list, one of them, and a patient who says that they are coming."""

import datetime as dt
from typing import TYPE_CHECKING

import structlog

from econnector.base.errors import NotAllowed, VisitChanged
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import journal
from econnector.eservices.portal.office.admission import Visitor
from econnector.eservices.portal.office.around import Begun, begin, note_view, text_of
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental import appointments, confirmations, practice, times
from econnector.storage.state import confirmations as told
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer", "as_shown", "remember", "with_clinics"]

log = structlog.get_logger(__name__)

_NOBODY = -1


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `APPOINTMENTS`, `APPOINTMENT` and `CONFIRM_APPOINTMENT`.

    All raise `NotAllowed`, `SessionEnded`, `ChangeRequired`; the last one `VisitChanged`.
    """

    @answers.to(calls.APPOINTMENTS)
    async def _(_asked: Asked, params: calls.PersonAsked) -> calls.Appointments:
        session = await desk.session(params.token)
        shown = await desk.show(_list, session, params)
        await remember(desk, shown.coming)
        return shown

    @answers.to(calls.APPOINTMENT)
    async def _(_asked: Asked, params: calls.AppointmentAsked) -> calls.AppointmentShown:
        session = await desk.session(params.token)
        shown = await desk.show(_one, session, params)
        await remember(desk, [shown.appointment])
        return shown

    @answers.to(calls.CONFIRM_APPOINTMENT)
    async def _(asked: Asked, params: calls.ConfirmAppointment) -> calls.AppointmentShown:
        return await _confirm(desk, asked, params)


def _list(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.PersonAsked
) -> calls.Appointments:
    begun = begin(connection, desk, session, params, topic="appointments")
    person, visitor = begun.looking_at.number, begun.visitor
    rows = appointments.listed(connection, person, clinics=with_clinics(visitor))
    recalls = appointments.due(connection, visitor.schema, person)
    note_view(connection, visitor, begun.looking_at, "appointments")
    shown = [as_shown(row, visitor) for row in rows]
    return calls.Appointments(
        **begun.frame,
        coming=[one for one in reversed(shown) if one.state == "coming"],
        past=[one for one in shown if one.state != "coming"],
        due=[calls.CheckUp(one.kind, text_of(one.due), one.link) for one in recalls],
    )


def _one(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.AppointmentAsked
) -> calls.AppointmentShown:
    begun, row = _find(connection, desk, session, params.token, params.appointment)
    note_view(connection, begun.visitor, begun.looking_at, "appointment")
    return calls.AppointmentShown(**begun.frame, appointment=as_shown(row, begun.visitor))


def _find(
    connection: "Connection", desk: Desk, session: PortalSession, token: str, number: int
) -> tuple[Begun, appointments.Appointment]:
    """Return an appointment and whose it is.

    Raises `NotAllowed` for one that is not there, may not be seen by patients or is a stranger's, all alike.
    """
    found = appointments.find(connection, number, clinics=True)
    asked = calls.PersonAsked(token, found.patient if found else _NOBODY)
    begun = begin(connection, desk, session, asked, topic="appointments")
    if found is None:
        raise NotAllowed
    return begun, found


async def _confirm(desk: Desk, asked: Asked, params: calls.ConfirmAppointment) -> calls.AppointmentShown:
    session = await desk.session(params.token)
    shown, now = await desk.database.run(_tell, desk, session, params)
    one = shown.appointment
    if one.confirmation == "open":
        await desk.state.run(told.keep, one.number, one.at, text_of(now), desk.clock.now())
        log.info("visit confirmed in the portal", reference=asked.reference, appointment=one.number)
    await remember(desk, [one])
    return shown


def _tell(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.ConfirmAppointment
) -> tuple[calls.AppointmentShown, dt.datetime]:
    """Tell the office, unless it knows. Raises `VisitChanged` for a visit that is not as it was shown."""
    begun, row = _find(connection, desk, session, params.token, params.appointment)
    visitor, person = begun.visitor, begun.looking_at
    one = as_shown(row, visitor)
    if one.state != "coming" or one.at != params.at:
        raise VisitChanged
    if one.confirmation == "open":
        by = "" if person.number == visitor.me.number else visitor.me.name
        confirmations.tell_office(connection, visitor.schema, row, person.name, by)
        text = f"Patient portal: confirmed the appointment of {row.at:%Y-%m-%d %H:%M}."
        journal.acted(connection, visitor.schema, visitor.me.number, person.number, text)
    return calls.AppointmentShown(**begun.frame, appointment=one), times.now(connection)


async def remember(desk: Desk, coming: list[calls.Appointment]) -> None:
    """Mark those of which the office was told already, but which it has not set to confirmed yet."""
    waiting = [one for one in coming if one.confirmation == "open"]
    known = await desk.state.run(told.told_of, [one.number for one in waiting]) if waiting else {}
    for one in waiting:
        if when := known.get((one.number, one.at)):
            one.confirmation, one.told = "told", when


def with_clinics(visitor: Visitor) -> bool:
    """Return whether the practice uses clinics."""
    return practice.practice(visitor.settings).has_clinics


def as_shown(row: appointments.Appointment, visitor: Visitor) -> calls.Appointment:
    """Return an appointment as the contract has it."""
    home = practice.practice(visitor.settings)
    clinics = home.has_clinics and row.clinic_name
    street = ", ".join(part for part in (home.address, home.address2, home.city) if part)
    confirmation = ""
    if row.ahead:
        confirmation = "confirmed" if appointments.is_confirmed(row, visitor.settings) else "open"
    return calls.Appointment(
        number=row.number,
        at=text_of(row.at),
        utc=dt.datetime.fromtimestamp(row.unix, dt.UTC).replace(tzinfo=None).isoformat() if row.unix > 0 else "",
        minutes=row.minutes,
        provider=row.provider,
        place=row.clinic_name if clinics else "",
        address=row.clinic_address if clinics else f"{street} {home.state} {home.zip}".strip(),
        state="coming" if row.ahead else "done" if row.complete else "past",
        confirmation=confirmation,
        days_ahead=(row.at.date() - row.today).days if row.ahead else -1,
    )
