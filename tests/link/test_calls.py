"""Calls over a link, whatever carries it."""

import asyncio
from functools import partial

import msgspec
import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import (
    AnswerLost,
    AnswerUncertain,
    DatabaseAway,
    LoginFailed,
    OfficeBusy,
    OfficeTooSlow,
    OfficeUnreachable,
    ProtocolBroken,
    RequestTooLarge,
    Unexpected,
    UnknownCall,
)
from econnector.link import loopback
from econnector.link.calls import ECHO, Echo
from econnector.link.failing import heard
from econnector.link.handshake import Limits
from econnector.wire.call import Answers, Call
from econnector.wire.messages import Fault, Request
from tests.link.practice import (
    ADD,
    AWAY,
    BREAK,
    DOUBLE,
    FILE,
    NEVER_ANSWERED,
    REFUSE,
    SLEEP,
    SLEEP_CHANGING,
    KeptAnswers,
    Number,
    Practice,
    Size,
    until,
)
from tests.support.saying import said
from tests.support.virtual import VirtualClock, stand_still, virtual_time

anyio_backend = virtual_time
pair = partial(loopback.pair, clock=VirtualClock())


class Name(msgspec.Struct):
    name: str


class Deaf:
    """A sink that must not be told anything."""

    def answered(self, body: bytes, more: bool) -> None:
        raise AssertionError(body, more)

    def chunk(self, data: bytes) -> None:
        raise AssertionError(data)

    def ended(self) -> None:
        raise AssertionError

    def failed(self, fault: Fault) -> None:
        raise AssertionError(fault)


@pytest.fixture
def practice() -> Practice:
    return Practice()


async def test_a_call_is_answered(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        assert await both.ask_office().ask(DOUBLE, Number(21)) == Number(42)


async def test_both_ends_ask_each_other_at_the_same_time(practice: Practice) -> None:
    other = Practice()
    async with pair(practice.answers, other.answers) as both:
        office, hq = both.ask_office(), both.ask_hq()
        asks = [(office if n % 2 else hq).ask(DOUBLE, Number(n)) for n in range(400)]
        assert [answer.value for answer in await asyncio.gather(*asks)] == [n * 2 for n in range(400)]


async def test_the_answering_side_knows_reference_limit_and_protocol(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        await both.ask_office().ask(DOUBLE, Number(1), within=2, reference="ABCD-EFGH")
    [asked] = practice.asked
    assert (asked.call, asked.reference, asked.protocol, asked.key) == ("test.double", "ABCD-EFGH", 1, "")
    assert 0 < asked.remaining <= 2


async def test_a_failure_crosses_with_its_reference_and_public_facts_only(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        with pytest.raises(DatabaseAway) as met:
            await both.ask_office().ask(AWAY, Number(1), reference="ABCD-EFGH")
        with pytest.raises(LoginFailed) as refused:
            await both.ask_office().ask(REFUSE, Number(1))
    assert met.value.reference == "ABCD-EFGH"
    assert "10.0.0.5" not in str(met.value)
    assert "smith" not in str(refused.value)


@pytest.mark.parametrize("theirs", ["AB\r\nset-cookie: a=b", "é" * 8, "A" * 5000, ""])
def test_a_reference_that_is_none_is_replaced_by_our_own(theirs: str) -> None:
    fault = Fault("database-away", theirs, {"reference": "x", "self": "y", "server": "z"})
    met = heard(fault, "test.away", "ABCD-EFGH", repeatable=True)
    assert (met.code, met.reference) == ("database-away", "ABCD-EFGH")
    assert (
        heard(Fault("database-away", "7F3K-22QX"), "test.away", "ABCD-EFGH", repeatable=True).reference == "7F3K-22QX"
    )


async def test_an_unexpected_fault_is_logged_where_it_happened_without_what_was_said(practice: Practice) -> None:
    with said() as logs:
        async with pair(practice.answers) as both:
            with pytest.raises(Unexpected) as met:
                await both.ask_office().ask(BREAK, Number(1, "secret"), reference="ABCD-EFGH")
    [entry] = [entry for entry in logs if entry["log_level"] == "error"]
    assert entry["reference"] == met.value.reference == "ABCD-EFGH"
    assert entry["kind"] == "RuntimeError"
    assert "practice.py" in entry["at"][-1]
    assert "Smith" not in str(logs)
    assert "secret" not in str(logs)


@pytest.mark.causes("unknown-call")
async def test_an_unknown_call_names_the_machine_that_needs_an_update(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        with pytest.raises(UnknownCall) as met:
            await both.ask_office().ask(NEVER_ANSWERED, Number(1))
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2
    assert met.value.facts["call"] == "test.never-answered"
    assert met.value.facts["machine"] == "loopback"


async def test_params_and_results_of_another_shape_are_failures_of_the_call_only(practice: Practice) -> None:
    wrong_params = Call(DOUBLE.name, Echo, Number, limit=5)
    wrong_result = Call(DOUBLE.name, Number, Name, limit=5)
    async with pair(practice.answers) as both:
        with pytest.raises(ProtocolBroken):
            await both.ask_office().ask(wrong_params, Echo(b"x"))
        with pytest.raises(ProtocolBroken):
            await both.ask_office().ask(wrong_result, Number(1))
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2


async def test_a_call_that_takes_too_long_fails_and_is_stopped(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        with pytest.raises(OfficeTooSlow):
            await both.ask_office().ask(SLEEP, Number(1), within=0.05)
        await until(lambda: practice.cancelled == 1)
        assert both.hq.in_flight == 0


async def test_the_answering_side_keeps_the_limit_too(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1), within=0.05))
        await practice.sleeping.wait()
        both.hq_carrier.freeze()  # HQ hears nothing, and so cannot be the one that stops it
        await until(lambda: practice.cancelled == 1)
        with pytest.raises(OfficeTooSlow):
            await asking


async def test_whoever_gives_up_stops_the_work(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1)))
        await practice.sleeping.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: practice.cancelled == 1 and both.office.in_flight == both.hq.in_flight == 0)
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2


