"""An event loop whose time passes only while nothing else happens: no machine is too slow for a limit of 50 ms.

For tests that stay in the process: they wait for no socket, thread or other process, whose time goes on. A module takes
it with `anyio_backend = virtual_time`, a single test with the mark `in_virtual_time`.
"""

import asyncio
import datetime as dt
import selectors

import pytest

__all__ = ["VirtualClock", "in_virtual_time", "stand_still", "virtual_loop", "virtual_time"]


class _Loop(asyncio.SelectorEventLoop):
    """Where it would sleep, it moves its clock instead."""

    def __init__(self) -> None:
        super().__init__(_Selector(self))
        self.now = 1000.0

    def time(self) -> float:
        return self.now


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: _Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self._loop.now += timeout
        return ready


class VirtualClock:
    """The running loop's time as a `Clock`."""

    def now(self) -> dt.datetime:
        """Return the time of day."""
        return dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC) + dt.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()


def virtual_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop in virtual time, for who runs it himself."""
    return _Loop()


def stand_still(seconds: float) -> None:
    """Let time pass without anything being done, as for a process that the machine has no time for."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    loop.now += seconds


_BACKEND: tuple[str, dict[str, type[asyncio.AbstractEventLoop]]] = ("asyncio", {"loop_factory": _Loop})


@pytest.fixture(scope="module", name="anyio_backend")
def virtual_time() -> tuple[str, dict[str, type[asyncio.AbstractEventLoop]]]:
    """Every test of the module runs in virtual time."""
    return _BACKEND


in_virtual_time = pytest.mark.parametrize("anyio_backend", [pytest.param(_BACKEND, id="virtual time")])
"""This test runs in virtual time."""
