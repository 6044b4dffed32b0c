"""How often an office may report: a bound that no connector meets that works as it should."""

from econnector.base.clock import SYSTEM, Clock

__all__ = ["Pace"]

_AT_ONCE = 60
_EACH = 0.5
"""Seconds that a report costs; a connector makes one a minute, and one a second while something changes."""


class Pace:
    """One office's reports, over all its links."""

    __slots__ = ("_clock", "_free")

    def __init__(self, clock: Clock = SYSTEM) -> None:
        """Nothing was reported yet."""
        self._clock, self._free = clock, 0.0

    def allows(self) -> bool:
        """Count a report; return whether it may be one more."""
        now = self._clock.monotonic()
        spent = max(self._free, now)
        if spent - now > (_AT_ONCE - 1) * _EACH:
            return False
        self._free = spent + _EACH
        return True
