"""Outages of database and HQ: when they began and ended and why; told to HQ and to Open Dental's history when over."""

import datetime as dt
from typing import Any

import structlog

from econnector.base.clock import Clock
from econnector.base.errors import Failure
from econnector.link import calls
from econnector.office.practice import Practice
from econnector.office.running import Trouble
from econnector.opendental import signals
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import failures
from econnector.storage.state.failures import Outage

__all__ = ["Outages"]

log = structlog.get_logger(__name__)

WORTH_SECONDS = 60.0
"""Open Dental's history counts minutes; a shorter outage is told to HQ only."""
_WHAT = {"database": "The database was away", "hq": "There was no link to HQ"}
"""What no longer worked, before the cause; the cause of any other kind says it all."""


class Outages:
    """Notes beginnings and ends in the state file, so that a restart forgets none."""

    def __init__(self, state: Database, practice: Practice, clock: Clock) -> None:
        """Use the state file; the history is the practice's."""
        self._state, self._practice, self._clock = state, practice, clock

    async def note(self, kind: str, trouble: Trouble | None) -> bool:
        """Note that `kind` (`database`, `hq`) is in trouble, or no longer; said again, it changes nothing.

        Return whether an outage is over that was not before.
        """
        try:
            if trouble is None:
                ended = await self._state.run(failures.close_outage, kind, self._now())
                await self.write()
                return ended is not None
            began = Outage(0, kind, trouble.code, trouble.reference, trouble.facts, trouble.since, "")
            await self._state.run(failures.begin_outage, began)
        except Failure as failure:
            log.warning("an outage could not be noted", kind=kind, code=failure.code)
        return False

    async def over(self, kind: str, trouble: Trouble, ended: dt.datetime) -> None:
        """Note an outage that is over already: it began at the trouble's `since`. Raises the state file's failures."""
        began = Outage(0, kind, trouble.code, trouble.reference, trouble.facts, trouble.since, "")
        await self._state.run(_over, began, ended.isoformat(timespec="seconds"))
        await self.write()

    async def write(self) -> None:
        """Write what is over into Open Dental's history, if that can be reached now."""
        if not self._practice.opened.is_set():
            return
        for outage in await self._state.run(failures.outages_to_write):
            if _seconds(outage) >= WORTH_SECONDS:
                await self._practice.database.run(_report, self._practice.schemas, _sentence(outage))
            await self._state.run(failures.mark_written, [outage.id])

    async def to_tell(self) -> tuple[list[calls.Outage], list[int]]:
        """Return what HQ has not heard of yet, and the numbers to give to `told` once it has."""
        waiting = await self._state.run(failures.outages_to_tell)
        told = [calls.Outage(each.began, each.ended, each.code, each.reference) for each in waiting]
        return told, [each.id for each in waiting]

    async def told(self, numbers: list[int]) -> None:
        """Note that HQ has heard of these."""
        if numbers:
            await self._state.run(failures.mark_told, numbers)

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds")


def _report(connection: Any, schemas: Schemas, sentence: str) -> None:
    signals.report(connection, schemas(connection), sentence)


def _over(connection: Any, outage: Outage, ended: str) -> None:
    failures.begin_outage(connection, outage)
    failures.close_outage(connection, outage.kind, ended)


def _seconds(outage: Outage) -> float:
    return (dt.datetime.fromisoformat(outage.ended) - dt.datetime.fromisoformat(outage.began)).total_seconds()


def _sentence(outage: Outage) -> str:
    began, minutes = dt.datetime.fromisoformat(outage.began).astimezone(), int(_seconds(outage)) // 60
    cause = Trouble(outage.code, outage.reference, outage.facts, outage.began).failure().office_text()
    if outage.kind not in _WHAT:
        return f"{cause} (reference {outage.reference})"
    what = f"{_WHAT[outage.kind]} for {minutes // 60}:{minutes % 60:02d}"
    return f"{what}, since {began:%Y-%m-%d %H:%M}. {cause} (reference {outage.reference})"
