"""Who may be an office's connector: one machine at a time.

Every link that is let in gets a higher *epoch* than any before it; whoever speaks under an older one is no longer
the owner. A second machine waits in standby until a person allows one move; nobody ever takes over by itself.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from econnector.base.errors import Failure, KeyUnknown, OwnedElsewhere, RegistryAway
from econnector.hq.registry import history
from econnector.hq.registry.history import Event
from econnector.hq.registry.offices import Office, by_id, by_key, inactive
from econnector.hq.registry.tables import connectors, offices, owners
from econnector.hq.registry.tables import history as history_table
from econnector.hq.registry.texts import fitting

__all__ = [
    "LIVE",
    "SECOND",
    "Granted",
    "Installation",
    "Presented",
    "admit",
    "installations",
    "next_epoch",
    "others",
    "others_of",
    "reachable",
    "retire_node",
    "same",
]

LIVE = dt.timedelta(seconds=90)
"""A link that was heard of this lately counts as alive; heartbeats come every minute."""
SECOND = dt.timedelta(hours=1)
"""A refused second machine is written down once in this time, however often it tries, and named as long."""
_BETWEEN_TRIES = dt.timedelta(minutes=10)


class Presented(msgspec.Struct, frozen=True):
    """A machine that wants to be an office's connector; its signature is checked already."""

    public_key: str
    """Ed25519, hexadecimal."""
    install_id: str
    machine: str
    version: str = ""
    address: str = ""
    key: str = ""
    """The plain registration key, at enrolment."""
    node: str = ""
    """Of HQ, that has the link."""
    link: str = ""


class Granted(msgspec.Struct, frozen=True):
    """The machine is the office's connector."""

    office: Office
    epoch: int


class Installation(msgspec.Struct, frozen=True):
    """A machine that presented itself at some time."""

    machine: str
    state: str
    version: str
    address: str
    install_id: str
    first_seen: dt.datetime
    last_seen: dt.datetime


def admit(connection: sa.Connection, who: Presented, now: dt.datetime) -> Granted | Failure:
    """Decide about a machine that presented itself: make it the owner, or return why not.

    Why not is returned, not raised, so that what was noted about the attempt is kept. It is `KeyUnknown`,
    `KeyInactive` or `OwnedElsewhere`.
    """
    mine = connection.execute(sa.select(connectors).where(connectors.c.public_key == who.public_key)).one_or_none()
    office = by_key(connection, who.key) if who.key else by_id(connection, mine.office_id) if mine else None
    if office is None:
        return KeyUnknown()
    if why := inactive(office, now):
        event = Event(now, "refused", who.machine, why.code, why.facts["reason"], why.reference)
        history.add_once(connection, office.id, event, within=SECOND)
        return why
    owner = connection.execute(_owner_of(office.id)).one_or_none()
    if owner is None or same(owner, who, now):
        return _grant(connection, office, who, owner, now)
    if office.move_until is not None and now < office.move_until and owner.public_key != who.public_key:
        _take_over(connection, office, owner, who, now)
        return _grant(connection, office, who, owner, now)
    return _refuse(connection, office, who, owner, now)


def _owner_of(office: int) -> sa.Select[tuple[object, ...]]:
    held = sa.select(owners, connectors.c.public_key, connectors.c.machine, connectors.c.address)
    return held.join_from(owners, connectors).where(owners.c.office_id == office)


def same(owner: sa.Row[Any], who: Presented, now: dt.datetime) -> bool:
    """Say whether `who` is the owner itself, and not a copy of its disk that runs beside it.

    `owner` is a row of `owners` with its connector's public key and machine.
    """
    if owner.public_key != who.public_key:
        return False
    alive = owner.lost_at is None and owner.last_seen > now - LIVE
    return not alive or bool(owner.machine == fitting(connectors, {"machine": who.machine})["machine"])


def _grant(
    connection: sa.Connection,
    office: Office,
    who: Presented,
    owner: sa.Row[tuple[object, ...]] | None,
    now: dt.datetime,
) -> Granted:
    number, known = _note(connection, office, who, "owner", now)
    before = owner.epoch if owner else 0
    epoch = next_epoch(before, now)
    values = fitting(owners, {"node": who.node, "link": who.link}) | {"connector_id": number, "epoch": epoch}
    values |= {"last_seen": now, "lost_at": None, "silent_since": None}
    if owner is None:
        connection.execute(sa.insert(owners).values(office_id=office.id, since=now, **values))
    else:
        since = owner.since if owner.connector_id == number else now
        mine = sa.and_(owners.c.office_id == office.id, owners.c.epoch == before)
        if not connection.execute(sa.update(owners).where(mine).values(since=since, **values)).rowcount:
            raise RegistryAway(database="registry", reason="another link of the same office was let in meanwhile")
        if owner.silent_since is not None:
            history.add(connection, office.id, reachable(owner.silent_since, who.machine, now))
    if who.key and not known:
        connection.execute(sa.update(offices).where(offices.c.id == office.id).values(key_used_at=now))
    kind: history.Kind = "connected" if known else "enrolled"
    history.add(connection, office.id, Event(now, kind, who.machine, detail=f"from {who.address}"))
    return Granted(office, epoch)


