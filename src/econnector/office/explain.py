"""Why the service stands as it does, in one sentence, and the one thing to do next.

The word is Open Dental's, from its database; the reason comes from what this machine's connector left behind, where
that is known. A connector on another machine leaves only its rows.
"""

import datetime as dt
from typing import Literal

import msgspec

from econnector.base.errors import Failure, failure_from
from econnector.office.left import Left
from econnector.office.running import Running, local
from econnector.opendental.signals import LISTENER, STOPPED_FOR_UPDATE, WORDS, Look, Severity
from econnector.storage.state.failures import Outage

__all__ = ["Action", "NextStep", "ServiceStatus", "away", "explain"]

Action = Literal["", "start", "install", "enrol", "ack"]
State = Literal["ok", "attention", "problem", "unknown"]


class NextStep(msgspec.Struct, frozen=True):
    """The one thing to do."""

    text: str = ""
    """Empty when there is nothing to do."""
    action: Action = ""
    """What a button would do; empty where a person must do it elsewhere."""


NOTHING = NextStep()
_NEAR = dt.timedelta(minutes=10)


class ServiceStatus(msgspec.Struct, frozen=True):
    """How the service stands."""

    severity: Severity | None
    """None when the database cannot be asked."""
    word: str
    """Open Dental's word, or `Unknown` (ours) when its database cannot be asked."""
    why: str
    """One or two sentences."""
    next_step: NextStep
    since: dt.datetime | None
    """By the database's clock; None if never."""
    state: State
    """For icon and colour; the word always stands beside it."""
    errors: int = 0
    """How many wait to be acknowledged."""
    code: str = ""
    reference: str = ""
    """Of the failure that kept the database from being asked."""


class _Told(msgspec.Struct, frozen=True):
    why: str
    next_step: NextStep
    state: State


def away(failure: Failure) -> ServiceStatus:
    """Return the status when Open Dental's database cannot be asked."""
    why = f"Open Dental's database cannot be asked: {failure.office_text()}"
    step = _first_step(failure)
    return ServiceStatus(
        None, "Unknown", why, step, None, "problem", code=failure.code, reference=str(failure.reference)
    )


def explain(seen: Look, left: Left, now: dt.datetime) -> ServiceStatus:
    """Return the status with its reason; `now` is this machine's clock, with a zone."""
    alive = left.running.alive(now)
    told = _TELLERS[seen.severity](seen, left, alive)
    word = WORDS[int(seen.severity)]
    return ServiceStatus(seen.severity, word, told.why, told.next_step, seen.since, told.state, seen.errors)


def _none(seen: Look, left: Left, alive: bool) -> _Told:  # noqa: ARG001 - one of a table
    why = "No eConnector has ever worked with this database."
    if alive:
        return _unheard(left.running, why)
    if left.ran and not left.office:
        text = "Enrol this machine with the office's registration key."
        return _Told(f"{why} This machine is not enrolled at HQ yet.", NextStep(text, "enrol"), "unknown")
    if left.ran:
        return _Told(why, NextStep("Start the eConnector on this machine.", "start"), "unknown")
    return _Told(why, NextStep("Install the eConnector on the machine that should run it.", "install"), "unknown")


def _not_enabled(seen: Look, left: Left, alive: bool) -> _Told:  # noqa: ARG001 - one of a table
    why = f"Monitoring was stopped at {_at(seen.since)}: nobody is alarmed."
    if alive:
        return _Told(f"{why} The eConnector runs; its next heartbeat starts monitoring again.", NOTHING, "unknown")
    text = "Start the eConnector when eServices are wanted again."
    return _Told(why, NextStep(text, "start"), "unknown")


def _working(seen: Look, left: Left, alive: bool) -> _Told:
    beat = seen.newest.at if seen.newest else None
    why = f"The last heartbeat came at {_at(beat)}; one comes every five minutes."
    running = left.running
    if not alive:
        return _Told(why, NOTHING, "ok")
    if running.standing in {"disabled", "ended"}:
        text = "Ask the vendor to renew the registration key."
        return _Told(f"HQ says that the registration key is {running.standing} (code 103).", NextStep(text), "problem")
    if running.database_trouble is not None and running.database != "open":
        failure = running.database_trouble.failure()
        why = f"{why} But now this machine's eConnector cannot use the database: {_cause(failure)}"
        return _Told(why, _first_step(failure), "problem")
    if running.link == "standby":
        return _Told(f"{why} Another machine is this office's connector; this one stands by.", NOTHING, "ok")
    if running.link_trouble is not None and running.link != "open":
        failure = running.link_trouble.failure()
        why = f"The heartbeat works, but there is no link to HQ since {local(running.link_since)}: {_cause(failure)}"
        return _Told(why, _first_step(failure), "problem")
    if running.others:
        why = f"{why} Other machines tried to be this office's connector: {', '.join(running.others)}."
        return _Told(why, NextStep("Uninstall the eConnector on the other machines."), "attention")
    return _wakefulness(running, why)


