"""A changing call with a key is done once; what its memory does wrong does not undo it."""

import asyncio

import pytest

from econnector.base.errors import LoginFailed, StateLocked
from econnector.link.once import Once
from tests.link.practice import KeptAnswers, until


class _Work:
    def __init__(self, *outcomes: bytes | Exception) -> None:
        self.outcomes = list(outcomes)
        self.times = 0

    async def __call__(self) -> bytes:
        self.times += 1
        await asyncio.sleep(0)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def test_an_answer_is_remembered_under_call_key_and_params() -> None:
    memory = KeptAnswers()
    once, work = Once(memory), _Work(b"one", b"two", b"three", b"four")
    assert await once.answer("call", "key", b"params", work) == b"one"
    assert await once.answer("call", "key", b"params", work) == b"one"
    assert await once.answer("other", "key", b"params", work) == b"two"
    assert await once.answer("call", "other", b"params", work) == b"three"
    assert await once.answer("call", "key", b"other", work) == b"four"
    assert work.times == 4
    assert all(len(key) == 64 for key in memory.kept)
    assert memory.calls == ["call", "other", "call", "call"]


async def test_a_failure_is_not_remembered() -> None:
    once, work = Once(KeptAnswers()), _Work(LoginFailed(reason="wrong"), b"right")
    with pytest.raises(LoginFailed):
        await once.answer("call", "key", b"", work)
    assert await once.answer("call", "key", b"", work) == b"right"


async def test_twins_share_a_failure_too() -> None:
    once, work = Once(), _Work(LoginFailed(reason="wrong"))
    outcomes = await asyncio.gather(*(once.answer("call", "key", b"", work) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LoginFailed] * 3


async def test_work_given_up_before_its_first_step_leaves_nothing_behind() -> None:
    once, work = Once(), _Work(b"done")
    asking = asyncio.create_task(once.answer("call", "key", b"", work))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await once.answer("call", "key", b"", work) == b"done"
    assert once._running == {}


async def test_work_that_is_done_is_not_done_again_by_who_asks_while_it_is_being_remembered() -> None:
    class Slow(KeptAnswers):
        ready = asyncio.Event()

        async def remember(self, key: str, call: str, answer: bytes) -> None:
            await self.ready.wait()
            await super().remember(key, call, answer)

    memory = Slow()
    once, work = Once(memory), _Work(b"done", b"done twice")
    given_up = asyncio.create_task(once.answer("call", "key", b"", work))
    await until(lambda: work.times == 1)
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    again = asyncio.create_task(once.answer("call", "key", b"", work))
    for _ in range(5):
        await asyncio.sleep(0)
    memory.ready.set()
    assert await again == b"done"
    assert work.times == 1


async def test_work_that_is_done_is_answered_though_it_could_not_be_remembered() -> None:
    class Forgetful(KeptAnswers):
        async def remember(self, key: str, call: str, answer: bytes) -> None:
            raise StateLocked(path=key, reason=f"{call} {answer!r}")

    assert await Once(Forgetful()).answer("call", "key", b"", _Work(b"done")) == b"done"


async def test_a_memory_that_cannot_be_asked_stops_the_work_before_it_begins() -> None:
    class Locked(KeptAnswers):
        async def recall(self, key: str) -> bytes | None:
            raise StateLocked(path=key, reason="busy")

    work = _Work(b"done")
    with pytest.raises(StateLocked):
        await Once(Locked()).answer("call", "key", b"", work)
    assert work.times == 0


async def test_an_answer_is_remembered_though_nobody_waits_any_more() -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(KeptAnswers):
        async def remember(self, key: str, call: str, answer: bytes) -> None:
            reached.set()
            await go_on.wait()
            await super().remember(key, call, answer)

    memory = Slow()
    asking = asyncio.create_task(Once(memory).answer("call", "key", b"", _Work(b"done")))
    await reached.wait()
    asking.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: memory.calls == ["call"])
    never = _Work()
    assert await Once(memory).answer("call", "key", b"", never) == b"done"
    assert never.times == 0


async def test_what_is_remembered_can_be_read_only_by_who_has_the_request() -> None:
    memory, token = KeptAnswers(), b"a session's token"
    await Once(memory).answer("call", "key", b"params", _Work(token))
    ((name, sealed),) = memory.kept.items()
    assert token not in sealed
    assert name not in sealed.hex()
    never = _Work()
    assert await Once(memory).answer("call", "key", b"params", never) == token
    assert never.times == 0


@pytest.mark.parametrize("damaged", [b"", b"short", b"a plain answer of an older version", bytes(60)])
async def test_a_remembered_answer_that_cannot_be_read_counts_as_none(damaged: bytes) -> None:
    memory = KeptAnswers()
    await Once(memory).answer("call", "key", b"", _Work(b"one"))
    memory.kept = dict.fromkeys(memory.kept, damaged)
    assert await Once(memory).answer("call", "key", b"", _Work(b"two")) == b"two"


async def test_an_answer_moved_to_another_request_is_not_given_out() -> None:
    memory = KeptAnswers()
    await Once(memory).answer("sign-in", "key", b"smith", _Work(b"the token of smith"))
    (sealed,) = memory.kept.values()
    await Once(memory).answer("sign-in", "key", b"jones", _Work(b"x"))
    memory.kept = dict.fromkeys(memory.kept, sealed)
    assert await Once(memory).answer("sign-in", "key", b"jones", _Work(b"new")) == b"new"


async def test_a_twin_of_what_is_being_given_up_is_answered() -> None:
    reached, stopped = asyncio.Event(), asyncio.Event()
    times = 0

    async def work() -> bytes:
        nonlocal times
        times += 1
        if times > 1:
            return b"done"
        reached.set()
        try:
            await asyncio.sleep(60)
        finally:
            await stopped.wait()  # as a statement that takes a moment to be stopped
        return b""

    once = Once()
    first = asyncio.create_task(once.answer("call", "key", b"", work))
    await reached.wait()
    first.cancel()
    await asyncio.sleep(0)
    second = asyncio.create_task(once.answer("call", "key", b"", work))
    await asyncio.sleep(0)
    assert times == 1  # never two at a time
    stopped.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == b"done"
