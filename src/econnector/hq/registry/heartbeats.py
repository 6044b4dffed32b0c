"""What offices last said of themselves, and which of them have gone silent."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from econnector.base.errors import OwnedElsewhere
from econnector.hq.registry import history
from econnector.hq.registry.connectors import others_of, reachable
from econnector.hq.registry.history import Event
from econnector.hq.registry.offices import Standing, standing_of
from econnector.hq.registry.tables import connectors, heartbeats, host_names, offices, owners
from econnector.hq.registry.texts import fitting
from econnector.link.calls import Heartbeat

__all__ = ["GONE", "SILENT", "Place", "Reach", "find", "overview", "save", "save_all", "save_one", "silent"]

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
    return save_all(connection, [(place, said)], now)[0] or _superseded(connection, place, said)


def save_one(
    connection: sa.Connection, spoken: tuple[Place, Heartbeat], now: dt.datetime
) -> tuple[Standing, list[str]] | OwnedElsewhere:
    """Keep what `save_all` left out."""
    return save(connection, *spoken, now)


def save_all(
    connection: sa.Connection, spoken: Sequence[tuple[Place, Heartbeat]], now: dt.datetime
) -> list[tuple[Standing, list[str]] | OwnedElsewhere | None]:
    """Keep the heartbeats of many offices; None for what came under an old epoch or twice: see `save`."""
    rows = {row.office_id: row for row in connection.execute(_current(sorted({place.office for place, _ in spoken})))}
    mine: dict[int, Heartbeat] = {}
    for place, said in spoken:
        row = rows.get(place.office)
        if row is not None and row.epoch == place.epoch:
            mine.setdefault(place.office, said)
    kept = dict(sorted(mine.items()))
    if kept:
        _keep(connection, kept, {number for number in kept if rows[number].heard is not None}, now)
        back = [number for number in kept if rows[number].silent_since is not None]
        events = [(number, reachable(rows[number].silent_since, kept[number].machine, now)) for number in back]
        history.add_all(connection, events)
        _keep_outages(connection, kept, now)
    others = others_of(connection, list(kept), now)
    told: list[tuple[Standing, list[str]] | OwnedElsewhere | None] = []
    for place, said in spoken:
        if kept.get(place.office) is said:
            row = rows[place.office]
            standing = standing_of(row.disabled_at, row.support_ends, now)
            told.append((standing, others.get(place.office, [])))
        else:
            told.append(None)
    return told


def _superseded(connection: sa.Connection, place: Place, said: Heartbeat) -> OwnedElsewhere:
    row = connection.execute(_current([place.office])).one_or_none()
    if row is None:  # the machine enrolled for another office over another link
        return OwnedElsewhere(machine="?", since="?", here=said.machine)
    return OwnedElsewhere(machine=row.machine, since=f"{row.since:%Y-%m-%d %H:%M} UTC", here=said.machine)


def _current(numbers: Sequence[int]) -> sa.Select[tuple[object, ...]]:
    wanted = sa.select(
        owners.c.office_id,
        owners.c.epoch,
        owners.c.since,
        owners.c.silent_since,
        connectors.c.machine,
        offices.c.disabled_at,
        offices.c.support_ends,
        heartbeats.c.office_id.label("heard"),
    )
    joined = wanted.join_from(offices, owners).join(connectors, connectors.c.id == owners.c.connector_id)
    joined = joined.outerjoin(heartbeats, heartbeats.c.office_id == offices.c.id)
    return joined.where(offices.c.id.in_(numbers))


_WORDS = [column.name for column in heartbeats.c if column.name not in {"office_id", "at"}]
_AGAIN = (
    sa.update(heartbeats)
    .where(heartbeats.c.office_id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in (*_WORDS, "at")})
)


def _keep(connection: sa.Connection, kept: dict[int, Heartbeat], heard: set[int], now: dt.datetime) -> None:
    mine = owners.c.office_id.in_(list(kept))
    connection.execute(sa.update(owners).where(mine).values(last_seen=now, silent_since=None))
    values = {number: _values(said, now) for number, said in kept.items()}
    if heard:
        connection.execute(_AGAIN, [values[number] | {"of": number} for number in kept if number in heard])
    if len(heard) < len(kept):
        first = [values[number] | {"office_id": number} for number in kept if number not in heard]
        connection.execute(sa.insert(heartbeats), first)


def _values(said: Heartbeat, now: dt.datetime) -> dict[str, Any]:
    values = fitting(heartbeats, {name: getattr(said, name) for name in _WORDS}) | {"at": now}
    if said.utc_offset is not None and abs(said.utc_offset) > _DAY:
        values["utc_offset"] = None
    return values


def _keep_outages(connection: sa.Connection, kept: dict[int, Heartbeat], now: dt.datetime) -> None:
    events = []
    for number, said in kept.items():
        for outage in said.outages[:_OUTAGES]:
            detail = f"{outage.began} to {outage.ended}"
            events.append((number, Event(now, "outage", said.machine, outage.cause, detail, outage.reference)))
    history.add_new(connection, events, within=_REPEATED)


def silent(connection: sa.Connection, now: dt.datetime, most: int = 1000) -> list[str]:
    """Write an `unreachable` event for offices that went silent since the last look; return their names.

    At most so many at a time, so that nobody waits behind all of a large outage. Each outage is written once, by
    whichever node of HQ looks first.
    """
    gone = sa.or_(owners.c.lost_at < now - GONE, owners.c.last_seen < now - SILENT)
    which = sa.select(owners.c.office_id, owners.c.last_seen).where(owners.c.silent_since.is_(None), gone)
    found = connection.execute(which.order_by(owners.c.office_id).limit(most).with_for_update()).all()
    numbers = [row.office_id for row in found]
    named = sa.select(owners.c.office_id, offices.c.name, connectors.c.machine).join_from(owners, offices)
    named = named.join(connectors, connectors.c.id == owners.c.connector_id).where(owners.c.office_id.in_(numbers))
    known = {row.office_id: row for row in connection.execute(named)}
    connection.execute(sa.update(owners).where(owners.c.office_id.in_(numbers)).values(silent_since=owners.c.last_seen))
    events = []
    for row in found:
        detail = f"since {row.last_seen:%Y-%m-%d %H:%M:%S} UTC"
        event = Event(now, "unreachable", known[row.office_id].machine, "office-unreachable", detail)
        events.append((row.office_id, event))
    history.add_all(connection, events)
    return [known[number].name for number in numbers]


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
