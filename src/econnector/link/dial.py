"""The office's end of the link: dials HQ, keeps dialling, and knows at any time how that stands.

The supervisor in `Dialler.run` can be ended by nothing that it supervises. After a loss it waits a random share of a
growing delay, so that ten thousand offices do not come back in the same second.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, HqAway, OwnedElsewhere, ProtocolBroken
from econnector.base.registration import checked_key
from econnector.base.tasks import Jitter
from econnector.link.answering import Answering
from econnector.link.asking import LineAsker
from econnector.link.carrier import CarrierClosedError, DialledCarrier
from econnector.link.connect import check_url, dialled_name, open_websocket, tls_context
from econnector.link.failing import unexpected
from econnector.link.handshake import Credentials, Dialled, Limits, RefusedError, dial
from econnector.link.identity import Identity, Install
from econnector.link.line import Line
from econnector.link.link import Ended, Link
from econnector.link.once import Memory
from econnector.link.state import LinkState, Status
from econnector.wire.call import Answers, Asker
from econnector.wire.events import GoingAway

__all__ = ["Dialler"]

log = structlog.get_logger(__name__)

_FIRST, _MOST = 0.5, 15.0
"""Seconds: with a random share of at most 15, nineteen of twenty offices are back 12 s after HQ is. With 12, two
thousand are back in four fifths of that, but ten thousand later: whom HQ has no room for comes again too soon."""
_SLOW_LEAST, _SLOW_MOST = 30.0, 300.0
"""Seconds between tries while HQ says no: only a person can change its mind, but nobody has to restart anything."""
_LONGEST_PAUSE = 300.0
"""Seconds: whatever HQ asks for, no connector stays away for longer."""
_STABLE = 60.0
_LOOK, _SLEPT = 2.0, 10.0
"""Seconds between looks at the clock, and how much more than that must have passed for the machine to have slept."""
_REPLACED_GRACE = 35.0
_OFFLINE = {Status.DISCONNECTED, Status.CONNECTING}


class Dialler:
    """Keeps one link to HQ."""

    def __init__(  # noqa: PLR0913 - what a connector's settings hold
        self,
        url: str,
        identity: Identity,
        install: Install,
        answers: Answers,
        *,
        registration_key: str | None = None,
        ca: Path | None = None,
        proxy: str | bool = True,
        memory: Memory | None = None,
        epoch: int = 0,
        limits: Limits | None = None,
        clock: Clock = SYSTEM,
        on_change: Callable[[LinkState], None] | None = None,
    ) -> None:
        """Set up; nothing is dialled before `run`.

        `registration_key` is needed until the first success and forgotten then. `ca` is a PEM file of further
        authorities. `proxy`: true for the system's own, false for none, or an address. `memory` keeps answers to
        changing calls. `epoch` is the last one known (`state.epoch`): HQ may not fall behind it. `on_change` is told
        every new state. Raises `SettingInvalid` or `KeyUnknown`.
        """
        self._url = check_url(url)
        self._context = tls_context(ca) if urlsplit(url).scheme == "wss" else None
        self._proxy = proxy
        self._identity, self._install = identity, install
        self._registration_key = checked_key(registration_key) if registration_key else ""
        self._answering = Answering(answers, install, memory)
        self._epoch, self._limits = epoch, limits or Limits()
        self._clock, self._on_change = clock, on_change
        self._link: Link | None = None
        self._running: set[asyncio.Task[Ended]] = set()
        self._known = _Known()
        self._spread = 0.0
        self._moved = asyncio.Event()
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._pace = Jitter(_FIRST, _MOST)
        self._slow = Jitter(_SLOW_LEAST, _SLOW_MOST - _SLOW_LEAST)
        self.state = LinkState(Status.DISCONNECTED, clock.now())
        self.hq: Asker = LineAsker(self._line)
        """Whom to ask at HQ; raises `HqAway` while there is no link."""

    async def run(self) -> None:
        """Keep the link until `stop`, or until cancelled."""
        supervisor = asyncio.create_task(self._supervise())
        watch = asyncio.create_task(self._watch_clock())
        try:
            await self._stopped.wait()
        finally:
            for task in (supervisor, watch, *self._running):
                task.cancel()
            await asyncio.gather(supervisor, watch, *self._running, return_exceptions=True)
            self._set(Status.DISCONNECTED)

    async def stop(self, grace: float = 10.0) -> None:
        """Tell HQ to ask nothing more, let what is in flight end for `grace` seconds, hang up; `run` then returns."""
        if self._link is not None and self._link.ended is None:
            self._set(Status.DRAINING)
            self._link.on_goaway = None
            self._link.ask_to_leave("the connector stops", stopping=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await self._link.over()  # HQ hangs up when it has all its answers
            await self._link.close("stopping", "the connector stops")
        self._stopped.set()

    # -- the supervisor ----------------------------------------------------------------------------------------

    async def _supervise(self) -> None:
        while True:
            try:
                pause = await self._once()
            except Exception as error:  # noqa: BLE001 - this is the place that must survive anything
                pause = self._away(unexpected(error, "dial", ""))
            await self._wait(pause)

    async def _once(self) -> float:
        """Dial, and stay until the link is over or to be left; return how long to wait before the next try."""
        if self._link is None or self._link.ended is not None:
            self._set(Status.CONNECTING, self.state.failure)
        self._moved.clear()
        try:
            link, running = await self._open()
        except RefusedError as refused:
            return self._refused(refused.failure, _bounded(refused.retry_after))
        except Failure as failure:
            return self._away(failure)
        except (CarrierClosedError, TimeoutError) as error:
            reason = str(error) or "HQ did not finish the handshake in time"
            return self._away(HqAway(url=self._url, step="handshake", reason=reason))
        return await self._stay(link, running)

    async def _open(self) -> tuple[Link, asyncio.Task[Ended]]:
        connection = await open_websocket(self._url, self._context, self._proxy)
        carrier = DialledCarrier(connection)
        credentials = Credentials(self._identity, self._install, dialled_name(connection), self._registration_key)
        try:
            dialled = await dial(carrier, credentials, self._limits, self._clock)
            self._check_epoch(dialled.welcome.epoch)
        except BaseException:
            await carrier.close(1000, "the handshake failed")
            raise
        return self._take(carrier, dialled)

    def _check_epoch(self, epoch: int) -> None:
        if epoch < self._epoch:
            raise ProtocolBroken(reason=f"HQ is at epoch {epoch}, which is older than {self._epoch}: it forgot a move")

    def _take(self, carrier: DialledCarrier, dialled: Dialled) -> tuple[Link, asyncio.Task[Ended]]:
        """Put the new link in the place of the old one."""
        link = Link(carrier, dialled.session, self._answering, clock=self._clock)
        link.on_goaway = lambda event: self._asked_to_leave(link, event)
        running = self._keep(link.run(dialled.rest))
        old, self._link = self._link, link
        if old is not None and old.ended is None:
            self._keep(self._let_go(old))
        welcome = dialled.welcome
        self._registration_key, self._epoch = "", welcome.epoch
        self._slow.reset()
        self._known = _Known(welcome.office, welcome.title, welcome.epoch, welcome.version, dialled.ahead)
        self._set(Status.ONLINE)
        return link, running

    async def _let_go(self, link: Link) -> Ended:
        """Leave the old link to HQ, which hangs up when it has all its answers; not for ever, though."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REPLACED_GRACE):
                return await link.over()
        await link.close("replaced", "a new link is there")
        return Ended("replaced", "")

    def _keep(self, work: Coroutine[Any, Any, Ended]) -> asyncio.Task[Ended]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _stay(self, link: Link, running: asyncio.Task[Ended]) -> float:
        moving = asyncio.create_task(self._moved.wait())
        began = self._clock.monotonic()
        try:
            await asyncio.wait({running, moving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            moving.cancel()
        if self._clock.monotonic() - began >= _STABLE:
            self._pace.reset()
        ended = link.ended
        if ended is None:
            # Nothing has failed: the node that stops waits seconds for us, however often we had to dial before.
            self._pace.reset()
            self._set(Status.DRAINING)
            return self._spread
        if ended.code == "replaced":
            # Another machine took over, or a copy of this one has come: the next try is told which. Slowly, so that
            # the two do not fight.
            since, here = f"{self._clock.now():%Y-%m-%d %H:%M} UTC", self._install.machine
            failure = OwnedElsewhere(machine="another machine, or a copy of this one,", since=since, here=here)
            return self._refused(failure, 0.0)
        return self._away(HqAway(url=self._url, step="link", reason=ended.reason or ended.code))

    async def _wait(self, pause: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._woken.wait()
        self._woken.clear()

    # -- what happened -----------------------------------------------------------------------------------------

    def _away(self, failure: Failure) -> float:
        if self.state.failure is None or self.state.failure.code != failure.code:
            log.warning("no link to HQ", code=failure.code, reference=failure.reference, step=failure.facts.get("step"))
        self._fell(Status.DISCONNECTED, failure)
        return self._pace.next()

    def _refused(self, failure: Failure, retry_after: float) -> float:
        if failure.retry:  # HQ's own trouble passes without a person
            return self._away(failure) + retry_after
        log.warning("HQ does not let this connector in", code=failure.code, reference=failure.reference)
        self._fell(Status.STANDBY if isinstance(failure, OwnedElsewhere) else Status.REFUSED, failure)
        return retry_after or _SLOW_LEAST + self._slow.next()

    def _fell(self, status: Status, failure: Failure) -> None:
        old_lives = self._link is not None and self._link.ended is None
        self._set(Status.DRAINING if old_lives else status, failure)

    def _asked_to_leave(self, link: Link, event: GoingAway) -> None:
        if link is self._link:
            self._spread = random.uniform(0.0, _bounded(event.goaway.spread_ms / 1000))  # noqa: S311
            self._moved.set()

    def _set(self, status: Status, failure: Failure | None = None) -> None:
        old, known = self.state, self._known
        same = old.status is status or {old.status, status} == _OFFLINE
        since = old.since if same else self._clock.now()
        self.state = LinkState(
            status, since, failure, known.office, known.title, known.epoch, known.hq_version, known.clock_ahead
        )
        if self._on_change is not None and (old.status is not status or old.failure is not failure):
            try:
                self._on_change(self.state)
            except Exception as error:  # noqa: BLE001 - whoever listens must not end the supervisor
                unexpected(error, "link state", "")

    def _line(self) -> Line:
        link = self._link
        if link is None or link.ended is not None or self.state.status is Status.DRAINING:
            failure = self.state.failure
            reason = "not connected yet" if failure is None else failure.facts.get("reason", failure.title)
            raise HqAway(url=self._url, reason=reason)
        return link

    async def _watch_clock(self) -> None:
        """After the machine has slept, the link is most likely dead and HQ waits: dial at once."""
        before = self._clock.now()
        while True:
            await asyncio.sleep(_LOOK)
            now = self._clock.now()
            if (now - before).total_seconds() > _LOOK + _SLEPT:
                log.info("the clock has jumped: the machine slept, or was set")
                self._spread = 0.0
                self._pace.reset()
                self._moved.set()
                self._woken.set()
            before = now


def _bounded(pause: float) -> float:
    """Return the seconds that HQ asks to wait, if one can wait that long; neither less than none nor "not a number"."""
    return pause if 0 <= pause <= _LONGEST_PAUSE else _LONGEST_PAUSE


class _Known(NamedTuple):
    """What HQ said at the last welcome."""

    office: str = ""
    title: str = ""
    epoch: int = 0
    hq_version: str = ""
    clock_ahead: float = 0.0
