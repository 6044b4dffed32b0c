"""The web server's WebSocket protocol, fitted for strangers: whoever is not let in yet is given little memory.

uvicorn has one limit for all WebSockets of a server, takes in a message whole before anybody sees it, and answers every
WebSocket ping whether its answers are read or not. `Gateway` lifts the limit of a connection whose office it admits.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from econnector.link.frames import FrameReader, frame

__all__ = ["STRANGERS_MESSAGE", "GuardedProtocol", "Shortcut", "lift", "shortcut"]

STRANGERS_MESSAGE = 16 * 1024
"""Longest WebSocket message before the link is open, in bytes: the longest packets of a handshake fit."""
_LIFT: Final = "econnector.lift"
_HEAD_ENDS: Final = b"\r\n\r\n"


class Shortcut(NamedTuple):
    """The way past the ASGI queue: it costs a task's step, and a pause of the socket, for every message."""

    tap: Callable[[Callable[[bytes], Any]], None]
    """Gives every message that comes from now on to a function, at once; what came before is still in the queue."""
    offer: Callable[[bytes], bool]
    """Sends a message at once; False if there is no room, or no connection: then ASGI's way waits, or says why."""


class GuardedProtocol(WebSocketsSansIOProtocol):
    """uvicorn's; takes only short messages until `lift`, and answers no ping of somebody who does not read."""

    _frames: FrameReader | None = None
    _heard: Callable[[bytes], Any] | None = None
    _began = False

    def data_received(self, data: bytes) -> None:
        """Take bytes: frames by the short way, unless some came together with the request or before its answer."""
        frames = self._frames
        if frames is not None:
            for message in frames.feed(data, self.conn.max_message_size or 0):
                self._take(message)
            return
        if self._began:
            self._began = False  # the library has begun to read frames, and goes on
        super().data_received(data)
        if self.handshake_initiated and not self.handshake_complete and data.endswith(_HEAD_ENDS):
            self._began = True

    def start_keepalive(self) -> None:
        """Read frames by the short way from here on; uvicorn calls this once the handshake is answered."""
        super().start_keepalive()
        if self._began and not self.conn.reader.buffer:
            self._frames = FrameReader(super().data_received, masked=True)

    def _take(self, message: bytes) -> None:
        if self._heard is not None and self.queue.empty() and not self.close_sent:
            self._heard(message)
        else:
            self.frames, self.curr_msg_data_type = [message], "bytes"
            self.send_receive_event_to_app()

    def _tap(self, heard: Callable[[bytes], Any]) -> None:
        self._heard = heard

    def _offer(self, message: bytes) -> bool:
        if self.close_sent or self.disconnected or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame(message, masked=False))
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the limit for strangers."""
        super().connection_made(transport)
        self.conn.max_message_size = STRANGERS_MESSAGE

    def handle_connect(self, event: Request) -> None:
        """Let the gateway find the way back to this connection."""
        super().handle_connect(event)
        if self.response.status_code == 101:  # noqa: PLR2004 - HTTP's "switching protocols"
            self.scope["extensions"][_LIFT] = {"lift": self._lift, "way": Shortcut(self._tap, self._offer)}

    def handle_ping(self) -> None:
        """Answer a ping, unless earlier words still wait to be read: answers would pile up without end."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def _lift(self) -> None:
        self.conn.max_message_size = self.config.ws_max_size


def lift(websocket: WebSocket) -> None:
    """Let long messages in from now on, where the server is one that kept them out."""
    extension = (websocket.scope.get("extensions") or {}).get(_LIFT)
    if extension is not None:
        extension["lift"]()


def shortcut(websocket: WebSocket) -> Shortcut | None:
    """Return the short way, where the server is one that has it."""
    extension = (websocket.scope.get("extensions") or {}).get(_LIFT)
    way: Shortcut | None = extension["way"] if extension is not None else None
    return way
