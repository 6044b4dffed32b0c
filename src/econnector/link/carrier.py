"""What carries a link's bytes: whole messages in order, both ways, until it closes.

A link knows nothing else about WebSockets, which is what lets tests and the demo join two links in memory.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed

from econnector.link.connection import LinkConnection
from econnector.link.guard import shortcut

__all__ = [
    "LARGEST_MESSAGE",
    "AcceptedCarrier",
    "Carrier",
    "CarrierClosedError",
    "DialledCarrier",
    "MemoryCarrier",
    "memory_carriers",
]

LARGEST_MESSAGE = 256 * 1024
"""Longest WebSocket message that either side takes or sends, in bytes: what a stranger can make HQ hold, and what one
message can keep it busy with. A session's turn that is longer, because a packet in it is, goes in pieces."""
_HELD = 2
"""Messages that one end of a memory carrier holds before the other waits."""


class CarrierClosedError(Exception):
    """Nothing more comes or goes; the text says what the transport knew about it."""


class Carrier(Protocol):
    """One connection, seen from one end."""

    async def send(self, data: bytes) -> None:
        """Hand over one message; returns when there is room for more. Raises `CarrierClosedError`."""

    async def receive(self) -> bytes:
        """Return the next message. Raises `CarrierClosedError`."""

    def offer(self, data: bytes) -> bool:
        """Hand over one message now; False if that cannot be: then `send` waits for room, or says why there is none."""

    async def read(self, heard: Callable[[bytes], bool]) -> None:
        """Give every message to `heard` as it comes, until that returns false. Raises `CarrierClosedError`."""

    async def close(self, code: int, reason: str) -> None:
        """Close both directions; never raises."""


class DialledCarrier:
    """The office's end: a connection of the websockets library."""

    __slots__ = ("_connection",)

    def __init__(self, connection: LinkConnection) -> None:
        """Take over an open connection."""
        self._connection = connection

    async def send(self, data: bytes) -> None:
        """Hand over one message. Raises `CarrierClosedError`."""
        try:
            for piece in _pieces(data):
                await self._connection.send(piece)
        except (ConnectionClosed, OSError) as error:
            raise CarrierClosedError(_told(error)) from None

    async def receive(self) -> bytes:
        """Return the next message. Raises `CarrierClosedError`."""
        try:
            data = await self._connection.recv(decode=False)
        except (ConnectionClosed, OSError) as error:
            raise CarrierClosedError(_told(error)) from None
        return data

    def offer(self, data: bytes) -> bool:
        """Hand over one message now, if it goes in one piece and there is room."""
        return len(data) <= LARGEST_MESSAGE and self._connection.offer(data)

    async def read(self, heard: Callable[[bytes], bool]) -> None:
        """Give every message to `heard`, from where the socket is read. Raises `CarrierClosedError`."""
        while self._connection.waiting:
            if not heard(await self.receive()):
                return
        self._connection.tap(heard)
        while heard(await self.receive()):
            pass

    async def close(self, code: int, reason: str) -> None:
        """Close; a peer that does not answer is dropped after the library's close time."""
        await self._connection.close(code, _short(reason))


