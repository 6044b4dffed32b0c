"""How the connector stands, for whoever asks: Open Dental's view (od-connector 1.5) and the connector's own."""

from typing import Literal

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure
from econnector.base.ids import references_in
from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.explain import NextStep, ServiceStatus, away, explain
from econnector.office.left import Left, read_file
from econnector.office.running import Running, Trouble, ran_here, trouble
from econnector.office.settings import Settings
from econnector.opendental import signals
from econnector.opendental.signals import WORDS
from econnector.storage.database import Database
from econnector.storage.state import failures
from econnector.storage.state.failures import Met, Outage

__all__ = ["EXITS", "WORDS", "OfficeStatus", "find_failure", "look", "verdict_on"]

Verdict = Literal["ok", "attention", "problem", "unknown"]
EXITS: dict[Verdict, int] = {"ok": 0, "attention": 1, "problem": 2, "unknown": 3}


class OfficeStatus(msgspec.Struct):
    """One look."""

    verdict: Verdict
    status: str
    """Open Dental's word, or empty when the database cannot be asked."""
    enrolled: str
    """The office that this machine is enrolled for, or empty."""
    alive: bool
    """Whether the connector runs on this machine."""
    running: Running
    database_trouble: Trouble | None
    outages: list[Outage]
    """The last ones, newest first; those that last included."""
    failures: list[Met]
    """The last ones that patients or the connector met."""
    why: str = ""
    next_step: NextStep = NextStep()
    since: str = ""
    """When the status began, by the database's clock, ISO 8601 without a zone; empty for never."""


async def look(loaded: Loaded[Settings], clock: Clock = SYSTEM) -> OfficeStatus:
    """Look at database and state file; what cannot be reached is said, not raised.

    Raises for unusable settings, and `StateLocked` where this account may not look at the state file.
    """
    left = await read_file(loaded)
    service, gone = await _ask(loaded, left, clock)
    running = left.running
    since = service.since.isoformat() if service.since else ""
    status = OfficeStatus(
        verdict="ok",
        status=service.word if service.severity is not None else "",
        why=service.why,
        next_step=service.next_step,
        since=since,
        enrolled=left.office,
        alive=running.alive(clock.now()),
        running=running,
        database_trouble=gone,
        outages=left.outages,
        failures=left.failures,
    )
    status.verdict = verdict_on(status)
    return status


async def _ask(loaded: Loaded[Settings], left: Left, clock: Clock) -> tuple[ServiceStatus, Trouble | None]:
    place = database_place(loaded)
    database = Database(place.url, password=place.password, ca=place.ca, workers=1, statement_seconds=5.0)
    try:
        return explain(await database.run(signals.look, within=8.0), left, clock.now()), None
    except Failure as failure:
        return away(failure), trouble(failure, clock.now())
    finally:
        await database.close()


def verdict_on(status: OfficeStatus) -> Verdict:
    """Return the worst of what is known."""
    running = status.running
    if status.database_trouble or not status.alive or status.status == "Critical":
        return "problem"
    if running.link in {"away", "refused"} or running.standing in {"disabled", "ended"}:
        return "problem"
    if running.link != "open" or running.others or status.status == "Error":
        return "attention"
    return "ok" if status.status == "Working" else "unknown"


async def find_failure(loaded: Loaded[Settings], reference: str) -> list[Met]:
    """Return every failure met under a reference, however it was typed. Raises `StateLocked` if it cannot be read."""
    file = loaded.value.state_file
    if not ran_here(file):
        return []
    state = Database(f"sqlite:///{file}", statement_seconds=5.0)
    try:
        for meant in (*references_in(reference), reference):
            if found := await state.run(failures.find, meant):
                return found
        return []
    finally:
        await state.close()
