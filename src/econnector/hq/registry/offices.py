"""Offices, their addresses and their registration keys."""

import datetime as dt
import difflib
import re
from collections.abc import Collection, Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from econnector.base.errors import KeyInactive, NameTaken, OfficeUnknown, ValueRejected
from econnector.base.registration import new_key
from econnector.hq.registry import history
from econnector.hq.registry.history import Event
from econnector.hq.registry.keys import hashed
from econnector.hq.registry.tables import host_names, offices
from econnector.hq.registry.texts import fitting

__all__ = [
    "NAME",
    "Inactive",
    "Office",
    "Standing",
    "add",
    "by_id",
    "by_ids",
    "by_key",
    "count",
    "describe",
    "disable",
    "enable",
    "end_support",
    "every",
    "get",
    "inactive",
    "inactive_reason",
    "new_registration_key",
    "open_move",
    "standing_of",
]

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
"""An office's name: it stands in addresses and may become a host name."""
_HOST = re.compile(rf"{NAME.pattern}(\.{NAME.pattern})+", re.ASCII)

Standing = Literal["active", "disabled", "ended"]


class Office(msgspec.Struct, frozen=True):
    """One office, as its vendor keeps it."""

    id: int
    name: str
    title: str
    phone: str
    hosts: tuple[str, ...]
    created_at: dt.datetime
    key_used_at: dt.datetime | None
    support_ends: dt.date | None
    """The first day (UTC) without support."""
    disabled_at: dt.datetime | None
    disabled_reason: str
    move_until: dt.datetime | None
    """Until then another machine may take over."""

    def standing(self, now: dt.datetime) -> Standing:
        """Return what the office's key is worth at `now`."""
        return standing_of(self.disabled_at, self.support_ends, now)


def standing_of(disabled_at: dt.datetime | None, support_ends: dt.date | None, now: dt.datetime) -> Standing:
    """Return what a key is worth at `now`; a key that is disabled and ended counts as disabled."""
    if disabled_at is not None:
        return "disabled"
    return "ended" if support_ends is not None and now.astimezone(dt.UTC).date() >= support_ends else "active"


class Inactive(msgspec.Struct, frozen=True):
    """Why a key is not active, and since when, in words."""

    standing: Standing
    reason: str
    since: str


def inactive_reason(
    disabled_at: dt.datetime | None, disabled_reason: str, support_ends: dt.date | None, now: dt.datetime
) -> Inactive | None:
    """Return why a key is not active at `now`, or None if it is."""
    standing = standing_of(disabled_at, support_ends, now)
    if standing == "active":
        return None
    if disabled_at is None:
        return Inactive(standing, "support ended", str(support_ends))
    reason = f"it was disabled ({disabled_reason})" if disabled_reason else "it was disabled"
    return Inactive(standing, reason, f"{disabled_at:%Y-%m-%d %H:%M} UTC")


def inactive(office: Office, now: dt.datetime) -> KeyInactive | None:
    """Return the failure of an office whose key is not active, or None."""
    why = inactive_reason(office.disabled_at, office.disabled_reason, office.support_ends, now)
    if why is None:
        return None
    return KeyInactive(
        reason=why.reason, since=why.since, standing=why.standing, office=office.name, phone=office.phone
    )


def add(  # noqa: PLR0913 - what an office is, in one place
    connection: sa.Connection,
    name: str,
    now: dt.datetime,
    *,
    title: str = "",
    phone: str = "",
    hosts: Sequence[str] = (),
) -> tuple[Office, str]:
    """Add an office; return it and its plain registration key, which is stored nowhere.

    Raises `ValueRejected` for a name or host name of the wrong form, `NameTaken` if it is used already.
    """
    if not NAME.fullmatch(name):
        why = "an office's name is 1 to 63 lower-case letters a-z, digits and hyphens, with no hyphen at either end"
        raise ValueRejected(field="name", why=why + ".")
    if connection.scalar(sa.select(offices.c.id).where(offices.c.name == name)) is not None:
        raise NameTaken(what="name", name=name, owner=name)
    key = new_key()
    values = fitting(offices, {"name": name, "title": title or name, "phone": phone})
    values |= {"created_at": now, "key_hash": hashed(connection, key), "disabled_reason": ""}
    found = connection.execute(sa.insert(offices).values(values)).inserted_primary_key
    number = int(found[0]) if found else 0
    for host in hosts:
        _add_host(connection, number, host)
    history.add(connection, number, Event(now, "added"))
    return get(connection, name), key


def _add_host(connection: sa.Connection, office: int, typed: str) -> None:
    host = typed.strip().rstrip(".").lower()
    if not _HOST.fullmatch(host):
        raise ValueRejected(field="host", why=f"{typed!r} is not a full host name such as portal.example.com.")
    owner = sa.select(offices.c.name).join(host_names).where(host_names.c.host == host)
    if (name := connection.scalar(owner)) is not None:
        raise NameTaken(what="host name", name=host, owner=name)
    connection.execute(sa.insert(host_names).values(host=host, office_id=office))


