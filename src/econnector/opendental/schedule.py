"""A day's schedule, as the office's appointment book shows it.

Of `appointment` the rows with AptStatus 1 (scheduled), 2 (complete), 4 (ASAP, of old versions) and 5 (broken): what is
planned or unscheduled stands on no day, and 7 and 8 are notes. `Note` and `ProcDescript` are the staff's own words and
are never read.
"""

import datetime as dt
from typing import Any, Literal, cast

import msgspec
from sqlalchemy import Connection, bindparam, select

from econnector.opendental.tables import appointment, definition, operatory, provider
from econnector.opendental.times import OdDateTime, is_dated

__all__ = ["Scheduled", "Status", "on_day"]

Status = Literal["Scheduled", "Complete", "ASAP", "Broken"]
_STATUSES: dict[int, Status] = {1: "Scheduled", 2: "Complete", 4: "ASAP", 5: "Broken"}
_MINUTES = 5
"""Of each letter of `Pattern`."""


class Scheduled(msgspec.Struct, frozen=True):
    """One appointment of a day."""

    number: int
    """AptNum."""
    patient: int
    """PatNum."""
    at: dt.datetime
    """Office time."""
    status: Status
    minutes: int
    provider: str
    """provider.Abbr."""
    operatory: str
    """operatory.OpName."""
    confirmed: str
    """What the office calls its state of confirmation."""

    def __repr__(self) -> str:
        return f"Scheduled(number={self.number})"


# Built once: building a statement takes longer than running it.
_ON_DAY = (
    select(
        *(appointment.c[name] for name in ("AptNum", "PatNum", "AptDateTime", "AptStatus", "Pattern")),
        *(provider.c.Abbr, operatory.c.OpName, definition.c.ItemName),
    )
    .outerjoin_from(appointment, provider, provider.c.ProvNum == appointment.c.ProvNum)
    .outerjoin(operatory, operatory.c.OperatoryNum == appointment.c.Op)
    .outerjoin(definition, definition.c.DefNum == appointment.c.Confirmed)
    .where(
        appointment.c.AptDateTime.between(bindparam("first", type_=OdDateTime), bindparam("last", type_=OdDateTime)),
        is_dated(appointment.c.AptDateTime),
        appointment.c.AptStatus.in_(tuple(_STATUSES)),
    )
    .order_by(appointment.c.AptDateTime, appointment.c.AptNum)
    .limit(bindparam("most"))
    .offset(bindparam("skip"))
)


def on_day(connection: Connection, day: dt.date, most: int, skip: int = 0) -> list[Scheduled]:
    """Return the appointments of a day by time, at most `most` after the first `skip`."""
    first = dt.datetime.combine(day, dt.time())
    last = dt.datetime.combine(day, dt.time(23, 59, 59))
    rows = connection.execute(_ON_DAY, {"first": first, "last": last, "most": most, "skip": skip})
    return [_scheduled(row) for row in rows]


def _scheduled(row: Any) -> Scheduled:
    return Scheduled(
        number=row.AptNum,
        patient=row.PatNum,
        at=cast("dt.datetime", row.AptDateTime),
        status=_STATUSES[row.AptStatus],
        minutes=len(row.Pattern or "") * _MINUTES,
        provider=(row.Abbr or "").strip(),
        operatory=(row.OpName or "").strip(),
        confirmed=(row.ItemName or "").strip(),
    )
