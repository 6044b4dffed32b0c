"""The asking side of calls: typed questions on top of a line."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

import msgspec

from econnector.base.errors import Failure, OfficeTooSlow, ProtocolBroken, RequestTooLarge
from econnector.base.ids import new_id, new_reference
from econnector.link.failing import heard, link_fault
from econnector.link.line import LARGEST_BODY, Handle, Line
from econnector.wire.call import Call, Download
from econnector.wire.messages import Fault, Request

__all__ = ["CREDIT_STEP", "GROWN", "GROWTH", "LONG_LINE", "UNREADABLE", "LineAsker", "encode_request"]

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)

_encode = msgspec.msgpack.Encoder().encode
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
CREDIT_STEP = 64 * 1024
"""Bytes that are used up before they are given back, unless nothing is left to use: fewer, larger packets."""
_CRUMBS = 4 * 1024
"""Bytes up to which waiting pieces are joined: a window that comes a byte at a time must cost no more than a window."""
LONG_LINE = 0.01
"""Seconds: a reader that waits longer for bytes has a line on which more of them should be under way."""
GROWTH, GROWN = 256 * 1024, 4 * 1024 * 1024
"""Bytes by which the window grows at a time, and at most in all."""


def encode_request(call: Call[P, R], params: msgspec.Raw, limit: float, reference: str, key: str = "") -> bytes:
    """Return one call as a line takes it; `params` are encoded already. Raises `RequestTooLarge`."""
    body = _encode(Request(call.name, limit, reference, params, key))
    if len(body) > LARGEST_BODY:
        raise RequestTooLarge(reference=reference, limit=LARGEST_BODY)
    return body


class LineAsker:
    """Asks over whatever line there is at the moment of each call."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[], Line]) -> None:
        """`find` returns the line to use now, or raises the `LinkFailure` that says why there is none."""
        self._find = find

    async def ask(
        self,
        call: Call[P, R],
        params: P,
        *,
        within: float | None = None,
        key: str | None = None,
        reference: str | None = None,
    ) -> R:
        """Return the answer to `call`; see `Asker.ask`."""
        asking = _Asking(call, within, key, reference)
        await asking.run(self._find(), params)
        if asking.more:
            asking.give_up()
            raise asking.broken("it streams, which was not expected")
        return asking.result()

    async def download(
        self, call: Call[P, R], params: P, *, within: float | None = None, reference: str | None = None
    ) -> Download[R]:
        """Return the answer to a call that streams.

        The call's limit holds for the wait for its result, and then anew for every wait for bytes: a long file over a
        slow line is not a fault, standing still is.
        """
        asking = _Asking(call, within, None, reference)
        await asking.run(self._find(), params)
        if not asking.more:
            asking.ended()
        try:
            return _LineDownload(asking, asking.result())
        except Failure:
            asking.give_up()
            raise


