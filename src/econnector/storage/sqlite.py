"""SQLite files: the connector's own state, and practices without a server (the demo)."""

import re
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from econnector.base.errors import (
    DatabaseAway,
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseRefused,
    Failure,
    Unexpected,
    VersionsDiffer,
)
from econnector.base.version import version

__all__ = ["Sqlite"]

log = structlog.get_logger(__name__)

# WAL lets other processes read meanwhile; FULL makes a commit survive a power cut.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


_OUTDATED = re.compile(r"(?:no such (?:table|column): |table \S+ has no column named )(\S+)")


class Sqlite:
    """See `Backend`. One BEGIN IMMEDIATE per function: what begins as a reader may not become a writer later.

    A file that is not there is not made: an empty practice in the place of one whose disk is not mounted would hide
    what is wrong. Whoever wants a new file makes it first.
    """

    name = "sqlite"

    def __init__(self, url: URL, statement_seconds: float) -> None:
        """`statement_seconds` is also how long to wait for another process's transaction."""
        self.server = url.database or ":memory:"
        self._limit = f"{statement_seconds:g}"
        self.engine = create_engine(url, hide_parameters=True, connect_args={"timeout": statement_seconds})
        event.listen(self.engine, "do_connect", self._existing)
        event.listen(self.engine, "connect", self._opened)
        event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    @staticmethod
    def _existing(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> None:
        if arguments[0] != ":memory:":
            arguments[0], options["uri"] = f"{_uri(arguments[0])}?mode=rw", True

    @staticmethod
    def _opened(driver: sqlite3.Connection, _record: object) -> None:
        # SQLAlchemy's advice: switch the driver's own half-hearted BEGIN off and say it ourselves.
        driver.isolation_level = None
        for pragma in _PRAGMAS:
            driver.execute(f"PRAGMA {pragma}").close()

    def storable(self, params: Any) -> Any:
        """SQLite stores every character."""
        return params

    def lend(self, driver: sqlite3.Connection) -> None:
        """Nothing: a file is always there."""

    def allow(self, driver: sqlite3.Connection, seconds: float) -> None:
        """Nothing: the file knows no limit."""

    def take_back(self, driver: sqlite3.Connection) -> None:
        """Nothing."""

    def finish(self, connection: Connection) -> None:
        """Commit the function's transaction."""
        connection.commit()

    def kill(self, driver: sqlite3.Connection) -> bool:
        """Interrupt the running statement."""
        driver.interrupt()
        return True

    def cut(self, driver: sqlite3.Connection) -> None:
        """Interrupt once more: there is no line to cut."""
        driver.interrupt()

    def failure(self, error: SQLAlchemyError) -> Failure:
        """Tell busy, away, damaged and outdated files apart by SQLite's own error code."""
        cause = error.orig if isinstance(error, DBAPIError) else None
        code = (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT):
            return DatabaseBusy(limit=self._limit, reason="another program holds the file, or the work was cancelled")
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
            there = Path(self.server).exists()
            reason = "the file cannot be opened or read" if there else "there is no such file"
            return DatabaseAway(server=self.server, reason=reason)
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
            return DatabaseRefused(server=self.server, user="this account", database="it", reason="it is read-only")
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FULL):
            return DatabaseDamaged(server=self.server, reason="the file is damaged, or the disk is full")
        text = str(cause)
        if outdated := _OUTDATED.match(text):
            return VersionsDiffer(version="?", connector=version(), missing=outdated[1])
        log.error("database statement failed", server=self.server, kind=type(cause or error).__name__, code=code)
        return Unexpected(kind=f"SQLite error {code}")


def _uri(path: str) -> str:
    """Return a path as SQLite's `file:` address: `file:///srv/a%20b.db`, `file:///C:/a.db`, `file:////server/a.db`."""
    posix = Path(path).absolute().as_posix()
    return f"file://{'' if posix.startswith('/') else '/'}{quote(posix, safe='/:')}"
