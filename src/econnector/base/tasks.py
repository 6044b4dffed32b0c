"""Background work that outlives its own mistakes."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

__all__ = ["Jitter", "keep_running"]

log = structlog.get_logger(__name__)


class Jitter:
    """Full-jitter back-off: a random share of a delay that doubles from `first` to `most` seconds."""

    def __init__(self, first: float = 0.5, most: float = 30.0, rng: Callable[[], float] = random.random) -> None:
        """Start afresh; `rng` returns a number in [0, 1)."""
        self._first, self._most, self._rng = first, most, rng
        self._tries = 0

    def next(self) -> float:
        """Return how many seconds to wait before the next try."""
        ceiling = min(self._most, self._first * 2 ** min(self._tries, 30))
        self._tries += 1
        return float(self._rng() * ceiling)

    def reset(self) -> None:
        """Forget the failures so far: the thing works again."""
        self._tries = 0


async def keep_running(
    name: str, work: Callable[[], Awaitable[None]], *, every: float, jitter: Jitter | None = None
) -> None:
    """Call `work` for ever, `every` seconds apart; after an exception wait by `jitter` instead.

    Nothing but cancellation ends it: a supervisor that its own children can kill is no supervisor.
    """
    backoff = jitter or Jitter(1.0, max(every, 1.0))
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - this is the place that must survive anything
            log.warning(
                "background work failed",
                work=name,
                kind=type(error).__name__,
                reference=getattr(error, "reference", None),
            )
            await asyncio.sleep(backoff.next())
        else:
            backoff.reset()
            await asyncio.sleep(every)
