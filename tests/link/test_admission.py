"""What each office may take of a node, without a link: whoever answers here is told to."""

import asyncio
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econnector.base.errors import OfficeBusy, OfficeUnreachable
from econnector.link.admission import Bounds, Shares
from econnector.link.line import Handle, Sink
from econnector.wire.messages import Fault, Request
from tests.support.virtual import VirtualClock, _Loop, virtual_time

__all__ = ["virtual_time"]

MIB = 1024 * 1024
WINDOW = 256 * 1024
FREE = Bounds(rate=0)


def request(remaining: float = 30.0) -> bytes:
    return msgspec.msgpack.encode(Request("test.call", remaining, "AAAA-BBBB", msgspec.Raw(b"\x90")))


class Caller:
    """Whoever asks."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fault: Fault | None = None
        self.bytes = 0

    def answered(self, body: bytes, more: bool) -> None:
        self.said.append("more" if more else body.decode())

    def chunk(self, data: bytes) -> None:
        self.bytes += len(data)

    def ended(self) -> None:
        self.said.append("ended")

    def failed(self, fault: Fault) -> None:
        self.fault = fault
        self.said.append(fault.code)


class Running:
    """One call at an office."""

    def __init__(self, office: "Office", asked: Request, sink: Sink) -> None:
        self.office, self.asked, self.sink = office, asked, sink
        self.credited = 0

    def credit(self, size: int) -> None:
        self.credited += size

    def cancel(self) -> None:
        self.office.running.remove(self)

    def answer(self) -> None:
        self.office.running.remove(self)
        self.sink.answered(b"done", False)

    def end(self) -> None:
        self.office.running.remove(self)
        self.sink.ended()


class Office:
    """A line that keeps what it is asked until told to answer."""

    def __init__(self, *, most: int = 1000) -> None:
        self.running: list[Running] = []
        self.most, self.asked, self.away = most, 0, False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def start(self, request: bytes, sink: Sink) -> Handle:
        if self.away:
            raise OfficeUnreachable(office="smile")
        if len(self.running) >= self.most:
            raise OfficeBusy(limit=self.most, seconds=2)
        self.asked += 1
        self.running.append(Running(self, msgspec.msgpack.decode(request, type=Request), sink))
        return self.running[-1]


class Node:
    """The shares, and the offices behind them."""

    def __init__(self, bounds: Bounds, *names: str) -> None:
        self.offices = {name: Office() for name in names or ("smile",)}
        self.refused: list[str] = []
        self.shares = Shares(lambda name: self.offices[name], bounds, clock=VirtualClock())
        self.shares.on_refused = self.refused.append

    @property
    def smile(self) -> Office:
        return self.offices["smile"]

    def ask(self, office: str = "smile", remaining: float = 30.0) -> tuple[Caller, Handle]:
        caller = Caller()
        return caller, self.shares.line(office).start(request(remaining), caller)

    def crowd(self, many: int, office: str = "smile", remaining: float = 30.0) -> list[Caller]:
        """Ask so often, and forget those who are refused at once."""
        callers = []
        for _ in range(many):
            try:
                callers.append(self.ask(office, remaining)[0])
            except OfficeBusy:
                continue
        return callers

    def file(self, office: str = "smile") -> tuple[Caller, Handle, Running]:
        caller, handle = self.ask(office)
        running = self.offices[office].running[-1]
        running.sink.answered(b"", True)
        return caller, handle, running

    def is_empty(self) -> bool:
        shares = self.shares
        return (shares.running, shares.waiting, shares.bytes) == (0, 0, 0)


async def test_what_comes_beyond_the_calls_of_an_office_waits_and_goes_in_order() -> None:
    node = Node(Bounds(calls=3, rate=0))
    callers = node.crowd(5)
    assert (len(node.smile.running), node.shares.waiting) == (3, 2)
    for done in (1, 2, 3, 4, 5):
        node.smile.running[0].answer()
        await asyncio.sleep(0)
        assert [bool(caller.said) for caller in callers] == [True] * done + [False] * (5 - done)
    assert node.is_empty()


async def test_a_call_that_cannot_be_sent_after_its_wait_keeps_no_other_waiting() -> None:
    node = Node(Bounds(calls=1, rate=0))
    callers = node.crowd(3)
    start, broken = node.smile.start, iter([True])

    def breaks(request: bytes, sink: Sink) -> Handle:
        if next(broken, False):
            raise ValueError
        return start(request, sink)

    node.smile.start = breaks  # type: ignore[method-assign]
    node.smile.running[0].answer()
    await asyncio.sleep(0)
    node.smile.running[0].answer()
    assert [caller.said for caller in callers] == [["done"], ["unexpected"], ["done"]]
    assert node.is_empty()


async def test_a_call_that_waited_has_less_time_left() -> None:
    node = Node(Bounds(calls=1, rate=0))
    node.ask()
    node.ask(remaining=10.0)
    await asyncio.sleep(1.5)
    node.smile.running[0].answer()
    await asyncio.sleep(0.001)
    (second,) = node.smile.running
    assert second.asked.remaining == pytest.approx(8.5, abs=0.01)


@pytest.mark.parametrize(("remaining", "seconds"), [(30.0, 2.0), (1.0, 0.5)])
async def test_nobody_waits_longer_than_their_time_in_the_queue_and_is_busy_then(
    remaining: float, seconds: float
) -> None:
    node = Node(Bounds(calls=1, rate=0))
    node.ask()
    caller, _ = node.ask(remaining=remaining)
    await asyncio.sleep(seconds - 0.01)
    assert not caller.said
    await asyncio.sleep(0.02)
    assert caller.said == ["office-busy"]
    assert caller.fault
    assert int(caller.fault.facts["seconds"]) >= 1
    assert (node.refused, node.shares.waiting) == (["late"], 0)


async def test_a_crowd_that_waited_in_vain_is_told_a_few_at_a_time() -> None:
    node = Node(Bounds(calls=1, rate=0))
    crowd = node.crowd(51)[1:]
    told: list[int] = []

    def look() -> None:
        told.append(sum(bool(caller.said) for caller in crowd))
        if told[-1] < len(crowd):
            asyncio.get_running_loop().call_soon(look)

    asyncio.get_running_loop().call_later(2.0, look)
    await asyncio.sleep(2.1)
    assert told[-1] == len(crowd)
    assert max(after - before for before, after in pairwise([0, *told])) <= 4


async def test_whoever_comes_to_a_full_queue_is_refused_at_once() -> None:
    node = Node(Bounds(calls=1, queue=2, rate=0))
    node.crowd(3)
    with pytest.raises(OfficeBusy) as met:
        node.ask()
    assert int(met.value.facts["seconds"]) >= 1
    assert node.refused == ["full"]


async def test_whoever_would_wait_too_long_is_refused_at_once() -> None:
    node = Node(Bounds(calls=1, rate=0))
    node.crowd(5)
    for _ in range(2):
        await asyncio.sleep(0.9)
        node.smile.running[0].answer()
    await asyncio.sleep(0.001)
    with pytest.raises(OfficeBusy) as met:  # it went at one call in 0.9 seconds, and two are before
        node.ask()
    assert met.value.facts["seconds"] in {"2", "3"}
    assert node.refused[-1] == "slow"


async def test_before_an_office_that_answers_nobody_nobody_queues_for_ever() -> None:
    node = Node(Bounds(calls=1, rate=0))
    node.crowd(2)
    await asyncio.sleep(1.99)
    node.ask()
    await asyncio.sleep(0.015)
    with pytest.raises(OfficeBusy):
        node.ask()
    assert node.refused == ["late", "slow"]


async def test_the_rate_lets_a_burst_through_and_then_one_after_the_other() -> None:
    node = Node(Bounds(calls=10_000, queue=1000, rate=10, all_calls=100_000))
    callers = node.crowd(100)
    burst = len(node.smile.running)
    assert burst in {20, 21}
    assert len(callers) == burst + 20  # what two seconds bring
    assert set(node.refused) == {"slow"}
    await asyncio.sleep(1.0)
    assert len(node.smile.running) == pytest.approx(burst + 10, abs=1)
    await asyncio.sleep(1.1)
    assert len(node.smile.running) + sum(caller.said == ["office-busy"] for caller in callers) == len(callers)
    assert len(node.smile.running) >= burst + 18


async def test_one_that_gives_up_in_the_queue_makes_room_and_never_starts() -> None:
    node = Node(Bounds(calls=1, queue=1, rate=0))
    node.ask()
    caller, handle = node.ask()
    handle.cancel()
    handle.cancel()
    handle.credit(100)
    last, _ = node.ask()
    node.smile.running[0].answer()
    await asyncio.sleep(0.001)
    assert node.smile.asked == 2
    node.smile.running[0].answer()
    assert (caller.said, last.said) == ([], ["done"])
    assert node.is_empty()


async def test_what_waits_goes_the_way_there_is_when_it_goes() -> None:
    node = Node(Bounds(calls=1, rate=0))
    node.ask()
    callers = node.crowd(2)
    old, node.offices["smile"] = node.smile, Office()
    old.running[0].sink.failed(Fault("answer-lost"))
    await asyncio.sleep(0.001)
    assert node.smile.asked == 1
    node.smile.away = True
    node.smile.running[0].sink.failed(Fault("answer-lost"))
    await asyncio.sleep(0.001)
    assert [caller.said for caller in callers] == [["answer-lost"], ["office-unreachable"]]
    assert callers[1].fault
    assert callers[1].fault.reference == ""
    assert node.is_empty()


async def test_an_office_that_takes_fewer_is_waited_for_as_well() -> None:
    node = Node(FREE)
    node.smile.most = 2
    callers = node.crowd(3)
    node.smile.running[0].answer()
    await asyncio.sleep(0.001)
    assert (len(node.smile.running), len(callers)) == (2, 3)
    node.smile.most = 0
    for running in list(node.smile.running):
        running.answer()
    with pytest.raises(OfficeBusy):  # with nothing of ours there, nothing would wake us
        node.ask()
    assert node.is_empty()


async def test_greedy_offices_leave_something_for_the_next() -> None:
    names = [f"office-{number}" for number in range(60)]
    node = Node(Bounds(calls=64, rate=0, all_calls=400), *names)
    for name in names[:30]:
        node.crowd(64, name)
    last = node.crowd(1, "office-59")
    assert len(last) == 1
    assert len(node.offices["office-59"].running) == 1
    assert node.shares.running <= 400
    held = [len(node.offices[name].running) for name in names[:30]]
    assert min(held) >= 1
    assert node.shares.waiting <= 400


async def test_offices_that_wait_for_the_node_take_turns() -> None:
    bounds = Bounds(calls=64, rate=0, all_calls=24)
    node = Node(bounds, "full", "crowd", "few")
    node.crowd(1, "full")
    node.shares.running += 22  # as many offices with one call each
    node.crowd(1, "crowd")
    assert node.shares.running == 24
    crowd, few = node.crowd(2, "crowd"), node.crowd(2, "few")
    assert node.shares.waiting == 4
    node.shares.running -= 22
    node.offices["full"].running[0].answer()
    await asyncio.sleep(0.001)
    # Both go on, up to their part of what is free; the one with the crowd had one already.
    assert len(node.offices["few"].running) >= len(node.offices["crowd"].running) - 1
    assert len(node.offices["few"].running) >= 1
    assert len(crowd) == len(few) == 2


async def test_files_are_counted_by_their_bytes_and_not_as_calls() -> None:
    node = Node(Bounds(calls=2, rate=0, bytes=4 * WINDOW))
    files = [node.file() for _ in range(4)]
    assert (node.shares.running, node.shares.bytes) == (0, 4 * WINDOW)
    node.crowd(2)
    assert node.shares.running == 2  # small calls go on
    for running in node.smile.running[-2:]:
        running.answer()
    caller, _, _ = node.file()
    assert caller.said == ["office-busy"]
    assert caller.fault
    assert caller.fault.facts["seconds"] == "5"
    assert (node.refused, node.shares.running, len(node.smile.running)) == (["bytes"], 0, 4)
    files[0][2].end()
    files[1][1].cancel()
    assert node.shares.bytes == 2 * WINDOW
    assert node.file()[0].said == ["more"]


async def test_a_window_grows_only_while_there_is_room_and_what_was_read_always_comes_back() -> None:
    node = Node(Bounds(rate=0, bytes=4 * WINDOW))
    caller, handle, running = node.file()
    for grown in (1, 2, 3):
        running.sink.chunk(bytes(WINDOW))
        handle.credit(2 * WINDOW)  # what was read, and as much more
        assert node.shares.bytes == min(2, 1 + grown) * WINDOW
    assert running.credited == 4 * WINDOW
    assert caller.bytes == 3 * WINDOW
    handle.credit(WINDOW)  # nothing was read
    assert running.credited == 4 * WINDOW
    running.end()
    assert node.is_empty()


async def test_the_node_has_room_for_a_file_of_a_further_office() -> None:
    names = [f"office-{number}" for number in range(20)]
    node = Node(Bounds(rate=0), *names)
    for name in names[:19]:
        while node.file(name)[0].said == ["more"]:
            pass
    assert node.shares.bytes <= 256 * MIB
    assert node.file(names[19])[0].said == ["more"]


async def test_idle_offices_have_no_account() -> None:
    names = [f"office-{number}" for number in range(1000)]
    node = Node(Bounds(), *names)
    for name in names:
        node.ask(name)
    for name in names[1:]:
        node.offices[name].running[0].answer()
    await asyncio.sleep(6)
    assert len(node.shares) == 1
    node.offices[names[0]].running[0].answer()
    await asyncio.sleep(6)
    assert len(node.shares) == 0


async def test_an_account_is_kept_as_long_as_its_rate_is_not_forgotten() -> None:
    node = Node(Bounds(rate=1, calls=10))
    for _ in range(3):
        node.ask()
        node.smile.running[0].answer()
    node.ask()
    await asyncio.sleep(5.5)
    assert len(node.shares) == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "answer", "answer", "file", "end", "cancel", "fail", "wait"]),
        st.integers(0, 2),
        st.floats(0.001, 1.2),
    ),
    max_size=80,
)
BOUNDS = Bounds(calls=3, queue=4, rate=20, bytes=3 * WINDOW, all_calls=30, all_bytes=24 * WINDOW)


class Story:
    """Anything that callers and offices may do, one after the other."""

    def __init__(self) -> None:
        self.names = ["a", "b", "c"]
        self.node = Node(BOUNDS, *self.names)
        self.asked: list[tuple[Caller, Handle]] = []
        self.given_up: set[int] = set()

    async def play(self, steps: list[tuple[str, int, float]]) -> None:
        for what, number, seconds in steps:
            await self.step(what, number, seconds)
            self.check()
        await self.finish()

    async def step(self, what: str, number: int, seconds: float) -> None:
        name = self.names[number]
        office = self.node.offices[name]
        calls = [one for one in office.running if one.sink._window == 0]  # type: ignore[attr-defined]
        files = [one for one in office.running if one not in calls]
        if what == "ask":
            try:
                self.asked.append(self.node.ask(name, seconds * 10))
            except OfficeBusy:
                assert self.node.refused
        elif what == "wait":
            await asyncio.sleep(seconds)
        elif what == "cancel" and self.asked:
            at = int(seconds * 1000) % len(self.asked)
            self.given_up.add(at)
            self.asked[at][1].cancel()
        elif what == "end" and files:
            files[0].end()
        elif calls:
            self.go_on(what, calls[0])
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def go_on(self, what: str, call: Running) -> None:
        if what == "answer":
            call.answer()
        elif what == "file":
            call.sink.answered(b"", True)
        elif what == "fail":
            call.office.running.remove(call)
            call.sink.failed(Fault("answer-lost"))

    def check(self) -> None:
        node = self.node
        for name in self.names:
            share = node.shares.line(name)
            assert share.running <= BOUNDS.calls
            assert len(share.queue) <= BOUNDS.queue
            assert share.bytes <= BOUNDS.bytes
            files = share.bytes // WINDOW
            assert len(node.offices[name].running) == share.running + files
        assert node.shares.running <= BOUNDS.all_calls
        assert node.shares.waiting <= BOUNDS.all_calls

    async def finish(self) -> None:
        """Whoever still waits gets a last word, and nothing stays behind."""
        for _ in range(60):
            for office in self.node.offices.values():
                for one in list(office.running):
                    office.running.remove(one)
                    one.sink.failed(Fault("answer-lost"))
            await asyncio.sleep(0.1)
        assert self.node.is_empty()
        for at, (caller, _) in enumerate(self.asked):
            last_words = [word for word in caller.said if word != "more"]
            assert len(last_words) == 1 or (at in self.given_up and not last_words)
        await asyncio.sleep(12)
        assert len(self.node.shares) == 0


def _in_virtual_time(work: Callable[[], Any]) -> None:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(work())


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_happens_no_bound_is_passed_and_nobody_is_forgotten(steps: list[tuple[str, int, float]]) -> None:
    _in_virtual_time(lambda: Story().play(steps))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_a_crowd_before_slow_offices_does_not_keep_others_waiting(seed: int) -> None:
    """Slow offices answer after ten seconds; the others at once, and are never refused nor kept."""
    dice = random.Random(seed)

    async def play() -> None:
        slow, quick = [f"slow-{n}" for n in range(12)], [f"quick-{n}" for n in range(5)]
        node = Node(Bounds(calls=64, rate=0, all_calls=512), *slow, *quick)
        for _ in range(200):
            for _ in range(20):
                node.crowd(1, dice.choice(slow))
            name = dice.choice(quick)
            caller, _ = node.ask(name)
            assert len(node.offices[name].running) == 1
            await asyncio.sleep(0.02)
            node.offices[name].running[0].answer()
            assert caller.said == ["done"]

    _in_virtual_time(play)
