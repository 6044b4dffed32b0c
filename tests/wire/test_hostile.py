"""Whatever the other side sends: no exception, bounded memory, and the same meaning however it is cut."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from econnector.wire.codec import HEADER_SIZE, pack
from econnector.wire.events import Closed, Event
from econnector.wire.messages import CEILING, Credit, End, Fault, Kind, Ping
from econnector.wire.outbox import BULK_HELD
from econnector.wire.session import CHUNK
from tests.support.wire import HELLO, Pair, request
from tests.wire.account import held

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
