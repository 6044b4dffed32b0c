"""The heartbeat to HQ: what this office tells about itself every minute, and what HQ says to it."""

import asyncio
import contextlib
import datetime as dt

from econnector.base.clock import Clock
from econnector.base.errors import Failure
from econnector.base.version import version
from econnector.link.calls import HEARTBEAT, Heard, Heartbeat, Outage
from econnector.link.identity import Install
from econnector.office import contacts
from econnector.office.outages import Outages
from econnector.office.practice import Practice
from econnector.office.running import Trouble, trouble
from econnector.office.status import WORDS
from econnector.opendental import signals
from econnector.opendental.signals import Severity
from econnector.storage.database import Database
from econnector.wire.call import Asker

__all__ = ["Reporter"]

_LEAST_SECONDS = 1.0


class Reporter:
    """Tells HQ how the office is while there is a link."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it reports of
        self, hq: Asker, state: Database, practice: Practice, outages: Outages, install: Install, clock: Clock
    ) -> None:
        """Nothing is said before `report`."""
        self._state, self.machine = state, install.machine
        self._hq, self._practice, self._outages = hq, practice, outages
        self._install, self._clock = install, clock
        self._hurry = asyncio.Event()
        self.heard = Heard(version="", clock="")
        """HQ's last answer."""
        self.heard_at = ""
        """When, ISO 8601 UTC; empty before the first."""

        self.trouble: Trouble | None = None
        """Why HQ did not take the last report."""

    def hurry(self) -> None:
        """Report at once: something has changed."""
        self._hurry.set()

    async def pause(self, seconds: float) -> None:
        """Return when the next report is due."""
        await asyncio.sleep(_LEAST_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds - _LEAST_SECONDS):
                await self._hurry.wait()

    async def report(self) -> Heard:
        """Say how the office is; return what HQ says. Raises HQ's and the link's failures."""
        self._hurry.clear()
        outages, numbers = await self._outages.to_tell()
        try:
            heard = await self._hq.ask(HEARTBEAT, await self._words(outages))
        except Failure as failure:
            self.trouble = trouble(failure, self._clock.now())
            raise
        self.heard, self.heard_at, self.trouble = heard, self._now(), None
        await self._outages.told(numbers)
        return heard

    async def _words(self, outages: list[Outage]) -> Heartbeat:
        facts, away = self._practice.facts, self._practice.trouble
        drift = facts.drift() if facts is not None and away is None else None
        offset = self._clock.now().astimezone().utcoffset() or dt.timedelta()
        return Heartbeat(
            version=version(),
            program_version=facts.schema.program_version if facts else "",
            database_version=facts.schema.version if facts else "",
            status=await self._status(),
            practice_title=facts.title if facts else "",
            practice_phone=facts.phone if facts else "",
            machine=self._install.machine,
            clock=self._now(),
            failure=away.code if away else drift.code if drift else "",
            failure_since=away.since if away else "",
            outages=outages,
            utc_offset=int(offset.total_seconds()) // 60,
            contacts=[contacts.wired(each) for each in await contacts.every(self._state)],
        )

    async def _status(self) -> str:
        """Return Open Dental's word; while nobody can read it from the database, nobody sees a heartbeat there."""
        if self._practice.opened.is_set():
            with contextlib.suppress(Failure):
                return WORDS[await self._practice.database.run(signals.status, within=5.0)]
        return WORDS[Severity.CRITICAL]

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds")
