"""A day's schedule."""

import datetime as dt
from typing import TYPE_CHECKING

from econnector.base.errors import ValueRejected
from econnector.eservices.api import calls
from econnector.eservices.api.office.desk import Desk
from econnector.eservices.api.office.keys import Partner
from econnector.eservices.api.office.paging import page_of, text_of
from econnector.opendental import schedule, times
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `APPOINTMENTS`. Raises `ApiKeyRefused`, `ApiRightMissing`, `ValueRejected`."""

    @answers.to(calls.APPOINTMENTS)
    async def _(_asked: Asked, params: calls.AppointmentsAsked) -> calls.Appointments:
        partner = await desk.admit(params.key, "schedule")
        return await desk.database.run(_appointments, desk, partner, params)


def _appointments(
    connection: "Connection", desk: Desk, partner: Partner, params: calls.AppointmentsAsked
) -> calls.Appointments:
    day, page = _day(connection, params.date), page_of(params)
    rows, more = page.cut(schedule.on_day(connection, day, *page.span))
    desk.note(connection, partner, f"read the schedule of {day}: {len(rows)} appointments from {page.offset} on.")
    return calls.Appointments(
        date=day.isoformat(),
        offset=page.offset,
        limit=page.limit,
        more=more,
        appointments=[_appointment(row) for row in rows],
    )


def _day(connection: "Connection", text: str) -> dt.date:
    if not text:
        return times.now(connection).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        why = "The parameter date must be a day such as 2026-11-24."
        raise ValueRejected(field="date", why=why) from None


def _appointment(row: schedule.Scheduled) -> calls.Appointment:
    return calls.Appointment(
        AptNum=row.number,
        PatNum=row.patient,
        AptDateTime=text_of(row.at),
        AptStatus=row.status,
        minutes=row.minutes,
        provAbbr=row.provider,
        operatory=row.operatory,
        confirmed=row.confirmed,
    )
