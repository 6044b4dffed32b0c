"""What every switchboard promises, in one process and over NATS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from econnector.base.errors import (
    AnswerLost,
    DatabaseAway,
    OfficeBusy,
    OfficeTooSlow,
    OfficeUnreachable,
    OwnedElsewhere,
    UnknownCall,
)
from econnector.link.calls import ECHO, Echo
from econnector.link.handshake import Limits
from econnector.link.loopback import Pair, pair
from econnector.link.switchboard import LocalSwitchboard, Switchboard
from econnector.link.switchboard_nats import NatsSwitchboard
from tests.link.practice import (
    ADD,
    AWAY,
    DOUBLE,
    FILE,
    NEVER_ANSWERED,
    SLEEP,
    KeptAnswers,
    Number,
    Practice,
    Size,
    pattern,
    read_all,
    until,
)
from tests.support.nats import NatsServer, patient_bus

__all__ = ["patient_bus"]

MB = 1_000_000


@dataclass
class Board:
    """A switchboard seen from where pages ask, and from where links are."""

    asking: Switchboard
    holding: Switchboard
    other: Switchboard
    """Another one that may hold links; the same in one process."""
    stack: AsyncExitStack
    practices: list[Practice] = field(default_factory=list)

    async def connect(
        self, office: str = "smile", *, epoch: int = 1, at: Switchboard | None = None, limits: Limits | None = None
    ) -> Pair:
        practice = Practice()
        both = await self.stack.enter_async_context(pair(practice.answers, limits=limits, memory=KeptAnswers()))
        self.practices.append(practice)
        await (at or self.holding).attach(office, epoch, both.hq)
        return both


@pytest.fixture(params=["one process", "NATS"])
async def board(request: pytest.FixtureRequest, patient_bus: None) -> AsyncIterator[Board]:
    del patient_bus
    async with AsyncExitStack() as stack:
        if request.param == "one process":
            local = LocalSwitchboard()
            yield Board(local, local, local, stack)
            return
        server = NatsServer()
        server.start()
        stack.callback(server.kill)
        nodes = [NatsSwitchboard(server.url) for _ in range(3)]
        for node in nodes:
            await node.start()
            stack.push_async_callback(node.close)
        yield Board(nodes[0], nodes[1], nodes[2], stack)


async def test_an_office_is_asked_wherever_its_link_is(board: Board) -> None:
    await board.connect("smile")
    await board.connect("other")
    assert await board.asking.office("smile").ask(DOUBLE, Number(4)) == Number(8)
    assert await board.asking.office("other").ask(DOUBLE, Number(5)) == Number(10)
    assert [len(practice.asked) for practice in board.practices] == [1, 1]


async def test_a_name_with_any_sign_is_one_office(board: Board) -> None:
    for name in ("Smile Dental", "a.b", "a.*", ">", "Zahnärzte", "x" * 150):
        await board.connect(name)
        assert await board.asking.office(name).ask(DOUBLE, Number(4)) == Number(8)


async def test_an_office_without_a_link_is_unreachable_at_once(board: Board) -> None:
    with pytest.raises(OfficeUnreachable) as met:  # and not OfficeTooSlow after the call's own limit
        await board.asking.office("nobody").ask(DOUBLE, Number(4))
    assert met.value.facts["office"] == "nobody"


async def test_calls_in_one_turn_to_an_office_that_is_there_and_one_that_is_not(board: Board) -> None:
    await board.connect("smile")
    asks = [board.asking.office(name).ask(DOUBLE, Number(1)) for name in ("smile", "nobody", "smile", "nobody")]
    results = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(result) for result in results] == [Number, OfficeUnreachable, Number, OfficeUnreachable]


async def test_an_office_that_left_is_unreachable(board: Board) -> None:
    both = await board.connect()
    await board.asking.office("smile").ask(DOUBLE, Number(1))
    await board.holding.detach("smile", both.hq)
    with pytest.raises(OfficeUnreachable):
        await board.asking.office("smile").ask(DOUBLE, Number(1))


async def test_failures_limits_and_unknown_calls_come_through(board: Board) -> None:
    await board.connect()
    office = board.asking.office("smile")
    with pytest.raises(DatabaseAway) as met:
        await office.ask(AWAY, Number(1), reference="ABCD-EFGH")
    assert met.value.reference == "ABCD-EFGH"
    with pytest.raises(UnknownCall):
        await office.ask(NEVER_ANSWERED, Number(1))
    with pytest.raises(OfficeTooSlow):
        await office.ask(SLEEP, Number(1), within=0.05)
    practice = board.practices[0]
    await until(lambda: practice.cancelled == sum(asked.call == SLEEP.name for asked in practice.asked))


async def test_an_office_that_is_full_is_busy(board: Board) -> None:
    await board.connect(limits=Limits(streams=2))
    office = board.asking.office("smile")
    waiting = [asyncio.create_task(office.ask(SLEEP, Number(1))) for _ in range(2)]
    await until(lambda: len(board.practices[0].asked) == 2)
    with pytest.raises(OfficeBusy):
        await office.ask(DOUBLE, Number(1))
    board.practices[0].wake.set()
    await asyncio.gather(*waiting)


async def test_whoever_gives_up_stops_the_work(board: Board) -> None:
    await board.connect()
    asking = asyncio.create_task(board.asking.office("smile").ask(SLEEP, Number(1)))
    await board_sleeps(board)
    asking.cancel()
    await until(lambda: board.practices[0].cancelled == 1)


async def test_many_calls_at_a_time_and_large_ones(board: Board) -> None:
    await board.connect()
    office = board.asking.office("smile")
    payloads = [b"x" * (900_000 if n % 50 == 0 else 1000) for n in range(200)]
    answers = await asyncio.gather(*(office.ask(ECHO, Echo(payload)) for payload in payloads))
    assert [answer.payload for answer in answers] == payloads


async def test_the_largest_request_comes_through(board: Board) -> None:
    await board.connect()
    largest = Echo(b"x" * ((1 << 20) - 64 - 60))
    assert await board.asking.office("smile").ask(ECHO, largest) == largest


async def test_a_change_asked_twice_is_done_once(board: Board) -> None:
    await board.connect()
    office = board.asking.office("smile")
    assert await office.ask(ADD, Number(1), key="k") == await office.ask(ADD, Number(1), key="k") == Number(1)


async def test_files_come_whole(board: Board) -> None:
    await board.connect()
    office = board.asking.office("smile")

    async def fetch(size: int) -> bool:
        download = await office.download(FILE, Size(size))
        return await read_all(aiter(download)) == pattern(0, size)

    assert all(await asyncio.gather(*(fetch(size) for size in (0, 1, 100_000, 5 * MB, 5 * MB))))


async def test_a_slow_reader_holds_at_most_the_window(board: Board) -> None:
    await board.connect(limits=Limits(window=256 * 1024))
    download = await board.asking.office("smile").download(FILE, Size(50 * MB, 10_000))
    await anext(aiter(download))
    await asyncio.sleep(0.2)
    assert board.practices[0].read <= 2 * 256 * 1024
    await download.aclose()
    await until(lambda: board.practices[0].closed_files == 1)


async def test_a_link_that_breaks_fails_what_waits(board: Board) -> None:
    both = await board.connect()
    download = await board.asking.office("smile").download(FILE, Size(50 * MB))
    asking = asyncio.create_task(board.asking.office("smile").ask(SLEEP, Number(1)))
    await board_sleeps(board)
    both.hq_carrier.cut()
    with pytest.raises(AnswerLost):
        await asking
    with pytest.raises(AnswerLost):
        await read_all(aiter(download))


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same node", "another node"])
async def test_a_newer_link_takes_the_office_over(board: Board, *, elsewhere: bool) -> None:
    old = await board.connect()
    waiting = asyncio.create_task(board.asking.office("smile").ask(SLEEP, Number(1)))
    await board_sleeps(board)
    await board.connect(at=board.other if elsewhere else board.holding)
    assert old.hq.ended
    assert old.hq.ended.code == "replaced"
    with pytest.raises(AnswerLost):
        await waiting
    await board.holding.detach("smile", old.hq)  # comes late, and means nothing
    for _ in range(20):
        await board.asking.office("smile").ask(ADD, Number(1))
    assert [practice.total for practice in board.practices] == [0, 20]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same node", "another node"])
async def test_a_link_of_an_older_epoch_is_refused(board: Board, *, elsewhere: bool) -> None:
    newer = await board.connect(epoch=5)
    with pytest.raises(OwnedElsewhere):
        await board.connect(epoch=4, at=board.other if elsewhere else board.holding)
    assert newer.hq.ended is None
    assert await board.asking.office("smile").ask(ADD, Number(1)) == Number(1)
    assert [practice.total for practice in board.practices] == [1, 0]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same node", "another node"])
async def test_an_office_that_moves_while_it_is_asked_loses_no_call(board: Board, *, elsewhere: bool) -> None:
    office = board.asking.office("smile")
    old = await board.connect()
    done = asyncio.Event()

    async def ask_on() -> int:
        count = 0
        while not done.is_set():
            count += 1
            assert (await office.ask(DOUBLE, Number(count))).value == count * 2
        return count

    asking = [asyncio.create_task(ask_on()) for _ in range(8)]
    slow = asyncio.create_task(office.ask(SLEEP, Number(1)))
    download = await office.download(FILE, Size(5 * MB))
    await board_sleeps(board)
    old.hq.ask_to_leave("the node stops")
    await board.connect(at=board.other if elsewhere else board.holding)
    assert await read_all(aiter(download)) == pattern(0, 5 * MB)
    board.practices[0].wake.set()
    assert await slow == Number(1)
    await until(lambda: old.hq.ended is not None)
    await until(lambda: len(board.practices[1].asked) > 20)
    done.set()
    assert min(await asyncio.gather(*asking)) > 1


async def board_sleeps(board: Board) -> None:
    await board.practices[0].sleeping.wait()