def get(connection: sa.Connection, name: str) -> Office:
    """Return the office with this name. Raises `OfficeUnknown`."""
    row = connection.execute(sa.select(offices).where(offices.c.name == name)).one_or_none()
    if row is None:
        names = connection.scalars(sa.select(offices.c.name)).all()
        near = difflib.get_close_matches(name, names, n=1)
        raise OfficeUnknown(name=name, hint=f" (did you mean {near[0]}?)" if near else "")
    return _office(row, _hosts(connection, (row.id,)).get(row.id, ()))


def every(connection: sa.Connection) -> list[Office]:
    """Return all offices by name."""
    hosts = _hosts(connection)
    return [_office(row, hosts.get(row.id, ())) for row in connection.execute(sa.select(offices).order_by("name"))]


def count(connection: sa.Connection) -> int:
    """Return how many offices there are."""
    return connection.scalar(sa.select(sa.func.count()).select_from(offices)) or 0


def by_key(connection: sa.Connection, key: str) -> Office | None:
    """Return the office whose plain registration key this is, locked until the transaction ends."""
    return _locked(connection, offices.c.key_hash == hashed(connection, key))


def by_id(connection: sa.Connection, number: int) -> Office | None:
    """Return the office with this id, locked until the transaction ends."""
    return _locked(connection, offices.c.id == number)


def by_ids(connection: sa.Connection, numbers: Collection[int]) -> dict[int, Office]:
    """Return the offices with these ids by id, locked in the order of their ids until the transaction ends."""
    wanted = sa.select(offices).where(offices.c.id.in_(numbers)).order_by(offices.c.id)
    rows = connection.execute(wanted.with_for_update()).all()
    hosts = _hosts(connection, numbers)
    return {row.id: _office(row, hosts.get(row.id, ())) for row in rows}


def _locked(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Office | None:
    row = connection.execute(sa.select(offices).where(which).with_for_update()).one_or_none()
    return None if row is None else _office(row, _hosts(connection, (row.id,)).get(row.id, ()))


def disable(connection: sa.Connection, name: str, reason: str, now: dt.datetime) -> Office:
    """Disable an office's key. Raises `OfficeUnknown`."""
    return _change(connection, name, Event(now, "disabled", detail=reason), disabled_at=now, disabled_reason=reason)


def enable(connection: sa.Connection, name: str, now: dt.datetime) -> Office:
    """Make an office's key active again, whether it was disabled or its support ended. Raises `OfficeUnknown`."""
    return _change(connection, name, Event(now, "enabled"), disabled_at=None, disabled_reason="", support_ends=None)


def end_support(connection: sa.Connection, name: str, on: dt.date, now: dt.datetime) -> Office:
    """Let support end: `on` is the first day without it. Raises `OfficeUnknown`."""
    return _change(connection, name, Event(now, "support-ends", detail=f"on {on}"), support_ends=on)


def describe(  # noqa: PLR0913 - what can be changed, in one place
    connection: sa.Connection,
    name: str,
    now: dt.datetime,
    *,
    title: str | None = None,
    phone: str | None = None,
    hosts: Sequence[str] | None = None,
) -> Office:
    """Change what an office is called, its phone number or its own host names; None leaves as it is.

    Raises `OfficeUnknown`, `ValueRejected` for a host name of the wrong form, `NameTaken` if another office has it.
    """
    values = {name: value for name, value in (("title", title), ("phone", phone)) if value is not None}
    told = [f"{field}: {value}" for field, value in values.items()]
    if hosts is not None:
        number = get(connection, name).id
        connection.execute(sa.delete(host_names).where(host_names.c.office_id == number))
        for host in hosts:
            _add_host(connection, number, host)
        told.append(f"hosts: {' '.join(hosts) or 'none'}")
    return _change(connection, name, Event(now, "described", detail=", ".join(told)), **values)


def open_move(connection: sa.Connection, name: str, until: dt.datetime, now: dt.datetime) -> Office:
    """Allow one other machine to become the office's connector until `until`. Raises `OfficeUnknown`."""
    detail = f"until {until:%Y-%m-%d %H:%M} UTC"
    return _change(connection, name, Event(now, "move-opened", detail=detail), move_until=until)


def new_registration_key(connection: sa.Connection, name: str, now: dt.datetime) -> str:
    """Replace an office's key, for one that was lost or leaked; return the new one, plain.

    The machine that is enrolled stays so. Raises `OfficeUnknown`.
    """
    key = new_key()
    _change(connection, name, Event(now, "new-key"), key_hash=hashed(connection, key), key_used_at=None)
    return key


def _change(connection: sa.Connection, name: str, event: Event, **values: object) -> Office:
    office = get(connection, name)
    if values:
        connection.execute(sa.update(offices).where(offices.c.id == office.id).values(fitting(offices, values)))
    history.add(connection, office.id, event)
    return get(connection, name)


def _hosts(connection: sa.Connection, numbers: Collection[int] | None = None) -> dict[int, tuple[str, ...]]:
    wanted = sa.select(host_names).order_by(host_names.c.host)
    if numbers is not None:
        wanted = wanted.where(host_names.c.office_id.in_(numbers))
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(wanted):
        found[row.office_id] = (*found.get(row.office_id, ()), row.host)
    return found


def _office(row: sa.Row[tuple[object, ...]], hosts: tuple[str, ...]) -> Office:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return Office(hosts=hosts, **{name: values[name] for name in Office.__struct_fields__ if name != "hosts"})
