"""A crowd before one office, or an office that storms: the others do not notice. With real links and a real NATS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count

import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import OfficeBusy, ReportsTooOften
from econnector.link import outcasts
from econnector.link.admission import Bounds
from econnector.link.calls import ECHO, Echo
from econnector.link.link import Link
from econnector.link.loopback import Pair, pair
from econnector.link.outcasts import Outcasts
from econnector.link.state import Status
from econnector.link.switchboard import LocalSwitchboard, Switchboard
from econnector.link.switchboard_nats import NatsSwitchboard
from econnector.wire.call import Asker
from econnector.wire.codec import pack
from econnector.wire.messages import Credit, Kind, Ping
from tests.link.practice import DOUBLE, FILE, SLEEP, Number, Practice, Size, until
from tests.link.test_flood import _request
from tests.link.vendor import Office, Registry, hq, office
from tests.support.nats import NatsServer, patient_bus

__all__ = ["patient_bus"]

WINDOW = 256 * 1024
BOUNDS = Bounds(calls=16, queue=32, rate=0, bytes=4 * WINDOW, all_calls=400)


class Board:
    """Nodes that ask, the node with the links, and the practices behind them."""

    def __init__(self, askers: list[Switchboard], holding: Switchboard, stack: AsyncExitStack) -> None:
        self.askers, self.holding, self._stack = askers, holding, stack
        self.practices: dict[str, Practice] = {}

    async def connect(self, name: str) -> Pair:
        practice = self.practices[name] = Practice()
        both = await self._stack.enter_async_context(pair(practice.answers))
        await self.holding.attach(name, 1, both.hq)
        return both

    def crowd(self, name: str, many: int, node: int = 0) -> list[asyncio.Task[Number]]:
        asker = self.askers[node].office(name)
        return [asyncio.create_task(asker.ask(SLEEP, Number(1))) for _ in range(many)]

    def is_empty(self) -> bool:
        nodes = [node.shares for node in (*self.askers, self.holding)]
        return all((node.running, node.waiting, node.bytes) == (0, 0, 0) for node in nodes)


@pytest.fixture(params=["one process", "NATS"])
async def board(request: pytest.FixtureRequest, patient_bus: None) -> AsyncIterator[Board]:
    del patient_bus
    async with AsyncExitStack() as stack:
        if request.param == "one process":
            local = LocalSwitchboard(BOUNDS)
            board = Board([local], local, stack)
        else:
            server = NatsServer()
            server.start()
            stack.callback(server.kill)
            nodes = [NatsSwitchboard(server.url, bounds=BOUNDS) for _ in range(3)]
            for node in nodes:
                await node.start()
                stack.push_async_callback(node.close)
            board = Board([nodes[0], nodes[1]], nodes[2], stack)
        await board.connect("slow")
        await board.connect("quick")
        yield board


async def refusals(tasks: list[asyncio.Task[Number]]) -> int:
    """Cancel what still runs; return how many were refused, as busy and not otherwise, and told when to come again."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [each for each in results if isinstance(each, Exception)]
    assert {type(each) for each in refused} <= {OfficeBusy}
    assert all(1 <= int(each.facts["seconds"]) <= 30 for each in refused if isinstance(each, OfficeBusy))
    return len(refused)


async def test_five_hundred_who_wait_for_one_office_do_not_keep_the_next_one(board: Board) -> None:
    crowd = board.crowd("slow", 500)
    await asyncio.sleep(0)
    quick = board.askers[0].office("quick")
    for number in range(30):
        assert await quick.ask(DOUBLE, Number(number)) == Number(2 * number)
    assert all(isinstance(task.exception(), OfficeBusy) for task in crowd if task.done())
    await until(lambda: sum(task.done() for task in crowd) == 500 - BOUNDS.calls)  # at once, or after two seconds
    assert len(board.practices["slow"].asked) == BOUNDS.calls
    assert await refusals(crowd) == 500 - BOUNDS.calls
    await until(board.is_empty)


async def test_whoever_waited_is_answered_when_there_is_room(board: Board) -> None:
    crowd = board.crowd("slow", 40)
    practice = board.practices["slow"]
    await until(lambda: len(practice.asked) == BOUNDS.calls)
    practice.wake.set()
    assert len(await asyncio.gather(*crowd)) == 40
    assert len(practice.asked) == 40
    await until(board.is_empty)


async def test_the_crowds_of_two_nodes_are_one_crowd_to_the_office(board: Board) -> None:
    crowd = [task for node in range(len(board.askers)) for task in board.crowd("slow", BOUNDS.calls, node)]
    practice = board.practices["slow"]
    await until(lambda: len(practice.asked) == BOUNDS.calls)
    await asyncio.sleep(0.05)
    assert len(practice.asked) == BOUNDS.calls
    practice.wake.set()
    assert len(await asyncio.gather(*crowd)) == BOUNDS.calls * len(board.askers)


async def test_whoever_gives_up_while_waiting_never_asks(board: Board) -> None:
    crowd = board.crowd("slow", BOUNDS.calls + 5)
    practice = board.practices["slow"]
    await until(lambda: board.askers[0].shares.waiting == 5 and len(practice.asked) == BOUNDS.calls)
    for task in crowd[-5:]:
        task.cancel()
    await until(lambda: not board.askers[0].shares.waiting)
    practice.wake.set()
    await asyncio.gather(*crowd[:-5])
    assert len(practice.asked) == BOUNDS.calls