class AcceptedCarrier:
    """HQ's end: a WebSocket of the ASGI server."""

    __slots__ = ("_closed", "_receive", "_send", "_way", "_websocket")

    def __init__(self, websocket: WebSocket) -> None:
        """Take over an accepted WebSocket."""
        self._websocket = websocket
        self._closed = False
        # Starlette's own receive and send check states that this class checks once.
        self._receive: Callable[[], Awaitable[Any]] = websocket.receive
        self._send: Callable[[Any], Awaitable[None]] = websocket.send
        self._way = shortcut(websocket)

    async def send(self, data: bytes) -> None:
        """Hand over one message. Raises `CarrierClosedError`."""
        try:
            for piece in _pieces(data):
                await self._send({"type": "websocket.send", "bytes": piece})
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            self._closed = True
            raise CarrierClosedError(_told(error)) from None

    async def receive(self) -> bytes:
        """Return the next message; text ends the connection. Raises `CarrierClosedError`."""
        try:
            message = await self._receive()
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            self._closed = True
            raise CarrierClosedError(_told(error)) from None
        if message["type"] != "websocket.receive":
            self._closed = True
            raise CarrierClosedError(message.get("reason") or "the connection was closed")
        data = message.get("bytes")
        if data is None:
            raise CarrierClosedError("text came where only bytes are spoken")
        return bytes(data)

    def offer(self, data: bytes) -> bool:
        """Hand over one message now, if it goes in one piece and there is room."""
        return self._way is not None and not self._closed and len(data) <= LARGEST_MESSAGE and self._way.offer(data)

    async def read(self, heard: Callable[[bytes], bool]) -> None:
        """Give every message to `heard`, from where the socket is read. Raises `CarrierClosedError`."""
        if self._way is not None:
            self._way.tap(heard)
        while heard(await self.receive()):
            pass

    async def close(self, code: int, reason: str) -> None:
        """Close unless the other side has; never raises."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._websocket.close(code, _short(reason))
        except (WebSocketDisconnect, RuntimeError, OSError):
            return


class MemoryCarrier:
    """One end of a connection inside the process."""

    __slots__ = ("_arrived", "_frozen", "_inbox", "_room", "closed", "delay", "other", "why")

    def __init__(self) -> None:
        """Make one end; `memory_carriers` makes two and joins them."""
        self.other = self
        self.closed = False
        self.why = ""
        self.delay = 0.0
        """Seconds that each message of this end takes: a long or slow line."""
        self._frozen = False
        self._inbox: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def send(self, data: bytes) -> None:
        """Hand over one message; waits while the other end holds too many. Raises `CarrierClosedError`."""
        other = self.other
        if self.delay:
            await asyncio.sleep(self.delay)
        while len(other._inbox) >= _HELD and not self.closed:  # noqa: SLF001 - two ends of one thing
            other._room.clear()  # noqa: SLF001
            await other._room.wait()  # noqa: SLF001
        if self.closed:
            raise CarrierClosedError(self.why)
        other._inbox.append(data)  # noqa: SLF001
        other._arrived.set()  # noqa: SLF001

    async def receive(self) -> bytes:
        """Return the next message; none while frozen. Raises `CarrierClosedError`."""
        while (self._frozen or not self._inbox) and not self.closed:
            self._arrived.clear()
            await self._arrived.wait()
        if not self._inbox or self._frozen:
            raise CarrierClosedError(self.why)
        self._room.set()
        return self._inbox.popleft()

    def offer(self, data: bytes) -> bool:
        """Hand over nothing: whether there is room is only known in time."""
        del data
        return False

    async def read(self, heard: Callable[[bytes], bool]) -> None:
        """Give every message to `heard` as it comes. Raises `CarrierClosedError`."""
        while heard(await self.receive()):
            pass

    async def close(self, code: int, reason: str) -> None:
        """Close both ends; `code` is nobody's business here."""
        del code
        self.cut(reason)

    def cut(self, why: str = "the connection was cut") -> None:
        """Break the connection at once: what a pulled cable does, only faster known."""
        for end in (self, self.other):
            end.closed, end.why = True, end.why or why
            end._arrived.set()  # noqa: SLF001
            end._room.set()  # noqa: SLF001

    def freeze(self) -> None:
        """Stop reading for ever: what a suspended machine does. The other end is not told."""
        self._frozen = True


def memory_carriers() -> tuple[MemoryCarrier, MemoryCarrier]:
    """Return the two ends of a connection inside the process."""
    one, two = MemoryCarrier(), MemoryCarrier()
    one.other, two.other = two, one
    return one, two


def _pieces(data: bytes) -> Sequence[bytes]:
    if len(data) <= LARGEST_MESSAGE:
        return (data,)
    return [data[at : at + LARGEST_MESSAGE] for at in range(0, len(data), LARGEST_MESSAGE)]


def _told(error: BaseException) -> str:
    cause = error.__cause__
    text = f"{error}; {cause}" if cause is not None and str(cause) else str(error)
    return text or type(error).__name__


def _short(reason: str) -> str:
    # A WebSocket close frame holds 123 bytes of reason.
    return reason.encode()[:120].decode(errors="ignore")
