"""Failures that people met, to be found by their reference; and outages, from beginning to end.

Times are texts, ISO 8601 in UTC to the second, so that they sort. Facts stay in the office; they hold no secret.
"""

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = [
    "KEPT_DAYS",
    "Met",
    "Outage",
    "begin_outage",
    "close_outage",
    "current_outage",
    "find",
    "latest",
    "latest_outages",
    "mark_told",
    "mark_written",
    "outages_to_tell",
    "outages_to_write",
    "record",
    "sweep",
]

KEPT_DAYS = 90
MOST = 10_000
"""A fault that repeats for ever must not fill the disk: the oldest rows go."""

FAILURE = sa.Table(
    "failure",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reference", sa.String(32), nullable=False, index=True),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("call", sa.String(128), nullable=False),
    sa.Column("facts", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.String(32), nullable=False, index=True),
)
OUTAGE = sa.Table(
    "outage",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("reference", sa.String(32), nullable=False),
    sa.Column("facts", sa.LargeBinary, nullable=False),
    sa.Column("began", sa.String(32), nullable=False),
    sa.Column("ended", sa.String(32), nullable=False, default="", index=True),
    sa.Column("told", sa.Boolean, nullable=False, default=False),
    sa.Column("written", sa.Boolean, nullable=False, default=False),
)


class Met(msgspec.Struct):
    """A failure that somebody met."""

    reference: str
    code: str
    call: str
    """The call that was being answered, or what the connector was doing."""
    facts: dict[str, str]
    at: str


class Outage(msgspec.Struct):
    """A time during which the connector could not do its work."""

    id: int
    kind: str
    """What was away: `database` or `hq`; or `sleep`, all of it."""
    code: str
    reference: str
    facts: dict[str, str]
    began: str
    ended: str
    """Empty while it lasts."""


def record(connection: sa.Connection, met: Met) -> None:
    """Keep a failure; the oldest go when there are too many."""
    values = {**msgspec.structs.asdict(met), "facts": msgspec.json.encode(met.facts)}
    new = connection.execute(sa.insert(FAILURE).values(values)).inserted_primary_key
    if new is not None:
        connection.execute(sa.delete(FAILURE).where(FAILURE.c.id <= int(new[0]) - MOST))


def find(connection: sa.Connection, reference: str) -> list[Met]:
    """Return every failure met under `reference`, oldest first."""
    query = sa.select(FAILURE).where(FAILURE.c.reference == reference).order_by(FAILURE.c.id)
    return [_met(row) for row in connection.execute(query)]


def latest(connection: sa.Connection, limit: int = 20) -> list[Met]:
    """Return the last failures met, newest first."""
    return [_met(row) for row in connection.execute(sa.select(FAILURE).order_by(FAILURE.c.id.desc()).limit(limit))]


def _met(row: sa.Row[tuple[object, ...]]) -> Met:
    facts = msgspec.json.decode(row.facts, type=dict[str, str])
    return Met(reference=row.reference, code=row.code, call=row.call, facts=facts, at=row.at)


def current_outage(connection: sa.Connection, kind: str) -> Outage | None:
    """Return the outage of this kind that lasts, if there is one."""
    row = connection.execute(sa.select(OUTAGE).where(OUTAGE.c.kind == kind, OUTAGE.c.ended == "")).first()
    return _outage(row) if row else None


def begin_outage(connection: sa.Connection, outage: Outage) -> Outage:
    """Begin an outage (its id is ignored), unless one of its kind lasts already: that one is returned, unchanged."""
    lasting = current_outage(connection, outage.kind)
    if lasting:
        return lasting
    values = {**msgspec.structs.asdict(outage), "facts": msgspec.json.encode(outage.facts), "ended": ""}
    del values["id"]
    new = connection.execute(sa.insert(OUTAGE).values(values)).inserted_primary_key
    return msgspec.structs.replace(outage, id=int(new[0]) if new else 0, ended="")


def close_outage(connection: sa.Connection, kind: str, ended: str) -> Outage | None:
    """End the outage of this kind; return it, or None where none lasted."""
    lasting = current_outage(connection, kind)
    if lasting:
        connection.execute(sa.update(OUTAGE).where(OUTAGE.c.id == lasting.id).values(ended=ended))
        lasting = msgspec.structs.replace(lasting, ended=ended)
    return lasting


def outages_to_tell(connection: sa.Connection, limit: int = 20) -> list[Outage]:
    """Return ended outages that HQ has not heard of yet, oldest first."""
    return _ended(connection, OUTAGE.c.told, limit)


def outages_to_write(connection: sa.Connection, limit: int = 20) -> list[Outage]:
    """Return ended outages that Open Dental's history does not have yet, oldest first."""
    return _ended(connection, OUTAGE.c.written, limit)


def latest_outages(connection: sa.Connection, limit: int = 20) -> list[Outage]:
    """Return the last outages, newest first, those that last included."""
    return [_outage(row) for row in connection.execute(sa.select(OUTAGE).order_by(OUTAGE.c.id.desc()).limit(limit))]


def mark_told(connection: sa.Connection, ids: list[int]) -> None:
    """Note that HQ has heard of these outages."""
    connection.execute(sa.update(OUTAGE).where(OUTAGE.c.id.in_(ids)).values(told=True))


def mark_written(connection: sa.Connection, ids: list[int]) -> None:
    """Note that Open Dental's history has these outages, or need not have them."""
    connection.execute(sa.update(OUTAGE).where(OUTAGE.c.id.in_(ids)).values(written=True))


def _ended(connection: sa.Connection, done: sa.Column[bool], limit: int) -> list[Outage]:
    query = sa.select(OUTAGE).where(OUTAGE.c.ended != "", done.is_(False)).order_by(OUTAGE.c.id).limit(limit)
    return [_outage(row) for row in connection.execute(query)]


def _outage(row: sa.Row[tuple[object, ...]]) -> Outage:
    return Outage(
        id=row.id,
        kind=row.kind,
        code=row.code,
        reference=row.reference,
        facts=msgspec.json.decode(row.facts, type=dict[str, str]),
        began=row.began,
        ended=row.ended,
    )


def sweep(connection: sa.Connection, before: str) -> int:
    """Forget failures and ended outages from before that time; return how many rows went."""
    met = connection.execute(sa.delete(FAILURE).where(FAILURE.c.at < before)).rowcount
    ended = (OUTAGE.c.ended != "") & (OUTAGE.c.ended < before)
    return met + connection.execute(sa.delete(OUTAGE).where(ended)).rowcount