async def test_files_hold_their_offices_bytes_and_no_more_and_small_calls_go_on(board: Board) -> None:
    slow = board.askers[0].office("slow")
    files = [await slow.download(FILE, Size(50_000_000)) for _ in range(4)]
    for _ in range(3):
        with pytest.raises(OfficeBusy) as met:
            await slow.download(FILE, Size(50_000_000))
        assert met.value.facts["seconds"] == "5"
    assert board.askers[0].shares.bytes == 4 * WINDOW
    assert await slow.ask(DOUBLE, Number(4)) == Number(8)
    assert await _begins(board.askers[0].office("quick"))
    for file in files:
        await file.aclose()
    await until(board.is_empty)
    assert await _begins(slow)


async def _begins(asker: Asker) -> bool:
    download = await asker.download(FILE, Size(1_000_000))
    total = sum([len(chunk) async for chunk in download])
    return total == download.result.size


def storms() -> dict[str, AsyncIterator[bytes]]:
    async def calls_given_up() -> AsyncIterator[bytes]:
        for stream in count(100_001, 2):
            yield pack(Kind.REQUEST, stream, _request(ECHO.name, Echo(b"x"))) + pack(Kind.CANCEL, stream)

    async def calls() -> AsyncIterator[bytes]:
        for stream in count(100_001, 2):
            yield pack(Kind.REQUEST, stream, _request(ECHO.name, Echo(b"x")))
            await asyncio.sleep(0)

    async def words() -> AsyncIterator[bytes]:
        while True:
            yield pack(Kind.PING, 0, Ping(1)) + pack(Kind.CREDIT, 1, Credit(1))

    return {"calls given up": calls_given_up(), "calls": calls(), "words": words()}


@pytest.mark.parametrize("name", ["calls given up", "calls", "words"])
async def test_an_office_that_storms_loses_its_link_and_the_next_one_is_answered(name: str) -> None:
    registry = Registry("storm", "quick")
    async with (
        hq(registry) as node,
        office(node.url, registry.offices["quick"].key) as quick,
        office(node.url, registry.offices["storm"].key) as hostile,
    ):
        await quick.reaches(Status.ONLINE)
        await hostile.reaches(Status.ONLINE)
        await hostile.dialler.hq.ask(ECHO, Echo(b"once"))
        storming = asyncio.create_task(_storm(hostile, storms()[name]))
        for number in range(30):
            assert await node.switchboard.office("quick").ask(DOUBLE, Number(number)) == Number(2 * number)
        await storming
        await until(lambda: ("storm", "protocol-broken") in registry.retired)
        assert ("quick", "protocol-broken") not in registry.retired


async def _storm(hostile: Office, words: AsyncIterator[bytes]) -> None:
    link = hostile.dialler._link
    assert link
    with contextlib.suppress(Exception):
        held = b""
        for _ in range(20_000):
            held += await anext(words)
            if len(held) > 4000:
                await link._carrier.send(held)
                held = b""
            if link.ended is not None:
                return
    await until(lambda: link.ended is not None)


async def test_who_breaks_the_rules_again_and_again_comes_back_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcasts, "_FORGIVEN", 3)
    registry = Registry("storm")
    async with hq(registry) as node, office(node.url, registry.offices["storm"].key) as hostile:
        broken: list[Link] = []
        while len(broken) < 4:
            link = await _new_link(hostile, broken)
            await link._carrier.send(b"\xff" * 64)
            broken.append(link)
            await until(lambda: registry.retired.count(("storm", "protocol-broken")) == len(broken))
        arrivals = len(registry.arrivals)
        await until(lambda: (why := hostile.dialler.state.failure) is not None and "again" in why.facts["reason"])
        assert len(registry.arrivals) == arrivals  # nobody asked the registry


async def _new_link(hostile: Office, known: list[Link]) -> Link:
    await until(lambda: hostile.dialler._link is not None and hostile.dialler._link not in known)
    assert hostile.dialler._link
    return hostile.dialler._link


def test_who_broke_the_rules_is_forgiven_after_a_while() -> None:
    known, clock = Outcasts(), ManualClock()
    for pause in (*[0] * 10, 5, 10, 20, 40, 60, 60):
        known.broke(b"k", clock.monotonic())
        assert known.pause(b"k", clock.monotonic()) == pause
        assert known.pause(b"other", clock.monotonic()) == 0
        clock.advance(pause)
        assert known.pause(b"k", clock.monotonic()) == 0
    clock.advance(61)
    known.broke(b"k", clock.monotonic())
    assert known.pause(b"k", clock.monotonic()) == 0


def test_many_who_break_the_rules_are_not_looked_through_at_every_one_and_forgotten_in_time() -> None:
    known, gone_through = Outcasts(), 0
    for number in range(20_000):
        before = known._known
        known.broke(b"%d" % number, 1.0)
        gone_through += len(before) if known._known is not before else 0
    assert gone_through < 2 * 20_000
    for number in range(20_000, 60_000):
        known.broke(b"%d" % number, 100.0 + number)
    assert len(known._known) < 2000


async def test_an_office_that_asks_hq_too_often_is_refused_and_goes_on() -> None:
    registry = Registry("smile")
    async with hq(registry) as node, office(node.url, registry.offices["smile"].key) as smile:
        await smile.reaches(Status.ONLINE)
        with pytest.raises(ReportsTooOften) as met:
            await _ask_on(smile)
        assert met.value.reference
        done = len(node.practice.asked)
        assert done >= 100
        with pytest.raises(ReportsTooOften):
            await smile.dialler.hq.ask(ECHO, Echo(b"x"))
        assert len(node.practice.asked) == done  # nothing is done for what is refused
        assert smile.status is Status.ONLINE


async def _ask_on(office: Office) -> None:
    while True:
        await office.dialler.hq.ask(ECHO, Echo(b"x"))
