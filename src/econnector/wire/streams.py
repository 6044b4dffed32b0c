"""The calls of one link: each a stream of packets with its own state, credit and count."""

from collections.abc import Callable
from typing import ClassVar

from econnector.wire.codec import Packet, ProtocolError, body_of, pack
from econnector.wire.events import Answered, Cancelled, Chunk, Credited, Ended, Event, Failed, Incoming
from econnector.wire.liveness import Liveness
from econnector.wire.messages import CEILING, MORE, Credit, End, Fault, Kind, Request
from econnector.wire.outbox import BULK_HELD, Outbox
from econnector.wire.rules import STREAM, StreamState

__all__ = ["CHUNK", "Streams", "WrongStateError"]

CHUNK = CEILING[Kind.DATA]
"""Most bytes in one DATA packet."""
_LARGEST_WINDOW = 16 * 1024 * 1024
_LAST_STREAM = 2**32 - 2

_Emit = Callable[[Event], None]


class WrongStateError(RuntimeError):
    """The owner of the session asked for something that the call's state does not allow: a bug on this side."""


def _check_size(kind: Kind, body: bytes) -> None:
    # Before any state changes: a call whose answer is too long can still be failed.
    if len(body) > CEILING[kind]:
        raise WrongStateError(f"{kind.name} of {len(body)} bytes is longer than {CEILING[kind]}")


class _Stream:
    __slots__ = ("allowance", "count", "state")

    def __init__(self, state: StreamState, allowance: int) -> None:
        self.state, self.allowance = state, allowance
        self.count = 0


