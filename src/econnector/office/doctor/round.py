"""One examination of this machine while it goes on: which checks are done, and what they found so far."""

import asyncio
import datetime as dt
from collections.abc import Iterable

from econnector.base.clock import Clock
from econnector.office.doctor.check import Check, Finding, State, examine, worst
from econnector.office.doctor.scene import Scene

__all__ = ["Round"]


class Round:
    """Begun when it is made. Everything is looked at side by side, in less than 15 seconds."""

    def __init__(self, scene: Scene, checks: Iterable[Check], clock: Clock) -> None:
        """Begin; `scene` is closed at the end. To be made where a loop runs."""
        self.checks = tuple(checks)
        self.ended: dt.datetime | None = None
        """None while it goes on."""
        self._found: dict[str, Finding] = {}
        self._task = asyncio.create_task(self._run(scene, clock))

    async def _run(self, scene: Scene, clock: Clock) -> None:
        try:
            await examine(scene, self.checks, self.hear)
        finally:
            self.ended = clock.now()
            await scene.close()

    def hear(self, finding: Finding) -> None:
        """Take a finding of one check, now or later, when something was mended."""
        self._found[finding.check] = finding

    @property
    def findings(self) -> list[tuple[Check, Finding | None]]:
        """Every check in its order, and what it found; None while it looks."""
        return [(check, self._found.get(check.id)) for check in self.checks]

    @property
    def verdict(self) -> State:
        """The worst of what was found so far."""
        return worst(self._found.values())
