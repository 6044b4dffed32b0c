"""What the connector makes of it: a word for the status, a row in the history, an outage that HQ hears of."""

import datetime as dt
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.office.awake.slept import Gauge
from econnector.office.awake.watch import AGAIN_SECONDS, Awake
from econnector.office.explain import explain
from econnector.office.left import Left
from econnector.office.outages import Outages
from econnector.office.practice import Practice
from econnector.office.running import Running
from econnector.opendental import signals
from econnector.storage.database import Database
from econnector.storage.state import failures
from econnector.storage.state.base import open_state


class Held:
    """A way of keeping awake that works, or says why not."""

    name = "a stand-in"

    def __init__(self) -> None:
        self.why, self.asked, self.released = "", 0, False

    def hold(self) -> str:
        self.asked += 1
        return self.why

    def release(self) -> None:
        self.released = True


class Machine:
    def __init__(self, practice: Practice, state: Database, *, keep: bool = True) -> None:
        self.clock, self.going, self.held, self.state = ManualClock(), 0.0, Held(), state
        self.outages = Outages(state, practice, self.clock)
        clocks = Gauge(lambda: self.going, self.clock.monotonic)
        self.changes = 0
        self.awake = Awake(keep, self.outages, self.clock, self._changed, held=self.held, clocks=clocks)

    def _changed(self) -> None:
        self.changes += 1

    def works(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.going += seconds

    def sleeps(self, seconds: float) -> None:
        self.clock._now += dt.timedelta(seconds=seconds)
        self.going += seconds


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_state(tmp_path / "office.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
async def clinic(practice: str) -> AsyncIterator[Practice]:
    database = Database(practice)
    made = Practice(database, ManualClock(), lambda: None)
    yield made
    await database.close()


async def history(clinic: Practice) -> list[tuple[int, str]]:
    return [(row.severity, row.description) for row in await clinic.database.run(signals.history)]


async def test_it_says_that_it_is_kept_awake_and_lets_go_at_the_end(clinic: Practice, state: Database) -> None:
    machine = Machine(clinic, state)
    await machine.awake.look()
    assert (machine.awake.word, machine.awake.by) == ("kept", "a stand-in")
    assert machine.changes
    await machine.awake.close()
    assert machine.held.released


async def test_it_says_why_not_and_tries_again_a_minute_later(clinic: Practice, state: Database) -> None:
    machine = Machine(clinic, state)
    machine.held.why = "nobody to ask"
    await machine.awake.look()
    await machine.awake.look()
    assert (machine.awake.word, machine.awake.by, machine.held.asked) == ("impossible", "nobody to ask", 1)
    machine.held.why = ""
    machine.works(AGAIN_SECONDS)
    await machine.awake.look()
    assert (machine.awake.word, machine.held.asked) == ("kept", 2)


async def test_a_setting_leaves_the_machine_alone_but_its_sleep_is_still_noticed(
    clinic: Practice, state: Database
) -> None:
    machine = Machine(clinic, state, keep=False)
    await machine.awake.look()
    assert (machine.awake.word, machine.held.asked) == ("off", 0)
    machine.sleeps(600)
    await machine.awake.look()
    assert len(await state.run(failures.latest_outages)) == 1


@pytest.mark.causes("machine-slept", row="unreachable: machine asleep", sees="history")
async def test_a_sleep_is_in_the_history_and_hq_hears_of_it_with_its_cause(clinic: Practice, state: Database) -> None:
    machine = Machine(clinic, state)
    await machine.awake.look()
    clinic._found(await clinic._look())
    machine.sleeps(37 * 60)
    machine.works(5)
    await machine.awake.look()
    await machine.awake.look()
    (outage,) = await state.run(failures.latest_outages)
    assert (outage.kind, outage.code) == ("sleep", "machine-slept")
    lasted = dt.datetime.fromisoformat(outage.ended) - dt.datetime.fromisoformat(outage.began)
    assert lasted == dt.timedelta(minutes=37)
    ((severity, text),) = await history(clinic)
    assert severity == signals.Severity.INFO
    began, ended = (dt.datetime.fromisoformat(each).astimezone() for each in (outage.began, outage.ended))
    assert f"This computer slept from {began:%Y-%m-%d %H:%M} to {ended:%Y-%m-%d %H:%M}" in text
    assert outage.reference in text
    told, numbers = await machine.outages.to_tell()
    assert [(each.cause, each.began, each.ended) for each in told] == [(outage.code, outage.began, outage.ended)]
    await machine.outages.told(numbers)
    assert (await machine.outages.to_tell())[0] == []


async def test_a_sleep_while_the_database_is_away_is_written_when_it_is_back(clinic: Practice, state: Database) -> None:
    machine = Machine(clinic, state)
    await machine.awake.look()
    machine.sleeps(600)
    await machine.awake.look()
    assert await history(clinic) == []
    clinic._found(await clinic._look())
    await machine.outages.write()
    assert len(await history(clinic)) == 1


async def test_a_nap_is_told_to_hq_only(clinic: Practice, state: Database) -> None:
    machine = Machine(clinic, state)
    await machine.awake.look()
    clinic._found(await clinic._look())
    machine.sleeps(30)
    await machine.awake.look()
    assert await history(clinic) == []
    assert len((await machine.outages.to_tell())[0]) == 1


@pytest.mark.parametrize(
    ("awake", "allowed", "state", "said"),
    [
        ("kept", [], "ok", "The eConnector keeps this computer awake."),
        ("impossible", [], "ok", "one comes every five minutes."),
        ("kept", ["it sleeps after 30 minutes without use"], "ok", "by its power settings, it sleeps after 30 minutes"),
        ("off", ["it sleeps after 30 minutes without use"], "attention", "This computer may fall asleep: it sleeps"),
    ],
)
def test_the_status_says_whether_this_computer_stays_awake(
    awake: str, allowed: list[str], state: str, said: str
) -> None:
    clock = ManualClock()
    now = clock.now().isoformat()
    running = Running(pid=os.getpid(), written=now, link="open", awake=awake, sleep_allowed=allowed)
    naive, working = clock.now().replace(tzinfo=None), signals.Severity.WORKING
    newest = signals.Signal(naive, working, "Heartbeat", is_processed=True)
    seen = signals.Look(working, naive, newest, naive, 0, None, 0)
    found = explain(seen, Left(ran=True, office="smile", running=running), clock.now())
    assert (found.state, found.word) == (state, "Working")
    assert said in found.why
    assert bool(found.next_step.text) == (state == "attention")
