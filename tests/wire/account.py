"""One end of a link together with what a careful owner knows: every call, its bytes, its credit, its last word.

The account is kept from what was said and heard alone, never from the session's own state, and complains where the two
disagree. How much it can hold the session to depends on what happened to the bytes between the ends: see `Trust`.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from random import Random

import msgspec

from econnector.wire.codec import HEADER_SIZE
from econnector.wire.events import (
    Answered,
    Arrived,
    Cancelled,
    Challenged,
    Chunk,
    Closed,
    Credited,
    Ended,
    Event,
    Failed,
    GoingAway,
    Incoming,
    Opened,
    Refused,
)
from econnector.wire.messages import CEILING, Fault, Kind, Request, Welcome
from econnector.wire.outbox import BULK_HELD
from econnector.wire.rules import State
from econnector.wire.session import CHUNK, Session
from tests.wire.way import Said

__all__ = ["LARGEST_ANSWER", "Asked", "End", "Taken", "Trust", "held", "piece", "question"]

LARGEST_ANSWER = 200_000
"""Longest result of one piece that these ends give: it goes as bulk."""
_SILENCE = 29.0
_SILENCE_ASKED = 5.0
_HANDSHAKE = 10.0
_SOON = 1e-6
_PATTERN = Random(1).randbytes(1 << 18)


def piece(stream: int, start: int, size: int) -> bytes:
    """Return bytes that tell which stream they belong to and where."""
    at = (stream * 7919 + start) % (1 << 17)
    return _PATTERN[at : at + size]


def held(session: Session) -> int:
    """Return how many bytes a session keeps."""
    outbox = session._outbox
    waiting = sum(map(len, outbox._urgent)) + sum(map(len, outbox._small)) + outbox.bulk_held
    return waiting + len(session._decoder._held or b"")


class Trust(IntEnum):
    """What has happened to the bytes between the two ends so far."""

    EXACT = 0
    """Delivered once and in order: everything must add up, and nobody breaks a rule."""
    PACKETS = 1
    """Whole packets were lost, doubled or swapped: what is told is true, or the link is closed."""
    BYTES = 2
    """Bytes were changed: nothing can be said of what they mean (TLS keeps that away), only that all stays bounded."""


@dataclass
class Asked:
    """A call of ours."""

    tag: str
    at: float
    given: int
    """Bytes that they may send in all."""
    state: str = "waiting"
    """waiting, receiving, given up, over."""
    got: int = 0
    settled: bool = False
    """Whether their last word was delivered."""


@dataclass
class Taken:
    """A call of theirs."""

    tag: str
    state: str = "answering"
    """answering, sending, over."""
    said: bytes | None = None
    """The result."""
    fault: str = ""
    sent: int = 0
    ended: bool = False
    left: bool = False
    """Whether our last word left."""


@dataclass
class End:
    """A session and its owner's account."""

    name: str
    session: Session
    window: int
    limit: int
    now: float
    refuses: bool = False
    """Whether the acceptor lets nobody in."""
    trust: Trust = Trust.EXACT
    asked: dict[int, Asked] = field(default_factory=dict)
    taken: dict[int, Taken] = field(default_factory=dict)
    draining: bool = False
    closed: Closed | Refused | None = None
    left_by_us: str = ""
    """The code under which this end closed the link of itself."""
    other: "End" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.born = self.heard = self.jumped = self.now

    @property
    def over(self) -> bool:
        return self.session.closed

    @property
    def ours(self) -> int:
        """Calls of ours whose last word is still to come."""
        return sum(not call.settled for call in self.asked.values())

    @property
    def theirs(self) -> int:
        """Calls of theirs whose last word has not left."""
        return sum(not call.left for call in self.taken.values())

    # -- what passes by ------------------------------------------------------------------------------------------

    def note_left(self, said: list[Said]) -> None:
        for packet in said:
            if _is_last(packet) and packet.stream in self.taken:
                self.taken[packet.stream].left = True

    def receive(self, data: bytes, whole: list[Said], now: float) -> None:
        """Hand bytes to the session, and hold what it makes of them against the account."""
        if self.over:
            assert self.session.receive(data, now) == []
            return
        self.now = now
        if data:
            self.heard = now
        for packet in whole:
            if _is_last(packet) and packet.stream in self.asked:
                self.asked[packet.stream].settled = True
        for event in self.session.receive(data, now):
            self.hear(event)
        self.check_held(len(data))

    def tick(self, now: float) -> None:
        self.now = now
        for event in self.session.tick(now):
            assert isinstance(event, Closed)
            assert event.code in {"silent", "handshake-timeout"}
            if event.code == "silent":
                waits = any(call.state != "over" and not call.settled for call in self.asked.values())
                assert now - self.heard >= (_SILENCE_ASKED if waits else _SILENCE) - _SOON, "given up too early"
            else:
                assert now - self.born >= _HANDSHAKE - _SOON, "given up too early"
            self.hear(event)

    # -- what it is told -----------------------------------------------------------------------------------------

    def hear(self, event: Event) -> None:  # noqa: C901 - a case per event
        assert self.closed is None, f"{event} after the end"
        match event:
            case Challenged():
                self.session.prove(b"s" * 64)
            case Arrived(protocol=protocol) if self.refuses:
                assert protocol
                self.session.refuse(Fault("103"))
            case Arrived(protocol=protocol):
                self.session.welcome(Welcome(protocol, "smile", "Smile Dental", 1, "0.1.0"), self.now)
            case Incoming(stream, request):
                self._incoming(stream, request)
            case Credited(stream):
                assert self.taken[stream].state == "sending"
            case Cancelled(stream):
                assert self.taken[stream].state != "over"
                self.taken[stream].state, self.taken[stream].fault = "over", "cancelled"
            case GoingAway():
                self.draining = True
            case Refused() | Closed():
                self._over(event)
            case Answered() | Chunk() | Ended() | Failed():
                self._answer(event)
            case Opened():
                pass

    def _incoming(self, stream: int, request: Request) -> None:
        assert stream not in self.taken, "one call, told twice"
        if self.trust < Trust.BYTES:
            assert request.reference == self.other.asked[stream].tag, "another question than the one asked"
        self.taken[stream] = Taken(request.reference)
        assert self.theirs <= self.limit, "more calls than we take"

    def _answer(self, event: Answered | Chunk | Ended | Failed) -> None:
        call = self.asked[event.stream]
        assert call.state in {"waiting", "receiving"}, f"a call that is {call.state} hears {event}"
        if isinstance(event, Answered):
            assert call.state == "waiting"
            call.state = "receiving" if event.more else "over"
        elif isinstance(event, Chunk):
            assert call.state == "receiving"
            call.got += len(event.data)
            assert call.got <= call.given, "more bytes than credit"
        else:
            assert call.state == "receiving" or isinstance(event, Failed)
            call.state = "over"
        if self.trust < Trust.BYTES:
            self._true(event, call, self.other.taken[event.stream])

    def _true(self, event: Answered | Chunk | Ended | Failed, call: Asked, given: Taken) -> None:
        assert call.tag == given.tag
        match event:
            case Answered(_, body):
                assert body == given.said, "an answer to another question"
            case Chunk(stream, data) if self.trust is Trust.EXACT:
                assert data == piece(stream, call.got - len(data), len(data)), "bytes out of order"
            case Ended():
                assert given.ended
                assert call.got == given.sent, "a short file that says it is whole"
            case Failed(_, fault):
                assert fault.code == given.fault

    def _over(self, event: Closed | Refused) -> None:
        self.closed = event
        assert self.over
        if isinstance(event, Closed) and self.trust is Trust.EXACT:
            theirs = {self.other.left_by_us}
            if isinstance(self.other.closed, Closed):
                theirs.add(self.other.closed.code)
            own = {"silent", "handshake-timeout", "protocol-versions"}
            assert event.code in (own if event.ours else theirs), f"{self.name}: {event}"

    # -- what must always be so ----------------------------------------------------------------------------------

    def check(self) -> None:
        """Hold the session's own words against the account."""
        session = self.session
        self.check_held(0)
        if self.over:
            assert session.next_deadline() is None
            assert not session.may_open
            return
        if session.state is State.OPEN and self.trust is Trust.EXACT:
            assert session.in_flight == self.ours + self.theirs
            assert session.may_open == (not self.draining and self.ours < self.other.limit)
        for stream, call in self.taken.items():
            self._check_room(stream, call)
        self._check_silence()

    def _check_room(self, stream: int, call: Taken) -> None:
        room = self.session.room(stream)
        assert (room >= 0) == (call.state == "sending")
        assert room <= max(0, min(CHUNK, BULK_HELD - self.session._outbox.bulk_held))
        if room > 0 and self.trust is Trust.EXACT:
            assert call.sent + room <= self.other.asked[stream].given, "more bytes than credit"

    def _check_silence(self) -> None:
        if self.session.state is not State.OPEN:
            assert self.now < max(self.born, self.jumped) + _HANDSHAKE + _SOON
            return
        assert self.now < max(self.heard, self.jumped) + _SILENCE + _SOON
        for call in self.asked.values():
            if call.state == "waiting" and self.trust is Trust.EXACT:
                assert self.now < max(call.at, self.heard, self.jumped) + _SILENCE_ASKED + _SOON, "a frozen peer"

    def check_held(self, brought: int) -> None:
        """What is kept: one packet being received, bulk, answers that were given whole, the link's own words."""
        outbox = self.session._outbox
        assert outbox.bulk_held >= 0
        assert bool(outbox) or outbox.bulk_held == 0
        most = BULK_HELD + CHUNK + self.limit * LARGEST_ANSWER + 64 * 1024
        longest = CEILING[Kind.REQUEST] if self.session.state is State.OPEN else CEILING[Kind.WELCOME]
        assert held(self.session) <= most + HEADER_SIZE + longest + brought


def _is_last(packet: Said) -> bool:
    return packet.kind in (Kind.END, Kind.FAIL) or (packet.kind == Kind.RESPONSE and not packet.flags)


def question(tag: str, size: int) -> bytes:
    """Return the body of a REQUEST."""
    return msgspec.msgpack.encode(Request("portal.home", 5.0, tag, msgspec.Raw(msgspec.msgpack.encode(b"p" * size))))
