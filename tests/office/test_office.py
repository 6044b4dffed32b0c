"""The connector in this process, with a real HQ: ownership, heartbeats over time, alerts, updates, outages."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, text

from econnector.base.clock import ManualClock, SystemClock
from econnector.base.errors import DatabaseAway, Failure, NeverConnected, OwnedElsewhere, StateLocked, UpdateRunning
from econnector.eservices.portal.calls import PRACTICE, Nothing
from econnector.hq.registry import heartbeats, offices
from econnector.link.handshake import Limits
from econnector.office.app import Office, Tempo
from econnector.office.enrol import enrol
from econnector.office.heartbeat import Heartbeat
from econnector.office.outages import Outages
from econnector.office.practice import Practice
from econnector.office.running import Running, Trouble, trouble
from econnector.office.status import OfficeStatus, look, verdict_on
from econnector.opendental import signals
from econnector.storage.database import Database
from econnector.storage.state import failures
from econnector.storage.state.base import open_state
from tests.hq.running import RunningHq
from tests.link.vendor import PATIENT
from tests.office.connector import Connector

QUICK = Tempo(beat=0.3, first_word=60.0, drain=30.0, goodbye=30.0)
"""Beats often; waits for what comes as long as a busy machine may need."""


class Sql:
    """The practice's database, looked at from outside."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)

    async def __call__(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        def run(connection: Connection) -> list[tuple[Any, ...]]:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

        return await self.database.run(run)


@pytest.fixture
async def sql(practice: str) -> AsyncIterator[Sql]:
    made = Sql(practice)
    yield made
    await made.database.close()


@contextlib.asynccontextmanager
async def live(connector: Connector, **options: Any) -> AsyncIterator[Office]:
    """Run a connector until the block ends, then stop it in order."""
    stop = asyncio.Event()
    office = Office(connector.loaded(), **{"tempo": QUICK, "limits": Limits(pace=PATIENT), **options})
    task = asyncio.create_task(office.run(stop))
    try:
        yield office
    finally:
        stop.set()
        await task


async def until(wanted: Callable[[], Any], seconds: float = 60.0) -> Any:
    async with asyncio.timeout(seconds):
        while True:
            found = wanted()
            if found := (await found if asyncio.iscoroutine(found) else found):
                return found
            await asyncio.sleep(0.05)


async def enrolled(connector: Connector, hq: RunningHq, practice: str, name: str = "smile") -> str:
    _, key = await hq.add(name)
    connector.write(hq.link, practice)
    await enrol(connector.loaded(), key)
    return key


async def test_a_machine_that_was_never_enrolled_says_so(connector: Connector, hq: RunningHq, practice: str) -> None:
    connector.write(hq.link, practice)
    with pytest.raises(NeverConnected):
        await Office(connector.loaded()).run(asyncio.Event())


@pytest.mark.causes("state-locked")
async def test_a_second_connector_on_the_same_settings_is_refused(
    connector: Connector, hq: RunningHq, practice: str
) -> None:
    await enrolled(connector, hq, practice)
    async with live(connector) as office:
        await until(lambda: office.snapshot().link == "open")
        with pytest.raises(StateLocked):
            await Office(connector.loaded()).run(asyncio.Event())
        status, said, told = await connector.say("office", "run")
        assert (status, said) == (78, "")
        assert "another process uses it" in told


async def test_in_a_steady_state_one_row_moves_and_the_alert_is_gone(
    connector: Connector, hq: RunningHq, practice: str, sql: Sql
) -> None:
    await enrolled(connector, hq, practice)
    await sql("INSERT INTO alertitem (Type, Description) VALUES (12, 'eConnector needs to be restarted')")
    async with live(connector):
        await until(lambda: sql("SELECT 1 FROM eservicesignal"))
        await sql("UPDATE eservicesignal SET SigDateTime = datetime(SigDateTime, '-7 minutes')")
        (before,) = await sql("SELECT MAX(SigDateTime) FROM eservicesignal")
        await until(lambda: sql("SELECT 1 FROM eservicesignal WHERE SigDateTime > :before", before=before[0]))
        assert len(await sql("SELECT 1 FROM eservicesignal")) == 2
        assert await sql("SELECT 1 FROM alertitem WHERE Type = 12") == []
        assert await sql.database.run(signals.status) is signals.Severity.WORKING
    assert await sql.database.run(signals.status) is signals.Severity.CRITICAL


async def test_a_second_machine_stays_in_standby_and_the_first_tells_of_it(
    connector: Connector, hq: RunningHq, practice: str, sql: Sql
) -> None:
    key = await enrolled(connector, hq, practice)
    second = Connector(connector.folder.with_name("second"))
    second.write(hq.link, practice, machine="BACK-OFFICE")
    with pytest.raises(OwnedElsewhere) as caught:
        await enrol(second.loaded(), key)
    assert caught.value.facts["machine"] == "FRONT-DESK"
    async with live(connector) as office:
        await until(lambda: office.snapshot().others == ["BACK-OFFICE"])
        (told,) = await until(lambda: sql("SELECT Description FROM alertitem WHERE Type = 11"))
        assert "BACK-OFFICE" in told[0]


async def test_after_a_move_the_old_machine_waits_and_writes_no_heartbeat(
    connector: Connector, hq: RunningHq, practice: str, sql: Sql
) -> None:
    key = await enrolled(connector, hq, practice)
    second = Connector(connector.folder.with_name("second"))
    second.write(hq.link, practice, machine="BACK-OFFICE")
    async with live(connector) as first:
        await until(lambda: first.snapshot().link == "open")
        now = dt.datetime.now(dt.UTC)
        await hq.hq.registry.run(offices.open_move, "smile", now + dt.timedelta(hours=1), now)
        await enrol(second.loaded(), key)
        async with live(second) as heir:
            await until(lambda: heir.snapshot().link == "open")
            await until(lambda: first.snapshot().link == "standby")
            assert first.snapshot().link_trouble is not None
            await until(heir.heartbeats)
    rows = await sql("SELECT Severity FROM eservicesignal ORDER BY EServiceSignalNum")
    assert [row[0] for row in rows].count(5) == 1, "only the machine in charge says goodbye"


class SlowClock(SystemClock):
    """A clock that is two minutes behind."""

    def now(self) -> dt.datetime:
        return super().now() - dt.timedelta(minutes=2)


async def test_a_clock_that_differs_from_the_databases_is_told_once(
    connector: Connector, hq: RunningHq, practice: str, sql: Sql
) -> None:
    await enrolled(connector, hq, practice)
    async with live(connector, clock=SlowClock()) as office:
        await until(lambda: sql("SELECT 1 FROM alertitem WHERE Type = 24"))
        await sql("DELETE FROM alertitem WHERE Type = 24")
        beats = office.heartbeats()
        await until(lambda: office.heartbeats() > beats + 1)
        assert await sql("SELECT 1 FROM alertitem WHERE Type = 24") == [], "a person removed it"
        assert round(office.snapshot().clock_ahead) in range(-125, -90)


@pytest.mark.causes("update-running")
async def test_nothing_is_served_while_open_dental_is_updated(
    connector: Connector, hq: RunningHq, practice: str, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("econnector.opendental.schema._CHECK_SECONDS", 0.0)
    monkeypatch.setattr("econnector.office.practice.LOOK_SECONDS", 0.2)
    await enrolled(connector, hq, practice)
    async with live(connector) as office:
        await until(lambda: office.snapshot().link == "open" and office.snapshot().database == "open")
        await sql("INSERT INTO preference (PrefName, ValueString) VALUES ('UpdateInProgressOnComputerName', 'SERVER')")
        await until(lambda: office.snapshot().database == "away")
        with pytest.raises(UpdateRunning):
            await hq.hq.switchboard.office("smile").ask(PRACTICE, Nothing())

        async def silent() -> bool:  # one beat may have been under way
            beats = office.heartbeats()
            await asyncio.sleep(1.0)
            return office.heartbeats() == beats

        await until(silent)
        await sql("UPDATE preference SET ValueString = '' WHERE PrefName = 'UpdateInProgressOnComputerName'")
        await until(lambda: office.snapshot().database == "open")
        assert (await hq.hq.switchboard.office("smile").ask(PRACTICE, Nothing())).title == "Smile Dental"


async def test_a_key_that_is_disabled_is_told_and_needs_no_restart(
    connector: Connector, hq: RunningHq, practice: str
) -> None:
    await enrolled(connector, hq, practice)
    async with live(connector) as office:
        await until(lambda: office.snapshot().standing == "active")
        now = dt.datetime.now(dt.UTC)
        await hq.hq.registry.run(offices.disable, "smile", "not paid", now)
        await until(lambda: office.snapshot().standing == "disabled" or office.snapshot().link == "refused")


async def test_an_outage_worth_telling_stands_in_open_dentals_history(
    connector: Connector, practice: str, sql: Sql
) -> None:
    clock = SystemClock()
    database, state = Database(practice), await open_state(connector.folder / "office.sqlite")
    watched = Practice(database, clock, lambda: None)
    outages = Outages(state, watched, clock)
    began = clock.now() - dt.timedelta(hours=2, minutes=5)
    failure: Failure = DatabaseAway(server="db:3306", reason="refused", reference="7F3K-22QX")
    await outages.note("database", trouble(failure, began))
    assert await outages.note("database", None)
    assert await sql("SELECT 1 FROM eservicesignal") == [], "the database cannot be used yet"
    watching = asyncio.create_task(watched.watch())
    await watched.opened.wait()
    assert not await outages.note("database", None)
    ((severity, done, said),) = await sql("SELECT Severity, IsProcessed, Description FROM eservicesignal")
    assert (severity, done) == (1, 1)
    assert said.startswith("The database was away for 2:05, since ")
    assert said.endswith("The database server db:3306 does not answer: refused. (reference 7F3K-22QX)")
    told, numbers = await outages.to_tell()
    assert [each.cause for each in told] == ["database-away"]
    await outages.told(numbers)
    assert await outages.to_tell() == ([], [])
    assert await state.run(failures.outages_to_write) == []
    watching.cancel()
    await asyncio.wait({watching})
    await database.close()
    await state.close()


async def test_hq_hears_who_the_practice_is_and_how_it_stands(
    connector: Connector, hq: RunningHq, practice: str, sql: Sql
) -> None:
    await enrolled(connector, hq, practice)
    async with live(connector) as office:
        await until(lambda: office.snapshot().heard)
        await until(lambda: sql("SELECT 1 FROM eservicesignal"))
        reach = await hq.hq.registry.run(heartbeats.find, "smile")
        assert reach is not None
        assert (reach.title, reach.phone) == ("Smile Dental", "5550100")

        async def well() -> bool:
            found = await look(connector.loaded())
            return (found.verdict, found.status, found.alive) == ("ok", "Working", True)

        await until(well)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "ok"),
        ({"status": "Error"}, "attention"),
        ({"status": "Critical"}, "problem"),
        ({"status": "NotEnabled"}, "unknown"),
        ({"alive": False}, "problem"),
        ({"running": Running(link="standby")}, "attention"),
        ({"running": Running(link="refused")}, "problem"),
        ({"running": Running(link="open", others=["BACK-OFFICE"])}, "attention"),
        ({"running": Running(link="open", standing="ended")}, "problem"),
        ({"database_trouble": Trouble("database-away", "R", {}, "")}, "problem"),
    ],
)
def test_the_verdict_is_the_worst_of_what_is_known(changes: dict[str, Any], verdict: str) -> None:
    well = OfficeStatus("ok", "Working", "smile", True, Running(link="open"), None, [], [])
    assert verdict_on(msgspec.structs.replace(well, **changes)) == verdict


