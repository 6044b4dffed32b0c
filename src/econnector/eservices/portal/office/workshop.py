"""Where documents are made: beside the event loop, and few at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar, TypeVarTuple

__all__ = ["Workshop"]

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class Workshop:
    """A bench with a few places. Whoever waits for one holds nothing yet."""

    def __init__(self, places: int) -> None:
        """`places`: how many work at once."""
        self._turns = asyncio.Semaphore(places)
        # Threads of its own: a caller who goes away frees the place, and work that cannot be stopped still counts here.
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="documents")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and keep it within: read what is needed, then `make`."""
        async with self._turns:
            yield

    async def make(self, work: Callable[[*Ts], R], *args: *Ts) -> R:
        """Return `work(*args)`, done in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
