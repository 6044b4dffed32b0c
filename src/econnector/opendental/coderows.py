"""The rows of a code system, many at a time: which are there, and writing those that are not.

Nothing here makes a second row of what is there already, so a batch may be written again after a process died in it.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from econnector.base.errors import DatabaseBusy
from econnector.opendental import writes
from econnector.opendental.codesystems import CodeSystem
from econnector.opendental.schema import Schema

__all__ = ["Line", "Written", "alone", "compared", "count", "is_empty", "lengths", "table_of", "write"]

Line = tuple[str | int, ...]
"""The values of `CodeSystem.columns`."""

_AT_ONCE = 1000
"""How many codes one question may name."""
_LOCK_SECONDS, _LOCK_TRIES, _COUNT_TRIES = 5, 3, 12
"""A statement may take ten seconds, and what a dead process has begun as long."""


class Written(msgspec.Struct):
    """What became of a batch."""

    added: int = 0
    changed: int = 0
    same: int = 0


def is_empty(connection: Connection, system: CodeSystem) -> bool:
    """Return whether nothing of the system is there."""
    return connection.execute(select(table_of(system).primary_key.columns[0]).limit(1)).first() is None


def count(connection: Connection, system: CodeSystem) -> int:
    """Return how many rows are there, what is being written right now included. Raises `DatabaseBusy`.

    It waits a minute: what a dead process had gathered may be on its way into the table.
    """
    with alone(connection, system, tries=_COUNT_TRIES):
        return connection.execute(select(func.count()).select_from(table_of(system))).scalar_one()


def lengths(schema: Schema, system: CodeSystem) -> list[int | None]:
    """Return how many characters each column of a line takes; None for no limit."""
    return [schema.length(table_of(system), column) for column in system.columns]


def write(  # noqa: PLR0913 - what, where and how
    connection: Connection,
    schema: Schema,
    system: CodeSystem,
    new: Sequence[Line],
    others: Sequence[Line],
    *,
    keep_old: bool = True,
) -> Written:
    """Write lines; return what became of them. Raises `DatabaseBusy` while another process writes the system's rows.

    `new` surely are not there yet and are not looked up. Of the `others`, with `keep_old` a row that is there keeps its
    texts (unless the system always updates), else it takes the line's; a code that stands twice is one row, with the
    first line's text or, without `keep_old`, with the last one's.
    """
    with alone(connection, system):
        writes.insert_many(connection, schema, table_of(system), system.columns, new)
        done = compared(connection, schema, system, others, keep_old=keep_old)
    done.added += len(new)
    return done


def compared(
    connection: Connection, schema: Schema, system: CodeSystem, lines: Sequence[Line], *, keep_old: bool
) -> Written:
    """Write lines that may be there already, as `write` does. Whoever calls it is `alone`."""
    keeps = keep_old and not system.updates
    there = _there(connection, system, lines)
    done, new, width = Written(), dict[Line, Line](), len(system.same)
    for line in lines:
        key, rest = line[:width], line[width:]
        if key in new:
            done.same += 1
            new[key] = new[key] if keeps else line
        elif key not in there:
            new[key] = line
        elif keeps or there[key][1] == rest:
            done.same += 1
        else:
            _change(connection, schema, system, there[key][0], rest)
            there[key] = there[key][0], rest
            done.changed += 1
    writes.insert_many(connection, schema, table_of(system), system.columns, list(new.values()))
    done.added = len(new)
    return done


@contextlib.contextmanager
def alone(connection: Connection, system: CodeSystem, *, tries: int = _LOCK_TRIES) -> Iterator[None]:
    """Let no other process write the system's rows meanwhile. Raises `DatabaseBusy` when one does after `tries`.

    A process that is killed leaves its last statement running on the server, and what that will have written is not
    seen before it has ended: the server keeps the lock until then.
    """
    if connection.dialect.name == "sqlite":
        yield  # one writer at a time anyway
        return
    name = func.md5(func.concat(func.database(), f".{table_of(system).name}"))
    if not any(connection.scalar(select(func.get_lock(name, _LOCK_SECONDS))) == 1 for _ in range(tries)):
        raise DatabaseBusy(limit=f"{_LOCK_SECONDS * tries}", reason=f"{system.name} is being written already")
    try:
        yield
    finally:
        try:
            connection.scalar(select(func.release_lock(name)))
        except SQLAlchemyError:
            connection.invalidate()  # the lock ends with it


def _there(connection: Connection, system: CodeSystem, lines: Sequence[Line]) -> dict[Line, tuple[int, Line]]:
    """Return the number and the rest of each row that has the key of one of `lines`."""
    table, width = table_of(system), len(system.same)
    wanted = [table.primary_key.columns[0], *(table.c[name] for name in system.columns)]
    found: dict[Line, tuple[int, Line]] = {}
    keys = list({line[:width] for line in lines})
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        for row in connection.execute(select(*wanted).where(_one_of(table, system, some))):
            # A practice's database compares without regard to capitals, and UCUM's codes mean them.
            found[tuple(row[1 : 1 + width])] = int(row[0]), tuple(row[1 + width :])
    return found


def _one_of(table: Table, system: CodeSystem, keys: Iterable[Line]) -> ColumnElement[bool]:
    first, *others = [table.c[name] for name in system.same]
    indexed = first.in_([key[0] for key in keys])
    return indexed if not others else and_(indexed, tuple_(first, *others).in_(list(keys)))


def _change(connection: Connection, schema: Schema, system: CodeSystem, number: int, rest: Line) -> None:
    table, values = table_of(system), dict[str, Any](zip(system.rest, rest, strict=True))
    writes.update(connection, schema, table, values, table.primary_key.columns[0] == number)


def table_of(system: CodeSystem) -> Table:
    """Return the table that a system is imported into. Raises `ValueError` where nothing is imported."""
    if system.table is None:
        raise ValueError(f"{system.name} has no table to import into")
    return system.table
