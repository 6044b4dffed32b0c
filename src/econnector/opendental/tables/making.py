"""Open Dental's tables as they were in one version: to make a practice without a server, and to compare.

A practice's own database is never changed: this is for databases that we fill ourselves (the demo).
"""

from typing import Any

from sqlalchemy import Column, Connection, DefaultClause, Index, MetaData, String, Table, Text, text
from sqlalchemy.types import TypeEngine

from econnector.opendental.tables.columns import metadata
from econnector.opendental.times import OdDate, OdDateTime

__all__ = ["columns_at", "create_all", "exists_at"]


def create_all(connection: Connection, version: str) -> None:
    """Create every table, with its indexes, as of `version` (such as `24.3.10.0`) in an empty SQLite file.

    Columns that may not be NULL and have no default get the default that MySQL implies under `sql_mode=''`, text
    compares without regard to case, and rows are stamped with the time they are made.
    """
    made = MetaData()
    for table in metadata.sorted_tables:
        if exists_at(table, version):
            _copy(table, version, made)
    made.create_all(connection)


def exists_at(table: Table, version: str) -> bool:
    """Return whether `version` has the table."""
    return not _before(version, table.info.get("since", ""))


def columns_at(table: Table, version: str) -> list[Column[Any]]:
    """Return the table's columns of `version`, with the types they had then."""
    present = (c for c in table.columns if not _before(version, c.info.get("since", "")))
    left = (c for c in present if "until" not in c.info or _before(version, c.info["until"]))
    return [c.info["old"] if _before(version, c.info.get("grown", "")) else c for c in left]


def _before(version: str, other: str) -> bool:
    return bool(other) and [int(n) for n in version.split(".")] < [int(n) for n in other.split(".")]


def _copy(table: Table, version: str, made: MetaData) -> None:
    columns = [_sqlite(column) for column in columns_at(table, version)]
    copy = Table(table.name, made, *columns)
    for index in table.indexes:
        names = [column.name for column in index.columns]
        if all(name in copy.columns for name in names):
            Index(index.name, *(copy.columns[name] for name in names))


def _sqlite(column: Column[Any]) -> Column[Any]:
    if column.primary_key:
        return Column(column.name, column.type, primary_key=True, autoincrement=column.autoincrement)
    default: Any = column.server_default
    if isinstance(default, DefaultClause) and str(default.arg) == "CURRENT_TIMESTAMP":
        default = text("(datetime('now', 'localtime'))")
    elif isinstance(default, DefaultClause):
        default = str(default.arg)
    elif not column.nullable:
        default = _implied(column.type)
    return Column(column.name, _folded(column.type), nullable=column.nullable, server_default=default)


def _folded(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Compare text as `utf8_general_ci` does, as far as SQLite can."""
    if isinstance(kind, Text):
        return Text(collation="NOCASE")
    return String(kind.length, collation="NOCASE") if isinstance(kind, String) else kind


def _implied(kind: TypeEngine[Any]) -> str:
    if isinstance(kind, OdDateTime):
        return "0001-01-01 00:00:00"
    if isinstance(kind, OdDate):
        return "0001-01-01"
    if isinstance(kind, String):
        return ""
    return "0" if kind.python_type in (int, float) else "00:00:00"
