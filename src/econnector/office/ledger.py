"""What went wrong, kept: every failure that an answer raised, under the reference that the patient reads aloud."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import structlog

from econnector.base import logs
from econnector.base.clock import Clock
from econnector.base.errors import AccessFailure, Failure, InputFailure, OfficeTooSlow, Unexpected, UnknownCall
from econnector.link.identity import Install
from econnector.office.running import Trouble
from econnector.storage.database import Database
from econnector.storage.state import answered, failures
from econnector.wire.call import Answer, Answers, Asked, Call, Streamed

__all__ = ["Ledger", "StateMemory"]

log = structlog.get_logger(__name__)

_LEFT_WAITING = 256
_ALMOST = 0.9
_STRANGERS = (AccessFailure, InputFailure)
"""What anybody can make the office meet as often as they like, with wrong keys or passwords for instance."""
_MOST_STRANGERS = 100
"""Of those in a minute, of each kind: more would push what is of use out of the list, and fill the log."""
_VERBOSE = logs.level_of("verbose")


class StateMemory:
    """Remembers answered calls in the state file (`link.once.Memory`)."""

    def __init__(self, state: Database, clock: Clock) -> None:
        """Keep them in `state`."""
        self._state, self._clock = state, clock

    async def recall(self, key: str) -> bytes | None:
        """Return the answer kept under `key`, or None."""
        return await self._state.run(answered.find, key, self._clock.now().timestamp())

    async def remember(self, key: str, call: str, answer: bytes) -> None:
        """Keep `answer` to `call` under `key`, for a day."""
        await self._state.run(answered.keep, key, call, answer, self._clock.now().timestamp())


class _Anything(msgspec.Struct):
    pass


class _Watched(Answers):
    """Answers every name: one that nobody declared with a failure, so that it is noted like all others."""

    def __init__(self, unknown: Callable[[str], Answer]) -> None:
        super().__init__()
        self._unknown = unknown

    def find(self, name: str) -> tuple[Call[msgspec.Struct, msgspec.Struct], Answer] | None:
        found = super().find(name)
        if found is None:
            call: Call[Any, Any] = Call(name, _Anything, _Anything, limit=5)
            return call, self._unknown(name)
        return found


def _unknown(name: str, here: Install) -> Answer:
    async def refuse(asked: Asked, _: msgspec.Struct) -> msgspec.Struct:
        raise UnknownCall(reference=asked.reference, call=name, version=here.version, machine=here.machine)

    return refuse


class Ledger:
    """Writes failures down without making whoever waits for an answer wait longer."""

    def __init__(self, state: Database, clock: Clock, heed: Callable[[Failure], None] | None = None) -> None:
        """`heed` also hears of every failure, at once."""
        self._state, self._clock, self._heed = state, clock, heed
        self._writing: set[asyncio.Task[None]] = set()
        self._troubles: dict[str, str] = {}
        self._minute, self._met = 0, Counter[str]()

    def trouble(self, trouble: Trouble | None, doing: str) -> None:
        """Keep what stops the connector itself, once."""
        if trouble is not None and self._troubles.get(doing) != trouble.reference:
            self._troubles[doing] = trouble.reference
            self.note(trouble.failure(), doing)

    def note(self, failure: Failure, doing: str) -> None:
        """Keep a failure; `doing` is the call that was being answered."""
        if isinstance(failure, _STRANGERS) and self._too_often(failure.code):
            return
        log.info("a failure", code=failure.code, reference=failure.reference, doing=doing)
        if self._heed is not None:
            self._heed(failure)
        if len(self._writing) >= _LEFT_WAITING:
            log.warning("a failure is only in the log", code=failure.code, reference=failure.reference, doing=doing)
            return
        now = self._clock.now().isoformat(timespec="seconds")
        met = failures.Met(failure.reference, failure.code, doing, dict(failure.facts), now)
        task = asyncio.create_task(self._write(met))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _too_often(self, code: str) -> bool:
        minute = int(self._clock.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._met = minute, Counter()
        self._met[code] += 1
        if self._met[code] == _MOST_STRANGERS + 1:
            log.warning("more failures of this kind are not kept in this minute", code=code)
        return self._met[code] > _MOST_STRANGERS

    async def _write(self, met: failures.Met) -> None:
        try:
            await self._state.run(failures.record, met)
        except Failure as failure:
            log.warning("a failure could not be kept", code=met.code, reference=met.reference, because=failure.code)

    async def flush(self) -> None:
        """Return once everything noted so far is written."""
        if self._writing:
            await asyncio.wait(set(self._writing))

    def watch(self, answers: Answers, here: Install) -> Answers:
        """Return the same answers; whatever they raise is noted, and so is being asked what we do not know."""
        watched = _Watched(lambda name: self.watched(_unknown(name, here)))
        for call, function in answers:
            register: Any = watched.streaming if call.streams else watched.to
            register(call)(self.watched(function))
        return watched

    def watched(self, function: Answer) -> Answer:
        """Return the same answer, watched."""

        async def answer(asked: Asked, params: msgspec.Struct) -> Any:
            given = await self._noting(asked, function(asked, params))
            if isinstance(given, Streamed):
                return Streamed(given.result, self._chunks(asked, given.chunks))
            return given

        return answer

    async def _noting(self, asked: Asked, work: Awaitable[Any]) -> Any:
        with logs.bound(call=asked.call, reference=asked.reference):
            return await self._noted(asked, work)

    async def _noted(self, asked: Asked, work: Awaitable[Any]) -> Any:
        began = self._clock.monotonic()
        try:
            answer = await work
        except Failure as failure:
            failure.reference = asked.reference or failure.reference
            self.note(failure, asked.call)
            raise
        except asyncio.CancelledError:
            # The link stops what is over its time by cancelling it; whoever merely went away leaves earlier.
            # Its clock started a moment before ours.
            if self._clock.monotonic() - began >= asked.remaining * _ALMOST:
                self.note(OfficeTooSlow(reference=asked.reference, call=asked.call, limit=asked.remaining), asked.call)
            raise
        except Exception as error:
            self.note(Unexpected(reference=asked.reference, kind=type(error).__name__), asked.call)
            raise
        if logs.current_level() <= _VERBOSE:
            log.debug("answered", milliseconds=round((self._clock.monotonic() - began) * 1000, 1))
        return answer

    async def _chunks(self, asked: Asked, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._noting(asked, anext(chunks, b"")):
                yield chunk
        finally:
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()
