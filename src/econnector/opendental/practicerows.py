"""Whole tables at once: how a made-up practice gets into a database that has Open Dental's schema.

Only for databases that hold nobody yet. The connector itself never writes this way: `writes.py` says what it may.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from econnector.opendental.schema import Schema
from econnector.opendental.tables import metadata, patient, preference
from econnector.opendental.tables.making import create_all
from econnector.opendental.times import NO_DATE, OdDate, OdDateTime

__all__ = ["count_patients", "create", "load"]

Rows = Sequence[Mapping[str, Any]]


def create(connection: Connection, version: str) -> None:
    """Create every table of `version` (such as `24.3.10.0`) in a SQLite file without tables, and note the version."""
    if sa.inspect(connection).has_table(preference.name):
        return
    create_all(connection, version)
    connection.execute(sa.insert(preference).values(PrefName="DataBaseVersion", ValueString=version))


def count_patients(connection: Connection) -> int:
    """Return how many patients the database has, of every status."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(patient)) or 0)


def load(  # noqa: PLR0913, PLR0917 - a load is all of these
    connection: Connection, schema: Schema, name: str, rows: Rows, match: tuple[str, ...] = (), keep: bool = True
) -> None:
    """Write `rows` into the table `name`.

    Columns that this version lacks are left out, those that need a value get the column's own default or the empty
    value of their kind. `match` names the columns by which a row may be there already: then it stays as it is, or with
    `keep` off gets the values of ours. A table that this version lacks is left out. Raises ValueError if a row that is
    there has another primary key than ours: what points to it would point elsewhere.
    """
    if not schema.has(name):
        return
    table = metadata.tables[name]
    fresh = rows if not match else list(_unmatched(connection, schema, table, rows, match, keep=keep))
    if fresh:
        connection.execute(sa.insert(table), _complete(schema, table, fresh))


def _unmatched(  # noqa: PLR0913 - as `load`
    connection: Connection, schema: Schema, table: Table, rows: Rows, match: tuple[str, ...], *, keep: bool
) -> Iterable[Mapping[str, Any]]:
    """Yield the rows that are not there; bring those that are up to date unless `keep`."""
    keys = [column.name for column in table.primary_key.columns]
    there = {
        tuple(_folded(row[name]) for name in match): row
        for row in connection.execute(sa.select(*(table.c[name] for name in {*match, *keys}))).mappings()
    }
    for row in rows:
        found = there.get(tuple(_folded(row[name]) for name in match))
        if found is None:
            yield row
            continue
        if any(name in row and row[name] != found[name] for name in keys):
            raise ValueError(f"{table.name} {[row[name] for name in match]} has another number than a fresh one has")
        news = {name: value for name, value in row.items() if name not in {*match, *keys} and schema.has(table, name)}
        if news and not keep:
            connection.execute(sa.update(table).where(*(table.c[name] == found[name] for name in keys)).values(news))


def _folded(value: Any) -> Any:
    """Compare text as Open Dental's collation does, without regard to capitals."""
    return value.casefold() if isinstance(value, str) else value


def _complete(schema: Schema, table: Table, rows: Rows) -> list[dict[str, Any]]:
    """Return the rows with the same columns in each, so that they can be sent together."""
    facts = schema.columns[table.name]
    used = {name for row in rows for name in row}
    unknown = used - set(table.columns.keys())
    if unknown:
        raise KeyError(f"{table.name} has no column {sorted(unknown)}")
    wanted = {
        column.name: _default(column)
        for column in table.columns
        if column.name in facts
        and (column.name in used or not (facts[column.name].nullable or facts[column.name].has_default))
    }
    return [{name: row.get(name, default) for name, default in wanted.items()} for row in rows]


def _default(column: sa.Column[Any]) -> Any:
    """Return the column's own default, or what `sql_mode=''` stores where none is given."""
    if isinstance(column.type, (OdDate, OdDateTime)):
        return NO_DATE
    kind = column.type.python_type
    given = column.server_default
    return kind(str(given.arg)) if isinstance(given, sa.DefaultClause) and kind in {str, int, float} else kind()
