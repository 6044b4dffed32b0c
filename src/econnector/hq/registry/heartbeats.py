"""What offices last said of themselves, and which of them have gone silent."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from econnector.base.errors import OwnedElsewhere
from econnector.hq.registry import history
from econnector.hq.registry.connectors import others
from econnector.hq.registry.history import Event
from econnector.hq.registry.offices import Standing, standing_of
from econnector.hq.registry.tables import connectors, heartbeats, host_names, offices, owners
from econnector.hq.registry.texts import fitting
from econnector.link.calls import Heartbeat

__all__ = ["GONE", "SILENT", "Place", "Reach", "find", "overview", "save", "silent"]

GONE = dt.timedelta(seconds=60)
"""This long without a link, an office counts as unreachable."""
SILENT = dt.timedelta(seconds=150)
"""This long without a heartbeat (they come every minute), whatever its link looks like."""
_REPEATED = dt.timedelta(days=60)
"""An office repeats a report until HQ has said that it has it; the same one within this time is written once."""
_DAY = 24 * 60
_OUTAGES = 50
"""Outage reports that one heartbeat may bring; an honest connector has a handful."""


class Place(msgspec.Struct, frozen=True):
    """Which link a heartbeat came over."""

    office: int
    epoch: int


def save(
    connection: sa.Connection, place: Place, said: Heartbeat, now: dt.datetime
) -> tuple[Standing, list[str]] | OwnedElsewhere:
    """Keep a heartbeat; return the key's standing and the names of other machines that lately tried.

    A heartbeat under an old epoch is not kept: the answer then is `OwnedElsewhere`, to be raised by the caller.
    """
    row = connection.execute(_current(place.office)).one()
    if row.epoch != place.epoch:
        return OwnedElsewhere(machine=row.machine, since=f"{row.since:%Y-%m-%d %H:%M} UTC", here=said.machine)
    connection.execute(
        sa.update(owners).where(owners.c.office_id == place.office).values(last_seen=now, silent_since=None)
    )
    if row.silent_since is not None:
        minutes = round((now - row.silent_since).total_seconds() / 60)
        history.add(connection, place.office, Event(now, "reachable", said.machine, detail=f"after {minutes} minutes"))
    _keep(connection, place.office, said, now)
    for outage in said.outages[:_OUTAGES]:
        detail = f"{outage.began} to {outage.ended}"
        event = Event(now, "outage", said.machine, outage.cause, detail, outage.reference)
        history.add_once(connection, place.office, event, within=_REPEATED, detail=True)
    return standing_of(row.disabled_at, row.support_ends, now), others(connection, place.office, now)


def _current(office: int) -> sa.Select[tuple[object, ...]]:
    wanted = sa.select(
        owners.c.epoch,
        owners.c.since,
        owners.c.silent_since,
        connectors.c.machine,
        offices.c.disabled_at,
        offices.c.support_ends,
    )
    joined = wanted.join_from(offices, owners).join(connectors, connectors.c.id == owners.c.connector_id)
    return joined.where(offices.c.id == office)


def _keep(connection: sa.Connection, office: int, said: Heartbeat, now: dt.datetime) -> None:
    names = [column.name for column in heartbeats.c if column.name not in {"office_id", "at"}]
    values = fitting(heartbeats, {name: getattr(said, name) for name in names}) | {"at": now}
    if said.utc_offset is not None and abs(said.utc_offset) > _DAY:
        values["utc_offset"] = None
    mine = heartbeats.c.office_id == office
    if not connection.execute(sa.update(heartbeats).where(mine).values(values)).rowcount:
        connection.execute(sa.insert(heartbeats).values(office_id=office, **values))


def silent(connection: sa.Connection, now: dt.datetime) -> list[str]:
    """Write an `unreachable` event for every office that went silent since the last look; return their names.

    Each outage is written once, by whichever node of HQ looks first.
    """
    gone = sa.or_(owners.c.lost_at < now - GONE, owners.c.last_seen < now - SILENT)
    wanted = sa.select(owners.c.office_id, owners.c.last_seen, offices.c.name, connectors.c.machine)
    joined = wanted.join_from(owners, offices).join(connectors, connectors.c.id == owners.c.connector_id)
    found = []
    for row in connection.execute(joined.where(owners.c.silent_since.is_(None), gone)).all():
        first = sa.and_(owners.c.office_id == row.office_id, owners.c.silent_since.is_(None))
        if connection.execute(sa.update(owners).where(first).values(silent_since=row.last_seen)).rowcount:
            detail = f"since {row.last_seen:%Y-%m-%d %H:%M:%S} UTC"
            event = Event(now, "unreachable", row.machine, "office-unreachable", detail)
            history.add(connection, row.office_id, event)
            found.append(row.name)
    return found


class Reach(msgspec.Struct, frozen=True):
    """What HQ's pages and lists know about an office: its address, its key and its connector."""

    office: int
    name: str
    title: str
    """What the practice calls itself in its heartbeats, else what the vendor called it."""
    phone: str
    disabled_at: dt.datetime | None
    disabled_reason: str
    support_ends: dt.date | None
    machine: str
    """Of the connector; empty when there never was one."""
    since: dt.datetime | None
    last_seen: dt.datetime | None
    lost_at: dt.datetime | None
    utc_offset: int | None
    version: str
    program_version: str
    database_version: str
    status: str
    failure: str
    failure_since: str
    heartbeat_at: dt.datetime | None

    def connected(self, now: dt.datetime) -> bool:
        """Say whether the office has a link, as far as the registry knows."""
        return self.last_seen is not None and self.lost_at is None and now - self.last_seen < SILENT


def _reach() -> sa.Select[tuple[object, ...]]:
    wanted = sa.select(
        *(offices.c[name] for name in ("name", "title", "phone", "disabled_at", "disabled_reason", "support_ends")),
        *(owners.c[name] for name in ("since", "last_seen", "lost_at")),
        *(heartbeats.c[name] for name in ("utc_offset", "version", "program_version", "database_version", "status")),
        *(heartbeats.c[name] for name in ("failure", "failure_since", "practice_title", "practice_phone")),
        offices.c.id.label("office"),
        connectors.c.machine,
        heartbeats.c.at.label("heartbeat_at"),
    )
    joined = wanted.join_from(offices, owners, isouter=True)
    joined = joined.outerjoin(connectors, connectors.c.id == owners.c.connector_id)
    return joined.outerjoin(heartbeats, heartbeats.c.office_id == offices.c.id)


def find(connection: sa.Connection, name: str = "", host: str = "") -> Reach | None:
    """Return the office with this name, or with this host name, or None."""
    which = offices.c.name == name
    if host:
        which = offices.c.id == sa.select(host_names.c.office_id).where(host_names.c.host == host).scalar_subquery()
    row = connection.execute(_reach().where(which)).mappings().one_or_none()
    return None if row is None else _as_reach(row)


def overview(connection: sa.Connection) -> list[Reach]:
    """Return all offices by name."""
    return [_as_reach(row) for row in connection.execute(_reach().order_by(offices.c.name)).mappings()]


_TEXTS = ("machine", "version", "program_version", "database_version", "status", "failure", "failure_since")


def _as_reach(row: sa.RowMapping) -> Reach:
    values = dict(row)
    values["title"] = values.pop("practice_title") or values["title"]
    values["phone"] = values.pop("practice_phone") or values["phone"]
    return Reach(**(values | {name: values[name] or "" for name in _TEXTS}))
