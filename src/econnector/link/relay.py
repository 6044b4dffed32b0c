"""Calls between two nodes of HQ: one has the page, the other the link. Packets pass unchanged but for their number.

The asking node numbers its calls. The node that has the link answers to the asking node's own subject, and tells with
every message where it can be found, so that credit and cancellation go straight there even after the office has moved
to a third node. Nothing is acknowledged by the bus: while a call runs, its node says so every so often, and a call of
which nothing is heard for longer than that is lost.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from econnector.base.clock import Clock
from econnector.base.errors import AnswerLost, Failure, LinkFailure, OfficeUnreachable, ProtocolBroken
from econnector.link.failing import fault_of, link_fault, unexpected
from econnector.link.line import Handle, Line, Sink
from econnector.wire.codec import Decoder, Packet, ProtocolError, body_of, pack
from econnector.wire.messages import MORE, Credit, End, Fault, Kind, Ping, Request

__all__ = ["ALIVE_EVERY", "LOST_AFTER", "Asking", "Post", "Serving"]

ALIVE_EVERY = 1.5
"""Seconds between two signs of life of a running call."""
LOST_AFTER = 4.0
"""Seconds without any sign after which a call is lost; looked at every half second."""

Post = Callable[[str, str, bytes], None]
"""Sends a packet in this turn of the loop: to a subject, with a subject to answer to (or none)."""

_TO_ASKER = frozenset(map(int, (Kind.RESPONSE, Kind.DATA, Kind.END, Kind.FAIL, Kind.PONG)))
_AMID_BYTES, _AT_ANY_TIME = frozenset(map(int, (Kind.DATA, Kind.END))), frozenset(map(int, (Kind.FAIL, Kind.PONG)))
_TO_HOLDER = frozenset(map(int, (Kind.REQUEST, Kind.CREDIT, Kind.CANCEL)))
_LAST_STREAM = 2**32 - 2


def _packets(payload: bytes, allowed: frozenset[int]) -> Iterator[Packet]:
    # A node of another version may say what we do not know: the rest of its message is lost, and its calls with it.
    try:
        yield from Decoder(allowed).feed(payload)
    except ProtocolError:
        return


class _Call:
    """One call of ours, in flight at another node."""

    __slots__ = ("_asking", "count", "heard", "message", "node", "office", "sink", "stream", "streams")

    def __init__(self, asking: "Asking", stream: int, office: str, sink: Sink, now: float) -> None:
        self._asking, self.stream, self.office, self.sink = asking, stream, office, sink
        self.heard, self.count, self.node, self.message = now, 0, "", ""
        self.streams = False

    def credit(self, size: int) -> None:
        self._asking.send(self, pack(Kind.CREDIT, self.stream, Credit(size)))

    def cancel(self) -> None:
        if self._asking.forget(self.stream):
            self._asking.send(self, pack(Kind.CANCEL, self.stream))


class Asking:
    """The asking node's half."""

    def __init__(self, post: Post, base: str, clock: Clock) -> None:
        """`base` is the subject under which this node hears answers."""
        self._post, self._base, self._clock = post, base, clock
        self._calls: dict[int, _Call] = {}
        self._next = 1
        self._turn = 0
        self._messages: dict[str, str] = {}

    def start(self, office: str, subject: str, request: bytes, sink: Sink) -> Handle:
        """Send a request to whoever holds the office."""
        stream = self._next
        self._next = stream + 1 if stream < _LAST_STREAM else 1
        call = self._calls[stream] = _Call(self, stream, office, sink, self._clock.monotonic())
        call.node = subject
        call.message = self._message(subject)
        self._post(subject, call.message, pack(Kind.REQUEST, stream, request))
        return call

    def _message(self, subject: str) -> str:
        """Return where to answer to what goes to `subject` in this turn: one message, one fate."""
        message = self._messages.get(subject)
        if message is None:
            self._turn += 1
            message = self._messages[subject] = f"{self._base}.{self._turn}"
        return message

    def next_turn(self) -> None:
        """Note that what was posted has left: later requests are other messages."""
        self._messages.clear()

    def send(self, call: _Call, packet: bytes) -> None:
        """Send a later packet of a call to where the call runs."""
        self._post(call.node, f"{self._base}.-", packet)

    def forget(self, stream: int) -> bool:
        """Hear nothing more of a call; False when it is over already."""
        return self._calls.pop(stream, None) is not None

    def nobody(self, message: str) -> set[str]:
        """Note that a message found nobody: no node holds the office. Return the office it was for, if it is known."""
        found = set()
        for stream, call in list(self._calls.items()):
            if call.message == message:
                found.add(call.office)
                del self._calls[stream]
                call.sink.failed(link_fault(OfficeUnreachable, office=call.office))
        return found

    def hear(self, payload: bytes, node: str) -> set[str]:
        """Take what another node answers; `node` is where it can be found. Return the offices that it does not have."""
        now, gone = self._clock.monotonic(), set()
        for packet in _packets(payload, _TO_ASKER):
            call = self._calls.get(packet.stream)
            if call is not None:
                call.heard, call.node = now, node or call.node
                try:
                    if self._take(call, packet):
                        gone.add(call.office)
                except ProtocolError:
                    self._lose([call], "another node of HQ says what cannot be read")
                except Exception as error:  # noqa: BLE001 - whoever hears may be broken; the other calls are not
                    unexpected(error, "relay", "")
                    call.cancel()
        return gone

    def _take(self, call: _Call, packet: Packet) -> bool:
        """Tell who asked; return whether the other node says that it does not have the office."""
        if call.streams is not (packet.kind in _AMID_BYTES) and packet.kind not in _AT_ANY_TIME:
            raise ProtocolError("out of order")
        match packet.kind:
            case Kind.RESPONSE:
                call.streams = more = packet.flags == MORE
                if not more:
                    self.forget(call.stream)
                call.sink.answered(packet.body, more)
            case Kind.DATA:
                call.count += len(packet.body)
                call.sink.chunk(packet.body)
            case Kind.END:
                whole = body_of(End, packet).size == call.count
                self.forget(call.stream)
                if whole:
                    call.sink.ended()
                else:
                    call.sink.failed(link_fault(AnswerLost, reason="bytes were lost between HQ's nodes"))
            case Kind.FAIL:
                fault = body_of(Fault, packet)
                self.forget(call.stream)
                call.sink.failed(fault)
                return fault.code == OfficeUnreachable.code
        return False

    def look(self) -> set[str]:
        """Give up the calls of which nothing was heard for too long; return their offices."""
        least = self._clock.monotonic() - LOST_AFTER
        lost = [call for call in self._calls.values() if call.heard < least]
        self._lose(lost, "the node with the link is gone")
        return {call.office for call in lost}

    def lose_all(self, reason: str) -> None:
        """Give up every call."""
        self._lose(list(self._calls.values()), reason)

    def _lose(self, calls: list[_Call], reason: str) -> None:
        for call in calls:
            if self.forget(call.stream):
                call.sink.failed(link_fault(AnswerLost, reason=reason))


