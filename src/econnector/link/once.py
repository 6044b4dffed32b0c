"""A changing call with a key is done once, however often it is asked: now, or hours later after a restart.

What is remembered is sealed under a key that is made from the request itself: an answer may hold a session's token,
and whoever reads the file in which answers are kept holds none of the requests.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["Memory", "Once"]

log = structlog.get_logger(__name__)

_NAME, _KEY = b"eConnector remembered answer: name v1", b"eConnector remembered answer: key v1"
"""Keep the name under which an answer is stored, which is no secret, from saying anything about its key."""
_NONCE = 12


class Memory(Protocol):
    """Where sealed answers to changing calls are kept; it outlives the process."""

    async def recall(self, key: str) -> bytes | None:
        """Return what is kept under `key` (64 hexadecimal characters), or None."""

    async def remember(self, key: str, call: str, answer: bytes) -> None:
        """Keep `answer` to the call of this name under `key`."""


class _Request:
    """What makes two requests the same one."""

    __slots__ = ("_seal", "call", "name")

    def __init__(self, call: str, key: str, params: bytes) -> None:
        parts = (call.encode(), key.encode(), params)
        self.call = call
        self.name = _digest(_NAME, *parts).hex()
        """Under which its answer is kept."""
        self._seal = _digest(_KEY, *parts)

    def seal(self, answer: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._seal).encrypt(nonce, answer, self.name.encode())

    def unseal(self, kept: bytes | None) -> bytes | None:
        """Return the answer; None if it was not sealed for this request, or is damaged."""
        if kept is None:
            return None
        try:
            return AESGCM(self._seal).decrypt(kept[:_NONCE], kept[_NONCE:], self.name.encode())
        except (InvalidTag, ValueError):
            log.warning("a remembered answer cannot be read", call=self.call)
            return None


class _Run:
    __slots__ = ("stopping", "task", "waiting")

    def __init__(self, task: asyncio.Task[bytes]) -> None:
        self.task, self.waiting, self.stopping = task, 0, False


class Once:
    """Runs each changing call at most once at a time, and never again once its answer is remembered.

    A failure is not remembered: what failed may be tried again.
    """

    def __init__(self, memory: Memory | None = None) -> None:
        """Without `memory` only calls that are in flight are shared."""
        self._memory = memory
        self._running: dict[str, _Run] = {}

    async def answer(self, call: str, key: str, params: bytes, work: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the answer of `work`, of its twin in flight, or the remembered one.

        The params are part of the identity: a key used again for something else is a new call, so that nobody is
        handed an answer to a question they did not ask. When the last one who waits is cancelled, so is the work.
        """
        request = _Request(call, key, params)
        while (run := self._running.get(request.name)) is not None and run.stopping:
            # Whoever joins what is being stopped would be told nothing at all.
            await asyncio.wait({run.task})
        if run is None:
            run = self._begin(request, work)
        run.waiting += 1
        try:
            return await asyncio.shield(run.task)
        except asyncio.CancelledError:
            if run.waiting == 1 and not run.task.done():
                run.stopping = True
                await _stop(run.task)
            raise
        finally:
            run.waiting -= 1

    def _begin(self, request: _Request, work: Callable[[], Awaitable[bytes]]) -> _Run:
        run = self._running[request.name] = _Run(asyncio.create_task(self._run(request, work)))
        # Not at the end of the work itself: a task that is cancelled before its first step has no end to reach.
        run.task.add_done_callback(lambda _: self._running.pop(request.name))
        return run

    async def _run(self, request: _Request, work: Callable[[], Awaitable[bytes]]) -> bytes:
        if self._memory is None:
            return await work()
        answer = request.unseal(await self._memory.recall(request.name))
        if answer is None:
            answer = await work()
            # What is done is remembered even if nobody waits any more, and not over before: who asks again meanwhile
            # would find nothing, and have it done a second time.
            keeping = asyncio.ensure_future(self._remember(self._memory, request, answer))
            try:
                await asyncio.shield(keeping)
            finally:
                await asyncio.wait({keeping})
        return answer

    async def _remember(self, memory: Memory, request: _Request, answer: bytes) -> None:
        try:
            await memory.remember(request.name, request.call, request.seal(answer))
        except Exception as error:  # noqa: BLE001 - the work is done: an answer that says it failed would be a lie
            log.warning("an answer could not be remembered", call=request.call, kind=type(error).__name__)


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.digest()


async def _stop(task: asyncio.Task[bytes]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # read, so that it is not reported as forgotten
