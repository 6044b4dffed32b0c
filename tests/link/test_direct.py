"""Asking in process behaves as asking over a link does."""

import asyncio

import pytest

from econnector.base.errors import (
    DatabaseAway,
    OfficeTooSlow,
    Unexpected,
    UnknownCall,
)
from econnector.link.loopback import DirectAsker
from tests.link.practice import (
    ADD,
    AWAY,
    BREAK,
    BROKEN_FILE,
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
from tests.support.virtual import in_virtual_time


@pytest.fixture
def practice() -> Practice:
    return Practice()


async def test_a_call_is_answered(practice: Practice) -> None:
    assert await DirectAsker(practice.answers).ask(DOUBLE, Number(21), reference="ABCD-EFGH") == Number(42)
    assert practice.asked[0].reference == "ABCD-EFGH"


async def test_failures_are_translated_as_over_a_link(practice: Practice) -> None:
    direct = DirectAsker(practice.answers)
    with pytest.raises(DatabaseAway) as met:
        await direct.ask(AWAY, Number(1), reference="ABCD-EFGH")
    assert met.value.reference == "ABCD-EFGH"
    assert "10.0.0.5" not in str(met.value)
    with pytest.raises(Unexpected):
        await direct.ask(BREAK, Number(1))
    with pytest.raises(UnknownCall):
        await direct.ask(NEVER_ANSWERED, Number(1))


@in_virtual_time
async def test_limits_and_cancellation_hold(practice: Practice) -> None:
    direct = DirectAsker(practice.answers)
    with pytest.raises(OfficeTooSlow):
        await direct.ask(SLEEP, Number(1), within=0.02)
    asking = asyncio.create_task(direct.ask(SLEEP, Number(1)))
    await until(lambda: len(practice.asked) == 2)
    asking.cancel()
    await until(lambda: practice.cancelled == 2)


async def test_a_change_asked_twice_is_done_once(practice: Practice) -> None:
    direct = DirectAsker(practice.answers, KeptAnswers())
    assert await direct.ask(ADD, Number(1), key="k") == await direct.ask(ADD, Number(1), key="k")
    assert practice.total == 1


async def test_a_file_streams_and_is_closed(practice: Practice) -> None:
    direct = DirectAsker(practice.answers)
    download = await direct.download(FILE, Size(1_000_000))
    assert download.result == Size(1_000_000)
    assert await read_all(aiter(download)) == pattern(0, 1_000_000)
    half = await direct.download(FILE, Size(1_000_000))
    await anext(aiter(half))
    await half.aclose()
    assert practice.closed_files == 2
    with pytest.raises(Unexpected):
        await read_all(aiter(await direct.download(BROKEN_FILE, Size(10))))