def next_epoch(before: int, now: dt.datetime) -> int:
    """Return the epoch after `before`, which is 0 for none."""
    # Never below the seconds since 1970: it also grows when the registry was restored from a backup.
    return max(before + 1, int(now.timestamp()))


def reachable(silent_since: dt.datetime, machine: str, now: dt.datetime) -> Event:
    """Return what is written when an office that was silent is heard of again."""
    minutes = round((now - silent_since).total_seconds() / 60)
    return Event(now, "reachable", machine, detail=f"after {minutes} minutes")


def _take_over(
    connection: sa.Connection, office: Office, owner: sa.Row[tuple[object, ...]], who: Presented, now: dt.datetime
) -> None:
    connection.execute(sa.update(offices).where(offices.c.id == office.id).values(move_until=None))
    old = sa.update(connectors).where(connectors.c.id == owner.connector_id)
    connection.execute(old.values(state="retired"))
    history.add(connection, office.id, Event(now, "moved", who.machine, detail=f"from {owner.machine}"))


def _refuse(
    connection: sa.Connection, office: Office, who: Presented, owner: sa.Row[tuple[object, ...]], now: dt.datetime
) -> OwnedElsewhere:
    since = f"{owner.since:%Y-%m-%d %H:%M} UTC"
    failure = OwnedElsewhere(machine=owner.machine, since=since, here=who.machine, office=office.name)
    if owner.public_key != who.public_key:  # else it is a copy of the owner, whose row stays the owner's
        _note(connection, office, who, "standby", now)
    detail = f"{owner.machine} is the connector since {since}"
    event = Event(now, "second-machine", who.machine, failure.code, detail, failure.reference)
    history.add_once(connection, office.id, event, within=SECOND)
    return failure


def _note(connection: sa.Connection, office: Office, who: Presented, state: str, now: dt.datetime) -> tuple[int, bool]:
    """Write down the machine; return its number and whether this office knew it."""
    values = fitting(connectors, {name: getattr(who, name) for name in ("install_id", "machine", "version", "address")})
    values |= {"last_seen": now, "office_id": office.id}
    mine = connection.execute(sa.select(connectors).where(connectors.c.public_key == who.public_key)).one_or_none()
    if mine is None:
        new = sa.insert(connectors).values(public_key=who.public_key, first_seen=now, state=state, **values)
        key = connection.execute(new).inserted_primary_key
        return (int(key[0]) if key else 0), state != "owner"
    if mine.office_id != office.id:
        _leave(connection, mine, office, now)
    keep = state == "standby" and mine.state == "retired"
    connection.execute(
        sa.update(connectors).where(connectors.c.id == mine.id).values(state="retired" if keep else state, **values)
    )
    return mine.id, mine.office_id == office.id and mine.state != "standby"


def _leave(connection: sa.Connection, mine: sa.Row[tuple[object, ...]], office: Office, now: dt.datetime) -> None:
    """End the machine's part in the office it belonged to, because it enrols for another."""
    connection.execute(sa.delete(owners).where(owners.c.connector_id == mine.id))
    event = Event(now, "left", mine.machine, detail=f"it enrolled for {office.name}")
    history.add(connection, mine.office_id, event)


def retire_node(connection: sa.Connection, node: str, reason: str, now: dt.datetime) -> int:
    """Note that all links of a node of HQ are gone, in one go; return how many there were."""
    mine = sa.and_(owners.c.node == fitting(owners, {"node": node})["node"], owners.c.lost_at.is_(None))
    event = history.Event(now, "lost", detail=reason)
    machines = sa.select(owners.c.office_id, connectors.c.machine).join_from(owners, connectors).where(mine)
    history.add_many(connection, machines, event)
    return connection.execute(sa.update(owners).where(mine).values(lost_at=now, last_seen=now)).rowcount


def others(connection: sa.Connection, office: int, now: dt.datetime) -> list[str]:
    """Return the machines that lately tried to be this office's connector and were refused, by name."""
    return others_of(connection, [office], now).get(office, [])


def others_of(connection: sa.Connection, numbers: Sequence[int], now: dt.datetime) -> dict[int, list[str]]:
    """Return the same for many offices; those without such machines are left out."""
    wanted = sa.select(history_table.c.office_id, history_table.c.machine).distinct()
    joined = wanted.join(owners, owners.c.office_id == history_table.c.office_id)
    tried = joined.where(
        history_table.c.office_id.in_(numbers),
        history_table.c.kind == "second-machine",
        history_table.c.at > now - SECOND - _BETWEEN_TRIES,
        history_table.c.at >= owners.c.since,  # the owner itself may have been refused before it was let in
    )
    found: dict[int, list[str]] = {}
    for row in connection.execute(tried):
        found.setdefault(row.office_id, []).append(row.machine)
    return {number: sorted(machines) for number, machines in found.items()}


def installations(connection: sa.Connection, office: int) -> list[Installation]:
    """Return every machine that presented itself for this office, the owner first."""
    wanted = sa.select(connectors).where(connectors.c.office_id == office)
    rows = connection.execute(wanted.order_by(connectors.c.state != "owner", connectors.c.last_seen.desc())).mappings()
    return [Installation(**{name: row[name] for name in Installation.__struct_fields__}) for row in rows]
