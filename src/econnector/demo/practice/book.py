"""The rows of a practice while it is being made up: a list per table, keys counted up from 1."""

import datetime as dt
from collections.abc import Iterator

import msgspec

__all__ = ["NO_DATE", "NO_TIME", "Book", "Row", "Value"]

Value = str | int | float | dt.date | dt.datetime | dt.time
Row = dict[str, Value]

NO_DATE = dt.date(1, 1, 1)
"""How Open Dental says "no date"."""
NO_TIME = dt.datetime(1, 1, 1)  # noqa: DTZ001 - Open Dental's times have no zone


class Shelf(msgspec.Struct):
    """The rows of one table."""

    key: str
    """The primary key's column; empty where the database counts for itself."""
    match: tuple[str, ...]
    """Columns by which a row may already be there (reference data of a real database)."""
    keep: bool
    """Whether a row that is already there stays as it is."""
    rows: list[Row]


class Book:
    """Rows by table, in the order in which the tables were first written to."""

    def __init__(self) -> None:
        """Start empty."""
        self._shelves: dict[tuple[str, bool], Shelf] = {}

    def add(self, table: str, key: str = "", **values: Value) -> int:
        """Add a row and return the number it got; without `key` the database numbers it, and 0 is returned."""
        shelf = self._shelf(table, key, (), keep=False)
        number = 0
        if key:
            number = len(shelf.rows) + 1
            values = {key: number, **values}
        shelf.rows.append(values)
        return number

    def refer(self, table: str, *match: str, keep: bool = True, **values: Value) -> None:
        """Add a row that may be there already, known by the columns `match`; with `keep` that one then stays."""
        self._shelf(table, "", match, keep=keep).rows.append(values)

    def _shelf(self, table: str, key: str, match: tuple[str, ...], *, keep: bool) -> Shelf:
        shelf = self._shelves.setdefault((table, keep), Shelf(key, match, keep, []))
        if (shelf.key, shelf.match) != (key, match):
            raise ValueError(f"{table} is written in two ways")
        return shelf

    def rows(self, table: str) -> list[Row]:
        """Return the rows of `table`; a change to one of them counts."""
        return [row for (name, _), shelf in self._shelves.items() if name == table for row in shelf.rows]

    def tables(self) -> Iterator[tuple[str, Shelf]]:
        """Yield each table's name with its rows."""
        for (table, _), shelf in self._shelves.items():
            yield table, shelf
