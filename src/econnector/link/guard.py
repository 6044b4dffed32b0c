"""The web server's WebSocket protocol, fitted for strangers: whoever is not let in yet is given little memory.

uvicorn has one limit for all WebSockets of a server, takes in a message whole before anybody sees it, and answers every
WebSocket ping whether its answers are read or not. `Gateway` lifts the limit of a connection whose office it admits.
"""

import asyncio
from typing import Final

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

__all__ = ["STRANGERS_MESSAGE", "GuardedProtocol", "lift"]

STRANGERS_MESSAGE = 16 * 1024
"""Longest WebSocket message before the link is open, in bytes: the longest packets of a handshake fit."""
_LIFT: Final = "econnector.lift"


class GuardedProtocol(WebSocketsSansIOProtocol):
    """uvicorn's; takes only short messages until `lift`, and answers no ping of somebody who does not read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the limit for strangers."""
        super().connection_made(transport)
        self.conn.max_message_size = STRANGERS_MESSAGE

    def handle_connect(self, event: Request) -> None:
        """Let the gateway find the way back to this connection."""
        super().handle_connect(event)
        if self.response.status_code == 101:  # noqa: PLR2004 - HTTP's "switching protocols"
            self.scope["extensions"][_LIFT] = {"lift": self._lift}

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
