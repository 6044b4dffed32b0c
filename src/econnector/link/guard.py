"""The web server's WebSocket protocol, fitted for strangers: whoever is not let in yet is given little memory.

uvicorn has one limit for all WebSockets of a server, takes in a message whole before anybody sees it, and answers every
WebSocket ping whether its answers are read or not. `Gateway` lifts the limit of a connection whose office it admits.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from econnector.link.frames import FrameReader, frame
from econnector.wire.allowance import Allowance

__all__ = ["STRANGERS_MESSAGE", "GuardedProtocol", "lift", "shortcut"]

STRANGERS_MESSAGE = 16 * 1024
"""Longest WebSocket message before the link is open, in bytes: the longest packets of a handshake fit."""
_CRUMB_SIZE: Final = 512
"""Frames that carry less count; nothing else bounds how many of them somebody sends."""
_STRANGERS_CRUMBS: Final = (10.0, 64.0)
_CRUMBS: Final = (5000.0, 5000.0)
"""So many a second, and at once: of strangers, who have little to say, and of offices, whose proxy may cut messages."""
_UNREAD: Final = 64
"""Messages that may wait for whoever leads the handshake; it is three messages long."""
_TAKEN_AT_ONCE: Final = 4096
"""Bytes that the library takes before it is looked at what they were: its parser gives back nothing sooner."""
_GUARD: Final = "econnector.guard"
_HEAD_ENDS: Final = b"\r\n\r\n"


class GuardedProtocol(WebSocketsSansIOProtocol):
    """uvicorn's; takes only short messages until `lift`, and answers no ping of somebody who does not read."""

    # Few attributes: an office costs 2 KiB more once uvicorn's and these do not fit the same size of dictionary.
    _frames: FrameReader | None = None
    _began = False
    _crumbs: Allowance | None = None

    def data_received(self, data: bytes) -> None:
        """Take bytes: frames by the short way, unless some came together with the request or before its answer."""
        frames = self._frames
        if frames is not None:
            for message in frames.feed(data, self.conn.max_message_size or 0):
                self._take(message, frames.heard)
            return
        if self._began:
            self._began = False  # the library has begun to read frames, and goes on
        self.library_takes(data)
        if self.handshake_initiated and not self.handshake_complete and data.endswith(_HEAD_ENDS):
            self._began = True

    def start_keepalive(self) -> None:
        """Read frames by the short way from here on; uvicorn calls this once the handshake is answered."""
        super().start_keepalive()
        if self._began and not self.conn.reader.buffer:
            self._frames = FrameReader(self, masked=True)

    def library_takes(self, data: bytes) -> bool:
        """Take what is no plain message as uvicorn and the WebSocket library do; return whether there may be more."""
        for at in range(0, len(data), _TAKEN_AT_ONCE):
            super().data_received(data[at : at + _TAKEN_AT_ONCE])
            if self.transport.is_closing():
                return False
        return True

    def handle_events(self) -> None:
        """Handle what the library has read, unless it is small frames without end: each costs all links time."""
        events = self.conn.events
        crumbs = sum(isinstance(event, Frame) and len(event.data) < _CRUMB_SIZE for event in events)
        if crumbs and self._crumbs is None:
            stranger = self.conn.max_message_size == STRANGERS_MESSAGE
            self._crumbs = Allowance(*(_STRANGERS_CRUMBS if stranger else _CRUMBS))
        if self._crumbs is None or self._crumbs.takes(self.loop.time(), crumbs):
            super().handle_events()
        else:
            events.clear()
            self._hang_up()

    def _hang_up(self) -> None:
        if self._frames is not None:
            self._frames.passing = True
        self.conn.data_to_send()  # the answers to pings
        self.conn.fail(CloseCode.POLICY_VIOLATION, "more small frames than anybody needs")
        if self.conn.close_sent is None:
            self.transport.abort()
        else:
            self.handle_parser_exception()

    def tap(self, heard: Callable[[bytes], Any]) -> None:
        """Give every message that comes from now on to `heard`, at once; what came before is still in ASGI's queue.

        The queue costs a step of a task, and a pause of the socket, for every message.
        """
        if self._frames is not None:
            self._frames.heard = heard

    def offer(self, message: bytes) -> bool:
        """Send a message at once; False if there is no room, or no connection: ASGI's way then waits, or says why."""
        if self.close_sent or self.disconnected or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame(message, masked=False))
        return True

    def _take(self, message: bytes, heard: Callable[[bytes], Any] | None) -> None:
        if heard is not None and self.queue.empty() and not self.close_sent:
            heard(message)
        elif not self.close_sent and self.queue.qsize() >= _UNREAD:
            self._hang_up()
        else:
            self.frames, self.curr_msg_data_type = [message], "bytes"
            self.send_receive_event_to_app()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the limit for strangers."""
        super().connection_made(transport)
        self.conn.max_message_size = STRANGERS_MESSAGE

    def handle_connect(self, event: Request) -> None:
        """Let the gateway find the way back to this connection."""
        super().handle_connect(event)
        if self.response.status_code == 101:  # noqa: PLR2004 - HTTP's "switching protocols"
            self.scope["extensions"][_GUARD] = {"protocol": self}

    def handle_ping(self) -> None:
        """Answer a ping, unless earlier words still wait to be read: answers would pile up without end."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def lift(self) -> None:
        """Take longer messages from now on."""
        self.conn.max_message_size = self.config.ws_max_size
        if self._crumbs is not None:
            self._crumbs = None


def lift(websocket: WebSocket) -> None:
    """Let long messages in from now on, where the server is one that kept them out."""
    protocol = shortcut(websocket)
    if protocol is not None:
        protocol.lift()


def shortcut(websocket: WebSocket) -> GuardedProtocol | None:
    """Return the protocol behind ASGI, where the server is one of ours."""
    extension = (websocket.scope.get("extensions") or {}).get(_GUARD)
    protocol: GuardedProtocol | None = extension["protocol"] if extension is not None else None
    return protocol
