"""Answers that stream: whole or failed, never more in memory than the window, and never in the way of small calls."""

import asyncio
import gc
from functools import partial

import pytest

from econnector.base.errors import AnswerLost, OfficeTooSlow, Unexpected
from econnector.link import loopback
from econnector.link.handshake import Limits
from tests.link.practice import BROKEN_FILE, DOUBLE, FILE, Number, Practice, Size, pattern, read_all, until
from tests.support.virtual import VirtualClock, virtual_time

anyio_backend = virtual_time
pair = partial(loopback.pair, clock=VirtualClock())
MB = 1_000_000


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.mark.parametrize("chunk", [7, 1000, 65_536, 300_000])
async def test_a_file_comes_whole_whatever_pieces_its_source_gives(practice: Practice, chunk: int) -> None:
    size = 3 * MB if chunk > 100 else 5000
    async with pair(practice.answers) as both:
        download = await both.ask_office().download(FILE, Size(size, chunk))
        assert download.result.size == size
        assert await read_all(aiter(download)) == pattern(0, size)
        assert both.hq.in_flight == both.office.in_flight == 0
    assert practice.closed_files == 1


async def test_an_empty_file_is_a_file(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        assert await read_all(aiter(await both.ask_office().download(FILE, Size(0)))) == b""


async def test_many_files_at_a_time_do_not_mix(practice: Practice) -> None:
    async with pair(practice.answers) as both:

        async def fetch(size: int) -> bool:
            download = await both.ask_office().download(FILE, Size(size))
            return await read_all(aiter(download)) == pattern(0, size)

        assert all(await asyncio.gather(*(fetch(200_000 + 7 * n) for n in range(20))))


async def test_a_slow_reader_holds_at_most_the_window(practice: Practice) -> None:
    async with pair(practice.answers, limits=Limits(window=256 * 1024)) as both:
        download = await both.ask_office().download(FILE, Size(50 * MB, 10_000))
        reading = aiter(download)
        got = len(await anext(reading))
        await asyncio.sleep(0.1)
        # What is read ahead: the window, and one piece of the source that did not fit.
        assert practice.read <= got + 256 * 1024 + 10_000
        await download.aclose()
        await until(lambda: practice.closed_files == 1)
        assert practice.read <= 400_000


async def test_on_a_long_line_more_bytes_are_under_way(practice: Practice) -> None:
    async with pair(practice.answers, limits=Limits(window=65_536)) as both:
        both.office_carrier.delay = 0.03
        download = await both.ask_office().download(FILE, Size(4 * MB))
        reading = aiter(download)
        for _ in range(20):
            await anext(reading)
        both.hq_carrier.freeze()
        await asyncio.sleep(0.1)
        assert practice.read > 20 * 65_536 + 5 * 65_536
        await download.aclose()


async def test_a_file_over_the_smallest_window_still_flows(practice: Practice) -> None:
    async with pair(practice.answers, limits=Limits(window=65_536)) as both:
        download = await both.ask_office().download(FILE, Size(2 * MB))
        assert await read_all(aiter(download)) == pattern(0, 2 * MB)


async def test_small_calls_overtake_a_file(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        download = await both.ask_office().download(FILE, Size(40 * MB))
        reading = asyncio.create_task(read_all(aiter(download)))
        answered = 0
        while not reading.done():
            await both.ask_office().ask(DOUBLE, Number(answered))
            answered += 1
        assert await reading == pattern(0, 40 * MB)
        assert answered > 15


async def test_whoever_stops_reading_stops_the_source(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        download = await both.ask_office().download(FILE, Size(50 * MB))
        async for _ in download:
            break
        await download.aclose()
        await until(lambda: practice.closed_files == 1 and both.office.in_flight == both.hq.in_flight == 0)
        with pytest.raises(StopAsyncIteration):
            await anext(aiter(download))


async def test_a_reader_that_is_cancelled_stops_the_source(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        download = await both.ask_office().download(FILE, Size(50 * MB))
        both.office_carrier.freeze()  # so that the reader has to wait
        reading = asyncio.create_task(read_all(aiter(download)))
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await until_none(lambda: both.hq._sinks)


async def test_a_download_that_is_forgotten_stops_the_source(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        download = await both.ask_office().download(FILE, Size(50 * MB))
        await anext(aiter(download))
        del download
        gc.collect()
        await until(lambda: practice.closed_files == 1)


async def test_a_source_that_breaks_is_a_failure_and_not_a_short_file(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        with pytest.raises(Unexpected):  # where exactly depends on how fast it breaks
            await read_all(aiter(await both.ask_office().download(BROKEN_FILE, Size(100_000))))
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2


async def test_a_link_that_breaks_is_a_failure_and_not_a_short_file(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        download = await both.ask_office().download(FILE, Size(50 * MB))
        await anext(aiter(download))
        both.hq_carrier.cut()
        with pytest.raises(AnswerLost):
            await read_all(aiter(download))
        await until(lambda: practice.closed_files == 1)


async def test_a_reader_that_stands_still_for_the_calls_limit_is_given_up(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        download = await both.ask_office().download(FILE, Size(50 * MB), within=0.1)
        await until(lambda: practice.closed_files == 1)
        with pytest.raises(OfficeTooSlow):
            await read_all(aiter(download))


async def test_a_file_that_takes_longer_than_the_limit_but_moves_is_read_to_its_end(practice: Practice) -> None:
    async with pair(practice.answers, limits=Limits(window=64 * 1024)) as both:
        download = await both.ask_office().download(FILE, Size(MB), within=0.1)
        got = bytearray()
        async for chunk in download:
            got += chunk
            await asyncio.sleep(0.02)
        assert bytes(got) == pattern(0, MB)


async def until_none(what: "object") -> bool:
    await until(lambda: not what())  # type: ignore[operator]
    return True
