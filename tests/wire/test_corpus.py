"""What was said on real links: understood for ever, and bent in every way to see what the other end makes of it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econnector.wire.codec import HEADER_SIZE
from econnector.wire.events import Closed, Ended, Event
from econnector.wire.messages import CEILING, Kind
from econnector.wire.rules import State
from econnector.wire.session import CHUNK, Session, WrongStateError
from tests.support.wire import Pair
from tests.wire.account import held
from tests.wire.capture import CORPUS, Line, both_ends, read, say
from tests.wire.way import packets

CAPTURES = {file.stem: read(file) for file in sorted(CORPUS.glob("*.link"))}


@pytest.mark.parametrize("name", CAPTURES)
def test_what_was_said_once_is_said_and_understood_for_ever(name: str) -> None:
    """Both ends make the same words again, to the byte, and neither finds a rule broken."""
    lines = CAPTURES[name]
    dialler, acceptor = both_ends(lines)
    waiting: dict[bool, list[bytes]] = {True: [], False: []}
    for line in lines:
        speaker, listener = (dialler, acceptor) if line.dialler else (acceptor, dialler)
        ready = waiting[line.dialler]
        ready += packets(speaker.outgoing())
        if line.raw not in ready:
            say(speaker, line.packet)
            ready += packets(speaker.outgoing())
        ready.remove(line.raw)
        heard = listener.receive(line.raw, 0.0)
        assert not any(isinstance(event, Closed) and event.ours for event in heard)
        if line.packet.kind == Kind.CLOSE:
            assert isinstance(heard[-1], Closed)
            break
    assert not any(waiting.values())
    assert dialler.closed
    assert acceptor.closed


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("dialler", [True, False])
def test_nothing_is_heard_after_the_last_word(name: str, dialler: bool) -> None:
    theirs = [line.raw for line in CAPTURES[name] if line.dialler is not dialler]
    session = both_ends(CAPTURES[name])[0 if dialler else 1]
    events = session.receive(theirs[-1] + b"".join(theirs), 0.0)
    assert [type(event) for event in events] == [Closed]
    assert session.receive(b"".join(theirs), 0.0) == []


# -- mutants -------------------------------------------------------------------------------------------------------

Bend = Callable[[list[bytes]], None]
NUMBERS = st.sampled_from(
    [0, 1, 2, 3, 4, 5, 12, 16, 22, 34, 35, 36, 64, 127, 128, 255, 2**16, 2**31, 2**32 - 2, 2**32 - 1]
)
AT = st.integers(0, 1 << 16)


FIELDS = {"length": (0, 4), "kind": (4, 5), "flags": (5, 6), "reserved": (6, 8), "stream": (8, 12)}


def bend(how: str, at: int, number: int, what: bytes) -> Bend:
    """One change to what one end says: to a header's field, to some bytes, or to which packets come."""

    def change(said: list[bytes]) -> None:
        if not said:
            return
        place = at % len(said)
        packet = said[place]
        within = number % (len(packet) + 1)
        if how == "lose":
            del said[place]
        elif how == "double":
            said.insert(number % len(said), packet)
        elif how in FIELDS:
            start, end = FIELDS[how]
            value = (number % (1 << 8 * (end - start))).to_bytes(end - start, "big")
            said[place] = packet[:start] + value + packet[end:]
        else:
            bent = {"over": what + packet[within + len(what) :], "in": what + packet[within:], "short": b""}
            said[place] = packet[:within] + bent[how]

    return change


HOW = (*FIELDS, "lose", "double", "over", "in", "short")
NASTY = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"\x91" * 250, b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91\xcf" + b"\xff" * 8, b"\x91\xff"]
    ),
)
BENDS = st.lists(st.builds(bend, st.sampled_from(HOW), AT, NUMBERS, NASTY), min_size=1, max_size=4)


def against(session: Session, lines: list[Line], dialler: bool, bends: list[Bend], step: int) -> Iterator[Event]:
    """Say the bent words of the other end to `session`, whose owner says his own in between; yield what it is told."""
    theirs = [line.raw for line in lines if line.dialler is not dialler]
    for change in bends:
        change(theirs)
    coming = iter(theirs)
    for line in lines:
        if session.closed:
            return
        if line.dialler is dialler:
            with suppress(WrongStateError, KeyError):  # its owner would not say that, after what it heard
                say(session, line.packet)
            session.outgoing()
        else:
            yield from told(session, next(coming, b""), step)
    yield from told(session, b"".join(coming), step)


def told(session: Session, data: bytes, step: int) -> Iterator[Event]:
    for at in range(0, len(data), step):
        was_open = session.state is State.OPEN
        events = session.receive(data[at : at + step], 0.0)
        longest = max(CEILING.values()) if was_open or events else CEILING[Kind.WELCOME]
        assert held(session) <= HEADER_SIZE + longest + step + CHUNK
        yield from events


@settings(max_examples=max(250, settings().max_examples))
@given(st.sampled_from(sorted(CAPTURES)), st.booleans(), BENDS, st.sampled_from([1 << 20, 5000, 700]))
def test_a_bent_capture_ends_the_link_with_a_reason_or_goes_on(
    name: str, dialler: bool, bends: list[Bend], step: int
) -> None:
    lines = CAPTURES[name]
    session = both_ends(lines)[0 if dialler else 1]
    session.outgoing()
    events = list(against(session, lines, dialler, bends, step))
    assert not any(isinstance(event, Closed) for event in events[:-1]), "something was told after the end"
    if events and isinstance(events[-1], Closed) and events[-1].ours:
        assert events[-1].code in {"protocol-broken", "protocol-versions"}
        last = list(packets(session.outgoing()))[-1]
        assert last[4] in {Kind.CLOSE, Kind.REFUSE}, "its last word says why"


@pytest.mark.parametrize("how", ["lose", "double"])
def test_a_file_of_which_a_packet_is_lost_or_comes_twice_is_never_whole(how: str) -> None:
    lines = CAPTURES["a-file"]
    theirs = [line.packet for line in lines if line.dialler]
    assert any(packet.kind == Kind.END for packet in theirs)
    for at, packet in enumerate(theirs):
        if packet.stream != 2:
            continue
        session = both_ends(lines)[1]
        events = list(against(session, lines, False, [bend(how, at, at, b"")], 1 << 20))
        assert not any(isinstance(event, Ended) for event in events) or (how, packet.kind) == ("double", Kind.END)
        assert any(isinstance(event, Closed) for event in events)


# -- single words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted((CORPUS / "hostile").glob("*.link")), ids=lambda file: file.stem)
def test_a_hostile_word_ends_the_link_for_the_reason_that_stands_in_its_file(file: Path) -> None:
    reason = file.read_text().splitlines()[0].removeprefix("# ends with: ")
    pair = Pair().shake()
    events: list[Event] = []
    for line in read(file):
        if line.dialler:
            say(pair.dialler, line.packet)
            pair.dialler.outgoing()
        else:
            assert not pair.dialler.closed, "it is over before the last word"
            events = pair.dialler.receive(line.raw, pair.now)
    assert events[-1:] == [Closed("protocol-broken", reason, ours=True)]
