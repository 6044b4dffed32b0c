"""Calls and answers that only these tests have, and what they remember of being asked."""

import asyncio
from array import array
from collections.abc import AsyncIterator, Callable

import msgspec

from econnector.base.errors import DatabaseAway, LoginFailed
from econnector.link.calls import ECHO, Echo
from econnector.wire.call import Answers, Asked, Call, Streamed


class Number(msgspec.Struct):
    value: int
    note: str = ""


class Size(msgspec.Struct):
    size: int
    chunk: int = 100_000


ADD = Call("test.add", Number, Number, limit=60, changes=True)
DOUBLE = Call("test.double", Number, Number, limit=60)
SLEEP = Call("test.sleep", Number, Number, limit=60)
SLEEP_CHANGING = Call("test.sleep-changing", Number, Number, limit=60, changes=True)
BREAK = Call("test.break", Number, Number, limit=60)
REFUSE = Call("test.refuse", Number, Number, limit=60)
AWAY = Call("test.away", Number, Number, limit=60)
NEVER_ANSWERED = Call("test.never-answered", Number, Number, limit=60)
FILE = Call("test.file", Size, Size, limit=60, streams=True)
BROKEN_FILE = Call("test.broken-file", Size, Size, limit=60, streams=True)


class Practice:
    """Something that answers, and can be looked at."""

    def __init__(self) -> None:
        self.total = 0
        self.asked: list[Asked] = []
        self.cancelled = 0
        self.sleeping = asyncio.Event()
        self.wake = asyncio.Event()
        self.read = 0
        """Bytes taken from the source of the file that streams."""
        self.closed_files = 0
        self.answers = Answers()
        self._declare()

    def _declare(self) -> None:
        to = self.answers.to
        to(ECHO)(self._echo)
        to(ADD)(self._add)
        to(DOUBLE)(self._double)
        to(SLEEP)(self._sleep)
        to(SLEEP_CHANGING)(self._sleep)
        to(BREAK)(self._break)
        to(REFUSE)(self._refuse)
        to(AWAY)(self._away)
        self.answers.streaming(FILE)(self._file)
        self.answers.streaming(BROKEN_FILE)(self._broken_file)

    async def _echo(self, asked: Asked, params: Echo) -> Echo:
        self.asked.append(asked)
        return params

    async def _add(self, asked: Asked, params: Number) -> Number:
        self.asked.append(asked)
        self.total += params.value
        return Number(self.total)

    async def _double(self, asked: Asked, params: Number) -> Number:
        self.asked.append(asked)
        await asyncio.sleep(0)
        return Number(params.value * 2)

    async def _sleep(self, asked: Asked, params: Number) -> Number:
        self.asked.append(asked)
        self.sleeping.set()
        try:
            await self.wake.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.total += params.value
        return Number(self.total)

    async def _break(self, asked: Asked, params: Number) -> Number:
        raise RuntimeError(f"Smith, born 1970, said {params.note} in {asked.call}")

    async def _refuse(self, _asked: Asked, _params: Number) -> Number:
        raise LoginFailed(reason="wrong password for smith")

    async def _away(self, _asked: Asked, _params: Number) -> Number:
        raise DatabaseAway(server="10.0.0.5", reason="connection refused")

    async def _file(self, _asked: Asked, params: Size) -> Streamed[Size]:
        return Streamed(Size(params.size), self._bytes(params))

    async def _broken_file(self, _asked: Asked, params: Size) -> Streamed[Size]:
        return Streamed(Size(params.size), self._broken_bytes(params))

    async def _bytes(self, params: Size) -> AsyncIterator[bytes]:
        try:
            for at in range(0, params.size, params.chunk):
                piece = pattern(at, min(params.chunk, params.size - at))
                self.read += len(piece)
                yield piece
        finally:
            self.closed_files += 1

    async def _broken_bytes(self, params: Size) -> AsyncIterator[bytes]:
        yield b"x" * params.size
        raise OSError("the disk has a scratch at C:\\patients\\smith")


_WORDS = array("I", range(1 << 20)).tobytes()


def pattern(start: int, size: int) -> bytes:
    """Return bytes in which every place can be told from all others within 4 MiB."""
    first = start % len(_WORDS)
    piece = _WORDS[first : first + size]
    return piece if len(piece) == size else piece + pattern(0, size - len(piece))


async def read_all(download: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in download])


class KeptAnswers:
    """A memory like the connector's own, without the file."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.calls: list[str] = []

    async def recall(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def remember(self, key: str, call: str, answer: bytes) -> None:
        self.kept[key] = answer
        self.calls.append(call)


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so, for as long as a busy machine may need."""
    async with asyncio.timeout(90):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)
