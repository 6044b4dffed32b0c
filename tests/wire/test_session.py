"""A link's life: handshake, versions, calls, credit, priorities, silence."""

import msgspec
import pytest

from econnector.wire.codec import Decoder, pack
from econnector.wire.events import (
    Answered,
    Arrived,
    Cancelled,
    Challenged,
    Chunk,
    Closed,
    Credited,
    Ended,
    Failed,
    GoingAway,
    Incoming,
    Opened,
    Refused,
)
from econnector.wire.messages import End, Fault, Hello, Kind, Welcome, common_protocol
from econnector.wire.outbox import BULK_HELD, BULK_PER_TURN
from econnector.wire.rules import State
from econnector.wire.session import CHUNK, WrongStateError
from tests.support.wire import CHALLENGE, HELLO, Pair, request


def kinds(data: bytes) -> list[Kind]:
    return [Kind(packet.kind) for packet in Decoder(frozenset(Kind)).feed(data)]


@pytest.mark.parametrize("step", [0, 1, 7])
def test_a_handshake_opens_both_ends_whatever_pieces_the_bytes_come_in(step: int) -> None:
    pair = Pair()
    to_dialler, to_acceptor = pair.pump(step)
    assert [type(event) for event in to_dialler] == [Challenged]
    assert to_acceptor == []
    pair.shake()
    assert pair.dialler.state is pair.acceptor.state is State.OPEN
    assert pair.dialler.protocol == pair.acceptor.protocol == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "common"),
    [
        ((1, 1), (1, 1), 1),
        ((1, 2), (1, 1), 1),
        ((1, 1), (1, 2), 1),
        ((2, 3), (1, 2), 2),
        ((2, 2), (1, 1), 0),
        ((1, 1), (2, 2), 0),
    ],
)
def test_the_highest_common_protocol_number_is_used(
    ours: tuple[int, int], theirs: tuple[int, int], common: int
) -> None:
    assert common_protocol(ours, theirs) == common
    hello = msgspec.structs.replace(HELLO, low=ours[0], high=ours[1])
    challenge = msgspec.structs.replace(CHALLENGE, low=theirs[0], high=theirs[1])
    pair = Pair(hello, challenge)
    to_dialler, to_acceptor = pair.pump()
    if common:
        assert [type(event) for event in to_dialler] == [Challenged]
        assert pair.dialler.protocol == common
    else:
        assert [event.fault.code for event in to_dialler if isinstance(event, Refused)] == ["protocol-versions"]
        assert isinstance(to_acceptor[-1], Closed)


def test_a_newer_hello_with_more_fields_is_understood() -> None:
    newer = [*msgspec.structs.astuple(HELLO), "a field of the future", 7]
    pair = Pair()
    pair.acceptor.receive(pack(Kind.HELLO, 0, msgspec.msgpack.encode(newer)), pair.now)
    assert pair.acceptor.state is State.AWAIT_PROOF


def test_an_older_hello_with_fewer_fields_is_understood() -> None:
    older = msgspec.structs.astuple(HELLO)[:6]
    pair = Pair()
    pair.acceptor.receive(pack(Kind.HELLO, 0, msgspec.msgpack.encode(older)), pair.now)
    assert pair.acceptor.state is State.AWAIT_PROOF
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(older), type=Hello).streams == 256


def test_a_refusal_ends_the_session_and_says_why() -> None:
    pair = Pair()
    pair.pump()
    pair.dialler.prove(b"s" * 64, "ABCD1234ABCD1234")
    _, to_acceptor = pair.pump()
    assert isinstance(to_acceptor[0], Arrived)
    assert to_acceptor[0].proof.registration_key == "ABCD1234ABCD1234"
    pair.acceptor.refuse(Fault("103", facts={"reason": "support ended"}))
    to_dialler, _ = pair.pump()
    assert [event.fault.facts for event in to_dialler if isinstance(event, Refused)] == [{"reason": "support ended"}]
    assert pair.dialler.closed
    assert pair.acceptor.closed


def test_no_call_can_be_opened_before_the_link_is() -> None:
    pair = Pair()
    pair.pump()
    with pytest.raises(WrongStateError):
        pair.dialler.open(request(), pair.now)
    pair.dialler.prove(b"s" * 64)
    pair.pump()
    pair.acceptor.welcome(Welcome(1, "smile", "Smile Dental", 7, "0.1.0"), pair.now)
    to_dialler, _ = pair.pump()
    assert [event.welcome.epoch for event in to_dialler if isinstance(event, Opened)] == [7]
    assert pair.dialler.may_open


