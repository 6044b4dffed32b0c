"""Table alertitem: the alerts in Open Dental's main menu that tell about the eConnector.

Each of them is there once at most, those about mail and online payments once per clinic. Who sees it is decided by
alertsub and alertcategorylink, which Open Dental fills.
"""

import enum
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from econnector.opendental import times, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import alertitem, alertread

__all__ = ["Kind", "clear", "count", "raise_once"]

_ALL_CLINICS, _PRACTICE = -1, 0
_LOW, _MEDIUM, _HIGH = 1, 2, 3
_MARK_AS_READ, _OPEN_FORM, _DELETE = 1, 2, 4
_NO_FORM, _ONLINE_PAYMENTS_FORM, _CONNECTOR_FORM = 0, 2, 9


class Kind(enum.IntEnum):
    """The types of alert (Open Dental's AlertType) that the connector raises."""

    ONLINE_PAYMENTS = 1
    """Open Dental shows `Pending Online Payments:` before the description, which is a number."""
    MULTIPLE_CONNECTORS = 11
    CONNECTOR_DOWN = 12
    CONNECTOR_ERROR = 13
    MAIL_FAILS = 22
    CLOCKS_DIFFER = 24


class _Look(msgspec.Struct, frozen=True):
    severity: int
    actions: int
    clinic: int
    form: int


_LOOKS = {
    Kind.ONLINE_PAYMENTS: _Look(_LOW, _MARK_AS_READ | _OPEN_FORM, _PRACTICE, _ONLINE_PAYMENTS_FORM),
    Kind.MULTIPLE_CONNECTORS: _Look(_HIGH, _MARK_AS_READ | _DELETE, _ALL_CLINICS, _NO_FORM),
    Kind.CONNECTOR_DOWN: _Look(_HIGH, _MARK_AS_READ | _OPEN_FORM, _ALL_CLINICS, _CONNECTOR_FORM),
    Kind.CONNECTOR_ERROR: _Look(_LOW, _MARK_AS_READ | _OPEN_FORM, _PRACTICE, _CONNECTOR_FORM),
    Kind.MAIL_FAILS: _Look(_MEDIUM, _MARK_AS_READ | _DELETE, _PRACTICE, _NO_FORM),
    Kind.CLOCKS_DIFFER: _Look(_HIGH, _MARK_AS_READ | _DELETE, _ALL_CLINICS, _NO_FORM),
}
_MOST = 2000


def raise_once(connection: Connection, schema: Schema, kind: Kind, description: str, clinic: int | None = None) -> bool:
    """Add the alert unless there is one of its kind (in that clinic); return whether it was added."""
    look = _LOOKS[kind]
    here = (alertitem.c.Type == int(kind),) + (() if clinic is None else (alertitem.c.ClinicNum == clinic,))
    values = {
        "ClinicNum": look.clinic if clinic is None else clinic,
        "Description": description[:_MOST],
        "Type": int(kind),
        "Severity": look.severity,
        "Actions": look.actions,
        "FormToOpen": look.form,
        "FKey": 0,
        "ItemValue": "",
        "UserNum": 0,
        "SecDateTEntry": times.now(connection),
    }
    return writes.insert_unless(connection, schema, alertitem, values, *here)


def count(connection: Connection, schema: Schema, kind: Kind, counts: Mapping[int, int]) -> bool:
    """Let the alerts of this kind say how many there are by ClinicNum, and no other be there; return if any changed.

    A number that grows is told anew to who has read it.
    """
    item = alertitem.c
    rows = connection.execute(select(item.AlertItemNum, item.ClinicNum, item.Description).where(item.Type == int(kind)))
    there = {row.ClinicNum: row for row in rows}
    changed = False
    for clinic in there.keys() | counts.keys():
        wanted, row = counts.get(clinic, 0), there.get(clinic)
        shown = int(row.Description) if row is not None and row.Description.isdigit() else 0
        if shown == wanted:
            continue
        changed = True
        if row is not None and 0 < wanted < shown:
            writes.update(
                connection, schema, alertitem, {"Description": str(wanted)}, item.AlertItemNum == row.AlertItemNum
            )
            continue
        clear(connection, kind, clinic)
        if wanted:
            raise_once(connection, schema, kind, str(wanted), clinic)
    return changed


def clear(connection: Connection, kind: Kind, clinic: int | None = None) -> int:
    """Remove every alert of this kind (in that clinic) and the marks of who has read it; return how many there were."""
    numbers = _numbers(connection, kind, clinic)
    if numbers:
        connection.execute(delete(alertread).where(alertread.c.AlertItemNum.in_(numbers)))
        connection.execute(delete(alertitem).where(alertitem.c.AlertItemNum.in_(numbers)))
    return len(numbers)


def _numbers(connection: Connection, kind: Kind, clinic: int | None) -> Sequence[int]:
    query = select(alertitem.c.AlertItemNum).where(alertitem.c.Type == int(kind))
    return connection.scalars(query if clinic is None else query.where(alertitem.c.ClinicNum == clinic)).all()
