"""What one side may say of its own accord, and how often."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.wire.allowance import Allowance
from econnector.wire.codec import pack
from econnector.wire.events import Closed
from econnector.wire.messages import MORE, Credit, Kind, Ping
from econnector.wire.session import Session
from tests.support.wire import Pair, request

SECONDS = 20


@given(st.lists(st.floats(0, 5), max_size=200), st.floats(0.5, 50), st.integers(1, 30))
def test_in_any_time_no_more_than_the_rate_and_one_burst(pauses: list[float], rate: float, burst: int) -> None:
    allowance, now, taken = Allowance(rate, burst), 1000.0, []
    for pause in pauses:
        now += pause
        if allowance.takes(now):
            taken.append(now)
    for first, began in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - began) * rate + 1e-6


def pings() -> Iterator[bytes]:
    while True:
        yield pack(Kind.PING, 0, Ping(1))


def given_up() -> Iterator[bytes]:
    stream = 1
    while True:
        yield pack(Kind.REQUEST, stream, request()) + pack(Kind.CANCEL, stream)
        stream += 2


def asked() -> Iterator[bytes]:
    stream = 1
    while True:
        yield pack(Kind.REQUEST, stream, request())
        stream += 2


def late_credit() -> Iterator[bytes]:
    yield pack(Kind.REQUEST, 1, request()) + pack(Kind.CANCEL, 1)
    while True:
        yield pack(Kind.CREDIT, 1, Credit(1))


def nothing() -> Iterator[bytes]:
    while True:
        yield b""


def bytes_of_one_packet() -> Iterator[bytes]:
    for byte in pack(Kind.REQUEST, 1, bytes(1_000_000)):
        yield bytes([byte])


STORMS = {
    "pings": pings,
    "calls given up": given_up,
    "calls": asked,
    "credit for what is over": late_credit,
    "empty messages": nothing,
    "a packet in single bytes": bytes_of_one_packet,
}


def _say(at: Session, words: bytes, now: float) -> str:
    """Let `at` hear it, answer all calls, and read all answers; return why it closed."""
    for event in at.receive(words, now):
        if isinstance(event, Closed):
            return event.code
        stream = getattr(event, "stream", 0)
        if type(event).__name__ == "Incoming":
            at.respond(stream, b"\xc0")
    while at.outgoing():
        pass
    return ""


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
def test_hq_closes_a_link_whose_office_storms_however_well_it_reads(storm: type[Iterator[bytes]]) -> None:
    both = Pair().shake()
    source, heard = storm(), 0
    for words in source:
        heard += 1
        if _say(both.acceptor, words, both.now):
            break
        assert heard < 20_000
    assert both.acceptor.closed
    assert heard > 500


@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
def test_what_comes_at_a_pace_that_somebody_may_need_is_heard_for_ever(storm: type[Iterator[bytes]]) -> None:
    both = Pair().shake()
    source = storm()
    for second in range(SECONDS):
        for _ in range(400):
            assert not _say(both.acceptor, next(source), both.now + second)


def test_an_office_hears_as_many_calls_as_hq_makes_and_not_as_many_that_it_gives_up() -> None:
    both = Pair().shake()
    for number in range(5000):
        assert not _say(both.dialler, pack(Kind.REQUEST, 2 * number + 2, request()), both.now)
    for number in range(5000, 10_000):
        stream = 2 * number + 2
        if _say(both.dialler, pack(Kind.REQUEST, stream, request()) + pack(Kind.CANCEL, stream), both.now):
            break
    assert both.dialler.closed


@pytest.mark.parametrize(("size", "closes"), [(1, True), (600, False)])
def test_a_file_in_crumbs_without_end_is_not_heard_for_ever(size: int, *, closes: bool) -> None:
    both = Pair().shake()
    both.acceptor.open(request(), both.now)
    both.pump()
    _say(both.acceptor, pack(Kind.RESPONSE, 2, b"\xc0", MORE), both.now)
    crumb = pack(Kind.DATA, 2, b"x" * size)
    for _ in range(300):
        both.acceptor.credit(2, 100 * size)
        if _say(both.acceptor, crumb * 100, both.now):
            break
    assert both.acceptor.closed is closes