async def test_a_call_given_up_before_it_is_sent_does_no_harm(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        asks = [asyncio.create_task(both.ask_office().ask(DOUBLE, Number(n))) for n in range(10)]
        await asyncio.sleep(0)
        for ask in asks[::2]:
            ask.cancel()
        results = await asyncio.gather(*asks, return_exceptions=True)
        assert [r.value for r in results if isinstance(r, Number)] == [2, 6, 10, 14, 18]
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2


async def test_a_call_and_its_cancellation_in_one_breath_leave_nothing_behind(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        for key in ("", "k"):
            request = msgspec.msgpack.encode(Request("test.add", 5.0, "", msgspec.Raw(ADD.encode(Number(1))), key))
            for _ in range(20):
                both.hq.start(request, Deaf()).cancel()
        await until(lambda: both.hq.in_flight == both.office.in_flight == 0)
        assert not both.office._jobs._jobs
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2
    assert practice.total == 0


@pytest.mark.causes("answer-lost", aside=True)
async def test_when_the_link_breaks_every_waiting_call_fails_at_once(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        asks = [asyncio.create_task(both.ask_office().ask(SLEEP, Number(n))) for n in range(5)]
        await practice.sleeping.wait()
        both.hq_carrier.cut()
        for ask in asks:
            with pytest.raises(AnswerLost) as met:
                await ask
            assert met.value.retry
        with pytest.raises(OfficeUnreachable):
            await both.ask_office().ask(DOUBLE, Number(1))


@pytest.mark.causes("answer-uncertain")
async def test_a_lost_answer_to_a_change_may_be_retried_only_under_a_known_key(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        blind = asyncio.create_task(both.ask_office().ask(SLEEP_CHANGING, Number(1)))
        keyed = asyncio.create_task(both.ask_office().ask(SLEEP_CHANGING, Number(2), key="k"))
        await until(lambda: len(practice.asked) == 2)
        both.hq_carrier.cut()
        with pytest.raises(AnswerUncertain) as uncertain:
            await blind
        with pytest.raises(AnswerLost) as lost:
            await keyed
        assert (uncertain.value.retry, lost.value.retry) == (False, True)
        practice.wake.set()


async def test_a_change_asked_twice_is_done_once(practice: Practice) -> None:
    memory = KeptAnswers()
    async with pair(practice.answers, memory=memory) as both:
        office = both.ask_office()
        assert await office.ask(ADD, Number(5), key="k") == Number(5)
        assert await office.ask(ADD, Number(5), key="k") == Number(5)
        assert await office.ask(ADD, Number(5), key="other") == Number(10)
    async with pair(practice.answers, memory=memory) as both:
        assert await both.ask_office().ask(ADD, Number(5), key="k") == Number(5)
    assert practice.total == 10


async def test_a_key_used_for_something_else_is_a_new_call(practice: Practice) -> None:
    async with pair(practice.answers, memory=KeptAnswers()) as both:
        assert await both.ask_office().ask(ADD, Number(5), key="k") == Number(5)
        assert await both.ask_office().ask(ADD, Number(6), key="k") == Number(11)


async def test_twins_in_flight_share_one_answer(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        twins = [asyncio.create_task(both.ask_office().ask(SLEEP_CHANGING, Number(3), key="k")) for _ in range(3)]
        await practice.sleeping.wait()
        twins.pop().cancel()
        await asyncio.sleep(0.01)
        practice.wake.set()
        assert await asyncio.gather(*twins) == [Number(3), Number(3)]
    assert (practice.total, practice.cancelled, len(practice.asked)) == (3, 0, 1)


async def test_the_last_twin_to_give_up_stops_the_work(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        twins = [asyncio.create_task(both.ask_office().ask(SLEEP_CHANGING, Number(3), key="k")) for _ in range(2)]
        await practice.sleeping.wait()
        for twin in twins:
            twin.cancel()
        await until(lambda: practice.cancelled == 1)


async def test_a_change_in_flight_is_finished_though_the_link_broke(practice: Practice) -> None:
    memory = KeptAnswers()
    async with pair(practice.answers, memory=memory) as both:
        asking = asyncio.create_task(both.ask_office().ask(SLEEP_CHANGING, Number(3), key="k"))
        await practice.sleeping.wait()
        both.hq_carrier.cut()
        with pytest.raises(AnswerLost):
            await asking
        practice.wake.set()
        await until(lambda: bool(memory.kept))
    async with pair(practice.answers, memory=memory) as both:
        assert await both.ask_office().ask(SLEEP_CHANGING, Number(3), key="k") == Number(3)
    assert (practice.total, practice.cancelled) == (3, 0)


@pytest.mark.causes("office-busy")
async def test_more_calls_than_the_other_side_takes_are_refused_early(practice: Practice) -> None:
    async with pair(practice.answers, limits=Limits(streams=3)) as both:
        asks = [asyncio.create_task(both.ask_office().ask(SLEEP, Number(n))) for n in range(3)]
        await practice.sleeping.wait()
        with pytest.raises(OfficeBusy):
            await both.ask_office().ask(DOUBLE, Number(1))
        practice.wake.set()
        await asyncio.gather(*asks)
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2


async def test_a_request_too_large_is_refused_before_it_is_sent(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        with pytest.raises(RequestTooLarge):
            await both.ask_office().ask(ECHO, Echo(b"x" * (1 << 20)))
        big = Echo(b"x" * 1_000_000)
        assert await both.ask_office().ask(ECHO, big) == big


async def test_large_and_small_requests_may_overtake_each_other(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        office = both.ask_office()
        payloads = [b"x" * (900_000 if n % 3 == 0 else 10) for n in range(12)]
        answers = await asyncio.gather(*(office.ask(ECHO, Echo(payload)) for payload in payloads))
        assert [answer.payload for answer in answers] == payloads


async def test_a_frozen_office_is_known_in_five_seconds(practice: Practice) -> None:
    clock = ManualClock()
    async with pair(practice.answers, clock=clock) as both:
        asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1)))
        await practice.sleeping.wait()
        both.office_carrier.freeze()
        clock.advance(2.0)
        both.hq.tick()  # asks whether somebody is there
        clock.advance(2.9)
        both.hq.tick()
        assert both.hq.ended is None
        clock.advance(0.1)
        both.hq.tick()
        with pytest.raises(AnswerLost):
            await asking
        assert both.hq.ended
        assert both.hq.ended.code == "silent"


async def test_a_frozen_office_is_known_in_five_seconds_though_an_idle_ping_was_out(practice: Practice) -> None:
    clock = ManualClock()
    async with pair(practice.answers, clock=clock) as both:
        both.office_carrier.freeze()
        clock.advance(15.0)
        both.hq.tick()  # asks, without haste
        clock.advance(1.0)
        asking = asyncio.create_task(both.ask_office().ask(DOUBLE, Number(1)))
        await asyncio.sleep(0)
        clock.advance(5.0)
        both.hq.tick()
        with pytest.raises(AnswerLost):
            await asking


async def test_a_slow_office_that_still_lives_is_waited_for(practice: Practice) -> None:
    clock = ManualClock()
    async with pair(practice.answers, clock=clock) as both:
        asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1)))
        await practice.sleeping.wait()
        for _ in range(10):
            clock.advance(2.0)
            both.hq.tick()
            await asyncio.sleep(0.01)
        practice.wake.set()
        assert await asking == Number(1)


async def test_an_idle_link_finds_a_dead_peer_within_thirty_seconds(practice: Practice) -> None:
    clock = ManualClock()
    async with pair(practice.answers, clock=clock) as both:
        both.office_carrier.freeze()
        for _ in range(29):
            clock.advance(1.0)
            both.hq.tick()
            await asyncio.sleep(0)
        assert both.hq.ended
        assert both.hq.ended.code == "silent"


async def test_a_process_that_stood_still_reads_what_came_meanwhile_before_it_gives_up(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        both.office_carrier.delay = 5.0
        await asyncio.sleep(17)  # HQ's idle ping is out, and its answer on the way
        stand_still(60)
        await asyncio.sleep(5)
        assert both.hq.ended is None
        both.office_carrier.freeze()
        stand_still(60)
        await asyncio.sleep(30)
        assert both.hq.ended is not None, "the dead are found all the same"


async def test_calls_in_flight_end_before_a_link_that_leaves(practice: Practice) -> None:
    async with pair(practice.answers) as both:
        asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1)))
        await practice.sleeping.wait()
        both.hq.ask_to_leave("test")
        assert (await both.ask_office().ask(DOUBLE, Number(1))).value == 2  # still asked here until there is another
        both.hq.supersede()
        with pytest.raises(OfficeUnreachable):
            await both.ask_office().ask(DOUBLE, Number(1))
        practice.wake.set()
        assert await asking == Number(1)
        await until(lambda: both.hq.ended is not None)
        assert both.hq.ended == ("replaced", "a new link is there")


async def test_an_office_without_answers_says_so() -> None:
    async with pair(Answers()) as both:
        with pytest.raises(UnknownCall):
            await both.ask_office().ask(FILE, Size(1))
