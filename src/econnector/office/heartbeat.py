"""The heartbeat in Open Dental's database, so that its own eConnector window shows what is so (od-connector 1.4)."""

import asyncio
import contextlib
import functools
from typing import Any

import structlog

from econnector.base.clock import Clock
from econnector.base.errors import Failure
from econnector.office.practice import Facts, Practice
from econnector.opendental import alerts, signals
from econnector.opendental.schema import Schemas

__all__ = ["Heartbeat"]

log = structlog.get_logger(__name__)

AGAIN_SECONDS = LOOK_SECONDS = 5.0
_WITHIN = 10.0


class Heartbeat:
    """Beats while this machine is the office's connector and the database can be used."""

    def __init__(self, practice: Practice, clock: Clock, *, seconds: float = signals.HEARTBEAT_SECONDS) -> None:
        """`seconds` apart; Open Dental takes six minutes without one for a dead connector."""
        self._practice, self._clock, self._seconds = practice, clock, seconds
        self.allowed = asyncio.Event()
        """Set once it is known that no other machine is this office's connector."""
        self.beats = 0
        self._clock_told = False
        self._others: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await self.allowed.wait()
            await self._practice.opened.wait()
            await self._pause(self._seconds if await self._once() else AGAIN_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait by the time of day: a machine that slept beats at once when it wakes."""
        began = self._clock.now()
        while 0 <= (passed := (self._clock.now() - began).total_seconds()) < seconds:  # noqa: ASYNC110 - see above
            await asyncio.sleep(min(LOOK_SECONDS, seconds - passed))

    async def _once(self) -> bool:
        practice = self._practice
        try:
            await practice.database.run(_beat, practice.schemas, within=_WITHIN)
            self.beats += 1
            if practice.facts is not None:
                await self._compare_clocks(practice.facts)
        except Failure as failure:
            log.warning("no heartbeat", code=failure.code, reference=failure.reference)
            practice.heed(failure)
            return False
        except Exception:
            log.exception("no heartbeat")
            return False
        return True

    async def _compare_clocks(self, facts: Facts) -> None:
        """Raise the alert once when the clocks come apart; a person removes it (alert 24)."""
        drift = facts.drift()
        if drift is not None and not self._clock_told:
            text = f"{drift.office_text()} Correct the connector's clock and restart it."
            await self._alert(alerts.Kind.CLOCKS_DIFFER, text)
        self._clock_told = drift is not None

    async def others(self, machines: list[str]) -> None:
        """Raise the alert for other machines that HQ has heard from; once for each (alert 11)."""
        news = frozenset(machines) - self._others
        if not news or not self._practice.opened.is_set():
            return
        text = f"More than one eConnector: {', '.join(sorted(machines))} also tried to be this office's connector."
        with contextlib.suppress(Failure):
            await self._alert(alerts.Kind.MULTIPLE_CONNECTORS, text)
            self._others = frozenset(machines)

    async def _alert(self, kind: alerts.Kind, text: str) -> None:
        await self._practice.database.run(_raise, self._practice.schemas, kind, text, within=_WITHIN)

    async def stopped(self, within: float, *, for_update: bool = False) -> None:
        """Write the row that a stop in order leaves, if this run has beaten; a database that is away is left alone."""
        if not self.beats or not self.allowed.is_set() or not self._practice.opened.is_set():
            return
        with contextlib.suppress(Failure):
            said = functools.partial(_stopped, for_update=for_update)
            await self._practice.database.run(said, self._practice.schemas, within=within)


def _beat(connection: Any, schemas: Schemas) -> None:
    signals.beat(connection, schemas(connection))


def _raise(connection: Any, schemas: Schemas, kind: alerts.Kind, text: str) -> None:
    alerts.raise_once(connection, schemas(connection), kind, text)


def _stopped(connection: Any, schemas: Schemas, *, for_update: bool) -> None:
    signals.stopped(connection, schemas(connection), for_update=for_update)
