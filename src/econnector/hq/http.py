"""HTTP/1.1 whose heads are bounded in size and time: a stranger on a socket costs HQ little.

uvicorn bounds neither: a head of any length would be collected, and half a head would be waited for. So would the
fields after a body's last chunk, which nobody reads.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD_BYTES", "HEAD_SECONDS", "BoundedHttp"]

HEAD_BYTES = 64 * 1024
"""Longest head of a request; browsers and connectors stay below a tenth of it."""
HEAD_SECONDS = 20.0
"""Longest time for a head, from the connection or from its first byte."""

_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's own protocol, with an eye on the head."""

    _in_head = False
    _chunks = 0
    _tail = 0
    """The number of a chunk whose head came last, and no byte yet: it may be the end, and fields follow; or 0."""
    _head_size = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; what the head has not ended in is counted."""
        tail = self._tail
        super().data_received(data)
        if self._in_head or (tail and tail == self._tail):
            self._head_size += len(data)
            if self._head_size > HEAD_BYTES:
                self._refuse(_TOO_LONG)
            elif self._in_head and self._timer is None:
                self._wait()  # not before: nearly every head comes whole, and needs no timer

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self.begin_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, but not what comes after a body."""
        if self._in_head:
            super().on_header(name, value)

    def on_chunk_header(self) -> None:
        """Begin to count: after the last chunk there may be fields."""
        self._chunks += 1
        self._tail, self._head_size = self._chunks, 0

    def on_body(self, body: bytes) -> None:
        """Take a part of the body: it goes on."""
        self._tail = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Let the request pass."""
        self.head_is_whole()
        super().on_headers_complete()

    def begin_head(self) -> None:
        """Begin to count."""
        self._in_head, self._tail, self._head_size = True, 0, 0

    def head_is_whole(self) -> None:
        """Count and wait no more."""
        self._in_head = False
        self._wait_no_more()

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP, unless that would be read as the answer to a request before it, or a part of it."""
        if self._answering:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Begin a WebSocket, unless an answer is still to come: it would go into it, and nobody would slow it down."""
        if self._answering:
            self.transport.close()
        else:
            super().handle_websocket_upgrade()

    @property
    def _answering(self) -> bool:
        """Whether an answer is due, or under way, to a request that came whole."""
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        still_comes = getattr(cycle, "more_body", False) and not cycle.response_started
        return bool(self.pipeline) or not still_comes

    def _wait(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._refuse, _TOO_SLOW)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, answer: bytes) -> None:
        self._wait_no_more()
        if not self.transport.is_closing():
            if not self._answering:
                self.transport.write(answer)
            self.transport.close()
