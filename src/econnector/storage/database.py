"""The only bridge from async code to a database: `await db.run(f, ...)` calls `f(connection, ...)` in a thread.

What a repository function can rely on:

* it gets one SQLAlchemy Core connection, for itself, until it returns;
* on MySQL and MariaDB every statement is its own transaction (Open Dental's tables are MyISAM anyway), the session
  runs with `sql_mode=''` as Open Dental's own does; on SQLite the whole function is one transaction;
* when the awaiting task is cancelled or the time is over, the statement is killed on the server, the function
  cannot start another one, and the connection is thrown away.

What the awaiting side can rely on: a driver's error never comes out. It is one of `DatabaseAway`, `DatabaseRefused`,
`DatabaseBusy`, `DatabaseDamaged`, `VersionsDiffer` or, for a fault of ours, `Unexpected`; none of them carries SQL,
values or credentials.
"""

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import structlog
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from econnector.base.errors import DatabaseAway, DatabaseBusy, Failure
from econnector.storage.backend import Backend, Stopped
from econnector.storage.mysql import MySql
from econnector.storage.sqlite import Sqlite

__all__ = ["Database", "Guard", "allowing"]

log = structlog.get_logger(__name__)

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

Guard = Callable[[str], None]
"""Is shown every SQL statement before it runs; raises to refuse it."""

_CONNECT_SECONDS = 6.0
# The server's own limit should fire first: then the connection stays usable.
_GRACE_SECONDS = 0.5
# How long to wait after each kill before the next; after the last one the line itself is cut.
_KILL_PAUSES = (0.05, 0.2, 1.0)


class _Job:
    """One call of a repository function: what must be known to stop it from another thread."""

    __slots__ = ("connected", "deadline", "driver", "lock", "seconds", "stopped")

    def __init__(self, seconds: float) -> None:
        self.lock = threading.Lock()
        self.seconds = seconds
        self.driver: Any = None
        self.stopped = False
        self.connected = False
        self.deadline: float | None = time.monotonic() + _CONNECT_SECONDS

    def go_on(self) -> None:
        """Raise `Stopped` if nobody waits for the result any more."""
        if self.stopped:
            raise Stopped

    @contextlib.contextmanager
    def using(self, connection: Connection, backend: Backend) -> Iterator[None]:
        """Make the driver's connection known while the function uses it."""
        driver = self.driver = connection.connection.dbapi_connection
        backend.lend(driver)
        self.connected, self.deadline = True, None
        notes = connection.info
        notes |= {"job": self, "backend": backend}
        try:
            yield
        finally:
            # A kill that is on its way holds the lock: it must not hit whoever gets the connection next.
            with self.lock:
                self.driver = None
            notes.pop("job", None)
            backend.take_back(driver)
            if self.stopped and not connection.invalidated:
                connection.invalidate()


@contextlib.contextmanager
def allowing(connection: Connection, seconds: float) -> Iterator[None]:
    """Let each statement within take `seconds`, whatever the database's own limit: for work with a bar before it.

    Within `Database.run` only. Raises what the database raises.
    """
    job: _Job = connection.info["job"]
    before, job.seconds = job.seconds, seconds
    try:
        connection.info["backend"].allow(job.driver, seconds)
        yield
        connection.info["backend"].allow(job.driver, before)
    except BaseException:
        connection.invalidate()  # its limit is nobody's
        raise
    finally:
        job.seconds = before


