"""Whatever the other side sends: no exception, bounded memory, and the same meaning however it is cut."""

from collections import deque

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from econnector.wire.codec import HEADER_SIZE, pack
from econnector.wire.events import Answered, Chunk, Closed, Ended, Event, Failed, Incoming
from econnector.wire.messages import CEILING, Credit, End, Fault, Kind, Ping
from econnector.wire.outbox import BULK_HELD
from econnector.wire.session import CHUNK, Session
from tests.support.wire import HELLO, Pair, request

BODIES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [
            b"",
            request(),
            request(size=5000),
            msgspec.msgpack.encode(Credit(2**40)),
            msgspec.msgpack.encode(Credit(-1)),
            msgspec.msgpack.encode(End(0)),
            msgspec.msgpack.encode(Ping(5)),
            msgspec.msgpack.encode(Fault("x", facts={"a": "b"})),
            msgspec.msgpack.encode(HELLO),
            b"\x91" * 250,
            b"\xdd\xff\xff\xff\xff",
            b"\xc6\xff\xff\xff\xff",
        ]
    ),
)
PACKETS = st.builds(
    pack,
    st.one_of(st.sampled_from([int(kind) for kind in Kind]), st.integers(0, 255)),
    st.one_of(st.integers(0, 12), st.integers(0, 2**32 - 1)),
    BODIES,
    st.sampled_from([0, 0, 0, 1, 2]),
)
BOUND = HEADER_SIZE + max(CEILING.values()) + BULK_HELD + CHUNK + 256 * 1024
"""One packet being received, the bulk queue, and the link's own small words."""


def held(session: Session) -> int:
    outbox = session._outbox
    waiting = sum(map(len, outbox._urgent)) + sum(map(len, outbox._small)) + outbox.bulk_held
    return waiting + len(session._decoder._held or b"")


@settings(max_examples=300, deadline=None)
@given(st.lists(PACKETS, max_size=40), st.booleans(), st.booleans(), st.data())
def test_no_input_raises_and_memory_stays_bounded(
    packets: list[bytes], opened: bool, dialling: bool, data: st.DataObject
) -> None:
    pair = Pair().shake() if opened else Pair()
    session = pair.dialler if dialling else pair.acceptor
    if opened:
        session.open(request(), pair.now)
    stream = b"".join(packets)
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        for event in session.receive(stream[:size], pair.now):
            assert isinstance(event, Event)
        assert held(session) < BOUND
        stream = stream[size:]


@settings(max_examples=100, deadline=None)
@given(st.lists(PACKETS, max_size=20), st.integers(1, 50))
def test_any_split_of_the_bytes_gives_the_same_events(packets: list[bytes], step: int) -> None:
    stream = b"".join(packets)
    whole, pieces = Pair().shake().acceptor, Pair().shake().acceptor
    expected = whole.receive(stream, 100.0)
    got = [event for at in range(0, len(stream), step) for event in pieces.receive(stream[at : at + step], 100.0)]
    assert got == expected
    assert pieces.closed == whole.closed


def test_a_flood_of_pings_is_cut_off() -> None:
    session = Pair().shake().acceptor
    events = session.receive(pack(Kind.PING, 0, Ping(1)) * 5000, 100.0)
    assert isinstance(events[-1], Closed)
    assert held(session) < BOUND


class TwoEnds(RuleBasedStateMachine):
    """Both ends do whatever they may, in any order, while the bytes are late and cut anywhere.

    Promise: neither end ever breaks a rule, and every call ends exactly once with what the other side gave.
    """

    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair().shake()
        self.ends = (self.pair.dialler, self.pair.acceptor)
        self.wires: tuple[deque[bytes], deque[bytes]] = (deque(), deque())
        self.waiting: tuple[set[int], set[int]] = (set(), set())
        self.incoming: tuple[list[int], list[int]] = ([], [])
        self.sent: dict[tuple[int, int], int] = {}
        self.got: dict[tuple[int, int], int] = {}

    @rule(end=st.integers(0, 1), size=st.integers(0, 2000), target=asked)
    def ask(self, end: int, size: int) -> tuple[int, int]:
        session = self.ends[end]
        if not session.may_open:
            return (end, 0)
        stream = session.open(request(size=size), 100.0)
        self.waiting[end].add(stream)
        return (end, stream)

    @rule(call=asked)
    def give_up(self, call: tuple[int, int]) -> None:
        end, stream = call
        if stream and self.ends[end].cancel(stream):
            self.waiting[end].discard(stream)

    @rule(end=st.integers(0, 1), cut=st.integers(1, 5000))
    def carry(self, end: int, cut: int) -> None:
        wire = self.wires[end]
        if data := self.ends[end].outgoing():
            wire.append(data)
        if not wire:
            return
        data = wire.popleft()
        if len(data) > cut:
            wire.appendleft(data[cut:])
        self.take(1 - end, data[:cut])

    def take(self, end: int, data: bytes) -> None:
        for event in self.ends[end].receive(data, 100.0):
            assert not isinstance(event, Closed), event.reason
            if isinstance(event, Incoming):
                self.incoming[end].append(event.stream)
            elif isinstance(event, Chunk):
                assert event.stream in self.waiting[end]
                self.got[(end, event.stream)] = self.got.get((end, event.stream), 0) + len(event.data)
                self.ends[end].credit(event.stream, len(event.data))
            elif isinstance(event, Ended):
                self.waiting[end].remove(event.stream)
                assert self.got.get((end, event.stream), 0) == self.sent.get((1 - end, event.stream), 0)
            elif isinstance(event, Failed) or (isinstance(event, Answered) and not event.more):
                self.waiting[end].remove(event.stream)

    @rule(end=st.integers(0, 1), how=st.sampled_from(["respond", "fail", "stream"]), size=st.integers(0, 100_000))
    def answer(self, end: int, how: str, size: int) -> None:
        if not self.incoming[end]:
            return
        stream, session = self.incoming[end].pop(0), self.ends[end]
        if how == "respond":
            session.respond(stream, b"r" * size)
        elif how == "fail":
            session.fail(stream, Fault("database-away"))
        elif session.respond(stream, b"head", more=True):
            while size > 0 and (room := session.room(stream)) > 0:
                session.data(stream, b"d" * min(room, size))
                self.sent[(end, stream)] = self.sent.get((end, stream), 0) + min(room, size)
                size -= room
            session.end(stream)

    @invariant()
    def nobody_broke_a_rule(self) -> None:
        assert not any(end.closed for end in self.ends)

    def teardown(self) -> None:
        for _ in range(2000):
            for end in (0, 1):
                while self.incoming[end]:
                    self.answer(end, "respond", 3)
                self.carry(end, 1 << 30)
            if not any((*self.wires, *self.incoming)) and not any(end.has_outgoing for end in self.ends):
                break
        assert not self.waiting[0]
        assert not self.waiting[1]
        assert all(end.in_flight == 0 for end in self.ends)


TestTwoEnds = TwoEnds.TestCase
TestTwoEnds.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
