"""One import of one code system: from the first line, or from where it was cut off.

Lines are read and made rows while the batch before is being written. Each batch is in the practice's database before
its place is kept, and a batch that is written twice makes nothing twice: the process may die on any line.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure
from econnector.office.codes import batches
from econnector.office.codes.batches import Batch
from econnector.office.codes.source import opened
from econnector.opendental import coderows, codesystems
from econnector.opendental.coderows import Written
from econnector.opendental.codesystems import CodeSystem
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import code_imports
from econnector.storage.state.code_imports import CANCELLED, COMPLETE, FAILED, Progress

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
        """Stop behind the batch that is being written; it can be resumed."""
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

    async def _all(self, told: Callable[[Progress], None]) -> None:
        lengths = await self._database.run(self._lengths)
        sure_from = await self._database.run(self._sure_from)
        with ExitStack() as open_files:
            lines = await asyncio.to_thread(open_files.enter_context, opened(self._path))
            todo = batches.batches(lines, self._system, lengths, done=self.progress.line, sure_from=sure_from)
            reading = asyncio.create_task(asyncio.to_thread(next, todo, None))
            try:
                while (batch := await reading) is not None:
                    reading = asyncio.create_task(asyncio.to_thread(next, todo, None))
                    await self._one(batch)
                    told(self.progress)
                    if self._cancelled:
                        await self._end(CANCELLED)
                        return
            finally:
                # The file must not be closed under the thread that reads it.
                await asyncio.wait([reading])
        await self._database.run(self._current)
        await self._end(COMPLETE)

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
        # was counted as there already. Any other number of rows: somebody else has imported meanwhile.
        progress.was_empty = progress.added <= rows <= progress.added + progress.same + batches.BATCH
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
