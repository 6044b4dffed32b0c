"""A TCP way to one of several servers: what a balancer does, and what a network does to it.

It balances as deploy/Caddyfile does: it asks /ready of each node, sends new connections round to those that answer 200,
and tries the next one when a connection is refused. It repeats nothing that has been sent.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar, cast

from tests.support.ports import free_port

__all__ = ["Crossing"]

T = TypeVar("T")
_SECONDS = 60.0
_LOOK = 0.3


class _End(asyncio.Protocol):
    """One end of a connection: what comes in goes out at the other end."""

    transport: asyncio.Transport
    other: "_End | None" = None
    apart = False
    """Whether the other end is gone and this one must not know."""

    def __init__(self, ways: set["_End"]) -> None:
        self._ways = ways

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and not self.apart:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._ways.discard(self)
        if self.other is not None and not self.other.apart:
            self.other.transport.close()


class _Arrival(_End):
    """The end of whoever connects; nothing is read before there is another one."""

    def __init__(self, crossing: "Crossing", ways: set[_End]) -> None:
        super().__init__(ways)
        self._crossing = crossing
        self._finding: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._finding = asyncio.get_running_loop().create_task(self._find())

    async def _find(self) -> None:
        inner = await self._crossing.connect(self._ways)
        if inner is None or self.transport.is_closing():
            self.transport.abort()
            return
        self.other, inner.other = inner, self
        self._ways.add(self)
        self.transport.resume_reading()


class Crossing:
    """Listens on `port` and leads to the ports behind it, until it is cut, halved or closed."""

    def __init__(self, *behind: int, health: str = "") -> None:
        """Begin; `health` is the path that says which of the servers behind take work, empty: all do."""
        self.port = free_port()
        self.refused = 0
        """How often a server refused a connection, and the next one was tried."""
        self._behind, self._health = behind, health
        self._fit: Sequence[int] = behind
        self._turn = 0
        self._ways: set[_End] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._looking = asyncio.run_coroutine_threadsafe(self._look(), self._loop) if health else None
        self.mend()

    # -- what a test does ---------------------------------------------------------------------------------------

    def lead_to(self, *behind: int) -> None:
        """Lead whoever connects from now on to these servers."""
        self._behind = self._fit = behind

    def mend(self) -> None:
        """Take connections again."""
        self._do(self._listen())

    def cut(self) -> None:
        """Break every connection at both ends, and take no new one."""
        self._do(self._close())

    def halve(self) -> None:
        """Break every connection for those who connected; the servers behind hear nothing, not even that."""
        self._do(self._halve())

    def close(self) -> None:
        """End it."""
        if self._looking is not None:
            self._looking.cancel()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)

    # -- in the thread ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Arrival(self, self._ways), "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for end in list(self._ways):
            end.transport.abort()
        await asyncio.sleep(0.05)

    async def _halve(self) -> None:
        for end in list(self._ways):
            if isinstance(end, _Arrival) and end.other is not None:
                end.other.apart = True
                end.transport.abort()
        await asyncio.sleep(0.05)

    async def connect(self, ways: set[_End]) -> _End | None:
        """Return the end at the next server that takes a connection, or None."""
        fit = self._fit or self._behind
        self._turn += 1
        for place in range(len(fit)):
            port = fit[(self._turn + place) % len(fit)]
            try:
                _, end = await self._loop.create_connection(lambda: _End(ways), "127.0.0.1", port)
            except OSError:
                self.refused += 1
                continue
            ways.add(end)
            return end
        return None

    async def _look(self) -> None:
        while True:
            asked = self._behind
            ready = await asyncio.gather(*(self._is_ready(port) for port in asked))
            if asked is self._behind:
                self._fit = [port for port, fit in zip(asked, ready, strict=True) if fit]
            await asyncio.sleep(_LOOK)

    async def _is_ready(self, port: int) -> bool:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(f"GET {self._health} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n".encode())
                    return (await reader.readuntil(b"\r\n")).split()[1] == b"200"
                finally:
                    writer.close()
        return False