def test_calls_go_both_ways_at_once() -> None:
    pair = Pair().shake()
    ours = pair.dialler.open(request("link.heartbeat"), pair.now)
    theirs = pair.acceptor.open(request("portal.home"), pair.now)
    to_dialler, to_acceptor = pair.pump()
    assert [event.request.call for event in to_dialler if isinstance(event, Incoming)] == ["portal.home"]
    assert [event.request.call for event in to_acceptor if isinstance(event, Incoming)] == ["link.heartbeat"]
    pair.dialler.respond(theirs, b"home")
    pair.acceptor.fail(ours, Fault("database-away", "AAAA-BBBB"))
    to_dialler, to_acceptor = pair.pump()
    assert to_acceptor == [Answered(theirs, b"home", more=False)]
    assert [event.fault.code for event in to_dialler if isinstance(event, Failed)] == ["database-away"]
    assert pair.dialler.in_flight == pair.acceptor.in_flight == 0


def test_bytes_follow_a_result_under_credit_and_add_up() -> None:
    pair = Pair().shake()
    stream = pair.acceptor.open(request(), pair.now)
    pair.pump()
    pair.dialler.respond(stream, b"head", more=True)
    sent = 0
    while room := pair.dialler.room(stream):
        pair.dialler.data(stream, b"d" * room)
        sent += room
    assert BULK_HELD - CHUNK < sent <= BULK_HELD
    _, to_acceptor = pair.pump()
    assert sum(len(event.data) for event in to_acceptor if isinstance(event, Chunk)) == sent
    pair.dialler.end(stream)
    _, to_acceptor = pair.pump()
    assert to_acceptor == [Ended(stream)]


def test_a_source_is_not_read_beyond_the_window_until_credit_comes_back() -> None:
    pair = Pair().shake()
    stream = pair.acceptor.open(request(), pair.now)
    pair.pump()
    pair.dialler.respond(stream, b"head", more=True)
    sent = 0
    while room := pair.dialler.room(stream):
        pair.dialler.data(stream, b"d" * room)
        sent += room
        pair.pump()
    assert sent == HELLO.window
    with pytest.raises(WrongStateError):
        pair.dialler.data(stream, b"d")
    pair.acceptor.credit(stream, 1000)
    to_dialler, _ = pair.pump()
    assert to_dialler == [Credited(stream)]
    assert pair.dialler.room(stream) == 1000


def test_bytes_that_do_not_add_up_are_a_broken_rule_not_a_short_file() -> None:
    pair = Pair().shake()
    stream = pair.acceptor.open(request(), pair.now)
    pair.pump()
    pair.dialler.respond(stream, b"head", more=True)
    pair.dialler.data(stream, b"12345")
    pair.pump()
    events = pair.acceptor.receive(pack(Kind.END, stream, End(4)), pair.now)
    assert [event.code for event in events if isinstance(event, Closed)] == ["protocol-broken"]


def test_small_messages_overtake_bulk_and_streams_take_turns() -> None:
    pair = Pair().shake()
    first, second, small = (pair.acceptor.open(request(), pair.now) for _ in range(3))
    pair.pump()
    for stream in (first, second):
        pair.dialler.respond(stream, b"head", more=True)
        for _ in range(3):
            pair.dialler.data(stream, b"d" * CHUNK)
    pair.dialler.outgoing()
    pair.dialler.respond(small, b"quick")
    turn = pair.dialler.outgoing()
    assert kinds(turn)[0] is Kind.RESPONSE
    assert len(turn) <= BULK_PER_TURN + CHUNK + 200
    streams = [packet.stream for packet in Decoder(frozenset(Kind)).feed(turn) if packet.kind == Kind.DATA]
    assert streams == [first, second]


def test_bulk_waits_until_no_small_message_is_left_and_a_long_answer_is_bulk() -> None:
    pair = Pair().shake()
    long, small = (pair.acceptor.open(request(), pair.now) for _ in range(2))
    pair.pump()
    pair.dialler.respond(long, b"r" * (CHUNK + 1))
    for _ in range(10):
        pair.dialler.open(request(size=3000), pair.now)
    pair.dialler.respond(small, b"quick")
    said = []
    while data := pair.dialler.outgoing():
        said.append(kinds(data))
    assert len(said) == 2
    assert set(said[0]) == {Kind.REQUEST}
    assert said[1] == [Kind.REQUEST] * (10 - len(said[0])) + [Kind.RESPONSE] * 2


def test_every_stream_of_bytes_has_its_turn() -> None:
    pair = Pair().shake()
    streams = [pair.acceptor.open(request(), pair.now) for _ in range(3)]
    pair.pump()
    for stream in streams:
        pair.dialler.respond(stream, b"head", more=True)
    pair.pump()
    for stream in streams:
        for _ in range(2):
            pair.dialler.data(stream, b"d" * CHUNK)
    data = b"".join(iter(pair.dialler.outgoing, b""))
    assert [packet.stream for packet in Decoder(frozenset(Kind)).feed(data)] == streams * 2


