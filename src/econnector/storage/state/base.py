"""The state file: who may open it, and the tables that the stores beside this module keep in it.

A store is a module of this package: its tables stand on `metadata`, its functions are `f(connection, ...)`.
`open_state` imports them all, so that every table exists whoever opens the file first.
"""

import asyncio
import contextlib
import importlib
import os
import pkgutil
import sys
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import MetaData

from econnector.base.errors import Failure, StateLocked, StateNewer
from econnector.storage import state
from econnector.storage.database import Database

__all__ = ["join_state", "metadata", "open_state"]

metadata = MetaData()
"""The tables of all stores."""


class _State(Database):
    """A database whose file nobody else holds."""

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        super().__init__(f"sqlite:///{path}")
        self._lock = lock

    async def close(self) -> None:
        """Close the file, then let the next one have it."""
        try:
            await super().close()
        finally:
            self._lock.close()


async def open_state(path: str | Path) -> Database:
    """Return the state file at `path`, made if it is not there, held until `close`.

    The folder is made for this account alone (0700), the file too (0600); on Windows the folder's own rights count.
    Raises `StateLocked` when another process holds it, or when it cannot be made or read, and `StateNewer`. The
    operating system lets go of it when the process ends, however it ends.
    """
    file, lock = await asyncio.to_thread(_take, Path(path))
    return await _with_tables(_State(file, lock), file)


async def join_state(path: str | Path) -> Database:
    """Return the state file at `path`, made if it is not there, beside a connector that may hold it.

    For what a person does meanwhile from another process; the connector sees it within seconds. Raises `StateLocked`
    when it cannot be made or read, and `StateNewer`.
    """
    file = Path(path)
    try:
        await asyncio.to_thread(_make, file)
    except OSError as error:
        raise StateLocked(path=file, reason=error.strerror or type(error).__name__) from None
    return await _with_tables(Database(f"sqlite:///{file}", statement_seconds=5.0), file)


async def _with_tables(database: Database, file: Path) -> Database:
    try:
        for module in pkgutil.iter_modules(state.__path__, state.__name__ + "."):
            importlib.import_module(module.name)
        from econnector.storage.state.versions import prepare  # noqa: PLC0415 - it stands on this module

        await database.run(prepare, file)
    except BaseException as error:
        await database.close()
        if isinstance(error, Failure) and not isinstance(error, StateNewer):
            raise StateLocked(path=file, reason=error.office_text()) from None
        raise
    return database


def _take(path: Path) -> tuple[Path, BinaryIO]:
    path = path.absolute()
    try:
        _make(path)
        # A file of its own: locking the database file itself would shut out readers, which WAL allows.
        lock = os.fdopen(_private(path.with_name(path.name + ".lock")), "ab")
    except OSError as error:
        raise StateLocked(path=path, reason=error.strerror or type(error).__name__) from None
    try:
        _lock(lock)
    except OSError:
        with contextlib.suppress(OSError):
            lock.close()
        raise StateLocked(path=path, reason="another process uses it") from None
    return path, lock


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(_private(path))


def _private(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
