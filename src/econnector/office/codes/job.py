"""One import from its beginning to its end: the download where there is one, then the rows; a wish to cancel is heard.

Another process asks for the end by a row in the state file, which is looked at several times a second.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Self

import msgspec

from econnector.base.errors import Failure
from econnector.office.codes.fetching import Fetch, Told
from econnector.office.codes.importing import Import
from econnector.office.service.lock import Lock
from econnector.storage.database import Database
from econnector.storage.state import code_downloads, code_imports
from econnector.storage.state.code_imports import CANCELLED, COMPLETE, FAILED, Progress

__all__ = ["Job", "Source"]

LOOK_SECONDS = 0.3


class Source(msgspec.Struct, frozen=True):
    """Where an import's file is, or how it comes to be."""

    path: Path
    shown: str
    """What it is called, for people."""
    version: str = ""
    """Of its content; empty when nobody has said."""
    checksum: str = ""
    """SHA-256 that it must have, in any case; empty for any."""
    fetch: Fetch | None = None
    """Downloads it."""
    make: Callable[[Path], Awaitable[None]] | None = None
    """Writes it."""


class Job:
    """An import that may run, and whose system nobody else imports meanwhile."""

    def __init__(  # noqa: PLR0913 - a job is described in one place
        self,
        state: Database,
        system: str,
        source: Source,
        begin: Callable[[Source], Awaitable[Import]],
        lock: Lock,
        *,
        asked: dt.datetime,
        leftovers: Sequence[Path],
    ) -> None:
        """`begin` gives the import once the file is there; a wish to cancel that is older than `asked` is not ours.

        `leftovers` are the connector's own files of this system: they go when all of it is imported.
        """
        self._state, self._source, self._begin, self._lock = state, source, begin, lock
        self._leftovers = leftovers
        self._system, self._asked = system, asked
        self._import: Import | None = None
        self._cancelled = False

    @property
    def progress(self) -> Progress:
        """How far the import is; before it has begun, where it will."""
        if self._import is not None:
            return self._import.progress
        return Progress(self._system, self._source.shown, "", self._source.version)

    async def ready(self) -> None:
        """Look at a file that is there already, so that what is wrong with it is said before anything runs."""
        if self._source.make is not None:
            await self._source.make(self._source.path)
        if self._source.fetch is None:
            self._import = await self._begin(self._source)

    def cancel(self) -> None:
        """Stop: a download at once, an import behind the batch that is being written; it can be gone on with."""
        self._cancelled = True
        if self._source.fetch is not None:
            self._source.fetch.cancel()
        if self._import is not None:
            self._import.cancel()

    async def run(
        self, told: Callable[[Progress], None] = lambda _progress: None, fetched: Told = lambda _download: None
    ) -> Progress:
        """Do it; return how it ended. `fetched` hears of the download, `told` of every batch.

        Raises what the database, the file and the download raise.
        """
        await self._state.run(code_imports.uncancel, self._system, self._asked)
        await self._state.run(code_downloads.ended, self._system)
        async with self._heeding():
            if self._import is None:
                self._import = await self._loaded(fetched)
            if self._import is None:
                return Progress(self._system, self._source.shown, "", self._source.version, status=CANCELLED)
            if self._cancelled:
                self._import.cancel()
            ended = await self._import.run(told)
        if ended.status == COMPLETE:
            await self._tidy()
        return ended

    async def _loaded(self, fetched: Told) -> Import | None:
        """Return the import of the file that is downloaded first, None when that was cancelled."""
        fetch = self._source.fetch
        if fetch is not None and await fetch.run(fetched) is None:
            return None
        try:
            return await self._begin(self._source)
        except Failure as failure:
            if fetch is not None:
                fetch.download.failure = failure.office_text()  # the file is there all the same
                await self._state.run(code_downloads.keep, fetch.download)
            raise

    async def failed(self, failure: Failure) -> None:
        """Keep that it failed, for what `run` does not expect."""
        if self._import is not None:
            await self._import.failed(failure)
        elif self._source.fetch is not None:
            download = self._source.fetch.download
            download.status, download.failure = FAILED, failure.office_text()
            await self._state.run(code_downloads.keep, download)

    async def _tidy(self) -> None:
        for file in self._leftovers:
            await asyncio.to_thread(file.unlink, missing_ok=True)
        await self._state.run(code_downloads.forget, self._system)

    @contextlib.asynccontextmanager
    async def _heeding(self) -> AsyncIterator[None]:
        """Look for a wish to cancel while the block lasts; drop it at the end, whoever it was from."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait({looking})
            with contextlib.suppress(Failure):  # a wish that stays is older than the next import, and not heeded
                await asyncio.shield(self._state.run(code_imports.uncancel, self._system))

    async def _look(self) -> None:
        while not self._cancelled:
            with contextlib.suppress(Failure):  # the state file is busy: it is asked again
                if await self._state.run(code_imports.cancel_wanted, self._system):
                    self.cancel()
                    return
            await asyncio.sleep(LOOK_SECONDS)

    async def __aenter__(self) -> Self:
        """Return the job."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Let the system be imported by others."""
        self._lock.free()