async def test_whatever_a_connector_was_doing_when_it_was_killed_the_next_one_serves(
    connector: Connector, hq: RunningHq, practice: str, sql: Sql
) -> None:
    await enrolled(connector, hq, practice)
    for moment in (0.0, 0.4, 0.8, 1.2):
        process = connector.start()
        await asyncio.sleep(moment)
        process.kill()
        await asyncio.to_thread(process.wait)
    async with live(connector) as office:
        await until(lambda: office.snapshot().link == "open" and office.snapshot().database == "open")
        assert (await hq.hq.switchboard.office("smile").ask(PRACTICE, Nothing())).title == "Smile Dental"
        await until(lambda: sql("SELECT 1 FROM eservicesignal"))
        assert len(await sql("SELECT 1 FROM eservicesignal")) == 2


async def test_a_machine_that_slept_beats_as_soon_as_it_wakes(
    practice: str, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("econnector.office.heartbeat.LOOK_SECONDS", 0.01)
    clock, database = ManualClock(), Database(practice)
    watched = Practice(database, clock, lambda: None)
    heartbeat = Heartbeat(watched, clock)
    heartbeat.allowed.set()
    loops = [asyncio.create_task(work) for work in (watched.watch(), heartbeat.run())]
    await until(lambda: heartbeat.beats == 1)
    await asyncio.sleep(0.1)
    assert heartbeat.beats == 1
    clock.advance(8 * 3600)
    await until(lambda: heartbeat.beats == 2)
    assert len(await sql("SELECT 1 FROM eservicesignal")) == 2
    for loop in loops:
        loop.cancel()
    await asyncio.wait(loops)
    await database.close()
