"""The offices of a simulation: a dialler each, heartbeats once a minute, and the one answer that a page needs."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from econnector.base.clock import SYSTEM
from econnector.base.errors import Failure
from econnector.base.version import version
from econnector.eservices.portal import calls
from econnector.link.calls import ECHO, HEARTBEAT, Echo, Heartbeat, Outage
from econnector.link.dial import Dialler
from econnector.link.identity import Identity, Install
from econnector.link.state import LinkState, Status
from econnector.wire.call import Answers, Asked

__all__ = ["Fleet"]

HEARTBEAT_SECONDS: Final = 60.0
LATE_SECONDS: Final = 10.0
_DIAL_EACH: Final = 0.002
"""Seconds between two first dials: offices are installed one after the other."""
_ENROL_AT_ONCE: Final = 100
"""Only a return is a storm: nobody enrols ten thousand offices in a minute."""
_PATIENT: Final = 500
"""Looks whether there are fewer now; an HQ that lets nobody in is dialled nevertheless."""


class Fleet:
    """Many offices."""

    def __init__(self, url: str, keys: list[str], *, slow: int, slow_seconds: float, ca: Path | None) -> None:
        """Nothing is dialled yet; the last `slow` of them answer late."""
        self.many, self.slow = len(keys), slow
        self.online: set[int] = set()
        self._fell: dict[int, str] = {}
        """Since when an office is away, as its next heartbeat will tell."""
        self._came = [asyncio.Event() for _ in keys]
        self.heartbeats = self.late = 0
        self.up = asyncio.Event()
        """Set while HQ is there: only then a heartbeat can be late."""
        self.up.set()
        self._tasks: list[asyncio.Task[None]] = []
        quick, late = _answers(0.0), _answers(slow_seconds)
        self._diallers = [
            Dialler(
                url,
                Identity.make(),
                Install(f"{number:032x}", f"SIM-{number}", version()),
                late if number >= self.many - slow else quick,
                registration_key=key,
                ca=ca,
                proxy=False,
                on_change=lambda state, number=number: self._heed(number, state),  # type: ignore[misc]
            )
            for number, key in enumerate(keys)
        ]

    def _heed(self, number: int, state: LinkState) -> None:
        if state.status is Status.ONLINE:
            self.online.add(number)
            self._came[number].set()
        elif number in self.online:
            self.online.discard(number)
            self._fell[number] = _now()

    async def dial(self) -> None:
        """Begin to dial, one after the other."""
        for number, dialler in enumerate(self._diallers):
            self._tasks.append(asyncio.create_task(dialler.run()))
            self._tasks.append(asyncio.create_task(self._beat(number, dialler)))
            for _ in range(_PATIENT):
                await asyncio.sleep(_DIAL_EACH)
                if number - len(self.online) < _ENROL_AT_ONCE:
                    break

    async def until(self, share: float, seconds: float) -> bool:
        """Wait until this share of the offices is connected; return whether it was so within the time."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while len(self.online) < share * self.many and loop.time() < ends:  # noqa: ASYNC110 - ten thousand may tell
            await asyncio.sleep(0.02)
        return len(self.online) >= share * self.many

    async def _beat(self, number: int, dialler: Dialler) -> None:
        """Say what a connector says: every minute, and at once when it is back, that it was away."""
        loop, came = asyncio.get_running_loop(), self._came[number]
        while True:
            came.clear()
            began, was_up = loop.time(), self.up.is_set() and number in self.online
            if number in self.online:
                good = await self._said(number, dialler) and loop.time() - began <= LATE_SECONDS
                if was_up and self.up.is_set():
                    self.heartbeats += 1
                    self.late += not good
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, began + HEARTBEAT_SECONDS - loop.time())):
                    await came.wait()

    async def _said(self, number: int, dialler: Dialler) -> bool:
        words = Heartbeat(version(), status="Working", practice_title=f"Simulated office {number}", contacts=[])
        words.clock = _now()
        if fell := self._fell.get(number):
            words.outages = [Outage(fell, words.clock, "hq-away")]
        try:
            await dialler.hq.ask(HEARTBEAT, words)
        except Failure:
            return False
        self._fell.pop(number, None)
        return True

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _answers(late: float) -> Answers:
    answers = Answers()

    @answers.to(ECHO)
    async def _(_asked: Asked, params: Echo) -> Echo:
        return params

    @answers.to(calls.PRACTICE)
    async def _(_asked: Asked, _params: calls.Nothing) -> calls.Practice:
        if late:
            await asyncio.sleep(late)
        return calls.Practice("Simulated office", "555-0100")

    return answers


def _now() -> str:
    return SYSTEM.now().isoformat(timespec="seconds")
