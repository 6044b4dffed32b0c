"""One import of one code system: from the first line, or from where it was cut off.

Lines are read and made rows while the batch before is being written. Each batch is in the practice's database before
its place is kept, and a batch that is written twice makes nothing twice: the process may die on any line. The first
import of a large file gathers its rows beside the table (see `gathering`) and keeps its place when they are in it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure
from econnector.office.codes import batches, gathering
from econnector.office.codes.ahead import Ahead
from econnector.office.codes.batches import Batch
from econnector.office.codes.source import opened
from econnector.opendental import coderows, codesystems
from econnector.opendental.coderows import Written
from econnector.opendental.codesystems import CodeSystem
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import code_imports
from econnector.storage.state.code_imports import CANCELLED, COMPLETE, FAILED, Progress

_TOLD_SECONDS = 0.3
"""How often people hear of what is gathered."""

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Import"]


class Import:
    """Imports one file."""

    def __init__(  # noqa: PLR0913, PLR0917 - an import is described in one place
        self,
        database: Database,
        state: Database,
        schemas: Schemas,
        system: CodeSystem,
        path: Path,
        progress: Progress,
        clock: Clock = SYSTEM,
    ) -> None:
        """Go on behind `progress.line` (0: from the beginning); `progress` is kept up to date."""
        self._database, self._state, self._schemas = database, state, schemas
        self._system, self._path, self.progress = system, path, progress
        self._clock, self._cancelled = clock, False

    def cancel(self) -> None:
        """Stop behind the batch that is being written, or what is gathered by then; it can be resumed."""
        self._cancelled = True

    async def run(self, told: Callable[[Progress], None] = lambda _progress: None) -> Progress:
        """Import; return how it ended. `told` hears of every batch. Raises what the database and the file raise."""
        try:
            await self._all(told)
        except Failure as failure:
            await self.failed(failure)
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._end(CANCELLED))
            raise
        told(self.progress)
        return self.progress

    async def _all(self, told: Callable[[Progress], None], *, may_gather: bool = True) -> None:
        lengths = await self._database.run(self._lengths)
        sure_from = await self._database.run(self._sure_from)
        gathers = may_gather and sure_from == 0 and await asyncio.to_thread(self._is_large)
        async with self._ahead(lengths, sure_from) as ahead:
            if not gathers or await self._gathered(ahead, told):
                await self._rest(ahead, told, stops=gathers and self._cancelled)
                return
        await self._all(told, may_gather=False)

    @asynccontextmanager
    async def _ahead(self, lengths: list[int | None], sure_from: int | None) -> AsyncIterator[Ahead]:
        with ExitStack() as open_files:
            lines = await asyncio.to_thread(open_files.enter_context, opened(self._path))
            todo = batches.batches(lines, self._system, lengths, done=self.progress.line, sure_from=sure_from)
            async with Ahead(todo) as ahead:
                yield ahead

    async def _rest(self, ahead: Ahead, told: Callable[[Progress], None], *, stops: bool) -> None:
        """Import batch by batch what is left, or nothing of it where it `stops`."""
        while not stops and (batch := await asyncio.wrap_future(ahead.take())) is not None:
            await self._one(batch)
            told(self.progress)
            stops = self._cancelled
        if stops:
            await self._end(CANCELLED)
            return
        await self._database.run(self._current)
        await self._end(COMPLETE)

    def _is_large(self) -> bool:
        return self._database.dialect == "mysql" and self._path.stat().st_size >= gathering.LEAST_BYTES

    async def _gathered(self, ahead: Ahead, told: Callable[[Progress], None]) -> bool:
        """Import all of it, or much, in one; return whether that could be done."""
        work = gathering.Gathering(self._schemas, self._system, ahead, msgspec.structs.replace(self.progress))
        running = asyncio.create_task(self._database.run(work.run))
        try:
            while not running.done():
                await self._state.run(code_imports.keep, work.progress)
                told(work.progress)
                work.stopped = self._cancelled
                await asyncio.wait({running}, timeout=_TOLD_SECONDS)
        finally:
            running.cancel()  # of no effect on what is done
            await asyncio.wait({running})
        if running.result():
            self.progress = work.progress
        self.progress.at = self._clock.now().timestamp()
        await self._state.run(code_imports.keep, self.progress, work.bad if self.progress is work.progress else ())
        return self.progress is work.progress

    async def _one(self, batch: Batch) -> None:
        began = time.monotonic()
        written = await self._database.run(self._write, batch)
        progress = self.progress
        progress.line, progress.share = batch.last, batch.share
        progress.added += written.added
        progress.changed += written.changed
        progress.same += written.same
        progress.shortened += batch.shortened
        progress.bad += len(batch.bad)
        progress.seconds += time.monotonic() - began
        progress.at = self._clock.now().timestamp()
        await self._state.run(code_imports.keep, progress, batch.bad)

    async def failed(self, failure: Failure) -> None:
        """Keep that it failed, for what `run` does not expect."""
        await self._end(FAILED, failure.office_text())

    async def _end(self, status: str, failure: str = "") -> None:
        self.progress.status, self.progress.failure = status, failure
        self.progress.at = self._clock.now().timestamp()
        await self._state.run(code_imports.keep, self.progress)

    def _lengths(self, connection: "Connection") -> list[int | None]:
        return coderows.lengths(self._schemas(connection), self._system)

    def _sure_from(self, connection: "Connection") -> int | None:
        """Return behind which line codes that the file has not named yet surely are not in the table; None: nowhere."""
        progress = self.progress
        if not progress.was_empty:
            return None
        rows = coderows.count(connection, self._system)
        if not rows and not progress.line:
            return 0
        # Of the batch that was being written at a death nobody knows how much is there. What an earlier death left
        # was counted as there already. Any other number of rows: somebody else has imported meanwhile. With no place
        # kept they may be a part of what was gathered, which is of more lines than it has rows.
        progress.was_empty = (
            progress.line > 0 and progress.added <= rows <= progress.added + progress.same + batches.BATCH
        )
        return progress.line + batches.BATCH if progress.was_empty else None

    def _write(self, connection: "Connection", batch: Batch) -> Written:
        return coderows.write(
            connection,
            self._schemas(connection),
            self._system,
            batch.new,
            batch.others,
            keep_old=self.progress.keep_old,
        )

    def _current(self, connection: "Connection") -> None:
        codesystems.set_current(connection, self._schemas(connection), self._system, self.progress.version)
