"""The words in which the tables are written down: one short function per kind of column.

`default` is the server's own default. A column with a default may be NULL in text columns and may not elsewhere,
unless `null` says otherwise: so it is in Open Dental.

A mark says which versions have a column: `later("21.4.1", big("X"))` came with 21.4.1, `gone("22.2.1", big("X"))` was
dropped by it, `grown("24.3.1", new, old)` has the type of `old` before it. Marks describe; what a practice's database
really has is read from it (`schema.py`), because some columns were added to several release lines.
"""

from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    Double,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from econnector.opendental.times import OdDate, OdDateTime, OdStamp

__all__ = [
    "MIN",
    "MIN_TIME",
    "ZERO",
    "ZERO_TIME",
    "big",
    "char",
    "date",
    "datetime",
    "gone",
    "grown",
    "integer",
    "key",
    "later",
    "longtext",
    "mediumtext",
    "metadata",
    "real",
    "single",
    "small",
    "stamp",
    "table",
    "text",
    "time",
    "tiny",
    "uinteger",
    "usmall",
    "utiny",
    "varchar",
]

metadata = MetaData()
"""Every table of Open Dental's that we know, with the columns of all versions."""

MIN, ZERO = "0001-01-01", "0000-00-00"
MIN_TIME, ZERO_TIME = "0001-01-01 00:00:00", "0000-00-00 00:00:00"

_TINY = SmallInteger().with_variant(mysql.TINYINT(), "mysql", "mariadb")
_UTINY = SmallInteger().with_variant(mysql.TINYINT(unsigned=True), "mysql", "mariadb")
_UINTEGER = BigInteger().with_variant(mysql.INTEGER(unsigned=True), "mysql", "mariadb")
_USMALL = Integer().with_variant(mysql.SMALLINT(unsigned=True), "mysql", "mariadb")
_MEDIUM = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_LONG = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
# SQLite numbers rows by itself only if the key's type is called INTEGER.
_KEY = BigInteger().with_variant(Integer(), "sqlite")


def table(name: str, *columns: Column[Any], keys: str = "", since: str = "") -> Table:
    """Return a table; `keys` are its indexes, such as `"PatNum; PatNum,DocCategory"`; `since` when it came later."""
    made = Table(name, metadata, *columns, info={"since": since}, mysql_engine="MyISAM", mysql_charset="utf8")
    for names in filter(None, keys.split("; ")):
        parts = names.split(",")
        Index(f"{name}_{'_'.join(parts)}"[:60], *(made.c[part] for part in parts))
    return made


def later(version: str, column: Column[Any]) -> Column[Any]:
    """Mark a column that came with `version`."""
    column.info["since"] = version
    return column


def gone(version: str, column: Column[Any]) -> Column[Any]:
    """Mark a column that `version` dropped or renamed."""
    column.info["until"] = version
    return column


def grown(version: str, column: Column[Any], old: Column[Any]) -> Column[Any]:
    """Mark a column whose type was that of `old` before `version`."""
    column.info["grown"], column.info["old"] = version, old
    return column


def _column(name: str, kind: TypeEngine[Any], default: object, *, null: bool) -> Column[Any]:
    return Column(name, kind, nullable=null, server_default=None if default is None else str(default))


def key(name: str) -> Column[Any]:
    """Return the primary key, numbered by the server."""
    return Column(name, _KEY, primary_key=True, autoincrement=True)


def big(name: str, default: int | None = None, *, null: bool = False, primary: bool = False) -> Column[Any]:
    """Return a bigint; `primary` for the key of a table that has the same key as another."""
    if primary:
        return Column(name, BigInteger(), primary_key=True, autoincrement=False)
    return _column(name, BigInteger(), default, null=null)


def integer(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return an int."""
    return _column(name, Integer(), default, null=null)


def uinteger(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return an int unsigned."""
    return _column(name, _UINTEGER, default, null=null)


def small(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return a smallint."""
    return _column(name, SmallInteger(), default, null=null)


def usmall(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return a smallint unsigned."""
    return _column(name, _USMALL, default, null=null)


def tiny(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return a tinyint."""
    return _column(name, _TINY, default, null=null)


def utiny(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return a tinyint unsigned."""
    return _column(name, _UTINY, default, null=null)


def real(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return a double: Open Dental keeps money in it."""
    return _column(name, Double(asdecimal=False), default, null=null)


def single(name: str, default: int | None = None, *, null: bool = False) -> Column[Any]:
    """Return a float."""
    return _column(name, Float(), default, null=null)


def char(name: str, length: int, default: str | None = None, *, null: bool | None = None) -> Column[Any]:
    """Return text of at most `length` characters, stored in that width."""
    return _column(name, CHAR(length), default, null=default is not None if null is None else null)


def varchar(
    name: str, length: int, default: str | None = None, *, null: bool | None = None, exact: bool = False
) -> Column[Any]:
    """Return text of at most `length` characters; `exact` if its comparisons tell capitals from small letters."""
    kind: TypeEngine[Any] = String(length)
    if exact:
        kind = String(length).with_variant(mysql.VARCHAR(length, collation="utf8_bin"), "mysql", "mariadb")
    return _column(name, kind, default, null=default is not None if null is None else null)


def text(name: str, default: str | None = None, *, null: bool = False) -> Column[Any]:
    """Return text of up to 65,535 bytes."""
    return _column(name, Text(), default, null=null)


def mediumtext(name: str, *, null: bool = False) -> Column[Any]:
    """Return text of up to 16 MiB."""
    return _column(name, _MEDIUM, None, null=null)


def longtext(name: str, *, null: bool = False) -> Column[Any]:
    """Return text without a practical limit."""
    return _column(name, _LONG, None, null=null)


def date(name: str, default: str | None = None, *, null: bool = False) -> Column[Any]:
    """Return a date, see `times.py`."""
    return _column(name, OdDate(), default, null=null)


def datetime(name: str, default: str | None = None, *, null: bool = False) -> Column[Any]:
    """Return a datetime, see `times.py`."""
    return _column(name, OdDateTime(), default, null=null)


def time(name: str, default: str | None = None, *, null: bool = False) -> Column[Any]:
    """Return a time of day."""
    return _column(name, Time(), default, null=null)


def stamp(name: str) -> Column[Any]:
    """Return a timestamp that the server sets at every change: never written by us."""
    return Column(name, OdStamp(), nullable=False, server_default=sql("CURRENT_TIMESTAMP"))
