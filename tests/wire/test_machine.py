"""Both ends of a link do whatever they may, in any order, over a line that is slow, stalls, breaks and lies.

Promises: an answer belongs to its question; bytes come in order, once, and add up; nobody sends beyond the credit or
holds more than the bounds; a call that was given up hears nothing; a dead line is known in time; and nothing that the
other side says raises. How to run it for longer, and where what it found is kept: corpus/README.md.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from econnector.wire.messages import Fault
from econnector.wire.rules import State
from econnector.wire.session import CHUNK, Session, WrongStateError
from tests.support.wire import CHALLENGE, HELLO
from tests.wire.account import LARGEST_ANSWER, Asked, End, Taken, Trust, piece, question
from tests.wire.way import Way

WINDOWS = st.sampled_from([CHUNK, 100_000, 1 << 20])
LIMITS = st.sampled_from([4, 3, 2, 1])
ANY = st.integers(0, 1 << 16)
SIZES = st.sampled_from([1000, 30, CHUNK, CHUNK + 1, LARGEST_ANSWER])
BYTES = st.sampled_from([CHUNK, 1 << 30, 300_000, 1000, 37, 12, 5, 1])
END = st.integers(0, 1)
SECONDS = st.sampled_from([0.1, 1, 2, 2, 3, 3, 5, 14, 30])
_LIVE = precondition(lambda self: not all(end.over for end in self.ends))


def has(*states: str) -> Callable[[Any], Any]:
    """This rule needs a call of theirs, at either end, in one of these states."""
    return precondition(lambda self: self.find_taken(0, *states))


def has_asked(*states: str) -> Callable[[Any], Any]:
    """This rule needs a call of ours, at either end, in one of these states."""
    return precondition(lambda self: self.find_asked(0, *states))


class TwoEnds(RuleBasedStateMachine):
    """A dialler (0) and an acceptor (1)."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.asks = 0

    @initialize(
        windows=st.tuples(WINDOWS, WINDOWS),
        limits=st.tuples(LIMITS, LIMITS),
        lets_in=st.sampled_from(["yes"] * 8 + ["no", "versions"]),
        shaken=st.sampled_from([True, True, True, True, False]),
        prompt=st.booleans(),
        worst=st.sampled_from([Trust.EXACT, Trust.EXACT, Trust.PACKETS, Trust.BYTES]),
    )
    def dial(  # noqa: PLR0917 - what a link is made of
        self,
        windows: tuple[int, int],
        limits: tuple[int, int],
        lets_in: str,
        shaken: bool,
        prompt: bool,
        worst: Trust,
    ) -> None:
        """`shaken` passes over the handshake; a `prompt` line delivers at once; `worst` is what may happen on it."""
        hello = msgspec.structs.replace(HELLO, streams=limits[0], window=windows[0])
        challenge = msgspec.structs.replace(CHALLENGE, low=1 + (lets_in == "versions"), high=2)
        sessions = (Session(hello, self.now), Session(challenge, self.now, streams=limits[1], window=windows[1]))
        self.ends = tuple(
            End(name, session, window, limit, self.now, refuses=lets_in == "no")
            for name, session, window, limit in zip(("dialler", "acceptor"), sessions, windows, limits, strict=True)
        )
        self.ends[0].other, self.ends[1].other = self.ends[1], self.ends[0]
        self.ways = (Way(), Way())
        # Accidents meet what is under way: a line that delivers at once has nothing of it.
        self.prompt, self.worst = prompt and not worst, worst
        if shaken:
            self.pump()

    @precondition(lambda self: all(end.over for end in self.ends))
    @rule(
        windows=st.tuples(WINDOWS, WINDOWS),
        limits=st.tuples(LIMITS, LIMITS),
        prompt=st.booleans(),
        worst=st.sampled_from(list(Trust)),
    )
    def dial_again(self, windows: tuple[int, int], limits: tuple[int, int], prompt: bool, worst: Trust) -> None:
        self.dial(windows, limits, "yes", True, prompt, worst)

    # -- the line ------------------------------------------------------------------------------------------------

    def move(self, end: int, size: int) -> bool:
        """Take what `end` has to say, and deliver at most `size` bytes; whether anything was delivered."""
        sender, way = self.ends[end], self.ways[end]
        if message := sender.session.outgoing():
            sender.note_left(way.put(message))
        if way.stalled:
            return False
        data, whole = way.take(size)
        self.ends[1 - end].receive(data, whole, self.now)
        return bool(data)

    def pump(self) -> None:
        for _ in range(10_000):
            if not any([self.move(0, 1 << 30), self.move(1, 1 << 30)]):
                return
        raise AssertionError("they never stop talking")

    def said(self) -> None:
        """Somebody said something."""
        if self.prompt:
            self.pump()

    def something_said(self) -> bool:
        return any(self.ways) or any(end.session.has_outgoing for end in self.ends)

    @precondition(lambda self: self.something_said())
    @rule(end=END, size=BYTES)
    def deliver(self, end: int, size: int) -> None:
        self.move(end, size)

    @precondition(lambda self: self.something_said())
    @rule()
    def deliver_everything(self) -> None:
        self.pump()

    # -- time ----------------------------------------------------------------------------------------------------

    @_LIVE
    @rule(end=END, seconds=SECONDS, how=st.sampled_from(["carrying", "carrying", "carrying", "silent", "stall"]))
    def time_passes(self, end: int, seconds: float, how: str) -> None:
        """`stall`: from now on, or no more, nothing comes through from one end."""
        if how == "stall":
            self.ways[end].stalled = not self.ways[end].stalled
        self.wait(seconds, carrying=how != "silent")

    def wait(self, seconds: float, carrying: bool) -> None:
        until = self.now + seconds
        for _ in range(1000):
            due = min((one for end in self.ends if (one := end.session.next_deadline()) is not None), default=until)
            if due >= until:
                break
            self._pass_to(max(self.now, due), carrying)
        else:
            raise AssertionError("a deadline that does not pass")
        self._pass_to(until, carrying)

    def _pass_to(self, now: float, carrying: bool) -> None:
        self.now = now
        for end in self.ends:
            end.tick(now)
        if carrying:
            self.pump()

    # -- the owners ----------------------------------------------------------------------------------------------

    def find_taken(self, which: int, *states: str) -> tuple[End, int, Taken] | None:
        found = [(end, *one) for end in self.ends for one in end.taken.items() if one[1].state in states]
        return found[which % len(found)] if found else None

    def find_asked(self, which: int, *states: str) -> tuple[End, int, Asked] | None:
        found = [(end, *one) for end in self.ends for one in end.asked.items() if one[1].state in states]
        return found[which % len(found)] if found else None

    def taken(self, which: int, *states: str) -> tuple[End, int, Taken]:
        found = self.find_taken(which, *states)
        assert found
        return found

    def asked(self, which: int, *states: str) -> tuple[End, int, Asked]:
        found = self.find_asked(which, *states)
        assert found
        return found

    @_LIVE
    @rule(end=END, size=st.integers(0, 2000), many=st.integers(1, 3))
    def ask(self, end: int, size: int, many: int) -> None:
        asker = self.ends[end]
        for _ in range(many):
            if not asker.session.may_open:
                with pytest.raises(WrongStateError):
                    asker.session.open(question("none", size), self.now)
                return
            self.asks += 1
            tag = f"question {self.asks}"
            stream = asker.session.open(question(tag, size), self.now)
            assert stream not in asker.asked
            assert stream % 2 == 1 - end
            asker.asked[stream] = Asked(tag, self.now, asker.window)
        self.said()

    @has("answering")
    @rule(which=ANY, size=SIZES, how=st.sampled_from(["stream", "stream", "stream", "whole", "fail"]))
    def answer(self, which: int, size: int, how: str) -> None:
        end, stream, call = self.taken(which, "answering")
        if how == "fail":
            self.fail(end, stream, call)
            return
        call.said = f"answer to {call.tag}".encode().ljust(size, b".")
        assert end.session.respond(stream, call.said, more=how == "stream") == (not end.over)
        call.state = "sending" if how == "stream" else "over"
        self.said()

    @has("sending")
    @rule(which=ANY, size=BYTES, how=st.sampled_from(["bytes", "bytes", "bytes", "bytes", "end", "fail"]))
    def go_on(self, which: int, size: int, how: str) -> None:
        """Send as much of an answer as there is room for now, or its last word."""
        end, stream, call = self.taken(which, "sending")
        if how == "fail":
            self.fail(end, stream, call)
            return
        while size > 0 and call.sent < 1 << 21 and (room := end.session.room(stream)) > 0:
            chunk = piece(stream, call.sent, min(room, size))
            assert end.session.data(stream, chunk)
            call.sent += len(chunk)
            size -= len(chunk)
            end.check()
        if how == "end":
            call.ended = end.session.end(stream)
            assert call.ended == (not end.over)
            call.state = "over"
        self.said()

    def fail(self, end: End, stream: int, call: Taken) -> None:
        assert end.session.fail(stream, Fault("database-away", call.tag)) == (not end.over)
        call.state, call.fault = "over", "database-away"
        self.said()

    @has_asked("receiving")
    @rule(which=ANY, size=BYTES, stops=st.sampled_from([False, False, False, True]))
    def read_on(self, which: int, size: int, stops: bool) -> None:
        """Give credit for what was read, and up to 4 MiB beyond, as a reader on a long line does; or stop reading."""
        end, stream, call = self.asked(which, "receiving")
        size = min(size, call.got + (4 << 20) + end.window - call.given)
        if stops:
            self.cancel(end, stream, call)
        elif size > 0 and end.session.credit(stream, size):
            call.given += size
            self.said()

    @has_asked("waiting")
    @rule(which=ANY, late=ANY)
    def give_up(self, which: int, late: int) -> None:
        """A call that waits; one that is over cannot be given up any more."""
        if found := self.find_asked(late, "given up", "over"):
            assert not found[0].session.cancel(found[1])
        self.cancel(*self.asked(which, "waiting"))

    def cancel(self, end: End, stream: int, call: Asked) -> None:
        assert end.session.cancel(stream) == (not end.over)
        call.state = "given up"
        self.said()

    @precondition(lambda self: self.asks > 8)
    @_LIVE
    @rule(
        end=END,
        how=st.sampled_from(["drain", "drain, asking", "close", "cut", "sleep"]),
        seconds=st.sampled_from([1, 4, 3600]),
    )
    def leave(self, end: int, how: str, seconds: float) -> None:
        """What ends links: an owner says so, the line breaks, a machine sleeps and was asked nothing meanwhile."""
        one = self.ends[end]
        if how.startswith("drain") and one.session.state is State.OPEN:
            one.session.goaway("drain", 2000, asking=how != "drain")
            one.draining = one.draining or how == "drain"
        elif how == "close":
            one.session.close("moved", "elsewhere")
            one.left_by_us = "moved"
        elif how == "cut":
            for way in self.ways:
                way.break_off()
        elif how == "sleep":
            self.now += seconds
            for each in self.ends:
                each.jumped = self.now
                each.tick(self.now)
        self.said()

    @has("answering", "sending")
    @precondition(lambda self: self.asks % 6 == 5)
    @rule(which=ANY)
    def misuse(self, which: int) -> None:
        """What the owner may not ask raises, and changes nothing."""
        end, stream, call = self.taken(which, "answering", "sending")
        session = end.session
        if end.over:
            return
        wrong: list[Callable[[], object]] = [lambda: session.data(stream, b""), lambda: session.prove(b"again")]
        if call.state == "answering":
            wrong.append(lambda: session.end(stream))
            wrong.append(lambda: session.respond(stream, bytes((1 << 20) + 1)))
        else:
            wrong.append(lambda: session.respond(stream, b"twice"))
            wrong.append(lambda: session.data(stream, bytes(CHUNK + 1)))
        with pytest.raises(WrongStateError):
            wrong[which % len(wrong)]()

    # -- accidents -----------------------------------------------------------------------------------------------

    def happened(self, trust: Trust) -> None:
        for end in self.ends:
            end.trust = max(end.trust, trust)

    @precondition(lambda self: self.worst == Trust.PACKETS and self.something_said())
    @rule(end=END, which=ANY, how=st.sampled_from([Way.lose, Way.double, Way.swap]))
    def lie(self, end: int, which: int, how: object) -> None:
        assert callable(how)
        self.move(end, 0)
        if how(self.ways[end], which):
            self.happened(Trust.PACKETS)

    @precondition(lambda self: self.worst == Trust.BYTES and any(self.ways))
    @rule(end=END, which=ANY, how=st.sampled_from(["over", "in", "out"]), what=st.binary(min_size=1, max_size=20))
    def spoil(self, end: int, which: int, how: str, what: bytes) -> None:
        if self.ways[end].spoil(which, how, what):
            self.happened(Trust.BYTES)

    # -- always --------------------------------------------------------------------------------------------------

    @invariant()
    def the_account_is_right(self) -> None:
        for end in getattr(self, "ends", ()):
            end.check()

    def teardown(self) -> None:
        if not hasattr(self, "ends"):
            return
        for way in self.ways:
            way.stalled = False
        if self.ends[0].trust is Trust.EXACT:
            self.everything_ends()
        for way in self.ways:
            way.break_off()
        self.wait(31, carrying=False)
        assert all(end.over for end in self.ends)
        assert all(end.closed or end.left_by_us or end.refuses for end in self.ends)

    def everything_ends(self) -> None:
        """On an honest line that is still there, every call comes to its end and nothing is left behind."""
        self.prompt = True
        self.pump()
        while not self.broken() and self.find_taken(0, "sending"):
            self.go_on(0, 10, "end")
        while not self.broken() and self.find_taken(0, "answering"):
            self.answer(0, 10, "whole")
        if self.broken() or any(end.session.state is not State.OPEN for end in self.ends):
            return
        for end in self.ends:
            assert all(call.state in {"over", "given up"} for call in end.asked.values())
            assert end.session.in_flight == 0
            assert not end.session.has_outgoing
            end.check()

    def broken(self) -> bool:
        return any(end.over for end in self.ends) or any(way.cut for way in self.ways)


