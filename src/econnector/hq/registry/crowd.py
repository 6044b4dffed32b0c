"""Owners that come and go in crowds: a node restarts, a provider is back, and all are there in the same seconds.

Only what is usual is done here, for all of them with the same few statements. Whoever enrols, moves, is refused or
comes twice is left to `connectors`, one by one; the rules are the same, and a test holds both side by side.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from econnector.base.errors import Failure, RegistryAway
from econnector.hq.registry import connectors as alone
from econnector.hq.registry import history
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.history import Event
from econnector.hq.registry.offices import Office, by_ids, inactive
from econnector.hq.registry.tables import connectors, owners
from econnector.hq.registry.texts import fitting

__all__ = ["Gone", "admit", "retire"]


class Gone(msgspec.Struct, frozen=True):
    """A link that is over."""

    office: int
    epoch: int
    reason: str


class _Back(msgspec.Struct, frozen=True):
    who: Presented
    office: Office
    owner: sa.Row[Any]
    epoch: int


def admit(connection: sa.Connection, whos: Sequence[Presented], now: dt.datetime) -> list[Granted | Failure | None]:
    """Let in every machine that is its office's connector already; None for who has to be judged by `connectors.admit`.

    Raises `RegistryAway`, and lets nobody in, when another node lets one of them in meanwhile.
    """
    known = _known(connection, [who.public_key for who in whos if not who.key])
    if not known:
        return [None] * len(whos)
    # The offices' rows are locked first, in one order, as every change of an owner does.
    offices = by_ids(connection, {row.office_id for row in known.values()})
    held = _owners(connection, list(offices))
    back: dict[int, _Back] = {}
    for who in whos:
        row = known.get(who.public_key) if not who.key else None
        owner = held.get(row.office_id) if row is not None else None
        if row is None or owner is None or row.office_id in back or inactive(offices[row.office_id], now):
            continue
        if alone.same(owner, who, now):
            epoch = alone.next_epoch(owner.epoch, now)
            back[row.office_id] = _Back(who, offices[row.office_id], owner, epoch)
    if back:
        _write(connection, list(back.values()), now)
    granted = {id(each.who): Granted(each.office, each.epoch) for each in back.values()}
    return [granted.get(id(who)) for who in whos]


def _known(connection: sa.Connection, keys: list[str]) -> dict[str, sa.Row[Any]]:
    wanted: sa.Select[Any] = sa.select(connectors.c.public_key, connectors.c.office_id)
    rows = connection.execute(wanted.where(connectors.c.public_key.in_(keys)))
    found: dict[str, sa.Row[Any]] = {row.public_key: row for row in rows}
    return found


def _owners(connection: sa.Connection, numbers: list[int]) -> dict[int, sa.Row[Any]]:
    wanted = sa.select(owners, connectors.c.public_key, connectors.c.machine).join_from(owners, connectors)
    rows = connection.execute(wanted.where(owners.c.office_id.in_(numbers)))
    held: dict[int, sa.Row[Any]] = {row.office_id: row for row in rows}
    return held


_HOLD = (
    sa.update(owners)
    .where(owners.c.office_id == sa.bindparam("of"), owners.c.epoch == sa.bindparam("before"))
    .values({name: sa.bindparam(name) for name in ("node", "link", "epoch", "last_seen", "lost_at", "silent_since")})
)
_NOTED = ("install_id", "machine", "version", "address")
_NOTE = (
    sa.update(connectors)
    .where(connectors.c.id == sa.bindparam("number"))
    .values({name: sa.bindparam(name) for name in (*_NOTED, "state", "last_seen")})
)


def _write(connection: sa.Connection, back: list[_Back], now: dt.datetime) -> None:
    back.sort(key=lambda each: each.office.id)
    here = {"last_seen": now, "lost_at": None, "silent_since": None}
    places = [
        {"of": each.office.id, "before": each.owner.epoch, "epoch": each.epoch}
        | fitting(owners, {"node": each.who.node, "link": each.who.link})
        | here
        for each in back
    ]
    if connection.execute(_HOLD, places).rowcount != len(back):
        raise RegistryAway(database="registry", reason="another link of the same office was let in meanwhile")
    notes = [
        {"number": each.owner.connector_id, "state": "owner", "last_seen": now}
        | fitting(connectors, {name: getattr(each.who, name) for name in _NOTED})
        for each in back
    ]
    connection.execute(_NOTE, notes)
    events = []
    for each in back:
        if each.owner.silent_since is not None:
            events.append((each.office.id, alone.reachable(each.owner.silent_since, each.who.machine, now)))
        event = Event(now, "connected", each.who.machine, detail=f"from {each.who.address}")
        events.append((each.office.id, event))
    history.add_all(connection, events)


_LOSE = (
    sa.update(owners)
    .where(owners.c.office_id == sa.bindparam("of"), owners.c.epoch == sa.bindparam("before"))
    .values(lost_at=sa.bindparam("lost_at"), last_seen=sa.bindparam("last_seen"))
)


def retire(connection: sa.Connection, gone: Sequence[Gone], now: dt.datetime) -> list[bool]:
    """Note that these links are over; False for each whose office has a newer one, or was noted already."""
    numbers = sorted({each.office for each in gone})
    wanted = sa.select(owners.c.office_id, owners.c.epoch, owners.c.connector_id)
    mine = sa.and_(owners.c.office_id.in_(numbers), owners.c.lost_at.is_(None))
    held = {
        row.office_id: row for row in connection.execute(wanted.where(mine).order_by("office_id").with_for_update())
    }
    lost = {each.office: each for each in gone if each.office in held and held[each.office].epoch == each.epoch}
    if lost:
        links = [{"of": each.office, "before": each.epoch, "lost_at": now, "last_seen": now} for each in lost.values()]
        connection.execute(_LOSE, links)
        used = connectors.c.id.in_([held[number].connector_id for number in lost])
        names = connection.execute(sa.select(connectors.c.id, connectors.c.machine).where(used)).all()
        machines = {row.id: row.machine for row in names}
        connection.execute(sa.update(connectors).where(used).values(last_seen=now))
        events = [
            (number, Event(now, "lost", machines[held[number].connector_id], detail=each.reason))
            for number, each in lost.items()
        ]
        history.add_all(connection, events)
    return [lost.get(each.office) is each for each in gone]
