"""Unknown registration keys, tried from one address: a few are typing mistakes, many are somebody guessing."""

import ipaddress
from collections import OrderedDict

from econnector.base.clock import SYSTEM, Clock

__all__ = ["Tries"]

_AT_ONCE = 10
_EACH = 30.0
"""Seconds until another one may be tried: a connector whose key is wrong tries no more often by itself."""
_ADDRESSES = 10_000
_NET6 = 64
"""One customer has at least that many addresses of IPv6; the bits before them are his."""


class Tries:
    """How many keys each address may still try; keys that HQ knows cost nothing."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        """Nobody has tried anything."""
        self._clock = clock
        self._spent: OrderedDict[str, float] = OrderedDict()  # per address: when it will have all its tries again

    def wait(self, address: str) -> float:
        """Return how many seconds the address has to wait before its next key is looked at; 0 for none."""
        free = self._spent.get(_whose(address), 0.0) - (_AT_ONCE - 1) * _EACH
        return max(0.0, free - self._clock.monotonic())

    def failed(self, address: str) -> None:
        """Note that HQ did not know a key that came from there."""
        whose, now = _whose(address), self._clock.monotonic()
        self._spent[whose] = max(now, self._spent.get(whose, 0.0)) + _EACH
        self._spent.move_to_end(whose)
        if len(self._spent) > _ADDRESSES:
            self._spent.popitem(last=False)


def _whose(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - the Internet Protocol's
        return address
    return str(ipaddress.ip_network((int(parsed) >> (128 - _NET6) << (128 - _NET6), _NET6)))
