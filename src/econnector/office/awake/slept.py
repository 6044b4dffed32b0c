"""Noticing that the machine slept: two clocks, one of which stops meanwhile.

==========  =====================================  ===========================================
system      goes on while the machine sleeps       stops
==========  =====================================  ===========================================
Linux       CLOCK_BOOTTIME                         CLOCK_MONOTONIC
macOS       CLOCK_MONOTONIC (mach_continuous)      CLOCK_UPTIME_RAW
Windows     GetTickCount64                         QueryUnbiasedInterruptTime
elsewhere   the time of day                        the monotonic clock
==========  =====================================  ===========================================

A virtual machine that its host stops knows neither: there the time of day jumps forward afterwards. That may also be a
clock that was set, so it counts as sleep only when the jump is long, and is told as what it may be.
"""

import datetime as dt
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from econnector.base.clock import SYSTEM, Clock

__all__ = ["Gauge", "Slept", "SleptWatch", "gauge"]

LEAST_SECONDS = 10.0
"""A shorter stop is not worth a word."""
LEAST_JUMP_SECONDS = 60.0
"""As above, where only the time of day says so: network time corrects by less."""


class Gauge(NamedTuple):
    """The two clocks, in seconds."""

    going: Callable[[], float] | None
    """Goes on during sleep; None where only the time of day does."""
    stopping: Callable[[], float]


class Slept(NamedTuple):
    """One sleep."""

    began: dt.datetime
    """Aware, UTC, give or take the time between two looks."""
    ended: dt.datetime
    certain: bool
    """Whether the system says so; else a virtual machine was stopped, or somebody set the clock."""


def gauge(clock: Clock = SYSTEM) -> Gauge:
    """Return this system's two clocks; with another clock than the system's, its own."""
    if clock is not SYSTEM:
        return Gauge(None, clock.monotonic)
    if sys.platform == "win32":
        return _windows_gauge()
    if sys.platform == "darwin":
        return Gauge(_clock(time.CLOCK_MONOTONIC), _clock(time.CLOCK_UPTIME_RAW))
    if sys.platform == "linux":
        return Gauge(_clock(time.CLOCK_BOOTTIME), time.monotonic)
    return Gauge(None, time.monotonic)


if sys.platform != "win32":

    def _clock(number: int) -> Callable[[], float]:
        return lambda: time.clock_gettime(number)


class SleptWatch:
    """Compares the clocks at every look."""

    def __init__(self, clock: Clock, clocks: Gauge | None = None) -> None:
        """Begin now."""
        self._clock, self._gauge = clock, clocks or gauge(clock)
        self._before = self._read()

    def look(self) -> Slept | None:
        """Return the sleep since the last look, if there was one."""
        before, now = self._before, self._read()
        self._before = now
        awake = now.stopping - before.stopping
        asleep = (now.going - before.going) - awake
        jumped = (now.wall - before.wall).total_seconds() - awake
        if asleep >= LEAST_SECONDS:
            return Slept(now.wall - dt.timedelta(seconds=asleep), now.wall, certain=True)
        if jumped >= LEAST_JUMP_SECONDS:
            return Slept(now.wall - dt.timedelta(seconds=jumped), now.wall, certain=self._gauge.going is None)
        return None

    def _read(self) -> "_Reading":
        stopping = self._gauge.stopping()
        going = self._gauge.going() if self._gauge.going is not None else stopping
        return _Reading(self._clock.now(), going, stopping)


class _Reading(NamedTuple):
    wall: dt.datetime
    going: float
    stopping: float


if sys.platform == "win32":
    import ctypes

    def _windows_gauge() -> Gauge:
        kernel = ctypes.windll.kernel32
        kernel.GetTickCount64.restype = ctypes.c_uint64

        def unbiased() -> float:
            ticks = ctypes.c_uint64()
            kernel.QueryUnbiasedInterruptTime(ctypes.byref(ticks))
            return ticks.value / 1e7

        return Gauge(lambda: kernel.GetTickCount64() / 1000, unbiased)