class _Asking(Generic[R]):
    """One call in flight: the sink of its answer."""

    __slots__ = (
        "_call",
        "_chunks",
        "_fault",
        "_handle",
        "_key",
        "_limit",
        "_loop",
        "_over",
        "_reference",
        "_repeatable",
        "_result",
        "_waiter",
        "more",
    )

    def __init__(self, call: Call[P, R], within: float | None, key: str | None, reference: str | None) -> None:
        self._call: Call[Any, R] = call
        self._limit = call.limit if within is None else min(call.limit, within)
        self._reference = reference or new_reference()
        self._repeatable = key is not None or not call.changes
        self._key = (key or new_id()) if call.changes else ""
        self._handle: Handle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._result: bytes | None = None
        self._chunks: deque[bytes] = deque()
        self._fault: Fault | None = None
        self._over = False
        self.more = False

    # -- what whoever asked does --------------------------------------------------------------------------------

    async def run(self, line: Line, params: msgspec.Struct) -> None:
        """Send the request and wait for the result."""
        call = self._call
        body = encode_request(call, msgspec.Raw(call.encode(params)), self._limit, self._reference, self._key)
        if self._limit <= 0:
            raise self._failure(link_fault(OfficeTooSlow, limit=self._limit))
        self._loop = line.loop
        self._handle = line.start(body, self)
        await self.wait()

    async def wait(self) -> None:
        """Wait for whatever comes next, at most for the call's limit. Raises the call's failure."""
        if self._result is None or (self.more and not self._chunks and not self._over):
            loop = self._loop
            self._waiter = waiter = loop.create_future()
            timer = loop.call_later(self._limit, self._expire)
            try:
                await waiter
            except asyncio.CancelledError:
                self.give_up()
                raise
            finally:
                timer.cancel()
                self._waiter = None
        if self._fault is not None:
            raise self._failure(self._fault)

    def result(self) -> R:
        """Return the result. Raises `ProtocolBroken` if it is not what the call declares."""
        try:
            return self._call.decode_result(self._result or b"")
        except UNREADABLE:
            raise self.broken("it cannot be read") from None

    def take(self) -> bytes | None:
        """Return the next bytes that are here, None at the end of what is here."""
        return self._chunks.popleft() if self._chunks else None

    def give_back(self, size: int, *, least: int = CREDIT_STEP) -> int:
        """Return credit for `size` used bytes once they are worth a packet; return what is still owed."""
        if self._over or not size or (size < least and self._chunks):
            return size
        if self._handle is not None:
            self._handle.credit(size)
        return 0

    def give_up(self) -> None:
        """Tell the other side that nobody waits any more."""
        if not self._over:
            self._over = True
            self._chunks.clear()
            if self._handle is not None:
                self._handle.cancel()

    def broken(self, why: str) -> ProtocolBroken:
        """Return the failure for an answer that breaks the call's declaration."""
        return ProtocolBroken(reference=self._reference, reason=f"the answer to {self._call.name}: {why}")

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The line's."""
        return self._loop

    @property
    def over(self) -> bool:
        """Whether nothing more can come."""
        return self._over

    # -- the sink -----------------------------------------------------------------------------------------------

    def answered(self, body: bytes, more: bool) -> None:
        """Take the result."""
        self._result, self.more, self._over = body, more, not more
        self._wake()

    def chunk(self, data: bytes) -> None:
        """Take bytes."""
        if not self._over:
            chunks = self._chunks
            if chunks and len(chunks[-1]) + len(data) <= _CRUMBS:
                chunks[-1] += data
            else:
                chunks.append(data)
            self._wake()

    def ended(self) -> None:
        """Note the end."""
        self._over = True
        self._wake()

    def failed(self, fault: Fault) -> None:
        """Note the failure; bytes that came before it are not given out any more: the file is not whole."""
        if not self._over:
            self._over, self._fault = True, fault
            self._chunks.clear()
            self._wake()

    def _expire(self) -> None:
        if self._handle is not None and not self._over:
            self._handle.cancel()
        self.failed(link_fault(OfficeTooSlow, limit=f"{self._limit:g}"))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _failure(self, fault: Fault) -> Failure:
        return heard(fault, self._call.name, self._reference, repeatable=self._repeatable)


class _LineDownload(Generic[R]):
    """A streamed answer; bytes count as used up when the next ones are asked for."""

    __slots__ = ("_asking", "_grown", "_loop", "_owed", "_result")

    def __init__(self, asking: _Asking[R], result: R) -> None:
        self._asking, self._result, self._owed, self._grown = asking, result, 0, 0
        self._loop = asking.loop

    @property
    def result(self) -> R:
        return self._result

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        asking = self._asking
        self._owed = asking.give_back(self._owed)
        before = self._loop.time()
        await asking.wait()
        if self._loop.time() - before > LONG_LINE and self._grown < GROWN:
            self._grown += GROWTH
            self._owed += GROWTH
        chunk = asking.take()
        if chunk is None:
            raise StopAsyncIteration
        self._owed += len(chunk)
        return chunk

    async def aclose(self) -> None:
        self._asking.give_up()

    def __del__(self) -> None:
        # Dropped half-way by mistake: stop the other side. The collector may run in any thread.
        if not self._asking.over and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._asking.give_up)
