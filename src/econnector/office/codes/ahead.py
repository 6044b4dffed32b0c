"""Batches of a file, read in a thread of their own: one is being made while the one before is written."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from econnector.office.codes.batches import Batch

__all__ = ["Ahead"]


class Ahead:
    """An async context manager: at its end nothing reads any more."""

    def __init__(self, todo: Iterator[Batch]) -> None:
        """Begin with the first one."""
        self._todo, self._thread = todo, ThreadPoolExecutor(1, thread_name_prefix="codes")
        self._coming = self._read()

    def take(self) -> "Future[Batch | None]":
        """Return the next batch, None behind the last one; waiting for it raises what reading the file raises."""
        coming, self._coming = self._coming, self._read()
        return coming

    def _read(self) -> "Future[Batch | None]":
        return self._thread.submit(next, self._todo, None)

    async def __aenter__(self) -> Self:
        """Return it."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Wait: the file must not be closed under the thread that reads it."""
        await asyncio.shield(asyncio.to_thread(self._thread.shutdown, cancel_futures=True))
