"""What the checks look at: settings, state file, database and the way to HQ, each opened once and only when asked."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, OfficeFailure
from econnector.base.settings import Loaded
from econnector.link.probe import Way, probe
from econnector.office.addresses import DatabasePlace, database_place, hq_url
from econnector.office.running import NAME, Running, decode, ran_here
from econnector.office.settings import Settings, load_settings
from econnector.storage.database import Database
from econnector.storage.state import meta

__all__ = ["NotNowError", "Scene"]

R = TypeVar("R")


class NotNowError(Exception):
    """A check cannot say anything because something else is broken; the text says what."""


class Scene:
    """One examination. Close it afterwards."""

    def __init__(self, file: Path | None, flags: dict[str, object] | None = None, clock: Clock = SYSTEM) -> None:
        """Read the settings; what is wrong with them is kept for the check that asks."""
        self.clock, self.file = clock, file
        self.settings_failure: Failure | None = None
        self._loaded: Loaded[Settings] | None = None
        self._database: Database | None = None
        self._state: Database | None = None
        self._way: asyncio.Task[Way] | None = None
        try:
            self._loaded = load_settings(file, flags)
        except Failure as failure:
            self.settings_failure = failure

    @classmethod
    def beside(cls, loaded: Loaded[Settings], clock: Clock = SYSTEM) -> "Scene":
        """Return one for a program that runs with `loaded`.

        Their file is read anew, so that what has become wrong with it is found, unless something was typed over it.
        """
        typed = "flag" in loaded.places.values()
        scene = cls(None if typed else loaded.file, None, clock)
        scene.file = loaded.file
        if typed or loaded.file is None:
            scene.settings_failure, scene._loaded = None, loaded
        return scene

    @property
    def loaded(self) -> Loaded[Settings]:
        """The settings. Raises NotNowError."""
        if self._loaded is None:
            raise NotNowError("the settings cannot be used (see settings)")
        return self._loaded

    @property
    def place(self) -> DatabasePlace:
        """Where the database is. Raises NotNowError."""
        try:
            return database_place(self.loaded)
        except Failure:
            raise NotNowError("the settings do not say where the database is (see settings)") from None

    @property
    def hq(self) -> str:
        """HQ's address. Raises NotNowError."""
        try:
            return hq_url(self.loaded)
        except Failure:
            raise NotNowError("the settings do not say where HQ is (see settings)") from None

    def database(self) -> Database:
        """Return Open Dental's database. Raises NotNowError."""
        if self._database is None:
            place = self.place
            self._database = Database(place.url, password=place.password, ca=place.ca, workers=8, statement_seconds=4.0)
        return self._database

    async def ask(self, f: Callable[..., R], *args: object) -> R:
        """Return what the database answers. Raises NotNowError: why it cannot be asked is for the check `database`."""
        try:
            return await self.database().run(f, *args)
        except OfficeFailure:
            raise NotNowError("the database cannot be asked (see database, schema)") from None

    def ran_here(self) -> bool:
        """Return whether there is a state file. Raises NotNowError, and StateLocked where we may not look."""
        return ran_here(self.loaded.value.state_file)

    def state(self) -> Database:
        """Return the state file to read, beside a connector that may hold it. Raises as `ran_here`."""
        if self._state is None:
            if not self.ran_here():
                raise NotNowError("there is no state file yet: the connector never ran here")
            self._state = Database(f"sqlite:///{self.loaded.value.state_file}", statement_seconds=4.0)
        return self._state

    async def read_state(self, f: Callable[..., R], *args: object) -> R:
        """Return what the state file says. Raises NotNowError: why it cannot be read is for the check `state`."""
        try:
            return await self.state().run(f, *args)
        except Failure:
            raise NotNowError("the connector's state file cannot be read (see state)") from None

    async def running(self) -> Running:
        """Return what the connector last said about itself; empty when it never ran here."""
        try:
            return decode(await self.state().run(meta.read, NAME))
        except (NotNowError, Failure):
            return Running()

    async def way(self) -> Way:
        """Return the way to HQ, walked once. Raises NotNowError."""
        if self._way is None:
            hq, url = self.loaded.value.hq, self.hq
            self._way = asyncio.create_task(probe(url, ca=hq.ca, proxy=hq.proxy))
        return await asyncio.shield(self._way)

    async def close(self) -> None:
        """Let go of everything."""
        if self._way is not None:
            self._way.cancel()
            await asyncio.wait({self._way})
        for database in (self._database, self._state):
            if database is not None:
                await database.close()
