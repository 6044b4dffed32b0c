"""Who breaks the link's rules again and again: a connector that redials at once would cost all offices its time."""

from typing import NamedTuple

__all__ = ["Outcasts"]

_FORGIVEN = 10
"""Links that a bad line or proxy may break within the time below, without a pause."""
_REMEMBERED = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
_MANY = 1000
"""Offices remembered, beyond which those whose time is over are looked for, and again at twice as many as are left."""


class _Record(NamedTuple):
    broken: int
    until: float
    forgotten: float


class Outcasts:
    """By public key; times are passed in."""

    __slots__ = ("_known", "_many")

    def __init__(self) -> None:
        """Nobody broke a rule yet."""
        self._known: dict[bytes, _Record] = {}
        self._many = _MANY

    def broke(self, key: bytes, now: float) -> None:
        """Note that the link of `key` was closed for a broken rule."""
        known = self._known.get(key)
        broken = 1 + (known.broken if known is not None and now < known.forgotten else 0)
        beyond = broken - _FORGIVEN
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(beyond - 1, 10)) if beyond > 0 else 0.0
        if len(self._known) >= self._many:
            self._known = {each: known for each, known in self._known.items() if now < known.forgotten}
            self._many = max(_MANY, 2 * len(self._known))
        self._known[key] = _Record(broken, now + pause, now + pause + _REMEMBERED)

    def pause(self, key: bytes, now: float) -> float:
        """Return for how many seconds `key` is not let in any more; 0 when it is."""
        known = self._known.get(key)
        return max(0.0, known.until - now) if known is not None else 0.0
