"""Every pair that the tables do not allow is refused, and closes the link with a reason."""

import msgspec
import pytest

from econnector.wire.codec import pack
from econnector.wire.events import Closed, Incoming
from econnector.wire.messages import (
    MORE,
    Close,
    Credit,
    End,
    Fault,
    Goaway,
    Kind,
    Message,
    Ping,
    Proof,
    Request,
    Welcome,
)
from econnector.wire.rules import CONNECTION, STREAM, State, StreamState
from econnector.wire.session import Session
from tests.support.wire import CHALLENGE, HELLO, Pair, request

BODY: dict[Kind, Message | bytes] = {
    Kind.HELLO: HELLO,
    Kind.CHALLENGE: CHALLENGE,
    Kind.PROOF: Proof(b"s" * 64),
    Kind.WELCOME: Welcome(1, "smile", "Smile Dental", 1, "0.1.0"),
    Kind.REFUSE: Fault("103"),
    Kind.REQUEST: request(),
    Kind.RESPONSE: b"result",
    Kind.DATA: b"data",
    Kind.END: End(0),
    Kind.FAIL: Fault("database-away"),
    Kind.CREDIT: Credit(1),
    Kind.CANCEL: b"",
    Kind.PING: Ping(1),
    Kind.PONG: Ping(1),
    Kind.GOAWAY: Goaway("drain"),
    Kind.CLOSE: Close("bye"),
}


def in_state(state: State) -> Session:
    pair = Pair()
    if state in (State.AWAIT_HELLO, State.AWAIT_CHALLENGE):
        return pair.acceptor if state is State.AWAIT_HELLO else pair.dialler
    pair.pump()
    if state in (State.PROVING, State.AWAIT_PROOF):
        return pair.dialler if state is State.PROVING else pair.acceptor
    pair.dialler.prove(b"s" * 64)
    pair.pump()
    if state in (State.JUDGING, State.AWAIT_WELCOME):
        return pair.acceptor if state is State.JUDGING else pair.dialler
    return Pair().shake().dialler


def in_stream_state(state: StreamState) -> tuple[Session, int]:
    """A dialler with one call in this state, and the call's number."""
    pair = Pair().shake()
    dialler, acceptor = pair.dialler, pair.acceptor
    if state in (StreamState.ANSWERING, StreamState.SENDING):
        stream = acceptor.open(request(), pair.now)
        pair.pump()
        if state is StreamState.SENDING:
            dialler.respond(stream, b"head", more=True)
            pair.pump()
        return dialler, stream
    stream = dialler.open(request(), pair.now)
    pair.pump()
    if state is StreamState.RECEIVING:
        acceptor.respond(stream, b"head", more=True)
        pair.pump()
    if state is StreamState.GIVEN_UP:
        dialler.cancel(stream)
    return dialler, stream


LIVE = [state for state in State if state is not State.CLOSED]


@pytest.mark.parametrize(
    ("state", "kind"), [(s, k) for s in LIVE for k in Kind if (s, k) not in CONNECTION], ids=lambda value: value.name
)
def test_a_forbidden_pair_of_state_and_kind_closes_the_link(state: State, kind: Kind) -> None:
    session = in_state(state)
    assert session.state is state
    events = session.receive(pack(kind, 0, BODY[kind]), 100.0)
    assert [type(event) for event in events] == [Closed]
    assert isinstance(events[0], Closed)
    assert events[0].code == "protocol-broken"
    assert kind.name in events[0].reason
    assert session.closed
    assert session.outgoing().endswith(msgspec.msgpack.encode(Close("protocol-broken", events[0].reason)))


STREAM_KINDS = (Kind.RESPONSE, Kind.DATA, Kind.END, Kind.FAIL, Kind.CREDIT, Kind.CANCEL)


@pytest.mark.parametrize(
    ("state", "kind"),
    [(s, k) for s in StreamState for k in STREAM_KINDS if (s, k) not in STREAM],
    ids=lambda value: value.name,
)
def test_a_forbidden_pair_of_call_state_and_kind_closes_the_link(state: StreamState, kind: Kind) -> None:
    session, stream = in_stream_state(state)
    events = session.receive(pack(kind, stream, BODY[kind]), 100.0)
    assert [event.code for event in events if isinstance(event, Closed)] == ["protocol-broken"]


@pytest.mark.parametrize(("state", "kind"), list(STREAM), ids=lambda value: value.name)
def test_every_allowed_pair_of_call_state_and_kind_keeps_the_link(state: int, kind: int) -> None:
    session, stream = in_stream_state(StreamState(state))
    session.receive(pack(kind, stream, BODY[Kind(kind)], MORE if kind == Kind.RESPONSE else 0), 100.0)
    assert not session.closed


@pytest.mark.parametrize("state", LIVE, ids=lambda value: value.name)
def test_close_is_understood_in_every_state(state: State) -> None:
    session = in_state(state)
    events = session.receive(pack(Kind.CLOSE, 0, Close("bye", "done")), 100.0)
    assert events == [Closed("bye", "done", ours=False)]
    assert session.receive(pack(Kind.PING, 0, Ping(1)), 100.0) == []


@pytest.mark.parametrize("stream", [2, 1, 0])
def test_a_call_with_a_number_that_is_not_the_next_closes_the_link(stream: int) -> None:
    pair = Pair().shake()
    pair.acceptor.open(request(), pair.now)
    pair.pump()
    events = pair.dialler.receive(pack(Kind.REQUEST, stream, request()), pair.now)
    assert [type(event) for event in events] == [Closed]


def test_more_calls_at_a_time_than_said_close_the_link() -> None:
    pair = Pair(hello=msgspec.structs.replace(HELLO, streams=3)).shake()
    data = b"".join(pack(Kind.REQUEST, 2 * n, request()) for n in range(1, 5))
    events = pair.dialler.receive(data, pair.now)
    assert [type(event) for event in events] == [Incoming, Incoming, Incoming, Closed]


@pytest.mark.parametrize("kind", [Kind.PING, Kind.CREDIT, Kind.FAIL, Kind.END])
def test_a_body_that_cannot_be_read_closes_the_link_without_repeating_it(kind: Kind) -> None:
    state = StreamState.SENDING if kind is Kind.CREDIT else StreamState.RECEIVING
    session, stream = in_stream_state(state)
    events = session.receive(pack(kind, 0 if kind is Kind.PING else stream, b"\xc1secret"), 100.0)
    assert isinstance(events[-1], Closed)
    assert "secret" not in events[-1].reason


def test_params_that_are_not_text_do_not_leak_into_the_reason() -> None:
    pair = Pair().shake()
    bad = msgspec.msgpack.encode(["portal.sign-in", "s3cret", "ref", {}])
    events = pair.dialler.receive(pack(Kind.REQUEST, 2, bad), pair.now)
    assert isinstance(events[-1], Closed)
    assert "s3cret" not in events[-1].reason
    assert msgspec.msgpack.decode(request(), type=Request).call == "portal.home"
