"""Who looked at a record in the portal, from Open Dental's own trails.

`securitylog`, where the portal is the source: permission 175 is a sign-in of PatNum; permission 75 an act of PatNum
(who did it) with the record of FKey (whose it is). `eservicelog`: activity of PatNum, service 5 being the portal. Ours
repeats what the audit row says, and is left out: its sessions (LogGuid) have no dash, as those of other programs do.
What the office's staff did has another source, and of it only what this product wrote about a patient's portal
(permission 91, a text that begins as `audit.PORTAL_CHANGED` does) is read.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, literal, or_, select, union_all

from econnector.opendental.audit import NO_SOURCE, PORTAL_CHANGED, Action, Permission
from econnector.opendental.tables import eservicelog, patient, securitylog

__all__ = ["Trace", "names", "of_oneself", "of_record"]

Kind = Literal["signed-in", "acted", "office", "statement-downloaded", "paid"]

_FROM_PORTAL = 6
"""securitylog.LogSource."""
_PORTAL_SERVICE = 5
_PAID = 17
_KINDS: dict[int, Kind] = {
    int(Permission.PATIENT_PORTAL_LOGIN): "signed-in",
    int(Permission.PATIENT_PORTAL): "acted",
    int(Permission.SERVICES_SETUP): "office",
    # Activity has its own numbers; below nothing, they are not taken for permissions.
    -int(Action.SIGNED_IN): "signed-in",
    -int(Action.STATEMENT_DOWNLOADED): "statement-downloaded",
    -_PAID: "paid",
}


class Trace(msgspec.Struct, frozen=True):
    """One thing that somebody did."""

    at: dt.datetime | None
    who: int
    """PatNum of the one who did it; 0 for the office."""
    kind: Kind
    text: str
    """What the audit row says, as the portal wrote it; empty for activity."""
    audited: bool
    """Whether it stands in the audit trail, and not in the activity alone."""


def _audit(permission: Permission) -> Select[Any]:
    log = securitylog.c
    told = (log.LogDateTime.label("at"), log.PatNum.label("who"), log.PermType.label("what"), log.LogText)
    return select(*told, log.SecurityLogNum.label("number")).where(
        log.PermType == int(permission), log.LogSource == _FROM_PORTAL
    )


_ACTS = _audit(Permission.PATIENT_PORTAL).where(securitylog.c.FKey == bindparam("person"))
_SIGN_INS = _audit(Permission.PATIENT_PORTAL_LOGIN).where(securitylog.c.PatNum == bindparam("person"))
_OFFICE = select(
    securitylog.c.LogDateTime,
    literal(0).label("who"),
    securitylog.c.PermType.label("what"),
    securitylog.c.LogText,
    securitylog.c.SecurityLogNum,
).where(
    securitylog.c.PatNum == bindparam("person"),
    securitylog.c.PermType == int(Permission.SERVICES_SETUP),
    securitylog.c.LogSource == NO_SOURCE,
    securitylog.c.LogText.startswith(PORTAL_CHANGED),
)
_ACTIVITY = select(
    eservicelog.c.LogDateTime,
    eservicelog.c.PatNum,
    (-eservicelog.c.EServiceAction).label("what"),
    literal(""),
    eservicelog.c.EServiceLogNum,
).where(
    eservicelog.c.PatNum == bindparam("person"),
    eservicelog.c.EServiceType == _PORTAL_SERVICE,
    eservicelog.c.EServiceAction.in_([-kind for kind in _KINDS if kind < 0]),
    or_(func.coalesce(eservicelog.c.LogGuid, "") == "", eservicelog.c.LogGuid.contains("-")),
)


def _paged(traces: Any) -> Any:
    # What was done within one second has an order, too: a page never shows again what the page before it had.
    columns = traces.selected_columns
    return traces.order_by(columns.at.desc(), columns.number.desc()).limit(bindparam("most")).offset(bindparam("skip"))


# One indexed look-up per reason; an OR over them would read the whole table. Built once.
_ALL = _paged(union_all(_ACTS, _SIGN_INS, _OFFICE, _ACTIVITY))
_OF_OTHERS = _paged(_ACTS.where(securitylog.c.PatNum != bindparam("person")))
_NAMES = select(patient.c.PatNum, patient.c.FName, patient.c.LName).where(
    patient.c.PatNum.in_(bindparam("people", expanding=True))
)


def of_oneself(connection: Connection, person: int, most: int, skip: int = 0) -> list[Trace]:
    """Return who looked at the record of `person` (a PatNum), the office included, and their own sign-ins.

    Newest first.
    """
    return _read(connection, _ALL, person, most, skip)


def of_record(connection: Connection, person: int, most: int, skip: int = 0) -> list[Trace]:
    """Return what others than `person` did with their record, newest first: what they did themselves is their own."""
    return _read(connection, _OF_OTHERS, person, most, skip)


def names(connection: Connection, people: Iterable[int]) -> dict[int, str]:
    """Return first and last names by PatNum."""
    wanted = sorted(set(people))
    if not wanted:
        return {}
    rows = connection.execute(_NAMES, {"people": wanted})
    return {row.PatNum: " ".join(part.strip() for part in (row.FName, row.LName) if part) for row in rows}


def _read(connection: Connection, traces: Any, person: int, most: int, skip: int) -> list[Trace]:
    rows = connection.execute(traces, {"person": person, "most": most, "skip": skip})
    return [
        Trace(at=row.at, who=row.who, kind=_KINDS[row.what], text=row.LogText or "", audited=row.what > 0)
        for row in rows
    ]
