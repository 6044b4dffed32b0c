"""A live link: one session on one carrier, asked and answering in both directions.

Whoever owns a link runs `run`, which reads until the end. What is to be sent is written by a task that exists only
while something waits: everything said in one turn of the loop leaves as one WebSocket message, and an idle link costs
no task.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import AnswerLost, OfficeBusy, OfficeUnreachable
from econnector.link.answering import Answering
from econnector.link.carrier import Carrier, CarrierClosedError
from econnector.link.failing import link_fault, unexpected
from econnector.link.jobs import Jobs
from econnector.link.line import Handle, Sink
from econnector.wire import events as said
from econnector.wire.session import Session

__all__ = ["Ended", "Link"]

_LAST_WORD = 2.0
"""Seconds to get the last word out, and again to close the carrier."""
_STOOD_STILL, _READ_FIRST = 1.0, 0.25
"""Seconds by which an alarm is late when this process stood still, and for which what came meanwhile is then read."""
_AT_A_TURN = 4
"""Messages that leave in one turn of the loop, if there is room for them."""
_CLOSE_CODES = {"protocol-broken": 1002, "lost": 1006}


class Ended(NamedTuple):
    """Why a link is over."""

    code: str
    """`closed`, `replaced`, `stopping`, `protocol-broken`, `silent`, `lost`, or whatever the other side said."""
    reason: str


class _Handle:
    __slots__ = ("_link", "_stream")

    def __init__(self, link: "Link", stream: int) -> None:
        self._link, self._stream = link, stream

    def credit(self, size: int) -> None:
        self._link.credit(self._stream, size)

    def cancel(self) -> None:
        self._link.cancel(self._stream)


class Link:
    """One end of a link whose handshake is done; it is a `Line` to the other side."""

    # Ten thousand of them stand idle in a gateway: no attribute dictionary, nothing made before it is needed.
    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_carrier",
        "_clock",
        "_flushing",
        "_goodbye",
        "_jobs",
        "_leave",
        "_over",
        "_quiet",
        "_reader",
        "_session",
        "_sinks",
        "_writer",
        "ended",
        "leaving",
        "loop",
        "on_goaway",
        "since",
    )

    def __init__(
        self,
        carrier: Carrier,
        session: Session,
        answering: Answering,
        *,
        clock: Clock = SYSTEM,
    ) -> None:
        """Take over a session whose handshake is done."""
        self._carrier, self._session = carrier, session
        self.loop = asyncio.get_running_loop()
        self._jobs = Jobs(session, answering, self._changed, self.loop)
        self._clock = clock
        self._sinks: dict[int, Sink] = {}
        self._reader: asyncio.Task[Any] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._goodbye: asyncio.Task[None] | None = None
        self._leave: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._flushing = False
        self._quiet: asyncio.Future[None] | None = None
        self._over: asyncio.Future[None] | None = None
        self.ended: Ended | None = None
        self.leaving = False
        """Whether the other side was asked to move to a new link."""
        self.since = clock.now()
        self.on_goaway: Callable[[said.GoingAway], None] | None = None
        """Who hears that the other side asks for a new link, or is about to stop."""

    @property
    def protocol(self) -> int:
        """The protocol number that was agreed."""
        return self._session.protocol

    @property
    def in_flight(self) -> int:
        """Calls in flight, both directions."""
        return self._session.in_flight

    def start(self, request: bytes, sink: Sink) -> Handle:
        """Send an encoded `Request`. Raises `OfficeUnreachable` or `OfficeBusy` when it was not sent."""
        session = self._session
        if not session.may_open:
            if session.draining or session.next_deadline() is None:
                raise OfficeUnreachable
            raise OfficeBusy(limit=len(self._sinks), seconds=2)
        stream = session.open(request, self._clock.monotonic())
        if not self._sinks:
            self._set_alarm()  # while others wait it is set already, for the oldest
        self._sinks[stream] = sink
        self._wake()
        return _Handle(self, stream)

    def credit(self, stream: int, size: int) -> None:
        """Let the other side send more of a stream."""
        if self._session.credit(stream, size):
            self._wake()

    def cancel(self, stream: int) -> None:
        """Give a call up; its sink hears nothing more."""
        if self._sinks.pop(stream, None) is not None and self._session.cancel(stream):
            self._wake()

    # -- life --------------------------------------------------------------------------------------------------

    async def run(self, first: Sequence[said.Event] = ()) -> Ended:
        """Read until the link is over; return why. Cancelling it closes the link.

        `first` is what the other side said together with the end of the handshake.
        """
        self._reader = asyncio.current_task()
        self._heed(first)
        self._set_alarm()
        try:
            if self.ended is None:
                await self._carrier.read(self._hear)
        except CarrierClosedError as error:
            self._finish(Ended("lost", str(error)))
        except asyncio.CancelledError:
            if not self._was_kicked():
                self._end("closed", "stopped")
                raise
        finally:
            self._reader = None
            await self._closed()
        return self.ended or Ended("lost", "")

    def _was_kicked(self) -> bool:
        # `_finish` cancels the reader to wake it; only that one cancellation is swallowed.
        task = asyncio.current_task()
        return self.ended is not None and task is not None and not task.uncancel()

    async def close(self, code: str, reason: str = "") -> None:
        """End the link now; what waits for an answer fails. Returns when the carrier is closed."""
        self._end(code, reason)
        await self._closed()

    def ask_to_leave(self, reason: str, spread_ms: int = 0, *, stopping: bool = False) -> None:
        """Ask the other side to move to a new link, or, when `stopping`, to ask nothing more.

        Until the other side has a new link it can still be asked here: the new one comes before the old one goes.
        """
        if self.ended is None and not self.leaving:
            self.leaving = True
            self._session.goaway(reason, spread_ms, asking=not stopping)
            self._wake()

    async def finish(self, code: str, reason: str, grace: float) -> None:
        """Ask nothing more, let calls in flight end, for at most `grace` seconds, then close."""
        self._session.draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.settled()
        await self.close(code, reason)

    def retire(self, code: str, reason: str, grace: float = 30.0) -> None:
        """As `finish`, without waiting for it."""
        self._session.draining = True
        if self._leave is None:
            self._leave = self.loop.create_task(self.finish(code, reason, grace))

    def supersede(self) -> None:
        """Make room for a newer link to the same office: at once, unless this one was asked to leave."""
        if self.leaving:
            self.retire("replaced", "a new link is there")
        else:
            self._end("replaced", "a newer link to the same office was opened")

    async def over(self) -> Ended:
        """Return, once the link is over, why."""
        if self.ended is None:
            if self._over is None:
                self._over = self.loop.create_future()
            await asyncio.shield(self._over)
        return self.ended or Ended("lost", "")

    async def settled(self) -> None:
        """Return once no call is in flight and every answer has left."""
        while self.ended is None and not self._is_quiet():
            if self._quiet is None:
                self._quiet = self.loop.create_future()
            await asyncio.shield(self._quiet)

    def _is_quiet(self) -> bool:
        return not self._session.in_flight and self._writer is None and not self._flushing

    def tick(self) -> None:
        """Look at the clock: what is overdue is acted upon. The link's own alarm does it when a deadline comes."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._heed(self._session.tick(self._clock.monotonic()))
        self._set_alarm()

    # -- writing -----------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._flushing and self._writer is None and self._session.has_outgoing:
            self._flushing = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send what this turn of the loop said; a task waits for room where there is none."""
        self._flushing = False
        if self.ended is not None or self._writer is not None:
            return
        for _ in range(_AT_A_TURN):
            data = self._session.outgoing()
            if not data:
                self._changed()
                return
            if not self._carrier.offer(data):
                self._writer = self.loop.create_task(self._write(data))
                return
            if self._jobs.starved:
                self._jobs.feed()
        self._wake()  # others on this loop have their turn before the rest leaves

    async def _write(self, data: bytes) -> None:
        try:
            while data:
                await self._carrier.send(data)
                if self._jobs.starved:
                    self._jobs.feed()
                data = self._session.outgoing()
        except CarrierClosedError as error:
            self._finish(Ended("lost", str(error)))
        finally:
            self._writer = None
            self._changed()

    def _set_alarm(self) -> None:
        at = self._session.next_deadline()
        if at is None or (self._alarm is not None and self._alarm_at <= at):
            return  # an alarm that rings too early only looks at the clock again
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        delay = max(0.0, at - self._clock.monotonic())
        self._alarm = self.loop.call_later(delay, self._ring)

    def _ring(self) -> None:
        # Our own silence is not the other side's: its answer may lie unread before us.
        if self._clock.monotonic() - self._alarm_at > _STOOD_STILL:
            self._alarm = self.loop.call_later(_READ_FIRST, self.tick)
        else:
            self.tick()

    # -- hearing -----------------------------------------------------------------------------------------------

    def _hear(self, data: bytes) -> bool:
        """Take one message; return whether the link goes on."""
        self._heed(self._session.receive(data, self._clock.monotonic()))
        return self.ended is None

    def _heed(self, events: Sequence[said.Event]) -> None:
        for event in events:
            try:
                _MEANINGS[type(event)](self, event)
            except Exception as error:  # noqa: BLE001 - whoever hears may be broken; the link's other calls are not
                unexpected(error, "link", "")
                self.cancel(getattr(event, "stream", 0))
        self._changed()

    def _changed(self) -> None:
        if self._quiet is not None and self._is_quiet():
            self._quiet.set_result(None)
            self._quiet = None
        self._wake()

    def _on_answered(self, event: said.Answered) -> None:
        sink = self._sinks.get(event.stream) if event.more else self._sinks.pop(event.stream, None)
        if sink is not None:
            sink.answered(event.body, event.more)

    def _on_chunk(self, event: said.Chunk) -> None:
        sink = self._sinks.get(event.stream)
        if sink is not None:
            sink.chunk(event.data)

    def _on_ended(self, event: said.Ended) -> None:
        sink = self._sinks.pop(event.stream, None)
        if sink is not None:
            sink.ended()

    def _on_failed(self, event: said.Failed) -> None:
        sink = self._sinks.pop(event.stream, None)
        if sink is not None:
            sink.failed(event.fault)

    def _on_incoming(self, event: said.Incoming) -> None:
        self._jobs.begin(event.stream, event.request)

    def _on_credited(self, event: said.Credited) -> None:
        self._jobs.feed(event.stream)

    def _on_cancelled(self, event: said.Cancelled) -> None:
        self._jobs.stop(event.stream)

    def _on_going_away(self, event: said.GoingAway) -> None:
        if self.on_goaway is not None:
            self.on_goaway(event)

    def _on_closed(self, event: said.Closed) -> None:
        self._finish(Ended(event.code, event.reason))

    # -- the end -----------------------------------------------------------------------------------------------

    def _end(self, code: str, reason: str) -> None:
        self._session.close(code, reason)
        self._finish(Ended(code, reason))

    def _finish(self, ended: Ended) -> None:
        """Fail everything that waits, at once; whatever comes later on this link means nothing."""
        if self.ended is not None:
            return
        self.ended = ended
        if self._over is not None:
            self._over.set_result(None)
        self._session.close(ended.code, ended.reason)
        if self._alarm is not None:
            self._alarm.cancel()
        fault = link_fault(AnswerLost, reason=ended.reason or ended.code)
        self._heed([said.Failed(stream, fault) for stream in self._sinks])
        self._jobs.stop_all()
        if self._quiet is not None:
            self._quiet.set_result(None)
            self._quiet = None
        self._goodbye = self.loop.create_task(self._say_goodbye(ended))
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()

    async def _say_goodbye(self, ended: Ended) -> None:
        with contextlib.suppress(CarrierClosedError, TimeoutError):
            async with asyncio.timeout(_LAST_WORD):
                if self._writer is not None:
                    await asyncio.wait({self._writer})  # the last word may not come amid what goes in pieces
                while data := self._session.outgoing():
                    await self._carrier.send(data)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD):
                await self._carrier.close(_CLOSE_CODES.get(ended.code, 1000), ended.reason)

    async def _closed(self) -> None:
        if self._goodbye is not None:
            await asyncio.wait({self._goodbye})


_MEANINGS: dict[type[Any], Callable[[Link, Any], None]] = {
    said.Answered: Link._on_answered,  # noqa: SLF001 - the class's own table
    said.Incoming: Link._on_incoming,  # noqa: SLF001
    said.Chunk: Link._on_chunk,  # noqa: SLF001
    said.Credited: Link._on_credited,  # noqa: SLF001
    said.Ended: Link._on_ended,  # noqa: SLF001
    said.Failed: Link._on_failed,  # noqa: SLF001
    said.Cancelled: Link._on_cancelled,  # noqa: SLF001
    said.GoingAway: Link._on_going_away,  # noqa: SLF001
    said.Closed: Link._on_closed,  # noqa: SLF001
}
