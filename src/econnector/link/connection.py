"""The dialling end's WebSocket connection: the library's, with a short way for whole binary messages.

The library hands messages over through a queue and a task's step each; a link takes them where they arrive.
"""

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from econnector.link.frames import FrameReader, frame

__all__ = ["LinkConnection"]

_HEAD_ENDS = b"\r\n\r\n"


class LinkConnection(ClientConnection):
    """A client's connection that can be tapped."""

    _frames: FrameReader | None = None

    def data_received(self, data: bytes) -> None:
        """Take bytes: frames by the short way, unless some came together with the handshake's answer."""
        frames = self._frames
        if frames is not None:
            for message in frames.feed(data, self.protocol.max_message_size or 0):
                self._take(message, frames.heard)
            return
        before = self.protocol.state
        super().data_received(data)
        opened = before is State.CONNECTING and self.protocol.state is State.OPEN
        if opened and data.endswith(_HEAD_ENDS) and not self.protocol.reader.buffer:
            self._frames = FrameReader(self, masked=False)

    def tap(self, heard: Callable[[bytes], Any]) -> None:
        """Give every message that comes from now on to `heard`, at once; `recv` gives what came before, and the end."""
        if self._frames is not None:
            self._frames.heard = heard

    def library_takes(self, data: bytes) -> bool:
        """Take what is no plain message as the library does; return whether there may be more."""
        super().data_received(data)
        return self.protocol.parser_exc is None

    @property
    def waiting(self) -> bool:
        """Whether `recv` has something to give."""
        return bool(len(self.recv_messages.frames))

    def offer(self, message: bytes) -> bool:
        """Send a message at once; False if there is no room, or no connection: `send` then waits, or says why."""
        if self.protocol.state is not State.OPEN or self.paused or self.transport.is_closing():
            return False
        self.transport.write(frame(message, masked=True))
        return True

    def _take(self, message: bytes, heard: Callable[[bytes], Any] | None) -> None:
        if heard is not None and not self.waiting:
            heard(message)
        else:
            self.process_event(Frame(Opcode.BINARY, message))
