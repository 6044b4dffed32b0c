"""One file of codes from an address into the connector's own folder, over as many tries and processes as it takes."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import CodeAddressSilent, CodeNotAFile, Failure
from econnector.office.codes.transfer import Transfer, WayOut, shown, usable
from econnector.storage.database import Database
from econnector.storage.state import code_downloads
from econnector.storage.state.code_downloads import CANCELLED, DOWNLOADING, FAILED, LOADED, Download

__all__ = ["Fetch", "Told"]

Told = Callable[[Download], None]

PAUSE_SECONDS = 1.0
"""Before the next try when a server broke off; doubled each time."""
_TRIES = 4
"""How often it may bring nothing after it has brought something."""
_LOOK_SECONDS = 0.5


class Fetch:
    """Brings one file."""

    def __init__(  # noqa: PLR0913, PLR0917 - what, from where, how, to where
        self, state: Database, system: str, url: str, file: Path, way: WayOut, clock: Clock = SYSTEM
    ) -> None:
        """Nothing is asked before `run`. Raises `CodeAddressUnusable`."""
        usable(url)
        self._state, self._url, self._file, self._way, self._clock = state, url, file, way, clock
        self.download = Download(system, shown(url), hashlib.sha256(url.encode()).hexdigest())
        self._cancelled = asyncio.Event()

    def cancel(self) -> None:
        """Stop at once; it can be gone on with."""
        self._cancelled.set()

    async def run(self, told: Told = lambda _download: None) -> Path | None:
        """Return the file when all of it is there, None when it was cancelled; `told` hears of it twice a second.

        Raises `CodeAddressSilent`, `CodeAddressRefused`, `CodeAddressUnusable`, `CodeNotAFile`, `CodeDiskFull`.
        """
        before = await self._state.run(code_downloads.find, self.download.system)
        if before and before.digest == self.download.digest and await asyncio.to_thread(self._is_there, before):
            self.download = before
        try:
            loaded = self.download.status == LOADED or await self._tries(told)
        except Failure as failure:
            if isinstance(failure, CodeNotAFile):
                self.download.done = 0
            await self._keep(FAILED, failure.office_text())
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._keep(CANCELLED))
            raise
        await self._keep(LOADED if loaded else CANCELLED)
        told(self.download)
        return self._file if loaded else None

    def _is_there(self, before: Download) -> bool:
        with contextlib.suppress(OSError):
            size = self._file.stat().st_size
            return size == before.done if before.status == LOADED else size >= before.done
        return False

    async def _tries(self, told: Told) -> bool:
        download, silent, brought = self.download, 0, False
        while not self._cancelled.is_set():
            done = download.done
            try:
                return await self._once(told)
            except CodeAddressSilent:
                came = download.done > done
                brought, silent = brought or came, 0 if came else silent + 1
                if not brought or silent >= _TRIES:
                    raise
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS * 2**silent):
                    await self._cancelled.wait()
        return False

    async def _once(self, told: Told) -> bool:
        download = self.download
        transfer = Transfer(self._url, self._file, self._way, done=download.done, validator=download.validator)
        if not transfer.validator:  # nobody could say whether it is the same content still
            transfer.done = 0
        transfer.total = download.total
        await self._keep(DOWNLOADING)
        work = asyncio.create_task(asyncio.to_thread(transfer.run))
        ending = asyncio.create_task(self._cancelled.wait())
        try:
            while not work.done():
                began = time.monotonic()
                await asyncio.wait({work, ending}, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if self._cancelled.is_set() and not work.done():
                    await asyncio.to_thread(transfer.stop)
                    await asyncio.wait({work})
                download.seconds += time.monotonic() - began
                self._note(transfer)
                await self._keep(DOWNLOADING)
                told(download)
            return work.result()
        finally:
            ending.cancel()
            transfer.stop()
            # Nobody may write into the file once somebody else may import it.
            await asyncio.wait({work})

    def _note(self, transfer: Transfer) -> None:
        download = self.download
        download.brought += max(0, transfer.done - download.done)
        download.done, download.total, download.validator = transfer.done, transfer.total, transfer.validator

    async def _keep(self, status: str, failure: str = "") -> None:
        self.download.status, self.download.failure = status, failure
        self.download.at = self._clock.now().timestamp()
        await self._state.run(code_downloads.keep, self.download)
