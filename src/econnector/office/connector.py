"""The connector while it runs: link, database, eServices and heartbeats, each in a loop that nothing can end."""

import asyncio
import contextlib
import datetime as dt
import os
from collections.abc import Coroutine
from typing import Any

import msgspec
import structlog

from econnector.base import logs
from econnector.base.clock import Clock
from econnector.base.errors import Failure, OwnedElsewhere
from econnector.base.settings import Loaded
from econnector.base.tasks import keep_running
from econnector.base.version import version
from econnector.eservices.portal.office.cashier import RECONCILE_SECONDS, Cashier, MerchantTills
from econnector.link.dial import Dialler
from econnector.link.handshake import Limits
from econnector.link.identity import Identity, Install
from econnector.link.state import LinkState
from econnector.office import announce, answers, loglevel, logsweep, running, statistics, updating
from econnector.office.addresses import DatabasePlace
from econnector.office.announce import Announcer
from econnector.office.awake import watch
from econnector.office.awake.watch import Awake
from econnector.office.codes import offers
from econnector.office.codes.offers import Offers
from econnector.office.heartbeat import Heartbeat
from econnector.office.ledger import Ledger, StateMemory
from econnector.office.loglevel import LogLevel
from econnector.office.logsweep import LogSweep
from econnector.office.mail.postbox import Postbox
from econnector.office.mail.sender import sender_over
from econnector.office.outages import Outages
from econnector.office.payments import payment_terms
from econnector.office.practice import Practice
from econnector.office.remote_doctor import RemoteDoctor
from econnector.office.report import Reporter
from econnector.office.running import Running
from econnector.office.settings import Settings
from econnector.office.standing import Standing
from econnector.office.statistics import Statistics
from econnector.office.window import codes_running
from econnector.office.window.serve import AGAIN_SECONDS, WindowServer, window_over
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.signals import HEARTBEAT_SECONDS
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state import answered, failures, meta, outbox
from econnector.storage.state.sealing import Seal
from econnector.wire.call import Answers

__all__ = ["Connector", "Tempo", "within"]

log = structlog.get_logger(__name__)

HOUSEKEEPING_SECONDS = 3600.0


class Tempo(msgspec.Struct, frozen=True):
    """How long things may take, in seconds; the defaults are the product's, tests are in more of a hurry."""

    beat: float = HEARTBEAT_SECONDS
    first_word: float = 5.0
    """How long the first heartbeat waits to hear from HQ whether another machine is this office's connector, and the
    first report to HQ for the database."""
    drain: float = 3.0
    """When stopping: for calls in flight."""
    goodbye: float = 2.0
    """When stopping: for the last row in Open Dental's database; then for letting go of each database."""


