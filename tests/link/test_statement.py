"""Giving up a call reaches the statement that answers it, on a real MariaDB server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from econnector.base.errors import AnswerLost, OfficeTooSlow
from econnector.base.ids import new_id
from econnector.link.loopback import Pair, pair
from econnector.link.state import Status
from econnector.storage.database import Database
from econnector.wire.call import Answers, Asked, Call
from tests.link.practice import Number
from tests.link.vendor import Registry, hq, office
from tests.support.mariadb import shared_server

SLOW = Call("test.slow", Number, Number, limit=60)
SLOW_CHANGING = Call("test.slow-changing", Number, Number, limit=60, changes=True)
RUNNING = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s"


@pytest.fixture
def statement() -> str:
    return f"SELECT SLEEP(300), '{new_id()}'"  # other tests sleep on the same server


@pytest.fixture
async def answers(statement: str) -> AsyncIterator[Answers]:
    database, answers = Database(shared_server().url(), statement_seconds=300), Answers()

    async def slow(_asked: Asked, params: Number) -> Number:
        await database.run(lambda connection: connection.execute(sa.text(statement)).scalar())
        return params

    answers.to(SLOW)(slow)
    answers.to(SLOW_CHANGING)(slow)
    yield answers
    await database.close()


@pytest.fixture
async def both(answers: Answers) -> AsyncIterator[Pair]:
    async with pair(answers) as joined:
        yield joined


async def _runs(count: int, statement: str) -> None:
    async with asyncio.timeout(60):
        while shared_server().sql(RUNNING, f"{statement}%")[0][0] != count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)


def _limit(both: Pair) -> asyncio.TimerHandle:
    """Return the office's own timer of the one call that it is answering."""
    (job,) = both.office._jobs._jobs.values()
    assert job.timer is not None
    return job.timer


def _pass(limit: asyncio.TimerHandle) -> None:
    """Let a limit pass now, though the call began only a moment ago."""
    assert not limit.cancelled()
    callback = limit._callback  # type: ignore[attr-defined]
    limit.cancel()
    callback()


@pytest.mark.parametrize("call", [SLOW, SLOW_CHANGING], ids=lambda call: call.name)
async def test_an_asker_that_gives_up_stops_the_statement(
    both: Pair, statement: str, call: Call[Number, Number]
) -> None:
    asking = asyncio.create_task(both.ask_office().ask(call, Number(1)))
    await _runs(1, statement)
    asking.cancel()
    await _runs(0, statement)
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_link_that_dies_stops_the_statement(both: Pair, statement: str) -> None:
    asking = asyncio.create_task(both.ask_office().ask(SLOW, Number(1)))
    await _runs(1, statement)
    both.hq_carrier.cut()
    await _runs(0, statement)
    with pytest.raises(AnswerLost):
        await asking


async def test_a_change_that_has_begun_goes_on_without_its_link_until_its_own_limit(both: Pair, statement: str) -> None:
    asking = asyncio.create_task(both.ask_office().ask(SLOW_CHANGING, Number(1), key="once"))
    await _runs(1, statement)
    limit = _limit(both)
    both.hq_carrier.cut()
    with pytest.raises(AnswerLost):
        await asking
    await _runs(1, statement)
    _pass(limit)
    await _runs(0, statement)


async def test_a_deadline_that_passes_stops_the_statement(both: Pair, statement: str) -> None:
    with pytest.raises(OfficeTooSlow):
        await both.ask_office().ask(SLOW, Number(1), within=0.3)
    await _runs(0, statement)


async def test_the_office_keeps_the_deadline_though_hq_says_nothing_more(both: Pair, statement: str) -> None:
    asking = asyncio.create_task(both.ask_office().ask(SLOW, Number(1)))
    await _runs(1, statement)
    both.office_carrier.freeze()  # no CANCEL comes in
    _pass(_limit(both))
    with pytest.raises(OfficeTooSlow):
        await asking
    await _runs(0, statement)


async def test_it_reaches_the_statement_over_a_real_web_socket(answers: Answers, statement: str) -> None:
    registry = Registry("smile")
    async with hq(registry) as node, office(node.url, registry.offices["smile"].key) as smile:
        smile.practice.answers.include(answers)
        await smile.reaches(Status.ONLINE)
        at_hq = node.switchboard.office("smile")
        asking = asyncio.create_task(at_hq.ask(SLOW, Number(1)))
        await _runs(1, statement)
        asking.cancel()
        await _runs(0, statement)
        asking = asyncio.create_task(at_hq.ask(SLOW, Number(1)))
        await _runs(1, statement)
        await node.kill()
        await _runs(0, statement)
        with pytest.raises(AnswerLost):
            await asking
