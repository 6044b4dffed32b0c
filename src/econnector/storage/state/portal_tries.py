"""Sign-ins at the portal and tries of them, with the real reason behind "Login failed": the office's access log.

Bounded, and without passwords. A name that was typed is kept only where it is a patient's: people type passwords into
the field for the name, so of an unknown one its first letter and its length are kept. Tries that repeat within an hour
are one row that counts them, so that whoever tries a thousand times does not push out everybody else's.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["IN", "KEEP", "MOST", "REFUSED", "SLOWED", "Try", "listed", "masked", "note", "sweep"]

IN, REFUSED, SLOWED = "in", "refused", "slowed"
KEEP: Final = dt.timedelta(days=90)
MOST: Final = 20_000
"""Rows; the oldest go first."""
_TOGETHER: Final = dt.timedelta(hours=1)
_SLACK: Final = 100
_LONGEST: Final = 200

TRIES = sa.Table(
    "portal_try",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("first", sa.Float, nullable=False),
    sa.Column("last", sa.Float, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("reason", sa.String(_LONGEST), nullable=False),
    sa.Column("patient", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String(_LONGEST), nullable=False),
    sa.Column("address", sa.String(_LONGEST), nullable=False),
    sa.Column("agent", sa.String(_LONGEST), nullable=False),
    sa.Column("reference", sa.String(20), nullable=False),
)
sa.Index("portal_try_last", TRIES.c.last)
sa.Index("portal_try_patient", TRIES.c.patient, TRIES.c.last)


class Try(msgspec.Struct, frozen=True):
    """One try, or several alike within an hour."""

    first: dt.datetime
    last: dt.datetime
    times: int
    outcome: str
    """`in`, `refused` or `slowed`."""
    reason: str
    """Why not; for the office only."""
    patient: int
    """PatNum, 0 where the name is nobody's."""
    name: str
    """The patient's user name, or what `masked` leaves of an unknown one."""
    address: str
    agent: str
    reference: str
    """Of the first try; what the patient saw."""


def masked(typed: str) -> str:
    """Return what is kept of a name that is nobody's."""
    name = typed.strip()
    shown = name[:1] if name[:1].isprintable() else "?"
    return f"{shown}… ({len(name)} characters)" if name else "(nothing)"


def note(  # noqa: PLR0913 - a row's values
    connection: sa.Connection,
    now: dt.datetime,
    outcome: str,
    *,
    reason: str = "",
    patient: int = 0,
    name: str = "",
    address: str = "",
    agent: str = "",
    reference: str = "",
) -> None:
    """Keep a try. `name` is a patient's user name, or `masked`."""
    row = {
        "outcome": outcome,
        "reason": reason[:_LONGEST],
        "patient": patient,
        "name": name[:_LONGEST],
        "address": address[:_LONGEST],
        "agent": agent[:_LONGEST],
    }
    moment = now.timestamp()
    alike = [TRIES.c[key] == value for key, value in row.items()]
    recent = TRIES.c.first.between(moment - _TOGETHER.total_seconds(), moment)
    again = sa.update(TRIES).where(*alike, recent).values(last=moment, times=TRIES.c.times + 1)
    if outcome != IN and connection.execute(again).rowcount:
        return
    made = connection.execute(sa.insert(TRIES).values(**row, first=moment, last=moment, times=1, reference=reference))
    number = made.inserted_primary_key[0] if made.inserted_primary_key else 0
    if number % _SLACK == 0:
        connection.execute(sa.delete(TRIES).where(TRIES.c.id <= number - MOST))


def listed(  # noqa: PLR0913 - what a list is narrowed by
    connection: sa.Connection,
    since: dt.datetime,
    most: int,
    *,
    outcomes: Iterable[str] = (),
    patients: Iterable[int] | None = None,
    find: str = "",
) -> list[Try]:
    """Return the tries since then, newest first.

    `patients` (PatNums) narrows to theirs; `find` to those whose user name, address or reference has it.
    """
    query = sa.select(TRIES).where(TRIES.c.last >= since.timestamp())
    wanted = list(outcomes)
    if wanted:
        query = query.where(TRIES.c.outcome.in_(wanted))
    if patients is not None:
        query = query.where(TRIES.c.patient.in_(list(patients)))
    if find:
        texts = (TRIES.c.name, TRIES.c.address, TRIES.c.reference)
        query = query.where(sa.or_(*(column.contains(find, autoescape=True) for column in texts)))
    return [_read(row) for row in connection.execute(query.order_by(TRIES.c.last.desc()).limit(most))]


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete tries older than `KEEP`; return how many rows."""
    return int(connection.execute(sa.delete(TRIES).where(TRIES.c.last < (now - KEEP).timestamp())).rowcount)


def _read(row: Any) -> Try:
    return Try(
        first=dt.datetime.fromtimestamp(row.first, dt.UTC),
        last=dt.datetime.fromtimestamp(row.last, dt.UTC),
        times=row.times,
        outcome=row.outcome,
        reason=row.reason,
        patient=row.patient,
        name=row.name,
        address=row.address,
        agent=row.agent,
        reference=row.reference,
    )
