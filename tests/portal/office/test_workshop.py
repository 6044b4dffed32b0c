"""Where documents are made: few at once, whoever goes away, and never on the event loop."""

import asyncio
import threading

from econnector.eservices.portal.office.workshop import Workshop

WITHIN = 60.0


class Work:
    """Work that ends when it is let go; counts how many are at it."""

    def __init__(self) -> None:
        self._lock, self.go, self.begun = threading.Lock(), threading.Event(), threading.Event()
        self.now = self.most = 0

    def do(self, number: int) -> tuple[int, bool]:
        """Return the number, and whether this is the main thread."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.begun.set()
        assert self.go.wait(WITHIN)
        with self._lock:
            self.now -= 1
        return number, threading.current_thread() is threading.main_thread()


async def begun(work: Work) -> None:
    assert await asyncio.to_thread(work.begun.wait, WITHIN)


async def made(shop: Workshop, work: Work, number: int) -> tuple[int, bool]:
    async with shop.place():
        return await shop.make(work.do, number)


async def test_no_more_are_made_at_once_than_there_are_places_and_all_get_their_turn() -> None:
    shop, work = Workshop(2), Work()
    asked = [asyncio.create_task(made(shop, work, number)) for number in range(6)]
    await begun(work)
    work.go.set()
    async with asyncio.timeout(WITHIN):
        assert await asyncio.gather(*asked) == [(number, False) for number in range(6)]
    assert 1 <= work.most <= 2


async def test_who_waits_for_a_place_has_read_nothing_yet() -> None:
    shop, work, read = Workshop(1), Work(), list[int]()

    async def reader(number: int) -> None:
        async with shop.place():
            read.append(number)
            await shop.make(work.do, number)

    asked = [asyncio.create_task(reader(number)) for number in range(3)]
    await begun(work)
    assert read == [0]
    work.go.set()
    async with asyncio.timeout(WITHIN):
        await asyncio.gather(*asked)
    assert read == [0, 1, 2]


async def test_who_goes_away_leaves_no_second_one_at_work_beside_what_cannot_be_stopped() -> None:
    shop, work = Workshop(1), Work()
    gone = asyncio.create_task(made(shop, work, 1))
    await begun(work)
    gone.cancel()
    await asyncio.wait([gone])
    assert gone.cancelled()
    other = asyncio.create_task(made(shop, work, 2))
    work.go.set()
    async with asyncio.timeout(WITHIN):
        assert await other == (2, False)
    assert work.most == 1


async def test_what_goes_wrong_is_told_and_frees_the_place() -> None:
    def wrong() -> None:
        raise ValueError("a test")

    shop = Workshop(1)
    for _ in range(3):
        try:
            async with shop.place():
                await shop.make(wrong)
        except ValueError as error:
            assert str(error) == "a test"  # noqa: PT017 - thrice
        else:
            raise AssertionError("nothing was told")
