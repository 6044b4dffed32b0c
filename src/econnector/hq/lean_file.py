"""A file on its way from the office to somebody's socket: no more bytes come than the socket takes."""

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl

from econnector.eservices.api.calls import DocumentHead
from econnector.link.asking import CREDIT_STEP, GROWN, GROWTH, LONG_LINE
from econnector.link.line import Handle
from econnector.web.download import disposition, media_type

__all__ = ["Pour", "file_head"]

_SLOW_READER = 0.05
"""Seconds for which a socket takes nothing when its reader is slow: more bytes under way would only lie here."""


def file_head(head: DocumentHead) -> bytes:
    """Return the header lines that say what a file is; a program stores it, and a browser may not show it."""
    shown = media_type(head.media_type)
    return f"content-type: {shown}\r\ncontent-disposition: {disposition(head.name, inline=False)}\r\n".encode("ascii")


class Pour:
    """Bytes from a call to a socket, and credit back."""

    __slots__ = ("_flow", "_grown", "_handle", "_heard", "_loop", "_owed", "_stopped", "_transport", "left")

    def __init__(self, transport: asyncio.Transport, flow: FlowControl, handle: Handle, size: int) -> None:
        """`size` bytes will come."""
        self._transport, self._flow, self._handle, self.left = transport, flow, handle, size
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._owed = self._grown = 0
        self._stopped = 0.0
        """Since when the socket takes no more; 0 while it does."""

    def chunk(self, data: bytes) -> bool:
        """Write bytes; False when there are more than were announced."""
        size = len(data)
        self.left -= size
        if self.left < 0:
            return False
        now = self._loop.time()
        if now - self._heard > LONG_LINE and self._grown < GROWN and not self._flow.write_paused:
            # The socket was ready and waited: more bytes should be under way on this line.
            self._grown += GROWTH
            self._owed += GROWTH
        self._heard = now
        self._owed += size
        self._transport.write(data)
        if not self._flow.write_paused:
            self._give_back(CREDIT_STEP)
        elif not self._stopped:
            self._stopped = now
        return True

    def resume(self) -> None:
        """Give back what was taken meanwhile, but to a slow reader not what the window had grown by."""
        self._heard = now = self._loop.time()
        if self._stopped and now - self._stopped > _SLOW_READER:
            kept = min(self._owed, self._grown)
            self._owed -= kept
            self._grown -= kept
        self._stopped = 0.0
        self._give_back(1)

    def stands_still(self, seconds: float) -> bool:
        """Say whether no bytes came for so long though the socket would have taken them."""
        return not self._flow.write_paused and self._loop.time() - self._heard >= seconds

    def _give_back(self, least: int) -> None:
        if self._owed >= least and self.left:
            owed, self._owed = self._owed, 0
            self._handle.credit(owed)