class _Served:
    """One call of another node, running on a link of ours: the sink of its answer."""

    __slots__ = ("_asker", "_count", "_serving", "_stream", "handle", "streams")

    def __init__(self, serving: "Serving", asker: str, stream: int) -> None:
        self._serving, self._asker, self._stream = serving, asker, stream
        self._count = 0
        self.handle: Handle | None = None
        self.streams = False

    def answered(self, body: bytes, more: bool) -> None:
        self.streams = more
        self._say(pack(Kind.RESPONSE, self._stream, body, MORE if more else 0), last=not more)

    def chunk(self, data: bytes) -> None:
        self._count += len(data)
        self._say(pack(Kind.DATA, self._stream, data))

    def ended(self) -> None:
        self._say(pack(Kind.END, self._stream, End(self._count)), last=True)

    def failed(self, fault: Fault) -> None:
        self._say(pack(Kind.FAIL, self._stream, fault), last=True)

    def alive(self) -> None:
        self._say(pack(Kind.PONG, self._stream, Ping(0)))

    def _say(self, packet: bytes, *, last: bool = False) -> None:
        self._serving.say(self._asker, packet)
        if last:
            self._serving.forget(self._asker, self._stream)


class Serving:
    """The half of the node that has the link."""

    def __init__(self, post: Post, here: str) -> None:
        """`here` is the subject under which this node hears later packets of what runs here."""
        self._post, self._here = post, here
        self._calls: dict[tuple[str, int], _Served] = {}
        self._beat: asyncio.TimerHandle | None = None

    def hear(self, payload: bytes, asker: str, line: Line | None, office: str) -> None:
        """Take what an asking node says; `asker` is where it hears answers, `line` the office's link if it is here."""
        for packet in _packets(payload, _TO_HOLDER):
            if packet.kind == Kind.REQUEST:
                self._begin(packet, asker, line, office)
                continue
            call = self._calls.get((asker, packet.stream))
            if call is None or call.handle is None:
                continue
            if packet.kind == Kind.CREDIT:
                self._credit(call.handle, packet)
            else:
                self.forget(asker, packet.stream)
                call.handle.cancel()

    def _credit(self, handle: Handle, packet: Packet) -> None:
        with contextlib.suppress(ProtocolError):
            handle.credit(body_of(Credit, packet).size)

    def _begin(self, packet: Packet, asker: str, line: Line | None, office: str) -> None:
        call = self._calls[asker, packet.stream] = _Served(self, asker, packet.stream)
        try:
            if line is None:
                raise OfficeUnreachable(office=office)
            body_of(Request, packet)  # a node's mistake must not cost the office its link
            call.handle = line.start(packet.body, call)
        except LinkFailure as failure:
            call.failed(_fault(failure))
        except ProtocolError as error:
            call.failed(link_fault(ProtocolBroken, reason=str(error)))
        else:
            self._set_beat()

    def say(self, asker: str, packet: bytes) -> None:
        """Send a packet to the asking node."""
        self._post(asker, self._here, packet)

    def forget(self, asker: str, stream: int) -> None:
        """Note that a call is over."""
        self._calls.pop((asker, stream), None)

    def stop_streams(self) -> None:
        """Stop the streams of bytes that run here for others: nobody gets them any more. Other work is finished."""
        for key, call in list(self._calls.items()):
            if call.streams and call.handle is not None:
                del self._calls[key]
                call.handle.cancel()

    def _set_beat(self) -> None:
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(ALIVE_EVERY, self._tell_alive)

    def _tell_alive(self) -> None:
        self._beat = None
        for call in self._calls.values():
            call.alive()
        if self._calls:
            self._set_beat()


def _fault(failure: Failure) -> Fault:
    # Made on the way, not by the office: the asker puts its own reference to it.
    fault = fault_of(failure)
    return Fault(fault.code, "", fault.facts, fault.retry_after)
