"""Which visits patients have said they will come to: until the office has set them to confirmed, only we know.

A visit that is moved to another time is another visit: the key is the appointment and its time.
"""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["keep", "sweep", "told_of"]

_KEPT = dt.timedelta(days=2 * 365)

CONFIRMED = sa.Table(
    "portal_confirmed",
    metadata,
    sa.Column("appointment", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("visit", sa.String(19), primary_key=True),
    sa.Column("told", sa.String(19), nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)


def keep(connection: sa.Connection, appointment: int, visit: str, told: str, now: dt.datetime) -> None:
    """Remember that the office was told of this visit (its ISO time) at `told`, in office time; the first stays."""
    if (appointment, visit) not in told_of(connection, [appointment]):
        connection.execute(
            sa.insert(CONFIRMED).values(appointment=appointment, visit=visit, told=told, at=now.timestamp())
        )


def told_of(connection: sa.Connection, appointments: Iterable[int]) -> dict[tuple[int, str], str]:
    """Return when the office was told, by appointment and time of the visit."""
    wanted = CONFIRMED.c.appointment.in_(list(appointments))
    rows = connection.execute(sa.select(CONFIRMED.c.appointment, CONFIRMED.c.visit, CONFIRMED.c.told).where(wanted))
    return {(row.appointment, row.visit): row.told for row in rows}


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Forget visits that were confirmed two years ago; return how many."""
    return connection.execute(sa.delete(CONFIRMED).where(CONFIRMED.c.at < (now - _KEPT).timestamp())).rowcount
