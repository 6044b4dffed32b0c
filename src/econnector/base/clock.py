"""The only source of time: code that needs "now" is given a `Clock`, so that tests can move it."""

import datetime as dt
import time
from typing import Protocol

__all__ = ["SYSTEM", "Clock", "ManualClock", "SystemClock"]


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> dt.datetime:
        """Return the time of day, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow; the zero point means nothing."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> dt.datetime:
        """Return the time of day, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever grow; the zero point means nothing."""
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start: dt.datetime | None = None) -> None:
        """Start at `start` (aware), by default noon UTC on 2 January 2026."""
        self._now = start or dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
        self._monotonic = 1000.0

    def now(self) -> dt.datetime:
        """Return the time of day, aware, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that only ever grow; the zero point means nothing."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds`."""
        self._now += dt.timedelta(seconds=seconds)
        self._monotonic += seconds


SYSTEM = SystemClock()
