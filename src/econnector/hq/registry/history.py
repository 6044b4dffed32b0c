"""What happened to an office, as its vendor reads it. No patient data."""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from econnector.hq.registry.tables import history
from econnector.hq.registry.texts import fitting

__all__ = ["Event", "Kind", "add", "add_all", "add_many", "add_new", "add_once", "prune", "recent"]

Kind = Literal[
    "added",
    "described",
    "enrolled",
    "connected",
    "lost",
    "refused",
    "second-machine",
    "move-opened",
    "moved",
    "left",
    "disabled",
    "enabled",
    "support-ends",
    "new-key",
    "unreachable",
    "reachable",
    "outage",
    "contact-added",
    "contact-removed",
    "contacts-told",
    "contact-not-told",
]


_PASSING = ("connected", "lost", "unreachable", "reachable", "contacts-told", "contact-not-told")
"""Comings and goings: an office on a bad line writes them all day. What people did, and outages, stay."""
_PASSING_KEPT = dt.timedelta(days=90)
_SAME = ("machine", "cause", "detail")


class Event(msgspec.Struct, frozen=True):
    """One line of an office's history."""

    at: dt.datetime
    kind: Kind
    machine: str = ""
    cause: str = ""
    """A failure's code, where there is one."""
    detail: str = ""
    reference: str = ""


def add(connection: sa.Connection, office: int, event: Event) -> None:
    """Write `event` into the history of the office with this id."""
    values = msgspec.structs.asdict(event)
    connection.execute(sa.insert(history).values(office_id=office, **fitting(history, values)))


def add_all(connection: sa.Connection, events: Sequence[tuple[int, Event]]) -> None:
    """Write each event into the history of its office, in this order."""
    rows = [{"office_id": office} | fitting(history, msgspec.structs.asdict(event)) for office, event in events]
    if rows:
        connection.execute(sa.insert(history), rows)


def add_many(connection: sa.Connection, machines: sa.Select[tuple[int, str]], event: Event) -> None:
    """Write the same event for each row (office id, machine) of `machines`, in one statement."""
    rest = {"at": event.at, "kind": event.kind, "cause": event.cause, "detail": event.detail}
    rest["reference"] = event.reference
    values = [sa.literal(value, history.c[name].type) for name, value in rest.items()]
    rows = machines.add_columns(*values)
    connection.execute(sa.insert(history).from_select(["office_id", "machine", *rest], rows))


def add_once(connection: sa.Connection, office: int, event: Event, *, within: dt.timedelta) -> bool:
    """Write `event` unless the same kind, machine and cause stands there already since `within` ago; say whether."""
    values = fitting(history, msgspec.structs.asdict(event))
    same = sa.and_(
        history.c.office_id == office,
        history.c.at > event.at - within,
        *(history.c[name] == values[name] for name in ("kind", "machine", "cause")),
    )
    if connection.scalar(sa.select(history.c.id).where(same).limit(1)) is not None:
        return False
    connection.execute(sa.insert(history).values(office_id=office, **values))
    return True


def add_new(connection: sa.Connection, events: Sequence[tuple[int, Event]], *, within: dt.timedelta) -> None:
    """Write each event unless the same stands there already: the same kind, machine, cause and detail, since `within`.

    All are of one time and one kind.
    """
    if not events:
        return
    first = events[0][1]
    found = sa.select(*(history.c[name] for name in ("office_id", *_SAME))).where(
        history.c.office_id.in_(sorted({office for office, _ in events})),
        history.c.at > first.at - within,
        history.c.kind == first.kind,
        history.c.detail.in_(sorted({fitting(history, {"detail": event.detail})["detail"] for _, event in events})),
    )
    known = {tuple(row) for row in connection.execute(found)}
    new = []
    for office, event in events:
        values = fitting(history, msgspec.structs.asdict(event))
        same = (office, *(values[name] for name in _SAME))
        if same not in known:
            known.add(same)
            new.append((office, event))
    add_all(connection, new)


def recent(connection: sa.Connection, office: int, limit: int = 100) -> list[Event]:
    """Return the latest events of an office, newest first."""
    wanted = sa.select(history).where(history.c.office_id == office)
    rows = connection.execute(wanted.order_by(history.c.at.desc(), history.c.id.desc()).limit(limit))
    return [Event(row.at, row.kind, row.machine, row.cause, row.detail, row.reference) for row in rows]


def prune(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete comings and goings of more than 90 days ago; return how many."""
    old = sa.and_(history.c.kind.in_(_PASSING), history.c.at < now - _PASSING_KEPT)
    return connection.execute(sa.delete(history).where(old)).rowcount
