"""Why the service stands as it does, and what to do next: every word with every known reason."""

import datetime as dt
import os
from collections.abc import Mapping

import msgspec
import pytest

from econnector.base.errors import DatabaseAway, Failure, HqAway
from econnector.office.explain import Action, away, explain
from econnector.office.left import Left
from econnector.office.running import Running, Trouble, trouble
from econnector.opendental.signals import LISTENER, STOPPED_FOR_UPDATE, Look, Severity, Signal
from econnector.storage.state.failures import Outage

NOW = dt.datetime(2026, 11, 21, 14, 0, tzinfo=dt.UTC)
OFFICE_TIME = NOW.astimezone().replace(tzinfo=None)
SINCE = OFFICE_TIME - dt.timedelta(hours=2)
DATABASE = DatabaseAway(server="server:3306", reason="it does not answer")
HQ = HqAway(url="wss://hq.example.com", reason="no answer")


def stamp(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")


def runs(**more: object) -> Running:
    facts = {"pid": os.getpid(), "written": stamp(NOW), "started": stamp(NOW), "link": "open", "database": "open"}
    return Running(**{**facts, **more})  # type: ignore[arg-type]


def met(failure: Failure) -> Trouble:
    return trouble(failure, NOW)


def seen(severity: Severity, newest: Severity | None = None, *, errors: int = 0, of: int = LISTENER) -> Look:
    shown = None if severity is Severity.NONE else Signal(SINCE, int(newest or severity), "words", is_processed=True)
    latest = Signal(SINCE, 4, "eConnector was critical for 1:05", is_processed=False) if errors else None
    return Look(severity, OFFICE_TIME, shown, None if shown is None else SINCE, errors, latest, of)


def outage(failure: Failure, ended: dt.datetime | None) -> Outage:
    began, over = stamp(NOW - dt.timedelta(hours=3)), stamp(ended) if ended else ""
    return Outage(1, "database", failure.code, failure.reference, failure.facts, began, over)


NOBODY = Left()
ENROLLED = Left(office="smile", ran=True)
KNOWN = Left(ran=True)


def here(**more: object) -> Left:
    return Left(office="smile", ran=True, running=runs(**more))


NONE, OFF, WORKING, ERROR, CRITICAL = (
    seen(Severity.NONE),
    seen(Severity.NOT_ENABLED),
    seen(Severity.WORKING),
    seen(Severity.ERROR, Severity.WORKING, errors=2),
    seen(Severity.CRITICAL),
)
SILENT = seen(Severity.CRITICAL, Severity.WORKING)
UPDATING, FORGOTTEN = (
    msgspec.structs.replace(CRITICAL, newest=Signal(OFFICE_TIME - ago, 5, STOPPED_FOR_UPDATE, is_processed=False))
    for ago in (dt.timedelta(minutes=2), dt.timedelta(minutes=20))
)
SEEN_ERROR = seen(Severity.ERROR)
TEXTING = seen(Severity.ERROR, Severity.WORKING, errors=1, of=2)
KILLED = Left(office="smile", ran=True, running=Running(written=stamp(NOW - dt.timedelta(hours=2)), pid=1))
STOPPED = Left(office="smile", ran=True, running=Running(written=stamp(NOW), stopped=stamp(NOW), pid=1))
BROKEN = Left(office="smile", ran=True, running=KILLED.running, outages=[outage(DATABASE, None)])
OVER = Left(office="smile", ran=True, outages=[outage(DATABASE, NOW - dt.timedelta(hours=2, minutes=-3))])

CASES: Mapping[str, tuple[Look, Left, Action, str, str]] = {
    "never installed": (NONE, NOBODY, "install", "unknown", "No eConnector has ever worked"),
    "not enrolled": (NONE, KNOWN, "enrol", "unknown", "not enrolled at HQ"),
    "never started": (NONE, ENROLLED, "start", "unknown", "No eConnector has ever worked"),
    "just started": (NONE, here(), "", "attention", "just been started"),
    "not wanted": (OFF, NOBODY, "start", "unknown", "Monitoring was stopped"),
    "not wanted but runs": (OFF, here(), "", "unknown", "starts monitoring again"),
    "works": (WORKING, here(), "", "ok", "The last heartbeat came at"),
    "works elsewhere": (WORKING, NOBODY, "", "ok", "The last heartbeat came at"),
    "works, no link": (WORKING, here(link="away", link_trouble=met(HQ)), "", "problem", HQ.reference),
    "works, key ended": (WORKING, here(standing="ended"), "", "problem", "code 103"),
    "works, others too": (WORKING, here(others=["OLD-PC"]), "", "attention", "OLD-PC"),
    "works, this stands by": (WORKING, here(link="standby"), "", "ok", "this one stands by"),
    "works, database gone": (
        WORKING,
        here(database="away", database_trouble=met(DATABASE)),
        "",
        "problem",
        DATABASE.reference,
    ),
    "errors": (ERROR, ENROLLED, "ack", "attention", "2 errors wait"),
    "error with a cause": (ERROR, OVER, "ack", "attention", DATABASE.reference),
    "error of another eService": (TEXTING, ENROLLED, "ack", "attention", "another eService (number 2)"),
    "error acknowledged": (SEEN_ERROR, ENROLLED, "", "attention", "changes with the next heartbeat"),
    "stopped": (CRITICAL, STOPPED, "start", "problem", "was stopped at"),
    "stopped for an update": (UPDATING, STOPPED, "", "attention", "for its own update"),
    "stopped for an update that never ended": (FORGOTTEN, STOPPED, "start", "problem", "was stopped at"),
    "stopped elsewhere": (CRITICAL, NOBODY, "start", "problem", "has not been started since"),
    "killed": (SILENT, KILLED, "start", "problem", "killed, or this machine lost power"),
    "killed in trouble": (SILENT, BROKEN, "start", "problem", DATABASE.reference),
    "stopped without a database": (SILENT, STOPPED, "start", "problem", "The eConnector was stopped at"),
    "silent elsewhere": (SILENT, NOBODY, "start", "problem", "does not run on this machine"),
    "not enrolled any more": (SILENT, KNOWN, "enrol", "problem", "no heartbeat since"),
    "runs without database": (
        SILENT,
        here(database="away", database_trouble=met(DATABASE)),
        "",
        "problem",
        DATABASE.reference,
    ),
    "runs in standby": (SILENT, here(link="standby"), "", "problem", "this one stands by"),
    "runs without link": (SILENT, here(link="away", link_trouble=met(HQ)), "", "problem", HQ.reference),
}


@pytest.mark.parametrize("case", CASES)
def test_every_word_has_its_reason_and_one_next_step(case: str) -> None:
    look, left, action, state, words = CASES[case]
    told = explain(look, left, NOW)
    assert (told.next_step.action, told.state) == (action, state)
    assert words in told.why, told.why
    assert told.severity is look.severity
    assert bool(told.next_step.text) == bool(told.next_step.action) or told.next_step.text.endswith((".", "?"))
    assert "  " not in told.why
    if look.severity is Severity.CRITICAL:
        assert told.next_step.text, "a critical service always has a next step"


def test_a_database_that_is_away_is_a_status_too() -> None:
    told = away(DATABASE)
    assert (told.severity, told.word, told.since, told.state) == (None, "Unknown", None, "problem")
    assert (told.code, told.reference) == (DATABASE.code, DATABASE.reference)
    assert DATABASE.office_text() in told.why
    assert told.next_step.text == DATABASE.remedy_steps()[0]


def test_an_outage_long_before_the_error_is_not_its_cause() -> None:
    old = Left(ran=True, outages=[outage(DATABASE, NOW - dt.timedelta(days=2))])
    assert DATABASE.reference not in explain(ERROR, old, NOW).why
    assert DATABASE.reference not in explain(TEXTING, OVER, NOW).why, "another eService's error is not ours to explain"
