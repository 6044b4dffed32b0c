"""The connector's part: it holds the machine awake, notices that it slept, and says both."""

import asyncio
from collections.abc import Callable

import structlog

from econnector.base.clock import Clock
from econnector.base.errors import MachineSlept
from econnector.office.awake import power
from econnector.office.awake.holding import Holder, holder
from econnector.office.awake.power import Power
from econnector.office.awake.slept import Gauge, Slept, SleptWatch
from econnector.office.outages import Outages
from econnector.office.running import Trouble, local

__all__ = ["LOOK_SECONDS", "Awake"]

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
AGAIN_SECONDS = 60.0
"""Between two tries to hold the machine awake."""
POWER_SECONDS = 3600.0


class Awake:
    """Keeps the machine awake while the connector runs."""

    def __init__(  # noqa: PLR0913 - what it keeps, what it tells, and a test's own clocks
        self,
        keep: bool,
        outages: Outages,
        clock: Clock,
        changed: Callable[[], None],
        *,
        held: Holder | None = None,
        clocks: Gauge | None = None,
    ) -> None:
        """`keep` is the setting `awake.keep`; nothing is held before the first `look`. `changed` hears of news."""
        self._keep, self._outages, self._clock, self._changed = keep, outages, clock, changed
        self._holder = held or holder()
        self._watch = SleptWatch(clock, clocks)
        self._again = self._power_due = clock.monotonic()
        self.word = ""
        """`kept`, `off` or `impossible`."""
        self.by = ""
        """What keeps it awake; else why it is not kept."""
        self.power = Power(known=False)
        self._untold: list[Slept] = []

    async def look(self) -> None:
        """Do what is due. Raises the state file's failures; what could not be noted is noted at the next look."""
        await self._hold()
        if self._clock.monotonic() >= self._power_due:
            self._power_due = self._clock.monotonic() + POWER_SECONDS
            await self._look_at_power()
        slept = self._watch.look()
        if slept is not None:
            self._untold.append(slept)
            self._again = self._clock.monotonic()
        while self._untold:
            await self._tell(self._untold[0])
            del self._untold[0]

    async def close(self) -> None:
        """Let the machine sleep again."""
        if self._keep:
            await asyncio.to_thread(self._holder.release)

    async def _hold(self) -> None:
        if not self._keep:
            self._say("off", "the setting awake.keep says no")
            return
        if self._clock.monotonic() < self._again:
            return
        why = await asyncio.to_thread(self._holder.hold)
        if why:
            self._again = self._clock.monotonic() + AGAIN_SECONDS
            self._say("impossible", why)
        else:
            self._say("kept", self._holder.name)

    def _say(self, word: str, by: str) -> None:
        if (word, by) == (self.word, self.by):
            return
        self.word, self.by = word, by
        self._changed()
        if word == "kept":
            log.info("this computer is kept awake while the connector runs", by=by)
        else:
            log.warning("this computer is not kept awake", why=by)

    async def _look_at_power(self) -> None:
        found = await asyncio.to_thread(power.look)
        if found.allows and found != self.power:
            log.warning("the power settings let this computer sleep", when=list(found.allows))
        if found != self.power:
            self.power = found
            self._changed()

    async def _tell(self, slept: Slept) -> None:
        began, ended = slept.began.isoformat(timespec="seconds"), slept.ended.isoformat(timespec="seconds")
        what = "slept" if slept.certain else "slept, was paused, or had its clock set,"
        failure = MachineSlept(what=what, began=local(began), ended=local(ended))
        log.warning("this computer slept", began=began, ended=ended, reference=failure.reference, certain=slept.certain)
        trouble = Trouble(failure.code, failure.reference, failure.facts, began)
        await self._outages.over("sleep", trouble, slept.ended)
