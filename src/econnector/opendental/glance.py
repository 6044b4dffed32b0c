"""What a home page needs besides visits, in one question to the database."""

import datetime as dt
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from econnector.opendental.appointments import FIRST_DUE
from econnector.opendental.statements import COUNTED

__all__ = ["Glance", "glance"]

_COUNTED = COUNTED.subquery()
# Built once: building a statement takes longer than running it.
_GLANCE = select(
    _COUNTED.c.count,
    _COUNTED.c.newest,
    FIRST_DUE.label("due"),
)
_NOBODY = -1


class Glance(msgspec.Struct, frozen=True):
    """What there is."""

    statement_count: int
    newest_statement: dt.datetime | None
    check_up_due: dt.date | None
    """Since when a check-up is due and not scheduled."""


def glance(connection: Connection, *, statements_of: Sequence[int], check_ups_of: int | None) -> Glance:
    """Return what there is of these people's statements and this person's check-ups (PatNums; None: not asked)."""
    asked = {"people": list(statements_of), "person": _NOBODY if check_ups_of is None else check_ups_of}
    row = connection.execute(_GLANCE, asked).one()
    return Glance(int(row[0]), row.newest, row.due)
