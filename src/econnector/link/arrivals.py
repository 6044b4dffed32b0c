"""Room for arrivals: a few are heard at a time, more wait for their turn, and who would wait too long is sent away.

After an outage everybody is there at once. To send them away costs as much as to let them stand in line, and they come
again: heard in turn, each of them costs HQ one handshake and no more.
"""

import asyncio
import contextlib
import ipaddress
import itertools
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator

from econnector.base.clock import SYSTEM, Clock

__all__ = ["Arrivals", "network"]

_SHARE = 2
"""One address may be this part of those who are heard, and of those who wait."""
_LINE = 2
"""So many wait for each one that is heard, at most; one that waits costs HQ 20 KiB, as one that is heard does."""
_PATIENCE = 4.0
"""Seconds in line: connectors wait ten to be heard at all."""
_SOONEST, _LATEST = 5.0, 30.0
_RATE = 300
"""Arrivals a second that HQ believes it can hear until it knows better: a node that has just begun has heard nobody."""
_LATELY = 10.0
"""Seconds over which is counted how many were heard and how many were sent away."""
_SAME_NETWORK = 64
"""Bits of an IPv6 address that one customer of a provider gets: all that share them count as one."""


class Arrivals:
    """Who is being heard, and who waits for it."""

    def __init__(self, most: int, clock: Clock = SYSTEM) -> None:
        """Hear at most `most` at a time."""
        self.most, self.longest, self._clock = most, most * _LINE, clock
        self._began, self._gone, self._sent = clock.monotonic(), 0, 0
        self._heard, self._waiting = Counter[str](), Counter[str]()
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, whose: str) -> AsyncIterator[bool]:
        """Wait for a turn, and hold it until the block ends; yield False for who gets none. `whose`: see `network`."""
        if not await self._get_turn(whose):
            yield False
            return
        try:
            yield True
        finally:
            self._leave(whose)

    def again(self) -> float:
        """Return the seconds after which the one who is being sent away shall come again.

        As long as it takes to hear all who were sent away lately: sooner they would only be sent away once more, and
        to do that would be all that HQ does.
        """
        now = self._clock.monotonic()
        if now - self._began > _LATELY:
            # Half of what was counts on, so that the beginning of a new while knows how the last one was.
            self._began, self._gone, self._sent = now, self._gone // 2, self._sent // 2
        self._sent += 1
        return min(max(_SOONEST, _LATELY * self._sent / max(_LATELY * _RATE, self._gone)), _LATEST)

    async def _get_turn(self, whose: str) -> bool:
        if whose not in self._lines and _fits(self._heard, whose, self.most):
            self._heard[whose] += 1
            return True
        if not _fits(self._waiting, whose, self.longest):
            return False
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(whose, deque()).append(called)
        self._waiting[whose] += 1
        try:
            await asyncio.wait((called,), timeout=_PATIENCE)
        except asyncio.CancelledError:
            if called.done():
                self._leave(whose)
            raise
        finally:
            _drop(self._waiting, whose)
            if not called.done():
                self._give_up(whose, called)
        return called.done()

    def _give_up(self, whose: str, called: asyncio.Future[None]) -> None:
        line = self._lines[whose]
        line.remove(called)
        if not line:
            del self._lines[whose]

    def _leave(self, whose: str) -> None:
        _drop(self._heard, whose)
        self._gone += 1
        # In each network who came first; of the networks the one whose turn is longest ago. While there is room, no
        # more than `_SHARE` of them can have all of theirs.
        for next_one in list(itertools.islice(self._lines, _SHARE + 1)):
            if not _fits(self._heard, next_one, self.most):
                continue
            line = self._lines[next_one]
            line.popleft().set_result(None)
            self._heard[next_one] += 1
            self._lines.move_to_end(next_one)
            if not line:
                del self._lines[next_one]
            return


def _fits(counted: Counter[str], whose: str, most: int) -> bool:
    return counted.total() < most and counted[whose] < max(1, most // _SHARE)


def _drop(counted: Counter[str], whose: str) -> None:
    counted[whose] -= 1
    if not counted[whose]:
        del counted[whose]


def network(address: str) -> str:
    """Return what counts as one neighbour: an IPv4 address, or the network of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((parsed.packed, _SAME_NETWORK), strict=False))