class Database:
    """A database by URL: `mysql://user@host:3306/name`, `mariadb://...` or `sqlite:///path`.

    `password` overrides the URL's. `ca` is a PEM file: with it the server's certificate and host name are verified,
    without it TLS is used if the server offers it. At most `workers` functions run at once (on SQLite one: its
    writers exclude each other anyway). A statement may take `statement_seconds`. `guard` sees every statement first.
    """

    def __init__(  # noqa: PLR0913 - a database is described in one place
        self,
        url: str,
        *,
        password: str | None = None,
        ca: str | Path | None = None,
        workers: int = 8,
        statement_seconds: float = 10.0,
        guard: Guard | None = None,
    ) -> None:
        """Describe it; nothing is opened before the first `run`."""
        parsed = make_url(url)
        if password is not None:
            parsed = parsed.set(password=password)
        self._backend: Backend
        if parsed.get_backend_name() == "sqlite":
            workers = 1
            self._backend = Sqlite(parsed, statement_seconds)
        else:
            self._backend = MySql(parsed, ca=ca, workers=workers, statement_seconds=statement_seconds)
        self._statement_seconds = statement_seconds
        self._guard = guard
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="database")
        self._killers = ThreadPoolExecutor(2, thread_name_prefix="database-kill")
        self._slots = asyncio.Semaphore(workers)
        self._running: set[_Job] = set()
        engine = self._engine = self._backend.engine
        event.listen(engine, "before_cursor_execute", self._before, retval=True)
        event.listen(engine, "after_cursor_execute", self._after)
        event.listen(engine, "handle_error", self._failed)

    @property
    def dialect(self) -> str:
        """`mysql` (MySQL and MariaDB) or `sqlite`."""
        return self._backend.name

    @property
    def server(self) -> str:
        """Where it is, without user and password: `host:port` or the file's path."""
        return self._backend.server

    async def run(
        self,
        f: Callable[[Connection, *Ts], R],
        *args: *Ts,
        within: float | None = None,
    ) -> R:
        """Return `f(connection, *args)`, run in a thread.

        `within` is the time for all of it in seconds, waiting for a free connection included; a single statement has
        `statement_seconds` in any case. Raises what `f` raises; a driver's error as a failure (see the module).
        """
        end = None if within is None else time.monotonic() + within
        await self._slot(self._statement_seconds if within is None else within)
        job = _Job(self._statement_seconds)
        self._running.add(job)
        try:
            # What is logged in the thread names the call that it works for.
            context = contextvars.copy_context()
            future = asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: context.run(self._work, job, lambda connection: f(connection, *args))
            )
        except BaseException:
            self._done(job)
            raise
        future.add_done_callback(lambda ended: self._done(job, ended))
        try:
            await self._watch(future, job, end)
        except BaseException:
            # Not awaited: whoever gave up wants to go on now, and a frozen server takes seconds to give up on.
            self._stop_soon(job)
            raise
        return future.result()

    async def close(self) -> None:
        """Stop what is running and close every connection."""
        for job in tuple(self._running):
            self._stop_soon(job)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.get_running_loop().run_in_executor(None, self._shut)

    def _shut(self) -> None:
        self._killers.shutdown(wait=True)
        self._threads.shutdown(wait=True)
        self._engine.dispose()

    async def _slot(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise DatabaseBusy(limit=_text(seconds), reason="all of its connections are in use") from None

    async def _watch(self, future: asyncio.Future[R], job: _Job, end: float | None) -> None:
        """Wait until `future` is done; raise when a statement, the connecting or all of it takes too long."""
        while not future.done():
            now = time.monotonic()
            deadline = job.deadline
            if end is not None and now >= end:
                raise DatabaseBusy(limit="?", reason="the request ran out of time; what it asked was cancelled")
            if deadline is not None and now >= deadline:
                raise self._too_slow(job)
            ends = [moment for moment in (end, deadline, now + self._statement_seconds) if moment is not None]
            await asyncio.wait({future}, timeout=max(min(ends) - now, 0.001))

    def _too_slow(self, job: _Job) -> Failure:
        if not job.connected:
            return DatabaseAway(server=self.server, reason="it accepts connections but says nothing")
        limit = _text(job.seconds)
        return DatabaseBusy(limit=limit, reason=f"a statement was not finished in {limit} seconds and was cancelled")

    def _work(self, job: _Job, f: Callable[[Connection], R]) -> R:
        try:
            return self._call(job, f)
        except SQLAlchemyError as error:
            raise self._backend.failure(error) from None
        except Stopped:
            raise DatabaseBusy(limit="?", reason="what was asked was cancelled") from None

    def _call(self, job: _Job, f: Callable[[Connection], R]) -> R:
        job.go_on()
        with self._engine.connect() as connection, job.using(connection, self._backend):
            result = f(connection)
            job.go_on()
            self._backend.finish(connection)
            return result

    def _done(self, job: _Job, ended: asyncio.Future[Any] | None = None) -> None:
        self._running.discard(job)
        self._slots.release()
        if ended is not None and not ended.cancelled():
            ended.exception()  # seen: whoever awaited it may have gone

    def _stop_soon(self, job: _Job) -> None:
        job.stopped = True
        with contextlib.suppress(RuntimeError):  # closed meanwhile: that has stopped it already
            self._killers.submit(self._stop, job)

    def _stop(self, job: _Job) -> None:
        """Kill what the job's connection is doing, until the job lets go of it. Runs in its own thread."""
        for pause in _KILL_PAUSES:
            with job.lock:
                if job.driver is None:
                    return
                if not self._backend.kill(job.driver):
                    break
            # A statement that was about to start when the kill arrived is caught by the next round.
            time.sleep(pause)
        with job.lock:
            if job.driver is not None:
                log.warning("database connection cut", server=self.server)
                self._backend.cut(job.driver)

    def _before(
        self, connection: Connection, _cursor: object, sql: str, params: Any, _context: object, _many: bool
    ) -> tuple[str, Any]:
        if self._guard is not None:
            self._guard(sql)
        job: _Job | None = connection.info.get("job")
        if job is not None:
            job.go_on()
            job.deadline = time.monotonic() + job.seconds + _GRACE_SECONDS
        return sql, self._backend.storable(params)

    def _after(self, connection: Connection, *_rest: object) -> None:
        job: _Job | None = connection.info.get("job")
        if job is not None:
            job.deadline = None

    def _failed(self, context: Any) -> None:
        if context.connection is not None and not context.connection.invalidated:
            self._after(context.connection)


def _text(seconds: float) -> str:
    return f"{seconds:g}"
