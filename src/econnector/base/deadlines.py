"""Many deadlines for the price of one timer per length: of those of one length the first set is the first due."""

import asyncio
from typing import Protocol

__all__ = ["Deadlines", "Late"]


class Late(Protocol):
    """Somebody who can be late."""

    def late(self) -> None:
        """Note that the time is up; must not raise."""


class Deadlines:
    """Who has to be done by when. Nearly everybody is done in time, so setting and dropping is what has to be cheap."""

    __slots__ = ("_armed", "_loop", "_queues")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for nobody yet."""
        self._loop = loop
        self._queues: dict[float, dict[Late, float]] = {}
        self._armed: set[float] = set()

    def set(self, who: Late, seconds: float) -> None:
        """Tell `who` when it was not dropped within `seconds`; lengths should be few."""
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = {}
        queue[who] = self._loop.time() + seconds
        if seconds not in self._armed:
            self._armed.add(seconds)
            self._loop.call_later(seconds, self._look, seconds)

    def drop(self, who: Late, seconds: float) -> None:
        """Forget a deadline that was set for so many seconds; nothing happens if it is over."""
        queue = self._queues.get(seconds)
        if queue is not None:
            queue.pop(who, None)

    def _look(self, seconds: float) -> None:
        self._armed.discard(seconds)
        queue, now = self._queues[seconds], self._loop.time()
        for who in [who for who, due in queue.items() if due <= now]:
            if queue.pop(who, None) is not None:
                who.late()
        if not queue:
            self._queues.pop(seconds, None)  # a length that nobody uses any more costs nothing
        elif seconds not in self._armed:
            self._armed.add(seconds)
            self._loop.call_at(next(iter(queue.values())), self._look, seconds)
