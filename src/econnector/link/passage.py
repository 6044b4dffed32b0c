"""One call that passes an office's share of a node: counted, perhaps after a wait, until its last word."""

import asyncio
from typing import Protocol

import msgspec

from econnector.link.line import Handle, Sink
from econnector.wire.messages import Fault, Request

__all__ = ["Passage"]

_decode = msgspec.msgpack.Decoder(Request).decode
_encode = msgspec.msgpack.Encoder().encode


class _Share(Protocol):
    """Whoever counts."""

    queue: "dict[Passage, None]"
    window: int
    """Bytes that a file may send before anybody reads."""

    def leave(self, one: "Passage") -> None: ...
    def ended(self) -> None: ...
    def take(self, size: int, *, more: bool = False) -> bool: ...
    def give_back(self, size: int) -> None: ...
    def no_room(self) -> Fault: ...


class Passage:
    """The sink of a call's answer, and its handle."""

    __slots__ = ("_got", "_share", "_sink", "_window", "inner", "request", "since", "timer")

    inner: Handle | None
    request: bytes
    since: float
    timer: asyncio.Handle | None

    def __init__(self, share: _Share, sink: Sink) -> None:
        """It is not counted yet."""
        self._share, self._sink = share, sink
        self.inner = self.timer = None
        self._window = 0
        """Bytes counted for it; 0 before they follow."""

    # -- in the queue ------------------------------------------------------------------------------------------

    def request_at(self, now: float) -> bytes:
        """Return the request with the time that is left for it now."""
        asked = _decode(self.request)
        asked.remaining -= now - self.since
        return _encode(asked)

    def leave(self) -> None:
        """Note that it waits no more."""
        self.request = b""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def refuse(self, fault: Fault) -> None:
        """Tell whoever asked that it was not sent."""
        self._sink.failed(fault)

    # -- the handle --------------------------------------------------------------------------------------------

    def credit(self, size: int) -> None:
        """Let `size` more bytes come; what goes beyond the ones that were read only as far as there is room."""
        if not self._window or self.inner is None:
            return
        self._got -= size
        beyond = self._share.window - self._got - self._window
        if beyond > 0:
            if self._share.take(beyond, more=True):
                self._window += beyond
            else:
                self._got += beyond
                size -= beyond
        if size > 0:
            self.inner.credit(size)

    def cancel(self) -> None:
        """Give the call up, in the queue or after."""
        share = self._share
        if self in share.queue:
            share.leave(self)
        elif self.inner is not None:
            inner = self.inner
            self._over()
            inner.cancel()

    # -- the sink ----------------------------------------------------------------------------------------------

    def answered(self, body: bytes, more: bool) -> None:
        """Take the result."""
        if not more:
            if self.inner is not None:
                self.inner = None
                self._share.ended()
        elif self._share.take(self._share.window):
            self._share.ended()
            self._window, self._got = self._share.window, 0
        else:
            self.cancel()
            self._sink.failed(self._share.no_room())
            return
        self._sink.answered(body, more)

    def chunk(self, data: bytes) -> None:
        """Take bytes."""
        self._got += len(data)
        self._sink.chunk(data)

    def ended(self) -> None:
        """Note the end."""
        self._over()
        self._sink.ended()

    def failed(self, fault: Fault) -> None:
        """Note the failure."""
        self._over()
        self._sink.failed(fault)

    def _over(self) -> None:
        if self.inner is not None:
            self.inner = None
            if self._window:
                self._share.give_back(self._window)
            else:
                self._share.ended()
