"""How this office stands with HQ: what the dialler reports, put in the words that people are told."""

import asyncio
import contextlib
import datetime as dt

import structlog

from econnector.base.clock import Clock
from econnector.link.state import LinkState, Status
from econnector.office.running import Trouble, trouble
from econnector.storage.database import Database
from econnector.storage.state import meta

__all__ = ["EPOCH", "OFFICE", "STANDBY", "Standing"]

log = structlog.get_logger(__name__)

_WORDS = {
    Status.ONLINE: "open",
    Status.DRAINING: "open",
    Status.STANDBY: "standby",
    Status.REFUSED: "refused",
}
OFFICE, EPOCH, STANDBY = "office", "epoch", "standby"
"""Names in the state file's meta table."""


class Standing:
    """The link's state over time, and what of it outlives the process."""

    def __init__(self, state: Database, clock: Clock) -> None:
        """`load` reads what the last run knew."""
        self._state, self._clock = state, clock
        self.office, self.epoch = "", 0
        self.standby = False
        """Another machine is this office's connector, as far as HQ has ever said."""
        self.word = "away"
        self.since: dt.datetime = clock.now()
        self.trouble: Trouble | None = None
        self.seen: LinkState | None = None
        self.judged = asyncio.Event()
        """Set once the first try to reach HQ is over, however it ended."""
        self.online = asyncio.Event()

    async def load(self) -> None:
        """Read what the last run knew."""
        self.office = await self._state.run(meta.read, OFFICE)
        self.epoch = int(await self._state.run(meta.read, EPOCH, "0"))
        self.standby = bool(await self._state.run(meta.read, STANDBY))

    def heed(self, state: LinkState) -> None:
        """Take in what the dialler reports."""
        self.seen = state
        word = _WORDS.get(state.status, "away" if self.word in {"open", "away"} else self.word)
        if state.status is Status.DISCONNECTED:
            word = "away"
        if word != self.word:
            self.word, self.since, self.trouble = word, self._clock.now(), None
        if state.failure is not None and (self.trouble is None or self.trouble.code != state.failure.code):
            since = self.trouble.since if self.trouble else self.since.isoformat(timespec="seconds")
            self.trouble = trouble(state.failure, dt.datetime.fromisoformat(since))
        if state.status is Status.ONLINE:
            if not self.online.is_set():
                log.info("linked to HQ", office=state.office, epoch=state.epoch, hq_version=state.hq_version)
            self.trouble, self.standby = None, False
            self.online.set()
        elif word != "open":
            self.online.clear()
        self.standby = self.standby or word == "standby"
        if state.status is Status.ONLINE or state.failure is not None:
            self.judged.set()

    async def keep(self) -> None:
        """Keep what must outlive the process."""
        state = self.seen
        if state is not None and state.status is Status.ONLINE:
            self.office, self.epoch = state.office, state.epoch
            await self._state.run(meta.write, OFFICE, state.office)
            await self._state.run(meta.write, EPOCH, str(state.epoch))
        await self._state.run(meta.write, STANDBY, "1" if self.standby else "")

    async def first_word(self, seconds: float) -> None:
        """Return once HQ's first word is there, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.judged.wait()
