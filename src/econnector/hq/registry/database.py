"""`Registry`: the one bridge from async code to HQ's database."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from econnector.base.errors import RegistryAway, SettingInvalid

__all__ = ["Registry", "engine_for", "ping", "refused"]

P = ParamSpec("P")
R = TypeVar("R")

_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}
_WAIT = 10
"""Seconds: for a connection, for a lock, for a free place in the pool."""


class Registry:
    """HQ's database: a bounded pool of threads, each call in one transaction."""

    def __init__(self, url: str, *, workers: int = 8) -> None:
        """Open lazily; `workers` is how many functions run at a time. Raises `SettingInvalid` for an unusable URL."""
        self.engine = engine_for(url, pool=workers)
        self.name = self.engine.url.render_as_string(hide_password=True)
        if self.engine.dialect.name == "sqlite":
            workers = 1  # SQLite writes one at a time; threads would only wait for each other, by sleeping
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="registry")

    async def run(self, f: Callable[Concatenate[sa.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return `f(connection, …)`, run in a thread in one transaction.

        Cancelling the await does not stop what runs: registry functions are short, and their transaction then ends as
        it would have. Raises `RegistryAway` when the database cannot be used.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self.run_now(f, *args, **kwargs))

    def run_now(self, f: Callable[Concatenate[sa.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return `f(connection, …)` run here, for commands. Raises as `run` does."""
        with self.translated(), self.engine.begin() as connection:
            return f(connection, *args, **kwargs)

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what a driver raises into `RegistryAway`; an IntegrityError passes, it is the caller's to explain."""
        try:
            yield
        except exc.IntegrityError:
            raise
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise RegistryAway(database=self.name, reason=refused(error)) from error

    async def close(self) -> None:
        """Wait for what runs, then close all connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True)
        self.engine.dispose()


def ping(connection: sa.Connection) -> None:
    """Ask the database for nothing, to see whether it answers."""
    connection.exec_driver_sql("SELECT 1")


def engine_for(url: str, *, pool: int = 1) -> sa.Engine:
    """Return an engine for a registry URL; nothing is connected yet.

    `sqlite:///…/registry.db`, `postgresql://user:password@server/name`, `mysql://…` or `mariadb://…`. The folder of a
    SQLite file is made. Raises `SettingInvalid`.
    """
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError):
        raise SettingInvalid(name="database", place="the settings", why="it is not a database URL") from None
    if parsed.get_backend_name() not in {"sqlite", *_DRIVERS}:
        why = f"{parsed.get_backend_name()} is not one of sqlite, postgresql, mysql, mariadb"
        raise SettingInvalid(name="database", place="the settings", why=why)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    timeout = {"connect_timeout": _WAIT}
    if parsed.get_backend_name() != "postgresql":
        timeout |= {"read_timeout": _WAIT, "write_timeout": _WAIT}
        parsed = parsed.update_query_dict({"charset": "utf8mb4"})
    # Functions lock an office's row first and must then see what others have just written.
    return sa.create_engine(
        parsed.set(drivername=_DRIVERS[parsed.get_backend_name()]),
        pool_size=pool,
        max_overflow=0,
        pool_timeout=_WAIT,
        pool_pre_ping=True,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        connect_args=timeout,
    )


def _sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise SettingInvalid(
            name="database", place="the settings", why="SQLite needs a file: sqlite:////path/registry.db"
        )
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": _WAIT, "isolation_level": None})

    folder = Path(url.database).parent

    @sa.event.listens_for(engine, "do_connect")
    def _make_folder(*_: object) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RegistryAway(database=str(url), reason=error.strerror or type(error).__name__) from error

    @sa.event.listens_for(engine, "connect")
    def _prepare(driver: sqlite3.Connection, _: object) -> None:
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute("PRAGMA synchronous = NORMAL")
        driver.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # The driver would begin at the first write only; what was read before could then have changed.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def refused(error: Exception) -> str:
    """Return why a database cannot be used, without values: SQLite's sentence, or the driver's class and number."""
    driver = getattr(error, "orig", None) or error
    if isinstance(driver, sqlite3.Error):
        return str(driver)
    state = getattr(driver, "sqlstate", None) or next(iter(getattr(driver, "args", ())), None)
    number = f" {state}" if isinstance(state, int) or (isinstance(state, str) and state.isalnum()) else ""
    return type(driver).__name__ + number
