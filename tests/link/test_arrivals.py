"""Room for arrivals: everybody is heard in turn, nobody can take all of it, and nobody waits for ever."""

import asyncio
import contextlib

from econnector.link import arrivals
from econnector.link.arrivals import Arrivals
from tests.support.virtual import VirtualClock, virtual_time

anyio_backend = virtual_time


class Door:
    """Arrivals that stay until they are let go, in the order in which they were heard."""

    def __init__(self, most: int) -> None:
        self.arrivals, self.heard, self.sent_away = Arrivals(most, VirtualClock()), list[str](), list[str]()
        self._leaving: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        """`b3` is the third of the network `b`."""
        for name in names:
            self._leaving[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._stay(name))
            await asyncio.sleep(0)

    async def _stay(self, name: str) -> None:
        async with self.arrivals.turn(name[0]) as heard:
            (self.heard if heard else self.sent_away).append(name)
            if heard:
                await self._leaving[name].wait()

    async def leave(self, *names: str) -> None:
        for name in names:
            self._leaving[name].set()
            await self._tasks[name]
        await asyncio.sleep(0.01)

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._tasks[name]
        await asyncio.sleep(0.01)


async def test_who_finds_no_room_is_heard_when_it_is_their_turn() -> None:
    door = Door(4)
    await door.come("a1", "a2", "a3", "a4", "b1")
    assert door.heard == ["a1", "a2", "b1"]
    await door.leave("a1", "a2")
    assert door.heard == ["a1", "a2", "b1", "a3", "a4"]
    await door.leave("a3", "a4", "b1")
    await door.come("a5", "a6")
    assert (door.heard[-2:], door.sent_away) == (["a5", "a6"], [])


async def test_networks_take_turns_whoever_stands_in_line_with_many() -> None:
    door = Door(2)
    await door.come("a1", "b1", "a2", "a3", "a4", "c1", "b2")
    await door.leave("a1")
    await door.leave("a2")
    await door.leave("b1")
    assert door.heard == ["a1", "b1", "a2", "c1", "b2"]
    await door.leave("c1", "b2")
    assert door.heard[5:] == ["a3"], "one address has half of the room at most"
    await door.leave("a3", "a4")


async def test_nobody_stands_in_line_for_longer_than_a_connector_waits() -> None:
    door = Door(2)
    await door.come("a1", "a2")
    await asyncio.sleep(arrivals._PATIENCE + 0.1)
    assert door.sent_away == ["a2"]
    await door.come("a3")
    await door.leave("a1")
    assert door.heard == ["a1", "a3"], "whoever gave up is not called"
    await door.leave("a3")


async def test_the_line_has_an_end_and_one_address_half_of_it() -> None:
    door, room = Door(2), arrivals._LINE
    await door.come(*(f"a{number}" for number in range(room + 3)))
    assert (door.heard, door.sent_away) == (["a0"], [f"a{room + 1}", f"a{room + 2}"])
    await door.come("b1", "b2")
    assert door.heard == ["a0", "b1"]
    assert len(door.sent_away) == 2


async def test_whoever_is_sent_away_is_told_when_all_of_them_can_have_been_heard() -> None:
    door = Door(2)
    for number in range(20):
        await door.come(f"a{number}")
        await door.leave(f"a{number}")
    assert door.arrivals.again() == 5.0
    for _ in range(5999):
        door.arrivals.again()
    assert 20.0 <= door.arrivals.again() < 21.0, "twice as many as can be heard in ten seconds"
    for _ in range(4000):
        door.arrivals.again()
    assert door.arrivals.again() == 30.0
    for _ in range(8):
        await asyncio.sleep(11)
        door.arrivals.again()
    assert door.arrivals.again() == 5.0, "what was is forgotten"


async def test_the_turn_of_one_who_has_gone_is_anothers() -> None:
    door = Door(2)
    await door.come("a1", "a2", "a3")
    await door.cancel("a2")
    door._leaving["a1"].set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await door.cancel("a1")
    assert door.heard == ["a1", "a3"]
    await door.come("a4")
    await door.cancel("a3")
    assert door.heard[-1] == "a4"
    await door.leave("a4")
    assert not door.arrivals._heard
    assert not door.arrivals._waiting