class Streams:
    """All calls of one link, both directions. Ours have odd numbers on the dialler, even ones on the acceptor."""

    __slots__ = (
        "_last_theirs",
        "_live",
        "_liveness",
        "_next",
        "_outbox",
        "_taken",
        "limit",
        "ours",
        "their_limit",
        "their_window",
        "window",
    )

    def __init__(self, outbox: Outbox, liveness: Liveness, *, first: int, limit: int, window: int) -> None:
        """`first` is our first stream number, `limit` how many of their calls we take at a time, `window` in bytes."""
        self._outbox, self._liveness = outbox, liveness
        self._next, self._last_theirs = first, 0 if first % 2 else -1
        self.limit, self.window = limit, window
        self._live: dict[int, _Stream] = {}
        self.ours = self._taken = 0
        self.their_limit = self.their_window = 0

    @property
    def theirs(self) -> int:
        """How many of their calls are in flight here.

        A call counts until its last word has left: somebody who asks and does not read cannot make us hold more.
        """
        return self._taken - self._outbox.answered

    def learn(self, limit: int, window: int) -> None:
        """Take what the other side said of itself at the handshake."""
        self.their_limit = max(1, limit)
        self.their_window = min(max(CHUNK, window), _LARGEST_WINDOW)

    # -- what we say -------------------------------------------------------------------------------------------

    def open(self, request: bytes, now: float) -> int:
        """Send an encoded `Request`; return its stream."""
        if self.ours >= self.their_limit or self._next > _LAST_STREAM:
            raise WrongStateError("no more calls fit on this link")
        _check_size(Kind.REQUEST, request)
        stream, self._next = self._next, self._next + 2
        self._live[stream] = _Stream(StreamState.ASKED, self.window)
        self.ours += 1
        self._liveness.asked(stream, now)
        # Never as bulk, however long: the other side takes requests in the order of their numbers only.
        self._outbox.small(pack(Kind.REQUEST, stream, request))
        return stream

    def credit(self, stream: int, size: int) -> bool:
        """Let the other side send `size` more bytes; False when the call is over."""
        found = self._live.get(stream)
        if found is None or found.state is not StreamState.RECEIVING:
            return False
        found.allowance += size
        self._outbox.urgent(pack(Kind.CREDIT, stream, Credit(size)))
        return True

    def cancel(self, stream: int) -> bool:
        """Give up a call of ours; False when it is over already."""
        found = self._live.get(stream)
        if found is None or found.state not in (StreamState.ASKED, StreamState.RECEIVING):
            return False
        found.state = StreamState.GIVEN_UP
        # Small, not urgent: it may not overtake the request it takes back.
        self._outbox.follow(stream, pack(Kind.CANCEL, stream))
        return True

    def respond(self, stream: int, body: bytes, *, more: bool = False) -> bool:
        """Answer their call with an encoded result; False when they gave it up."""
        found = self._answering(stream, StreamState.ANSWERING)
        if found is None:
            return False
        _check_size(Kind.RESPONSE, body)
        if more:
            found.state, found.allowance = StreamState.SENDING, self.their_window
        else:
            self._forget(stream)
        self._send(Kind.RESPONSE, stream, body, MORE if more else 0)
        return True

    def data(self, stream: int, chunk: bytes | memoryview) -> bool:
        """Send bytes of an answer, at most `room(stream)` of them; False when they gave it up."""
        found = self._answering(stream, StreamState.SENDING)
        if found is None:
            return False
        if not 0 < len(chunk) <= min(CHUNK, found.allowance):
            raise WrongStateError("a chunk must fit the credit")
        found.allowance -= len(chunk)
        found.count += len(chunk)
        self._outbox.bulk(stream, pack(Kind.DATA, stream, chunk))
        return True

    def end(self, stream: int) -> bool:
        """Say that the bytes are complete; False when they gave the call up."""
        found = self._answering(stream, StreamState.SENDING)
        if found is None:
            return False
        self._forget(stream)
        self._outbox.follow(stream, pack(Kind.END, stream, End(found.count)))
        return True

    def fail(self, stream: int, fault: Fault) -> bool:
        """Answer their call with a failure, before or amid the bytes; False when they gave it up."""
        if self._answering(stream, StreamState.ANSWERING, StreamState.SENDING) is None:
            return False
        self._forget(stream)
        self._outbox.drop(stream)
        packet = pack(Kind.FAIL, stream, fault)
        if len(packet) > CEILING[Kind.FAIL]:
            packet = pack(Kind.FAIL, stream, Fault(fault.code, fault.reference))
        self._outbox.small(packet)
        return True

    def room(self, stream: int) -> int:
        """Return how many bytes of an answer may be sent now; -1 when they gave the call up."""
        found = self._live.get(stream)
        if found is None or found.state is not StreamState.SENDING:
            return -1
        return max(0, min(CHUNK, found.allowance, BULK_HELD - self._outbox.bulk_held))

    def _answering(self, stream: int, *states: StreamState) -> _Stream | None:
        found = self._live.get(stream)
        if found is not None and found.state not in states:
            raise WrongStateError(f"the call is {found.state.name}")
        return found

    def _send(self, kind: Kind, stream: int, body: bytes, flags: int = 0) -> None:
        packet = pack(kind, stream, body, flags)
        if len(body) <= CHUNK:
            self._outbox.small(packet)
        else:
            self._outbox.bulk(stream, packet)

    def _forget(self, stream: int) -> None:
        del self._live[stream]
        if stream % 2 == self._next % 2:
            self.ours -= 1
            self._liveness.answered(stream)

    # -- what they say -----------------------------------------------------------------------------------------

    def receive(self, packet: Packet, emit: _Emit) -> None:
        """Take a packet that belongs to a stream. Raises `ProtocolError`."""
        if packet.kind == Kind.REQUEST:
            self._asked(packet, emit)
            return
        found = self._live.get(packet.stream)
        if found is None:
            if packet.kind in (Kind.CREDIT, Kind.CANCEL) and self._was_theirs(packet.stream):
                return
            raise ProtocolError(f"{Kind(packet.kind).name} for a call that is not there")
        meaning = STREAM.get((found.state, packet.kind))
        if meaning is None:
            raise ProtocolError(f"{Kind(packet.kind).name} for a call that is {found.state.name}")
        self._MEANINGS[meaning](self, found, packet, emit)

    def _was_theirs(self, stream: int) -> bool:
        return stream % 2 == self._last_theirs % 2 and 0 < stream <= self._last_theirs

    def _asked(self, packet: Packet, emit: _Emit) -> None:
        stream = packet.stream
        if stream % 2 != self._last_theirs % 2 or stream <= self._last_theirs:
            raise ProtocolError("a call with a number that is not the next")
        if self.theirs >= self.limit:
            raise ProtocolError(f"more than {self.limit} calls at a time")
        request = body_of(Request, packet)
        self._last_theirs = stream
        self._live[stream] = _Stream(StreamState.ANSWERING, 0)
        self._taken += 1
        emit(Incoming(stream, request))

    def _answered(self, found: _Stream, packet: Packet, emit: _Emit) -> None:
        more = packet.flags == MORE
        if more:
            found.state = StreamState.RECEIVING
            self._liveness.answered(packet.stream)
        else:
            self._forget(packet.stream)
        emit(Answered(packet.stream, packet.body, more))

    def _count(self, found: _Stream, packet: Packet) -> None:
        size = len(packet.body)
        if not 0 < size <= found.allowance:
            raise ProtocolError("bytes without credit")
        found.allowance -= size
        found.count += size

    def _chunk(self, found: _Stream, packet: Packet, emit: _Emit) -> None:
        self._count(found, packet)
        emit(Chunk(packet.stream, packet.body))

    def _ended(self, found: _Stream, packet: Packet, emit: _Emit) -> None:
        if body_of(End, packet).size != found.count:
            raise ProtocolError("the bytes do not add up")
        self._forget(packet.stream)
        emit(Ended(packet.stream))

    def _failed(self, found: _Stream, packet: Packet, emit: _Emit) -> None:  # noqa: ARG002 - all meanings look alike
        fault = body_of(Fault, packet)
        self._forget(packet.stream)
        emit(Failed(packet.stream, fault))

    def _late_answer(self, found: _Stream, packet: Packet, emit: _Emit) -> None:  # noqa: ARG002
        if packet.flags != MORE:
            self._forget(packet.stream)

    def _late_chunk(self, found: _Stream, packet: Packet, emit: _Emit) -> None:  # noqa: ARG002
        self._count(found, packet)

    def _late_end(self, found: _Stream, packet: Packet, emit: _Emit) -> None:  # noqa: ARG002
        self._forget(packet.stream)

    def _cancelled(self, found: _Stream, packet: Packet, emit: _Emit) -> None:  # noqa: ARG002
        # The asker needs a last word to know that nothing more comes under this number.
        self._forget(packet.stream)
        self._outbox.drop(packet.stream)
        self._outbox.small(pack(Kind.FAIL, packet.stream, Fault("cancelled")))
        emit(Cancelled(packet.stream))

    def _credited(self, found: _Stream, packet: Packet, emit: _Emit) -> None:
        size = body_of(Credit, packet).size
        if not 0 < size <= _LARGEST_WINDOW or found.allowance + size > _LARGEST_WINDOW:
            raise ProtocolError("credit beyond the largest window")
        found.allowance += size
        emit(Credited(packet.stream))

    _MEANINGS: ClassVar[dict[str, Callable[["Streams", _Stream, Packet, _Emit], None]]] = {
        "answered": _answered,
        "failed": _failed,
        "chunk": _chunk,
        "ended": _ended,
        "late_answer": _late_answer,
        "late_chunk": _late_chunk,
        "late_end": _late_end,
        "cancelled": _cancelled,
        "credited": _credited,
    }
