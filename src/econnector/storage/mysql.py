"""MySQL 5.5 and later, MariaDB 5.5 and later, through PyMySQL."""

import contextlib
import functools
import re
import selectors
import ssl
import time
from pathlib import Path
from typing import Any

import pymysql  # type: ignore[import-untyped]
import structlog
from pymysql.constants import CR, ER  # type: ignore[import-untyped]
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError

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
from econnector.storage import manyrows

__all__ = ["MySql"]

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5
_SIDE_SECONDS = 2
_PING_SECONDS = 2
_FRESH_SECONDS = 5.0
_SILENCE_SECONDS = 5
_RECYCLE_SECONDS = 1800
_NOT_STORABLE = "\ufffd"
_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")

# As `socketserver` chooses: poll takes any number of open files, but Windows has select only.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

# Server errors by number; names as in the server's own list.
_REFUSED = {
    ER.DBACCESS_DENIED_ERROR: "the user may not use this database",
    ER.ACCESS_DENIED_ERROR: "wrong user or password",
    ER.BAD_DB_ERROR: "there is no such database",
    ER.HOST_NOT_PRIVILEGED: "this machine may not connect",
    ER.HOST_IS_BLOCKED: "this machine is blocked after too many connection errors",
    ER.NOT_SUPPORTED_AUTH_MODE: "the user's password is stored in a form this program cannot use",
    ER.TABLEACCESS_DENIED_ERROR: "the user lacks a right on a table",
    ER.COLUMNACCESS_DENIED_ERROR: "the user lacks a right on a column",
    ER.SPECIFIC_ACCESS_DENIED_ERROR: "the user lacks a right",
    ER.OPTION_PREVENTS_STATEMENT: "the server is read-only",
    1698: "wrong user or password",
    1820: "the user must change the password first",
    1862: "the user's password has expired",
    2058: "the server wants a way to sign in that this program does not know",
    2059: "the server wants a way to sign in that this program does not know",
    3159: "the server takes only encrypted connections",
    4151: "wrong user or password, or the account is locked",
}
_AWAY = {
    0: "the connection broke",
    CR.CR_CONNECTION_ERROR: "no answer on its socket",
    CR.CR_CONN_HOST_ERROR: "no answer (refused, not found, or no answer in time)",
    CR.CR_SERVER_GONE_ERROR: "the connection was closed",
    CR.CR_SERVER_LOST: "the connection was lost",
    CR.CR_SERVER_LOST_EXTENDED: "the connection was lost",
    ER.SERVER_SHUTDOWN: "it is shutting down",
    1927: "the connection was killed",
}
_BUSY = {
    ER.CON_COUNT_ERROR: "all of the server's connections are taken",
    ER.TOO_MANY_USER_CONNECTIONS: "all connections of this user are taken",
    ER.USER_LIMIT_REACHED: "a limit of this user, such as its connections, is reached",
    ER.LOCK_WAIT_TIMEOUT: "a table was locked for too long",
    ER.LOCK_DEADLOCK: "two programs waited for each other",
    ER.QUERY_INTERRUPTED: "a statement took too long and was cancelled",
    1969: "a statement took too long and was cancelled",
    3024: "a statement took too long and was cancelled",
}
_DAMAGED = {
    # The storage engines' own numbers, which come through as they are.
    **dict.fromkeys((126, 127, 130, 132, 134, 136, 144, 145), "a table is damaged"),
    ER.CANT_OPEN_FILE: "a table's file cannot be opened",
    ER.NOT_FORM_FILE: "a table's definition is damaged",
    ER.CRASHED_ON_USAGE: "a table is damaged",
    ER.CRASHED_ON_REPAIR: "a table is damaged and its repair failed",
    ER.NOT_KEYFILE: "a table's index is damaged",
    ER.OLD_KEYFILE: "a table's index is damaged",
    ER.GET_ERRNO: "the server cannot read a table",
    ER.DISK_FULL: "the disk is full",
    ER.RECORD_FILE_FULL: "a table is full",
    ER.OUTOFMEMORY: "it is out of memory",
}
_OUTDATED = (ER.BAD_FIELD_ERROR, ER.NO_SUCH_TABLE)
_UNKNOWN_VARIABLE = ER.UNKNOWN_SYSTEM_VARIABLE


