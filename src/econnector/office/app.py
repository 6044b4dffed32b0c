"""The connector of one office, from its settings to its end."""

import asyncio

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import NeverConnected
from econnector.base.settings import Loaded
from econnector.base.version import version
from econnector.link.handshake import Limits
from econnector.link.identity import Identity, Install
from econnector.office.addresses import database_place, hq_url
from econnector.office.connector import Connector, Tempo, within
from econnector.office.running import Running
from econnector.office.settings import Settings
from econnector.office.standing import Standing
from econnector.storage.database import Database
from econnector.storage.state import meta
from econnector.storage.state.base import open_state

__all__ = ["Office", "Tempo"]


class Office:
    """One office's connector."""

    def __init__(
        self,
        loaded: Loaded[Settings],
        *,
        clock: Clock = SYSTEM,
        limits: Limits | None = None,
        tempo: Tempo = Tempo(),  # noqa: B008 - frozen
    ) -> None:
        """Take the settings. Raises `SettingMissing` or `SettingInvalid` for what a connector cannot do without."""
        self._loaded, self._settings = loaded, loaded.value
        self._clock, self._limits, self._tempo = clock, limits, tempo
        self._url, self._place = hq_url(loaded), database_place(loaded)
        self._connector: Connector | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; what goes away meanwhile is waited for.

        Raises `StateLocked` when another connector uses the state file, `NeverConnected` when this machine was never
        enrolled, `UnsealFailed` when its key cannot be read.
        """
        state = await open_state(self._settings.state_file)
        try:
            self._connector = await self._open(state)
            try:
                await self._connector.live(stop)
            finally:
                await within(self._tempo.goodbye, self._connector.close())
        finally:
            await within(self._tempo.goodbye, state.close())

    async def _open(self, state: Database) -> Connector:
        secret = await state.run(meta.identity_secret)
        standing = Standing(state, self._clock)
        await standing.load()
        if secret is None or not standing.office:
            raise NeverConnected
        return Connector(
            self._loaded,
            self._url,
            self._place,
            state,
            Identity.load(secret),
            Install(await state.run(meta.install_id), self._settings.machine_name, version()),
            standing,
            clock=self._clock,
            limits=self._limits,
            tempo=self._tempo,
        )

    def snapshot(self) -> Running:
        """Return how the connector stands now; empty before it runs."""
        return self._connector.snapshot() if self._connector else Running()

    def heartbeats(self) -> int:
        """Return how often it has told Open Dental's database that it works."""
        return self._connector.heartbeats() if self._connector else 0
