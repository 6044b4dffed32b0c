"""Group commit: what many ask for while one transaction runs is done in the next one, together.

A transaction for each costs most of its time outside the database: ten thousand offices that come back one by one would
take a minute of a node's only thread for SQLite, and as long of its interpreter with any other database.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import sqlalchemy as sa

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import RegistryAway
from econnector.hq.registry.database import Registry

__all__ = ["Grouped"]

A = TypeVar("A")
R = TypeVar("R")

_MOST = 100
"""Askers per transaction: twenty milliseconds, for which a page's own question waits at most."""


class Grouped(Generic[A, R]):
    """Does for many askers at once what `many` does; a lone one waits for nobody."""

    def __init__(
        self,
        registry: Registry,
        many: Callable[[sa.Connection, Sequence[A], dt.datetime], Sequence[R | None]],
        one: Callable[[sa.Connection, A, dt.datetime], R] | None = None,
        clock: Clock = SYSTEM,
        *,
        every: float = 0.0,
    ) -> None:
        """`many` returns a result per asker, in order; None for each that has to be looked at by itself, by `one`.

        `every`: seconds from one turn to the next, at least, where nobody is in a hurry.
        """
        self._every, self._next = every, 0.0
        self._registry, self._many, self._one, self._clock = registry, many, one, clock
        self._waiting: list[tuple[A, asyncio.Future[R | None]]] = []
        self._working: asyncio.Task[None] | None = None

    async def run(self, asked: A) -> R:
        """Return the result, once it is committed.

        Who is cancelled before the turn comes was never there. Raises `RegistryAway` and what `one` raises.
        """
        answer: asyncio.Future[R | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        result = await answer
        if result is not None:
            return result
        if self._one is None:
            raise TypeError("a group that leaves nobody out has left somebody out")
        return await self._registry.run(self._one, asked, self._clock.now())

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._due()
                turn, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._serve([(asked, answer) for asked, answer in turn if not answer.done()])
        finally:
            self._working = None

    async def _due(self) -> None:
        loop = asyncio.get_running_loop()
        if (left := self._next - loop.time()) > 0:
            await asyncio.sleep(left)
        self._next = loop.time() + self._every

    async def _serve(self, turn: list[tuple[A, asyncio.Future[R | None]]]) -> None:
        try:
            found = await self._ask([asked for asked, _ in turn])
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked
            for _, answer in turn:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), result in zip(turn, found, strict=True):
            if not answer.done():
                answer.set_result(result)

    async def _ask(self, asked: list[A]) -> Sequence[R | None]:
        try:
            return await self._registry.run(self._many, asked, self._clock.now())
        except RegistryAway:
            # Two nodes may have met at the same offices in another order: the database then ended one of the two.
            return await self._registry.run(self._many, asked, self._clock.now())