class _Connection(pymysql.Connection):  # type: ignore[misc]
    """Encrypts where the server can, without a list of authorities that would not be asked."""

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        # PyMySQL's own reads the system's whole list at every connect, which takes longer than all the rest.
        return super()._create_ssl_ctx(sslp) if sslp else _unverified()


@functools.cache
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class MySql:
    """See `Backend`."""

    name = "mysql"

    def __init__(self, url: URL, *, ca: str | Path | None, workers: int, statement_seconds: float) -> None:
        """`ca`: a PEM file; with it the server's certificate and host name are verified."""
        self._url = url
        self._limit = statement_seconds
        self.server = f"{url.host or 'localhost'}:{url.port or 3306}"
        self._ca = ca
        # None until the first connection has looked: whether every text column takes characters of four bytes.
        self._four_bytes: bool | None = None
        self.engine = create_engine(
            url.set(drivername="mysql+pymysql"),
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_size=workers,
            max_overflow=0,
            pool_timeout=CONNECT_SECONDS,
            pool_recycle=_RECYCLE_SECONDS,
            hide_parameters=True,
            connect_args={
                "charset": "utf8",
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": CONNECT_SECONDS,
            },
        )
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", self._opened)
        event.listen(self.engine, "checkin", _lay_down)
        event.listen(self.engine, "checkout", _look)
        event.listen(self.engine, "do_executemany", self._many)

    def _connect(self, _dialect: object, _record: object, _args: object, arguments: dict[str, Any]) -> _Connection:
        # As other clients send it; PyMySQL takes a text for Latin-1.
        arguments["password"] = str(arguments.get("password") or "").encode()
        # Read at every connect: the office may put the right file in place while we run.
        if self._ca is not None:
            arguments["ssl"] = ssl.create_default_context(cafile=str(self._ca))
        return _Connection(**arguments)

    def _opened(self, driver: Any, _record: object) -> None:
        with driver.cursor() as cursor:
            self._set_session(cursor, self._limit)
            # Whatever the server's own is: `insert ... unless there` must hold off its twin on another connection.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if self._four_bytes is None:
                self._four_bytes = _takes_four_bytes(cursor)
        if self._four_bytes:
            driver.set_character_set("utf8mb4")

    @staticmethod
    def _set_session(cursor: Any, seconds: float) -> None:
        """Open Dental's own session setting, and the server's statement limit where it has one."""
        limits = (
            f", max_statement_time={seconds}",  # MariaDB 10.1 and later, seconds
            f", max_execution_time={int(seconds * 1000)}",  # MySQL 5.7.8 and later, milliseconds, SELECT only
            "",
        )
        for limit in limits:
            try:
                cursor.execute("SET SESSION sql_mode=''" + limit)
            except pymysql.MySQLError as error:
                if not limit or error.args[0] != _UNKNOWN_VARIABLE:
                    raise
            else:
                return

    def storable(self, params: Any) -> Any:
        """Replace what three-byte columns cannot hold: MySQL would cut the text there without a word.

        Of many rows at once `_many` sees to it.
        """
        return params if self._four_bytes or isinstance(params, list) else _storable(params)

    def _many(self, cursor: Any, statement: str, rows: list[Any], _context: object) -> bool:
        fit = _as_it_is if self._four_bytes else _storable
        if not manyrows.insert(cursor, statement, rows, fit):
            cursor.executemany(statement, fit(rows))
        return True

    def lend(self, driver: Any) -> None:
        """Wait longer than any statement may take: that is for when nobody can be asked to kill it."""
        driver._read_timeout = self._limit + _SILENCE_SECONDS  # noqa: SLF001 - PyMySQL looks at it before every read

    def allow(self, driver: Any, seconds: float) -> None:
        """Set the server's limit anew, and wait longer than that."""
        driver._read_timeout = seconds + _SILENCE_SECONDS  # noqa: SLF001 - as in `lend`
        try:
            with driver.cursor() as cursor:
                self._set_session(cursor, seconds)
        except pymysql.MySQLError as error:
            raise self.failure(error) from None

    def take_back(self, driver: Any) -> None:
        """Wait two seconds only for the answer to the next use's ping."""
        driver._read_timeout = _PING_SECONDS  # noqa: SLF001

    def finish(self, connection: Connection) -> None:
        """Nothing: every statement was its own transaction."""

    def kill(self, driver: Any) -> bool:
        """Send KILL QUERY on a connection of its own."""
        arguments = dict(self.engine.dialect.create_connect_args(self._url)[1])
        arguments |= {"charset": "utf8", "connect_timeout": _SIDE_SECONDS, "read_timeout": _SIDE_SECONDS}
        try:
            with contextlib.closing(self._connect(None, None, None, arguments)) as side, side.cursor() as cursor:
                cursor.execute("KILL QUERY %s", (driver.thread_id(),))
        except (pymysql.MySQLError, OSError) as error:
            if error.args and error.args[0] == ER.NO_SUCH_THREAD:
                return True
            log.warning("statement not killed", server=self.server, code=str(error.args[0]) if error.args else "")
            return False
        return True

    def cut(self, driver: Any) -> None:
        """Shut the socket in both directions: the thread that reads from it wakes up."""
        sock = driver._sock  # noqa: SLF001 - PyMySQL has no public way to wake a waiting thread
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(2)

    def failure(self, error: SQLAlchemyError | pymysql.MySQLError) -> Failure:
        """Tell the causes apart by the server's error number."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = cause.args[0] if cause and cause.args and isinstance(cause.args[0], int) else -1
        if code in _REFUSED or _is_tls(cause):
            reason = _REFUSED.get(code, "its certificate is not trusted, or it offers no encryption")
            return DatabaseRefused(
                server=self.server, user=self._url.username, database=self._url.database, reason=reason
            )
        if code in _BUSY:
            return DatabaseBusy(limit=f"{self._limit:g}", reason=_BUSY[code])
        if code in _DAMAGED:
            return DatabaseDamaged(server=self.server, reason=_DAMAGED[code])
        if code in _AWAY:
            return DatabaseAway(server=self.server, reason=_AWAY[code])
        if code in _OUTDATED and cause is not None:
            return VersionsDiffer(version="?", connector=version(), missing=_quoted(str(cause.args[1])))
        log.error("database statement failed", server=self.server, kind=type(cause).__name__, code=code)
        return Unexpected(kind=f"MySQL error {code}")


def _lay_down(_driver: Any, record: Any) -> None:
    record.info["since"] = time.monotonic()


def _look(driver: Any, record: Any, _proxy: object) -> None:
    """Let a connection out of the pool only if it lives; else SQLAlchemy takes another one.

    What the server has closed is seen at the socket, without asking. Where a machine in between may have forgotten
    the line meanwhile, only an answer proves it.
    """
    lain = time.monotonic() - record.info.get("since", time.monotonic())
    if lain < _FRESH_SECONDS and not _is_readable(driver):
        return
    try:
        driver.ping(reconnect=False)
    except (pymysql.MySQLError, OSError):
        raise DisconnectionError from None


def _is_readable(driver: Any) -> bool:
    """Return whether there is something to read, though nothing was asked: an end, or a word of farewell."""
    sock = driver._sock  # noqa: SLF001 - as in `cut`
    if sock is None:
        return True
    with _Selector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _takes_four_bytes(cursor: Any) -> bool:
    cursor.execute(
        "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()"
        " AND character_set_name IS NOT NULL AND character_set_name <> 'utf8mb4' LIMIT 1"
    )
    return cursor.fetchone() is None


def _as_it_is(value: Any) -> Any:
    return value


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _FOUR_BYTES.sub(_NOT_STORABLE, value)
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_storable(item) for item in value)
    return value


def _is_tls(cause: BaseException | None) -> bool:
    """PyMySQL reports TLS trouble while connecting as "cannot connect", with the real error inside."""
    original = getattr(cause, "original_exception", None)
    return isinstance(original, ssl.SSLError) or "SSL" in str(cause.args[-1] if cause and cause.args else "")[:80]


def _quoted(message: str) -> str:
    """Return the name in quotes: `Unknown column 'a.b' in 'where clause'` names a column, never a value."""
    return message.split("'")[1] if message.count("'") > 1 else "a table or column"
