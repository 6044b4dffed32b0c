"""Dates and times as Open Dental stores them.

"No date" is 0001-01-01, in old columns 0000-00-00, sometimes NULL: all of them are None here, and None is written as
0001-01-01. Times are the office's local time without a zone, in whole seconds. What others compare (heartbeats, audit
rows) is taken from the database's own clock: `now`.
"""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, DateTime, Dialect, String, TypeDecorator, text
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

__all__ = ["NO_DATE", "Now", "OdDate", "OdDateTime", "OdStamp", "Today", "UnixTime", "is_dated", "now"]

NO_DATE = dt.date(1, 1, 1)
"""What stands in the database where there is no date."""

_NO_TIME = dt.datetime(1, 1, 1)  # noqa: DTZ001 - office time has no zone
# Open Dental itself takes anything before 1880 for "no date".
_FIRST_REAL = dt.date(1880, 1, 1)


class OdDateTime(TypeDecorator[dt.datetime]):
    """A `datetime` column: naive office time; None is "no date"."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite keeps text in the form that MySQL prints, so that both compare alike."""
        return dialect.type_descriptor(String(19) if dialect.name == "sqlite" else mysql.DATETIME())

    def process_bind_param(self, value: dt.datetime | dt.date | None, dialect: Dialect) -> Any:
        """Cut to whole seconds (MySQL would round them up); refuse a time with a zone."""
        if value is None:
            moment = _NO_TIME
        elif isinstance(value, dt.datetime):
            if value.tzinfo is not None:
                raise ValueError("office time has no zone: convert it first")
            moment = value.replace(microsecond=0)
        else:
            moment = dt.datetime.combine(value, dt.time())
        return moment.isoformat(sep=" ") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002 - its interface
        """Return None for every form of "no date"; a time of day on day one has no date either."""
        moment = _moment(value)
        return None if moment is None or moment.date() == NO_DATE else moment


class OdStamp(OdDateTime):
    """A `timestamp` column that the server sets itself at every change; never written by us."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """As `OdDateTime`."""
        return dialect.type_descriptor(String(19) if dialect.name == "sqlite" else mysql.TIMESTAMP())


class OdDate(TypeDecorator[dt.date]):
    """A `date` column; None is "no date"."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """As `OdDateTime`."""
        return dialect.type_descriptor(String(10) if dialect.name == "sqlite" else mysql.DATE())

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> Any:
        """Cut to the day."""
        day = NO_DATE if value is None else value.date() if isinstance(value, dt.datetime) else value
        return day.isoformat() if dialect.name == "sqlite" else day

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.date | None:  # noqa: ARG002 - its interface
        """Return None for every form of "no date"."""
        moment = _moment(value)
        return None if moment is None or moment.date() == NO_DATE else moment.date()


def is_dated(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a date or datetime column holds a real date."""
    return column >= _FIRST_REAL


def now(connection: Connection) -> dt.datetime:
    """Return the database's own clock: office time, whole seconds, no zone."""
    sqlite = connection.dialect.name == "sqlite"
    value = connection.scalar(text("SELECT datetime('now', 'localtime')" if sqlite else "SELECT NOW()"))
    moment = _moment(value)
    if moment is None:
        raise ValueError("the database's clock says no date")
    return moment


class Today(FunctionElement[dt.date]):
    """The office's day by the database's own clock, for a statement to compare with."""

    type = OdDate()
    inherit_cache = True


class Now(FunctionElement[dt.datetime]):
    """The database's own clock, for a statement to write: what `now` returns, without asking for it first."""

    type = OdDateTime()
    inherit_cache = True


class UnixTime(FunctionElement[int]):
    """Seconds since 1970 in UTC of a column with office time, by the rules of the zone that the database lives in."""

    type = BigInteger()
    inherit_cache = True


@compiles(Today)
def _today(_element: Today, compiler: SQLCompiler, **_options: Any) -> str:
    return "date('now', 'localtime')" if compiler.dialect.name == "sqlite" else "CURDATE()"


@compiles(Now)
def _now(_element: Now, compiler: SQLCompiler, **_options: Any) -> str:
    return "datetime('now', 'localtime')" if compiler.dialect.name == "sqlite" else "NOW()"


@compiles(UnixTime)
def _unix_time(element: UnixTime, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    if compiler.dialect.name == "sqlite":
        return f"CAST(strftime('%s', {column}, 'utc') AS INTEGER)"
    return f"UNIX_TIMESTAMP({column})"


def _moment(value: Any) -> dt.datetime | None:
    """Read what a driver returns: a datetime, a date, text (PyMySQL for zero dates, SQLite always) or None."""
    if isinstance(value, dt.datetime):
        return value.replace(microsecond=0)
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    try:
        return dt.datetime.fromisoformat(str(value)[:19])
    except ValueError:  # 0000-00-00, half-filled dates such as 2020-00-00, NULL, ''
        return None
