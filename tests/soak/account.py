"""What the soak has seen: every request counted, every wrong answer kept, and when failing is no excuse."""

import collections
import re
import threading
import time
from typing import NamedTuple

__all__ = ["Account", "Weather"]


_NUMBER = re.compile(r"\d+")
_SEEN = 2.0
"""Seconds until a process has seen that its clock was moved."""


class Weather:
    """Whether anything has been hurt; in fair weather every answer must be right."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fair_since: float | None = time.monotonic()
        self._moved = 0.0
        self._full: list[tuple[float, float]] = []

    def storm(self) -> None:
        """Something is about to be hurt."""
        with self._lock:
            self._fair_since = None

    def fair(self) -> None:
        """Everything serves again."""
        with self._lock:
            self._fair_since = time.monotonic()

    def was_fair(self, since: float) -> bool:
        """Whether it has been fair from `since` until now."""
        with self._lock:
            return self._fair_since is not None and self._fair_since <= since

    def clock_moved(self) -> None:
        """A clock shows another time from now on, or the right one again."""
        with self._lock:
            self._moved = time.monotonic() + _SEEN

    def moved(self, since: float) -> bool:
        """Whether a clock was moved after `since`: what counts by the clock may have ended."""
        with self._lock:
            return self._moved > since

    def disk_is(self, *, full: bool) -> None:
        """The state file's disk is full, or has room again."""
        with self._lock:
            if full:
                self._full.append((time.monotonic(), float("inf")))
            else:
                self._full[-1] = self._full[-1][0], time.monotonic()

    def no_room(self, since: float) -> bool:
        """Whether the disk was full at any time since `since`."""
        with self._lock:
            return any(until >= since for _, until in self._full)


class Wrong(NamedTuple):
    """Something that must not be."""

    who: str
    what: str


class Account:
    """Shared by all threads."""

    def __init__(self) -> None:
        self.counts: collections.Counter[tuple[str, str]] = collections.Counter()
        self.kinds: collections.Counter[str] = collections.Counter()
        self.wrongs: list[Wrong] = []
        self.facts: dict[str, str] = {}
        self._lock = threading.Lock()

    def count(self, action: str, outcome: str, kind: str = "") -> None:
        """Count a request; `kind` is the failure's title."""
        with self._lock:
            self.counts[action, outcome] += 1
            if kind:
                self.kinds[kind] += 1

    def wrong(self, who: str, what: str) -> None:
        """Keep what must not be."""
        with self._lock:
            self.wrongs.append(Wrong(who, what))

    def table(self) -> str:
        """Return the summary."""
        outcomes = ("right", "kind page", "no answer")
        lines = [f"  {'action':<18}" + "".join(f"{outcome:>12}" for outcome in outcomes)]
        for action in sorted({action for action, _ in self.counts}):
            counted = "".join(f"{self.counts[action, outcome]:>12}" for outcome in outcomes)
            lines.append(f"  {action:<18}{counted}")
        lines += [f"  {count:>6} × {kind}" for kind, count in self.kinds.most_common()]
        alike = collections.Counter(_NUMBER.sub("#", what) for _, what in self.wrongs)
        for form, count in alike.most_common():
            who, what = next(wrong for wrong in self.wrongs if _NUMBER.sub("#", wrong.what) == form)
            lines.append(f"  WRONG {count:>4} ×, first {who}: {what}")
        return "\n".join(lines)
