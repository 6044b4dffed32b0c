"""What this practice's database really has: its version, tables and columns.

Columns are read from the server, not deduced from the version: some were added to several release lines at once.
They are read once per database version, because an update may run under a living connector.
"""

import threading
import time
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, Table, select, text

from econnector.base.errors import UpdateRunning, VersionsDiffer
from econnector.base.version import version
from econnector.opendental.keys import KeyRange, key_range
from econnector.opendental.tables import metadata, preference

__all__ = ["NEEDED", "ColumnFacts", "Schema", "Schemas", "inspect", "lacking"]

_FLOOR = (21, 1)

NEEDED = (
    "alertcategory",
    "alertcategorylink",
    "alertitem",
    "alertread",
    "alertsub",
    "clinic",
    "computer",
    "definition",
    "document",
    "eservicelog",
    "eservicesignal",
    "guardian",
    "loginattempt",
    "patient",
    "patientlink",
    "preference",
    "provider",
    "securitylog",
    "securityloghash",
    "signalod",
    "statement",
    "updatehistory",
    "userweb",
)
"""Tables without which the connector cannot work; of them, the columns that Open Dental 21.1 had and still has."""

_VERSION, _PROGRAM = "DataBaseVersion", "ProgramVersion"
_UPDATING, _CORRUPT, _RANDOM = "UpdateInProgressOnComputerName", "CorruptedDatabase", "RandomPrimaryKeys"
_PREFERENCES = (_VERSION, _PROGRAM, _UPDATING, _CORRUPT, _RANDOM)
_CHECK_SECONDS = 5.0


class ColumnFacts(msgspec.Struct, frozen=True):
    """One column as the server describes it."""

    nullable: bool
    has_default: bool
    """Also true for keys that the server numbers itself."""
    length: int | None
    """Characters that a text column takes."""


class Schema(msgspec.Struct, frozen=True):
    """A practice's database at one version."""

    version: str
    """Four numbers, such as `21.1.9.0`."""
    program_version: str
    columns: dict[str, dict[str, ColumnFacts]]
    """By table name in small letters, then by column name."""
    random_keys: KeyRange | None = None
    """Set if the writer must choose the primary keys."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version's numbers, to compare."""
        return _numbers(self.version)

    def has(self, table: Table | str, column: str | None = None) -> bool:
        """Return whether the table, or the column of it, exists."""
        found = self.columns.get(_name(table))
        return found is not None and (column is None or column in found)

    def length(self, table: Table | str, column: str) -> int | None:
        """Return how many characters a text column takes; None if it has no such limit."""
        return self.columns[_name(table)][column].length


class Schemas:
    """Gives every call the schema of now: `schema_of(connection)`.

    Preferences are looked at again every five seconds at most, columns only when the version has changed. Safe to
    share between threads.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._seen: Schema | None = None
        self._until = 0.0

    def __call__(self, connection: Connection) -> Schema:
        """Return the schema. Raises `VersionsDiffer` and `UpdateRunning`, also from then on, until it is over."""
        with self._lock:
            if self._seen is not None and time.monotonic() < self._until:
                return self._seen
            facts = _facts(connection)
            self._seen = self._fresh(connection, facts)
            self._until = time.monotonic() + _CHECK_SECONDS
            return self._seen

    def _fresh(self, connection: Connection, facts: dict[str, str]) -> Schema:
        seen = self._seen
        if seen is None or (seen.version, seen.program_version) != (facts[_VERSION], facts[_PROGRAM]):
            return _inspect(connection, facts)
        return msgspec.structs.replace(seen, random_keys=_keys(connection, facts))


def inspect(connection: Connection) -> Schema:
    """Return what the database has.

    Raises `VersionsDiffer` naming exactly what is missing, and `UpdateRunning` while an update runs or after one broke.
    """
    return _inspect(connection, _facts(connection))


def lacking(schema: Schema) -> list[str]:
    """Return the tables and columns that single pages or works need and the database lacks; they fail, others do not.

    What came after 21.1, or went since, is not among them: whoever uses it asks first whether it is there.
    """
    others = {name for name, table in metadata.tables.items() if not table.info.get("since")}
    return _missing(schema.columns, sorted(others - set(NEEDED)))


def _facts(connection: Connection) -> dict[str, str]:
    # Not through preferences.py: writing a preference needs a schema, and this is where schemas come from.
    names = preference.c.PrefName
    rows = connection.execute(select(names, preference.c.ValueString).where(names.in_(_PREFERENCES)))
    found = dict.fromkeys(_PREFERENCES, "") | {row.PrefName: row.ValueString for row in rows}
    if found[_UPDATING]:
        raise UpdateRunning(computer=found[_UPDATING])
    if found[_CORRUPT] == "1":
        raise UpdateRunning(computer="another computer")
    return found


def _inspect(connection: Connection, facts: dict[str, str]) -> Schema:
    read = _read_sqlite if connection.dialect.name == "sqlite" else _read_mysql
    columns = read(connection)
    missing = _missing(columns, NEEDED)
    if _numbers(facts[_VERSION]) < _FLOOR:
        missing = ["everything that came with 21.1"]
    if missing:
        raise VersionsDiffer(version=facts[_VERSION] or "unknown", connector=version(), missing=", ".join(missing))
    return Schema(facts[_VERSION], facts[_PROGRAM], columns, _keys(connection, facts))


def _keys(connection: Connection, facts: dict[str, str]) -> KeyRange | None:
    return key_range(connection) if facts[_RANDOM] == "1" else None


def _missing(columns: dict[str, dict[str, ColumnFacts]], tables: Iterable[str]) -> list[str]:
    missing = []
    for name in tables:
        if name not in columns:
            missing.append(f"table {name}")
            continue
        expected = (c.name for c in metadata.tables[name].columns if not {"since", "until"} & c.info.keys())
        missing += [f"{name}.{column}" for column in expected if column not in columns[name]]
    return missing


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _name(table: Table | str) -> str:
    return table if isinstance(table, str) else table.name


def _read_mysql(connection: Connection) -> dict[str, dict[str, ColumnFacts]]:
    rows = connection.execute(
        text(
            "SELECT table_name AS tab, column_name AS col, is_nullable AS nullable, column_default AS preset,"
            " extra AS extra, character_maximum_length AS most FROM information_schema.columns"
            " WHERE table_schema = DATABASE()"
        )
    )
    columns: dict[str, dict[str, ColumnFacts]] = {}
    for row in rows:
        preset = row.preset is not None or "auto_increment" in row.extra
        columns.setdefault(row.tab.lower(), {})[row.col] = ColumnFacts(row.nullable == "YES", preset, row.most)
    return {name: found for name, found in columns.items() if name in metadata.tables}


def _read_sqlite(connection: Connection) -> dict[str, dict[str, ColumnFacts]]:
    # All in one statement: one for each table takes three times as long.
    rows = connection.execute(
        text(
            'SELECT t.name, c.name, c."notnull", c.dflt_value IS NOT NULL OR c.pk FROM sqlite_master AS t'
            " JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'"
        )
    )
    columns: dict[str, dict[str, ColumnFacts]] = {}
    for name, column, required, preset in rows:
        if (table := metadata.tables.get(name)) is not None:
            known = table.columns.get(column)
            length = None if known is None else getattr(known.type, "length", None)
            columns.setdefault(name, {})[column] = ColumnFacts(not required, bool(preset), length)
    return columns
