"""Updating this machine's connectors: unpack beside, stop, switch, start, wait for heartbeats; back if one has none.

What is about to be done is written down first (`Journal`). A process that dies on any line leaves it behind, and the
next run finishes the update, or the way back, from there: every step may be done twice.
"""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from econnector.base.clock import SYSTEM
from econnector.base.errors import Failure, InstallRights, UpdateRolledBack, UpdateTurn
from econnector.base.settings import Loaded
from econnector.base.version import version as running_version
from econnector.office import updating
from econnector.office.install import beats, versions, wheel
from econnector.office.left import read_file
from econnector.office.service.accounts import current
from econnector.office.service.contract import ServiceState
from econnector.office.service.files import read_text, write_text
from econnector.office.service.lock import Lock
from econnector.office.service.services import Services
from econnector.office.settings import Settings, load_settings
from econnector.storage.state.base import join_state

__all__ = ["BEAT_SECONDS", "Journal", "Update", "Updated"]

BEAT_SECONDS = 120.0
"""How long a new version may take to its first heartbeat."""
_PAUSE_SECONDS = 0.5


class Served(msgspec.Struct, frozen=True):
    """A service that ran when the update began."""

    name: str
    settings: Path
    beat: bool
    """Whether it had a heartbeat then: only of such a one is a new one wanted."""


class Journal(msgspec.Struct, frozen=True):
    """An update that has begun."""

    old: str
    new: str
    before: str
    """The pointer's text to go back to."""
    after: str
    services: tuple[Served, ...]
    way: Literal["forward", "back"] = "forward"
    why: str = ""
    """Why it goes back."""


class Updated(msgspec.Struct, frozen=True):
    """What an update ended with."""

    old: str
    new: str
    services: tuple[str, ...]
    resumed: bool
    """An interrupted update was finished, and nothing else was begun."""