def test_what_is_ready_in_one_turn_leaves_as_one_message() -> None:
    pair = Pair().shake()
    for _ in range(50):
        pair.dialler.open(request(), pair.now)
    assert kinds(pair.dialler.outgoing()) == [Kind.REQUEST] * 50
    assert not pair.dialler.has_outgoing


def test_giving_up_a_call_tells_the_other_side_and_late_words_mean_nothing() -> None:
    pair = Pair().shake()
    stream = pair.dialler.open(request(), pair.now)
    pair.pump()
    pair.acceptor.respond(stream, b"head", more=True)
    pair.acceptor.data(stream, b"late")
    late = pair.acceptor.outgoing()
    assert pair.dialler.cancel(stream)
    assert not pair.dialler.cancel(stream)
    assert pair.dialler.receive(late, pair.now) == []
    to_dialler, to_acceptor = pair.pump()
    assert to_acceptor == [Cancelled(stream)]
    assert to_dialler == []
    assert not pair.acceptor.data(stream, b"x")
    assert not pair.acceptor.fail(stream, Fault("unexpected"))
    assert pair.acceptor.room(stream) == -1
    assert pair.dialler.in_flight == pair.acceptor.in_flight == 0


def test_giving_up_a_call_that_was_just_answered_is_a_race_not_a_fault() -> None:
    pair = Pair().shake()
    stream = pair.dialler.open(request(), pair.now)
    pair.pump()
    pair.acceptor.respond(stream, b"done")
    pair.dialler.cancel(stream)
    pair.pump()
    assert pair.dialler.state is pair.acceptor.state is State.OPEN
    assert pair.dialler.in_flight == 0


def test_after_goaway_nobody_opens_calls_and_those_in_flight_end() -> None:
    pair = Pair().shake()
    stream = pair.dialler.open(request(), pair.now)
    pair.pump()
    pair.acceptor.goaway("drain", 2000)
    to_dialler, _ = pair.pump()
    assert [event.goaway.spread_ms for event in to_dialler if isinstance(event, GoingAway)] == [2000]
    assert not pair.dialler.may_open
    assert not pair.acceptor.may_open
    pair.acceptor.respond(stream, b"still answered")
    to_dialler, _ = pair.pump()
    assert to_dialler == [Answered(stream, b"still answered", more=False)]


def test_an_idle_link_pings_and_a_silent_peer_is_dead_in_thirty_seconds() -> None:
    pair = Pair().shake()
    assert pair.dialler.next_deadline() == pair.now + 15
    assert pair.dialler.tick(pair.now + 14) == []
    assert not pair.dialler.has_outgoing
    pair.dialler.tick(pair.now + 15)
    assert kinds(pair.dialler.outgoing()) == [Kind.PING]
    assert pair.dialler.tick(pair.now + 28.9) == []
    assert pair.dialler.tick(pair.now + 29) == [Closed("silent", "nothing was heard from the other side", ours=True)]


def test_a_ping_is_answered_and_silences_the_alarm() -> None:
    pair = Pair().shake()
    pair.now += 15
    pair.dialler.tick(pair.now)
    pair.pump()
    assert pair.dialler.next_deadline() == pair.now + 15
    assert pair.dialler.state is State.OPEN


def test_a_call_to_a_frozen_peer_is_known_to_have_failed_in_five_seconds() -> None:
    pair = Pair().shake()
    pair.now += 10
    pair.dialler.open(request(), pair.now)
    pair.dialler.outgoing()
    assert pair.dialler.next_deadline() == pair.now + 2
    pair.dialler.tick(pair.now + 2)
    assert kinds(pair.dialler.outgoing()) == [Kind.PING]
    assert [type(event) for event in pair.dialler.tick(pair.now + 5)] == [Closed]


def test_a_slow_answer_from_a_live_peer_keeps_the_link() -> None:
    pair = Pair().shake()
    stream = pair.dialler.open(request(), pair.now)
    pair.pump()
    for _ in range(4):
        pair.now += 2
        pair.dialler.tick(pair.now)
        pair.pump()
    pair.acceptor.respond(stream, b"at last")
    assert pair.pump()[0] == [Answered(stream, b"at last", more=False)]


def test_a_handshake_that_is_not_finished_in_time_is_over() -> None:
    pair = Pair()
    assert [event.code for event in pair.acceptor.tick(pair.now + 10) if isinstance(event, Closed)] == [
        "handshake-timeout"
    ]


def test_a_result_that_is_too_long_is_refused_before_it_is_sent() -> None:
    pair = Pair().shake()
    stream = pair.acceptor.open(request(), pair.now)
    pair.pump()
    with pytest.raises(WrongStateError, match="longer than"):
        pair.dialler.respond(stream, b"x" * (1 << 20) + b"x")
    assert pair.dialler.fail(stream, Fault("unexpected"))