TestTwoEnds = TwoEnds.TestCase
TestTwoEnds.settings = settings(max_examples=max(200, settings().max_examples))


def quiet_link() -> TwoEnds:
    state = TwoEnds()
    state.dial((CHUNK, CHUNK), (4, 4), "yes", shaken=True, prompt=False, worst=Trust.EXACT)
    return state


def test_a_call_made_while_the_other_side_is_being_asked_whether_it_is_there_waits_no_longer_for_that() -> None:
    state = quiet_link()
    state.time_passes(0, 14, "silent")
    state.time_passes(0, 2, "silent")
    state.ask(0, 10, 1)
    state.time_passes(0, 5, "silent")
    state.time_passes(0, 1, "silent")
    state.the_account_is_right()
    assert all(end.over for end in state.ends[:1])
    state.teardown()


@pytest.mark.parametrize("how", ["fail", "give up"])
def test_bytes_that_have_not_left_do_not_follow_the_failure_or_the_last_word_of_their_call(how: str) -> None:
    state = quiet_link()
    state.ask(0, 10, 1)
    state.deliver_everything()
    state.answer(0, 10, "stream")
    state.deliver_everything()
    state.go_on(0, CHUNK, "bytes")
    if how == "fail":
        state.go_on(0, 1, "fail")
    else:
        state.read_on(0, 1, stops=True)
    state.move(0, 1 << 30)
    state.deliver_everything()
    state.the_account_is_right()
    state.teardown()