class Update:
    """One run."""

    def __init__(
        self, services: Services, *, tell: Callable[[str], None] = lambda _: None, seconds: float = BEAT_SECONDS
    ) -> None:
        """`tell` hears each step in words."""
        self._services, self._tell, self._seconds = services, tell, seconds
        self._file = versions.versions_folder() / "update.json"

    async def run(self, file: Path, *, force: bool = False) -> Updated:
        """Update to the wheel `file`, or finish an update that was interrupted.

        Raises `WheelRejected`, `UpdateNeedsMore`, `InstallRights` and `UpdateTurn` (then nothing was changed), and
        `UpdateRolledBack` (then the old version runs).
        """
        with self._turn():
            left = self._read()
            if left is not None:
                self._tell(f"An update from {left.old} to {left.new} was interrupted; it is finished first.")
                return await self._go(left, resumed=True)
            found = await asyncio.to_thread(wheel.examine, file, running_version(), force=force)
            self._tell(f"{found.file.name}: eConnector {found.version}, SHA-256 {found.sha256}")
            folder = versions.folder_of(found.version)
            if not (versions.chosen() == versions.line_of(folder) and folder.is_dir()):
                await asyncio.to_thread(wheel.unpack, found, folder)
            served = [each async for each in self._running()]
            before, after = versions.chosen(), versions.line_of(folder)
            return await self._go(Journal(running_version(), found.version, before, after, tuple(served)))

    async def _running(self) -> AsyncIterator[Served]:
        for entry in await asyncio.to_thread(self._services.entries):
            if entry.settings is None or entry.state is not ServiceState.RUNNING:
                continue
            beat = False
            with contextlib.suppress(Failure):
                async with beats.database_of(load_settings(entry.settings, environment={})) as database:
                    beat = await beats.beats(database)
            yield Served(entry.name, entry.settings, beat)

    # -- there and back ----------------------------------------------------------------------------------------

    async def _go(self, journal: Journal, *, resumed: bool = False) -> Updated:
        self._write(journal)
        if journal.way == "forward":
            try:
                await self._forward(journal)
            except (Failure, UnfitError) as unfit:
                why = str(unfit)
                self._tell(f"It is taken back: {why}")
                journal = msgspec.structs.replace(journal, way="back", why=why)
                self._write(journal)
        if journal.way == "back":
            raise await self._back(journal)
        await self._over(journal)
        versions.sweep({journal.new, journal.old})
        return Updated(journal.old, journal.new, tuple(each.name for each in journal.services), resumed)

    async def _back(self, journal: Journal) -> UpdateRolledBack:
        """Set up the old version again; what goes wrong with one service keeps nobody from starting the others."""
        troubles: list[str] = []
        for each in reversed(journal.services):
            await self._try(self._stop(each), troubles)
        await self._try(asyncio.to_thread(versions.choose, journal.before), troubles)
        for each in journal.services:
            await self._try(self._start(each, journal.old), troubles)
        await self._over(journal)
        now = f"{journal.old} is set up again, but: {' '.join(troubles)}" if troubles else f"{journal.old} runs again."
        return UpdateRolledBack(new=journal.new, old=journal.old, why=journal.why.rstrip("."), now=now)

    async def _forward(self, journal: Journal) -> None:
        """Stop the services, let Python run the new version, start them, and see that they live."""
        for each in reversed(journal.services):
            await self._stop(each)
        await asyncio.to_thread(versions.choose, journal.after)
        began = {each.name: await self._start(each, journal.new) for each in journal.services}
        for each in journal.services:
            await self._judge(each, began[each.name], journal.new)

    async def _try(self, work: Awaitable[object], troubles: list[str]) -> None:
        try:
            await work
        except Failure as failure:
            troubles.append(failure.office_text())

    async def _stop(self, each: Served) -> None:
        self._tell(f"{each.name} is stopped")
        await self._mark(each)
        await asyncio.to_thread(self._services.stop, each.name)

    async def _start(self, each: Served, version: str) -> dt.datetime | None:
        """Start it; return since when a heartbeat counts, None if none is wanted."""
        self._tell(f"{each.name} is started with {version}")
        since = None
        if each.beat:
            with contextlib.suppress(Failure):  # a database that is away now is no reason not to start
                async with beats.database_of(_settings(each)) as database:
                    since = await beats.database_time(database)
        await self._mark(each)
        await asyncio.to_thread(self._services.start, each.name)
        return since

    async def _judge(self, each: Served, since: dt.datetime | None, version: str) -> None:
        """Raise unless the service runs this version and has a heartbeat."""
        loaded, ends = _settings(each), time.monotonic() + self._seconds
        if since is not None:
            async with beats.database_of(loaded) as database:
                if not await beats.wait(database, since, self._seconds):
                    raise UnfitError(f"{each.name} had no heartbeat within {self._seconds:g} seconds")
        while (runs := (await read_file(loaded)).running.version) != version:
            if time.monotonic() > ends:
                raise UnfitError(f"{each.name} runs version {runs or 'unknown'}; was it installed with another Python?")
            await asyncio.sleep(_PAUSE_SECONDS)
        self._tell(f"{each.name} works with {version}")

    async def _mark(self, each: Served) -> None:
        with contextlib.suppress(Failure):
            state = await join_state(_settings(each).value.state_file)
            try:
                await updating.mark(state, SYSTEM)
            finally:
                await state.close()

    async def _over(self, journal: Journal) -> None:
        for each in journal.services:
            with contextlib.suppress(Failure):
                state = await join_state(_settings(each).value.state_file)
                try:
                    await updating.unmark(state)
                finally:
                    await state.close()
        self._file.unlink(missing_ok=True)

    # -- the journal -------------------------------------------------------------------------------------------

    def _read(self) -> Journal | None:
        text = read_text(self._file)
        try:
            return None if text is None else msgspec.json.decode(text, type=Journal, dec_hook=_path)
        except msgspec.DecodeError:
            raise UpdateTurn(
                what=f"left a note that cannot be read ({self._file})",
                next=f"See that the services run (`econnector service list`), remove {self._file}, then update again.",
            ) from None

    def _write(self, journal: Journal) -> None:
        write_text(self._file, msgspec.json.encode(journal, enc_hook=str).decode())

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        folder = self._file.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = Lock.take(folder / ".lock")
        except OSError as error:
            raise InstallRights(
                account=current(),
                missing=f"to write {folder} ({error.strerror or type(error).__name__})",
                how="Run it as the account that installed eConnector (as an administrator, or with sudo).",
            ) from None
        if lock is None:
            raise UpdateTurn(what="runs already", next="Wait until it is over.")
        try:
            yield
        finally:
            lock.free()


def _settings(each: Served) -> Loaded[Settings]:
    return load_settings(each.settings, environment={})


class UnfitError(Exception):
    """A service does not do with the new version what it did with the old one."""


def _path(kind: type, value: object) -> object:
    return Path(str(value)) if kind is Path else value
