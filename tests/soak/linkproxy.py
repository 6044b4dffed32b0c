"""The line between the office and HQ: cut, dead without a word, slow, thin, or with its bytes in the wrong order.

It carries TCP, so what comes out of order is a message's head behind its body: the office's and HQ's own software must
see that and close the link. With TLS they would not even get so far, so the soak's link has none. Bytes are never
exchanged *within* a message's payload: nothing but TLS can see that, and that is what it is for.
"""

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Coroutine
from typing import Any

__all__ = ["LinkProxy"]

SECONDS = 30.0
WAYS = ("cut", "half-open", "delay", "throttle", "reorder")
_DELAY = 0.7
"""Seconds that every piece waits."""
_PIECE, _RATE = 1024, 24 * 1024
"""Bytes, and bytes a second."""
_HEAD = 5
"""Bytes of a message that go behind the rest of it."""
_QUIET = 0.02
"""Seconds without a byte after which the next one begins a message: both ends write messages whole."""


class LinkProxy:
    """Stands at `port` in front of HQ's nodes, as a TCP balancer does; whoever is up gets the next connection."""

    def __init__(self, port: int, nodes: list[int], dice: random.Random) -> None:
        """Begin to listen; `nodes` are HQ's ports."""
        self.port, self._nodes, self._dice = port, nodes, dice
        self.reordered = 0
        """How often bytes really went out of order."""
        self._delay, self._rate, self._swaps = 0.0, 0, 0
        self._open = asyncio.Event()
        self._lines: set[asyncio.WriteTransport] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._carry, "127.0.0.1", port))
        self._loop.call_soon_threadsafe(self._open.set)

    def hurt(self, how: str) -> None:
        """`how`: one of `WAYS`."""
        self._do(self._hurt(how))

    def heal(self, how: str) -> None:
        """Undo `hurt(how)`. Bytes that a half-open line has held back are lost, and so is the line."""
        self._do(self._heal(how))

    def close(self) -> None:
        """Let go of every line."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    async def _hurt(self, how: str) -> None:
        if how == "cut":
            self._cut()
        elif how == "half-open":
            self._open.clear()
        elif how == "delay":
            self._delay = _DELAY
        elif how == "throttle":
            self._rate = _RATE
        else:
            self._swaps = 2

    async def _heal(self, how: str) -> None:
        if how == "half-open":
            self._cut()
            self._open.set()
        elif how == "delay":
            self._delay = 0.0
        elif how == "throttle":
            self._rate = 0
        elif how == "reorder":
            self._swaps = 0

    def _cut(self) -> None:
        for line in list(self._lines):
            line.abort()

    async def _close(self) -> None:
        self._server.close()
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    # -- carrying -------------------------------------------------------------------------------------------------

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for node in self._dice.sample(self._nodes, len(self._nodes)):
            with contextlib.suppress(OSError):
                inner, outer = await asyncio.open_connection("127.0.0.1", node)
                break
        else:
            writer.transport.abort()
            return
        both = {writer.transport, outer.transport}
        self._lines |= both
        try:
            await asyncio.gather(self._pump(reader, outer), self._pump(inner, writer))
        finally:
            self._lines -= both
            for line in both:
                line.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last = 0.0
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                begins, last = time.monotonic() - last > _QUIET, time.monotonic()
                await self._open.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._write(self._swapped(data) if begins else data, writer)
        writer.close()

    def _swapped(self, data: bytes) -> bytes:
        if not self._swaps or len(data) <= 2 * _HEAD:
            return data
        self._swaps -= 1
        self.reordered += 1
        return data[_HEAD:] + data[:_HEAD]

    async def _write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if not self._rate:
            writer.write(data)
            await writer.drain()
            return
        for at in range(0, len(data), _PIECE):
            writer.write(data[at : at + _PIECE])
            await asyncio.sleep(_PIECE / self._rate if self._rate else 0.0)
