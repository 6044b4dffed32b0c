"""The calls that one end of a link is answering: a task each, their streams of bytes under credit."""

import asyncio
from collections.abc import AsyncIterator, Callable

from econnector.base.errors import Failure, OfficeTooSlow
from econnector.link.answering import Answering
from econnector.link.failing import fault_of, unexpected
from econnector.wire.messages import Request
from econnector.wire.session import Session

__all__ = ["Jobs"]


class _Job:
    """One call that is being answered."""

    __slots__ = ("cancelled", "keyed", "late", "started", "task", "timer")

    def __init__(self, *, keyed: bool) -> None:
        self.keyed = keyed
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.started = self.cancelled = self.late = False

    def cancel(self) -> None:
        # A task that is cancelled before its first step never reaches its own end: it looks for itself.
        self.cancelled = True
        if self.task is not None and self.started:
            self.task.cancel()

    def expire(self) -> None:
        self.late = True
        if self.task is not None and self.started:
            self.task.cancel()


class Jobs:
    """What is being answered on one link."""

    __slots__ = ("_answering", "_changed", "_jobs", "_loop", "_session", "_starved")

    def __init__(
        self,
        session: Session,
        answering: Answering,
        changed: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`changed` is called when something waits to be sent or a call is over."""
        self._session, self._answering, self._changed, self._loop = session, answering, changed, loop
        self._jobs: dict[int, _Job] = {}
        self._starved: dict[int, asyncio.Future[None]] = {}

    def begin(self, stream: int, request: Request) -> None:
        """Start to answer a call, or refuse it."""
        refusal = self._answering.refusal(request.reference, self._loop.time())
        if refusal is not None:
            self._session.fail(stream, refusal)
            return
        job = self._jobs[stream] = _Job(keyed=bool(request.key))
        job.task = self._loop.create_task(self._answer(stream, request, job))
        limit = self._answering.limit(request)
        if limit:
            job.timer = self._loop.call_later(limit, job.expire)

    def stop(self, stream: int) -> None:
        """Stop answering: whoever asked has given up."""
        job = self._jobs.get(stream)
        if job is not None:
            job.cancel()

    def stop_all(self) -> None:
        """Stop everything, for nobody can hear the answers.

        Changes that have begun are finished and remembered: their askers will ask again under the same key.
        """
        for job in self._jobs.values():
            if not job.keyed:
                job.cancel()

    def feed(self, stream: int | None = None) -> None:
        """Let `stream`, or all, look again whether bytes may be sent."""
        waiters = self._starved.values() if stream is None else (self._starved.get(stream),)
        for waiter in waiters:
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    @property
    def starved(self) -> bool:
        """Whether a stream waits until it may send."""
        return bool(self._starved)

    async def _answer(self, stream: int, request: Request, job: _Job) -> None:
        session, job.started = self._session, True
        try:
            if job.cancelled:
                return
            if job.late:
                raise asyncio.CancelledError  # noqa: TRY301 - as if its time had run out one step later
            answered = await self._answering.answer(request, session.protocol)
            if job.timer is not None:
                job.timer.cancel()
            if answered.chunks is None:
                session.respond(stream, answered.body)
            else:
                session.respond(stream, answered.body, more=True)
                self._changed()
                await self._send(stream, answered.chunks, request)
        except Failure as failure:
            session.fail(stream, fault_of(failure))
        except asyncio.CancelledError:
            if not job.late:
                raise
            facts = {"call": request.call, "limit": f"{self._answering.limit(request):g}"}
            session.fail(stream, fault_of(OfficeTooSlow(reference=request.reference, **facts)))
        finally:
            if job.timer is not None:
                job.timer.cancel()
            del self._jobs[stream]
            self._changed()

    async def _send(self, stream: int, chunks: AsyncIterator[bytes], request: Request) -> None:
        try:
            await self._pump(stream, chunks, request)
        except Failure:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a source may raise, the asker gets a failure
            raise unexpected(error, request.call, request.reference) from None
        finally:
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()

    async def _pump(self, stream: int, chunks: AsyncIterator[bytes], request: Request) -> None:
        """Read the source only as far as there is credit."""
        session = self._session
        rest = memoryview(b"")
        while (room := await self._room(stream, request)) > 0:
            if not rest:
                piece = await anext(chunks, None)
                if piece is None:
                    session.end(stream)
                    return
                rest = memoryview(piece)  # cut into packets without copying what is left of it each time
            else:
                session.data(stream, rest[:room])
                rest = rest[room:]
                self._changed()

    async def _room(self, stream: int, request: Request) -> int:
        """Wait until the stream may send, at most for the call's limit: standing still that long is a fault."""
        while not (room := self._session.room(stream)):
            limit = self._answering.limit(request)
            waiter = self._starved[stream] = self._loop.create_future()
            try:
                async with asyncio.timeout(limit):
                    await waiter
            except TimeoutError:
                facts = {"call": request.call, "limit": f"{limit:g}"}
                raise OfficeTooSlow(reference=request.reference, **facts) from None
            finally:
                del self._starved[stream]
        return room
