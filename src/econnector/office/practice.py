"""Whether the practice's database can be used now: looked at for ever, with the cause kept when it cannot."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable

import msgspec
import structlog

from econnector.base.clock import Clock
from econnector.base.errors import (
    ClockDrift,
    DatabaseAway,
    DatabaseBusy,
    DatabaseRefused,
    Failure,
    Unexpected,
    UpdateRunning,
    VersionsDiffer,
)
from econnector.base.tasks import Jitter
from econnector.office.clocks import MOST_SECONDS, apart
from econnector.office.running import Trouble, trouble
from econnector.opendental import preferences, times
from econnector.opendental.schema import Schema, Schemas
from econnector.storage.database import Database

__all__ = ["Facts", "Practice"]

log = structlog.get_logger(__name__)

LOOK_SECONDS = 15.0
AGAIN_SECONDS = 5.0
"""The longest pause between two tries while the database is away."""
_WITHIN = 12.0
_NAMES = ("PracticeTitle", "PracticePhone", "EConnectorCleanupLoggerIntervalDays", "HasVerboseLogging")
_STOPS = (DatabaseAway, DatabaseRefused, DatabaseBusy, UpdateRunning, VersionsDiffer)


class Facts(msgspec.Struct, frozen=True):
    """What the connector itself needs to know of the practice."""

    schema: Schema
    title: str
    phone: str
    log_days: int
    """How long log files are kept; 0 for ever."""
    verbose_computers: frozenset[str]
    """Names, in small letters, of the computers that Open Dental wants to log everything (`HasVerboseLogging`)."""
    database_clock: dt.datetime
    """Naive, office time."""
    ahead: float
    """Seconds that this machine's clock is ahead of the database's."""

    def drift(self) -> ClockDrift | None:
        """Return the failure if the two clocks are too far apart."""
        if abs(self.ahead) <= MOST_SECONDS:
            return None
        ours = self.database_clock + dt.timedelta(seconds=self.ahead)
        return ClockDrift(ours=f"{ours:%Y-%m-%d %H:%M:%S}", theirs=f"{self.database_clock:%Y-%m-%d %H:%M:%S}")


class Practice:
    """The database, watched."""

    def __init__(self, database: Database, clock: Clock, changed: Callable[[], None]) -> None:
        """`changed` is called when it goes away or comes back, or its trouble changes."""
        self.database, self.schemas = database, Schemas()
        self._clock, self._changed = clock, changed
        self._jitter = Jitter(0.5, AGAIN_SECONDS)
        self._nudged = asyncio.Event()
        self.opened = asyncio.Event()
        """Set while the database can be used."""
        self.looked = asyncio.Event()
        """Set once the first look is over, however it ended."""
        self.facts: Facts | None = None
        """From the last look that worked."""
        self.trouble: Trouble | None = None
        self.since = clock.now()

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            try:
                facts = await self._look()
            except Failure as failure:
                self._lost(failure)
            except Exception as error:
                fault = Unexpected(kind=type(error).__name__)
                log.exception("the database could not be looked at", reference=fault.reference)
                self._lost(fault)
            else:
                self._found(facts)
            self.looked.set()
            await self._pause(self._jitter.next() if self.trouble else LOOK_SECONDS)

    def heed(self, failure: Failure) -> None:
        """Look again at once if an answer just met what stops all of them; say which version the database is."""
        # Who met a column that is gone does not know the version; who read the version does, and it is a new one.
        if isinstance(failure, VersionsDiffer) and self.facts is not None and failure.facts.get("version") == "?":
            failure.facts["version"] = self.facts.schema.version
        if isinstance(failure, _STOPS) and self.trouble is None:
            self._nudged.set()

    def check(self) -> None:
        """Raise what stops every eService now: an update, or a database of another version."""
        if self.trouble is not None:
            failure = self.trouble.failure()
            if isinstance(failure, UpdateRunning | VersionsDiffer):
                raise type(failure)(**failure.facts)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        self._nudged.clear()

    async def _look(self) -> Facts:
        schema = await self.database.run(self.schemas, within=_WITHIN)
        found = await self.database.run(preferences.read_many, _NAMES, within=_WITHIN)
        theirs = await self.database.run(times.now, within=_WITHIN)
        ours = self._clock.now().astimezone().replace(tzinfo=None)
        days = found["EConnectorCleanupLoggerIntervalDays"]
        return Facts(
            schema=schema,
            title=found["PracticeTitle"],
            phone=found["PracticePhone"],
            log_days=int(days) if days.isdigit() else 0,
            verbose_computers=frozenset(name.strip().lower() for name in found["HasVerboseLogging"].split(",")) - {""},
            database_clock=theirs,
            ahead=apart(ours, theirs),
        )

    def _found(self, facts: Facts) -> None:
        self.facts = facts
        self._jitter.reset()
        if not self.opened.is_set():
            log.info("the database can be used", version=facts.schema.version)
            self.trouble, self.since = None, self._clock.now()
            self.opened.set()
            self._changed()

    def _lost(self, failure: Failure) -> None:
        if self.trouble is not None and self.trouble.code == failure.code:
            return
        log.warning("the database cannot be used", code=failure.code, reference=failure.reference)
        if self.trouble is None:
            self.since = self._clock.now()
        self.trouble = trouble(failure, self._clock.now())
        self.opened.clear()
        self._changed()