class Connector:
    """An enrolled connector."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything a connector stands on
        self,
        loaded: Loaded[Settings],
        hq_url: str,
        place: DatabasePlace,
        state: Database,
        identity: Identity,
        install: Install,
        standing: Standing,
        *,
        clock: Clock,
        limits: Limits | None,
        tempo: Tempo,
    ) -> None:
        """Put the parts together; nothing is opened or dialled before `live`."""
        settings = self._settings = loaded.value
        self._url, self._state, self._standing = hq_url, state, standing
        self._clock, self._tempo = clock, tempo
        self._changed = asyncio.Event()
        self._started = clock.now()
        self._database = Database(place.url, password=place.password, ca=place.ca, guard=guard)
        self._practice = Practice(self._database, clock, self._practice_changed)
        self._ledger = Ledger(state, clock, self._practice.heed)
        self._outages = Outages(state, self._practice, clock)
        self._heartbeat = Heartbeat(self._practice, clock, seconds=self._tempo.beat)
        self._log_level = LogLevel(state, settings.log.level, self._practice, settings.machine_name)
        self._log_sweep = LogSweep(settings.log_folder, settings.log.days, self._practice, clock)
        self._awake = Awake(settings.awake.keep, self._outages, clock, self._changed.set)
        self._statistics = Statistics(self._practice, self._heartbeat, settings.machine_name)
        self.postbox = Postbox(state, clock)
        given = self._answers(loaded)
        self._dialler = self._dialler_for(identity, install, given, limits)
        self._reporter = Reporter(self._dialler.hq, state, self._practice, self._outages, install, clock)
        self._offers = Offers(self._dialler.hq, state, standing.online, clock)
        after = settings.contacts.after_seconds
        self._announcer = Announcer(state, self.postbox, self._practice, standing, self._reporter, after, clock)
        self._mail = sender_over(self.postbox, state, self._database, self._practice.schemas, settings.mail.ca, clock)
        self._window = WindowServer(
            loaded, window_over(loaded, self._database, self._practice.schemas, state, clock), clock
        )

    def _answers(self, loaded: Loaded[Settings]) -> Answers:
        """Return everything that this office answers."""
        settings, clock, schemas = loaded.value, self._clock, self._practice.schemas
        seal, tills = Seal(settings.state_file.parent), MerchantTills(payment_terms(loaded), clock)
        self._cashier = Cashier(self._database, self._state, schemas, clock, tills, post=self.postbox, seal=seal)
        given = answers.office_answers(
            self._database,
            self._state,
            schemas,
            ImageStore(settings.images.root, settings.machine),
            clock,
            check=self._practice.check,
            post=self.postbox,
            seal=seal,
            cashier=self._cashier,
        )
        RemoteDoctor(loaded, self._state, clock).answer_to(given)
        return given

    def _dialler_for(self, identity: Identity, install: Install, given: Answers, limits: Limits | None) -> Dialler:
        hq, standing = self._settings.hq, self._standing
        return Dialler(
            self._url,
            identity,
            install,
            self._ledger.watch(given, install),
            ca=hq.ca,
            proxy=hq.way_out(),
            memory=StateMemory(self._state, self._clock),
            epoch=standing.epoch,
            limits=limits,
            clock=self._clock,
            on_change=self._heed,
        )

    def _heed(self, state: LinkState) -> None:
        self._standing.heed(state)
        self._changed.set()
        if state.failure is None:
            self._reporter.hurry()

    def _practice_changed(self) -> None:
        self._changed.set()
        self._reporter.hurry()

    # -- life --------------------------------------------------------------------------------------------------

    async def live(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then leave in order."""
        with logs.bound(office=self._standing.office):
            await self._live(stop)

    async def _live(self, stop: asyncio.Event) -> None:
        log.info("the connector starts", version=version(), hq=self._url, machine=self._settings.machine_name)
        tasks = [
            asyncio.create_task(work)
            for work in (
                keep_running("database", self._practice.watch, every=1.0),
                keep_running("link", self._dialler.run, every=1.0),
                keep_running("heartbeat", self._beat, every=1.0),
                keep_running("report", self._report, every=0.1),
                keep_running("follow", self._follow, every=0.1),
                keep_running("window", self._window.run, every=AGAIN_SECONDS),
                keep_running("mail", self._mail.run, every=1.0),
                keep_running("contacts", self._announcer.look, every=announce.LOOK_SECONDS),
                keep_running("code offers", self._offers.look, every=offers.LOOK_SECONDS, jitter=offers.pace()),
                keep_running("payments", self._cashier.reconcile, every=RECONCILE_SECONDS),
                keep_running("housekeeping", self._keep_house, every=HOUSEKEEPING_SECONDS),
                keep_running("log level", self._log_level.look, every=loglevel.LOOK_SECONDS),
                keep_running("log sweep", self._log_sweep.look, every=logsweep.LOOK_SECONDS),
                keep_running("awake", self._awake.look, every=watch.LOOK_SECONDS),
                keep_running("statistics", self._statistics.look, every=statistics.LOOK_SECONDS),
            )
        ]
        try:
            await stop.wait()
            log.info("the connector stops")
        finally:
            await self._stop(tasks)
        log.info("the connector has stopped")

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        """Leave in order: calls in flight, then the loops, then the last rows; nothing here waits for ever."""
        tempo = self._tempo
        await within(tempo.drain + 1.0, self._dialler.stop(tempo.drain))
        await within(tempo.goodbye, codes_running.close())
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=tempo.goodbye)
        # Our own file first: it is there for sure, the practice's database may be the reason for stopping.
        await within(tempo.goodbye, self._ledger.flush())
        await within(tempo.goodbye, self._publish(stopped=True))
        await within(2 * tempo.goodbye + 1.0, self._say_stopped())
        await within(tempo.goodbye, self._awake.close())

    async def _say_stopped(self) -> None:
        for_update = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                for_update = await updating.marked(self._state, self._clock)
        # Longer than the others may take: without the row, Open Dental shows Working for six more minutes.
        await self._heartbeat.stopped(2 * self._tempo.goodbye, for_update=for_update)

    async def _beat(self) -> None:
        await self._standing.first_word(self._tempo.first_word)
        if not self._standing.standby:
            self._heartbeat.allowed.set()
        await self._heartbeat.run()

    async def _report(self) -> None:
        await self._standing.online.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._tempo.first_word):  # the first report should know the practice's name
                await self._practice.looked.wait()
        try:
            heard = await self._reporter.report()
        except Failure as failure:
            log.info("HQ did not take the heartbeat", code=failure.code, reference=failure.reference)
            if isinstance(failure, OwnedElsewhere):
                self._standing.standby = True
            self._changed.set()
        else:
            await self._heartbeat.others(heard.others)
            self._changed.set()
        await self._reporter.pause(self._settings.hq.heartbeat_seconds)

    async def _follow(self) -> None:
        """Act on every change, and leave word of how things stand every few seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(running.KEEP_SECONDS):
                await self._changed.wait()
        if self._changed.is_set():
            self._changed.clear()
            try:
                await self._adopt()
            except Failure:
                self._changed.set()  # what could not be kept now is kept a moment later
                raise
        await self._publish()

    async def _adopt(self) -> None:
        standing, practice = self._standing, self._practice
        if standing.standby:
            self._heartbeat.allowed.clear()
        elif standing.judged.is_set():
            self._heartbeat.allowed.set()
        await standing.keep()
        over = practice.looked.is_set() and await self._outages.note("database", practice.trouble)
        if standing.word == "open" or (standing.word in {"away", "refused"} and standing.trouble is not None):
            over = await self._outages.note("hq", standing.trouble) or over
        if over:
            self._reporter.hurry()

    async def _keep_house(self) -> None:
        now = self._clock.now()
        await answers.sweep(self._state, self._clock)
        await self._state.run(answered.sweep, now.timestamp())
        before = now - dt.timedelta(days=failures.KEPT_DAYS)
        await self._state.run(failures.sweep, before.isoformat(timespec="seconds"))
        await self._state.run(outbox.sweep, now.timestamp())

    async def close(self) -> None:
        """Let go of the practice's database."""
        await self._database.close()

    # -- saying how it stands ----------------------------------------------------------------------------------

    async def _publish(self, *, stopped: bool = False) -> None:
        with contextlib.suppress(Failure):
            now = self.snapshot(stopped=stopped)
            # Whoever reads a reference there shall find what it stands for.
            self._ledger.trouble(now.database_trouble, "database")
            self._ledger.trouble(now.link_trouble, "link")
            await self._ledger.flush()
            text = msgspec.json.encode(now).decode()
            await self._state.run(meta.write, running.NAME, text)

    def heartbeats(self) -> int:
        """Return how often it has told Open Dental's database that it works."""
        return self._heartbeat.beats

    def snapshot(self, *, stopped: bool = False) -> Running:
        """Return how the connector stands now."""
        practice, standing, heard = self._practice, self._standing, self._reporter.heard
        facts, now = practice.facts, self._clock.now().isoformat(timespec="seconds")
        return Running(
            version=version(),
            pid=os.getpid(),
            machine=self._settings.machine_name,
            started=self._started.isoformat(timespec="seconds"),
            written=now,
            stopped=now if stopped else "",
            hq=self._url,
            office=standing.office,
            link="away" if stopped else standing.word,
            link_since=standing.since.isoformat(timespec="seconds"),
            link_trouble=standing.trouble,
            report_trouble=self._reporter.trouble,
            database="open" if practice.opened.is_set() else "away",
            database_since=practice.since.isoformat(timespec="seconds"),
            database_version=facts.schema.version if facts else "",
            program_version=facts.schema.program_version if facts else "",
            database_trouble=practice.trouble,
            heard=self._reporter.heard_at,
            hq_version=heard.version,
            standing=heard.standing if self._reporter.heard_at else "",
            others=heard.others,
            window="" if stopped else self._window.address,
            window_trouble=self._window.trouble,
            clock_ahead=facts.ahead if facts else 0.0,
            awake=self._awake.word,
            awake_by=self._awake.by,
            sleep_allowed=list(self._awake.power.allows),
        )


async def within(seconds: float, work: Coroutine[Any, Any, object]) -> None:
    """Do `work` as far as it gets in that time; a failure of it is logged: somebody waits for the end."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.warning("not finished in time", seconds=seconds)
    except Failure as failure:
        log.warning("could not be finished", code=failure.code, reference=failure.reference)