def _wakefulness(running: Running, why: str) -> _Told:
    """Say whether this computer may fall asleep, which nobody would notice before patients do."""
    kept = running.awake == "kept"
    if running.sleep_allowed:
        when = ", ".join(running.sleep_allowed)
        if kept:
            why = f"{why} The eConnector keeps this computer awake while it runs; by its power settings, {when}."
            return _Told(why, NOTHING, "ok")
        why = f"{why} This computer may fall asleep: {when}, and nothing keeps it awake."
        return _Told(why, NextStep("Change its power settings: the check `sleep` of the doctor says how."), "attention")
    return _Told(f"{why} The eConnector keeps this computer awake." if kept else why, NOTHING, "ok")


def _error(seen: Look, left: Left, alive: bool) -> _Told:  # noqa: ARG001 - one of a table
    latest, outage = seen.latest, _outage_at(left, seen)
    if latest is None:
        why = "The last error is acknowledged; the word changes with the next heartbeat."
        return _Told(why, NOTHING, "attention")
    many = "One error waits" if seen.errors == 1 else f"{seen.errors} errors wait"
    whose = "" if seen.of == LISTENER else f", of another eService (number {seen.of})"
    why = f"{many} to be acknowledged. The last one, at {_at(latest.at)}{whose}: {latest.description}"
    if outage is not None:
        why = f"{why}. This was known then: {_cause(_failure_of(outage))}"
    return _Told(why, NextStep("Read it, do what it asks for, then acknowledge it.", "ack"), "attention")


def _critical(seen: Look, left: Left, alive: bool) -> _Told:
    running, since = left.running, _at(seen.since)
    if alive:
        return _unheard(running, f"There is no heartbeat since {since}, though the eConnector runs on this machine.")
    if left.ran and not left.office:
        text = "Enrol this machine with the office's registration key."
        return _Told(f"There is no heartbeat since {since}.", NextStep(text, "enrol"), "problem")
    start = NextStep("Start the eConnector on this machine.", "start")
    if seen.newest is not None and seen.newest.severity == Severity.CRITICAL:
        if seen.newest.description == STOPPED_FOR_UPDATE and seen.now - seen.newest.at <= _NEAR:
            why = f"The eConnector was stopped at {since} for its own update and starts again when that is done."
            return _Told(why, NextStep("Wait until the update is done."), "attention")
        start = start if left.ran else NextStep("Start the eConnector on the machine where it is installed.", "start")
        return _Told(f"The eConnector was stopped at {since} and has not been started since.", start, "problem")
    if not left.ran:
        why = f"There is no heartbeat since {since}. The eConnector does not run on this machine."
        text = "Look at the machine where it is installed: is it on, awake, and does the service run?"
        return _Told(why, NextStep(text, "start"), "problem")
    why = f"{_vanished(running)} There is no heartbeat since {since}."
    lasting = next((each for each in left.outages if not each.ended), None)
    if lasting is not None:
        why = f"{why} The last trouble that it met: {_cause(_failure_of(lasting))}"
    return _Told(why, start, "problem")


def _unheard(running: Running, why: str) -> _Told:
    """Say why a connector that runs does not beat."""
    if running.link == "standby":
        text = "If this machine should be the connector: let HQ move the office to it."
        return _Told(
            f"{why} Another machine is this office's connector; this one stands by.", NextStep(text), "problem"
        )
    if running.database_trouble is not None:
        failure = running.database_trouble.failure()
        return _Told(f"{why} It cannot use the database: {_cause(failure)}", _first_step(failure), "problem")
    if running.link != "open" and running.link_trouble is not None:
        failure = running.link_trouble.failure()
        return _Told(f"{why} It has no link to HQ: {_cause(failure)}", _first_step(failure), "problem")
    return _Told(f"{why} It has just been started.", NextStep("Wait a minute, then look again."), "attention")


def _vanished(running: Running) -> str:
    if running.stopped:
        return f"The eConnector was stopped at {local(running.stopped)}."
    return (
        f"The eConnector ended without a word after {local(running.written)}: it was killed, or this machine lost power"
        " or slept."
    )


def _outage_at(left: Left, seen: Look) -> Outage | None:
    """Return the outage of this machine that was just over when the newest error was written."""
    if seen.latest is None or seen.of != LISTENER:
        return None
    for each in left.outages:
        if each.ended:
            # The database's clock against ours: near enough, or the doctor says so.
            ended = dt.datetime.fromisoformat(each.ended).astimezone().replace(tzinfo=None)
            if abs(seen.latest.at - ended) <= _NEAR:
                return each
    return None


def _failure_of(outage: Outage) -> Failure:
    return failure_from(outage.code, outage.reference, outage.facts)


def _cause(failure: Failure) -> str:
    return f"{failure.office_text()} ({failure.code} · {failure.reference})"


def _first_step(failure: Failure) -> NextStep:
    steps = failure.remedy_steps()
    return NextStep(steps[0]) if steps else NOTHING


def _at(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "an unknown time"


_TELLERS = {
    Severity.NONE: _none,
    Severity.NOT_ENABLED: _not_enabled,
    Severity.WORKING: _working,
    Severity.ERROR: _error,
    Severity.CRITICAL: _critical,
}
