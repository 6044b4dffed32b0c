"""Primary keys where the practice lets the writer choose them.

With replication between servers (preference RandomPrimaryKeys) two servers would hand out the same number, so every
program draws its keys at random, each server within its own range (table replicationserver), and looks that the key
is free.
"""

import secrets

import msgspec
from sqlalchemy import Connection, Table, select, text

from econnector.opendental.tables import replicationserver

__all__ = ["KeyRange", "choose", "choose_many", "key_range"]

_FIRST = 10_000
_LAST = 2**63 - 1
_TRIES = 100


class KeyRange(msgspec.Struct, frozen=True):
    """The keys that may be drawn, both ends included."""

    first: int = _FIRST
    last: int = _LAST


def key_range(connection: Connection) -> KeyRange:
    """Return this server's range, or all keys from 10,000 on where none is set."""
    if connection.dialect.name == "sqlite":
        return KeyRange()
    server = connection.scalar(text("SELECT @@server_id"))
    mine = replicationserver.c.ServerId == int(server or 0)
    row = connection.execute(select(replicationserver.c.RangeStart, replicationserver.c.RangeEnd).where(mine)).first()
    if row is None or row.RangeEnd <= max(row.RangeStart, _FIRST):
        return KeyRange()
    return KeyRange(max(row.RangeStart, _FIRST), row.RangeEnd)


def choose(connection: Connection, table: Table, drawn: KeyRange) -> int:
    """Return a key of `table` that is not in use. Raises RuntimeError if the range seems to be full."""
    column = table.primary_key.columns[0]
    for _ in range(_TRIES):
        number = drawn.first + secrets.randbelow(drawn.last - drawn.first + 1)
        if connection.scalar(select(column).where(column == number)) is None:
            return number
    raise RuntimeError(f"no free key for {table.name}")


def choose_many(connection: Connection, table: Table, drawn: KeyRange, count: int) -> list[int]:
    """Return `count` different keys of `table` that are not in use. Raises RuntimeError as `choose` does."""
    column, free = table.primary_key.columns[0], set[int]()
    for _ in range(_TRIES):
        numbers = {drawn.first + secrets.randbelow(drawn.last - drawn.first + 1) for _ in range(count - len(free))}
        free |= numbers - set(connection.scalars(select(column).where(column.in_(numbers))))
        if len(free) == count:
            return list(free)
    raise RuntimeError(f"no free key for {table.name}")
