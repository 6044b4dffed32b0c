"""The connector's sweep: at start, daily, when the preference changes, and never without knowing how long to keep."""

import datetime as dt
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Connection, text

from econnector.base import logs
from econnector.base.clock import ManualClock
from econnector.office import loglevel
from econnector.office.loglevel import LogLevel
from econnector.office.logsweep import LogSweep
from econnector.office.practice import Practice
from econnector.storage.database import Database
from econnector.storage.state.base import join_state, open_state


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    logs.configure(None)
    structlog.reset_defaults()
    root.handlers[:], root.level = before, level


@pytest.fixture
async def clinic(practice: str) -> AsyncIterator[Practice]:
    database = Database(practice)
    yield Practice(database, ManualClock(), lambda: None)
    await database.close()


async def prefer(clinic: Practice, name: str, value: str) -> None:
    """Set a preference as Open Dental does, and let the connector look."""

    def write(connection: Connection) -> None:
        connection.execute(text("DELETE FROM preference WHERE PrefName = :name"), {"name": name})
        insert = text("INSERT INTO preference (PrefName, ValueString) VALUES (:name, :value)")
        connection.execute(insert, {"name": name, "value": value})

    await clinic.database.run(write)
    await look(clinic)


async def look(clinic: Practice) -> None:
    clinic._found(await clinic._look())
    clinic.looked.set()


def fill(folder: Path, today: dt.date, days: int) -> None:
    for ago in range(days):
        day = f"{today - dt.timedelta(days=ago):%y-%m-%d}"
        (folder / "Link" / day).mkdir(parents=True)
        (folder / "Link" / day / f"{day} (001).txt").touch()


async def test_it_sweeps_once_a_day_and_when_the_preference_changes(tmp_path: Path, clinic: Practice) -> None:
    clock, folder = ManualClock(), tmp_path / "log"
    fill(folder, clock.now().astimezone().date(), 100)
    sweep = LogSweep(folder, None, clinic, clock)
    clinic.looked.set()
    await sweep.look()
    assert len(logs.log_files(folder)) == 100, "nobody knows yet how long they are kept"
    await prefer(clinic, "EConnectorCleanupLoggerIntervalDays", "30")
    await sweep.look()
    assert len(logs.log_files(folder)) == 31
    await prefer(clinic, "EConnectorCleanupLoggerIntervalDays", "0")
    await sweep.look()
    assert len(logs.log_files(folder)) == 31
    await prefer(clinic, "EConnectorCleanupLoggerIntervalDays", "1")
    await sweep.look()
    assert len(logs.log_files(folder)) == 2
    clock.advance(24 * 3600)
    await sweep.look()
    assert len(logs.log_files(folder)) == 1


async def test_the_setting_beats_the_preference(tmp_path: Path, clinic: Practice) -> None:
    clock, folder = ManualClock(), tmp_path / "log"
    fill(folder, clock.now().astimezone().date(), 50)
    await prefer(clinic, "EConnectorCleanupLoggerIntervalDays", "1")
    await LogSweep(folder, 40, clinic, clock).look()
    assert len(logs.log_files(folder)) == 41


async def test_what_the_sweep_did_is_in_its_own_area(tmp_path: Path, clinic: Practice) -> None:
    clock, folder = ManualClock(), tmp_path / "log"
    fill(folder, clock.now().astimezone().date(), 5)
    logs.configure(folder)
    await LogSweep(folder, 2, clinic_looked(clinic), clock).look()
    (line,) = logs.read(folder, area="CleanupLogger")
    assert (line.fields["event"], line.fields["files"]) == ("old log files were deleted", 2)


def clinic_looked(clinic: Practice) -> Practice:
    clinic.looked.set()
    return clinic


async def test_the_level_is_switched_by_another_process_and_kept(tmp_path: Path, clinic: Practice) -> None:
    logs.configure(tmp_path / "log")
    state = await open_state(tmp_path / "office.sqlite")
    beside = await join_state(tmp_path / "office.sqlite")
    try:
        level = LogLevel(state, "Error", clinic, "FRONT-DESK")
        await level.look()
        assert logs.word_of(logs.current_level()) == "Error"
        assert await loglevel.choose(beside, "debug") == "Verbose"
        await level.look()
        assert logs.word_of(logs.current_level()) == "Verbose"
        assert await loglevel.chosen(state, "Error") == "Verbose"
        await LogLevel(state, "Error", clinic, "FRONT-DESK").look()
        assert logs.word_of(logs.current_level()) == "Verbose", "a restart changes nothing"
        await loglevel.choose(beside, "")
        await level.look()
        assert logs.word_of(logs.current_level()) == "Error"
        with pytest.raises(ValueError, match="loud"):
            await loglevel.choose(beside, "loud")
    finally:
        await beside.close()
        await state.close()


@pytest.mark.parametrize(
    ("listed", "word"),
    [("", "Information"), ("FRONT-DESK", "Verbose"), ("server, front-desk ", "Verbose"), ("front", "Information")],
)
async def test_open_dentals_own_list_of_verbose_computers_counts(
    tmp_path: Path, clinic: Practice, listed: str, word: str
) -> None:
    logs.configure(tmp_path / "log")
    state = await open_state(tmp_path / "office.sqlite")
    try:
        await prefer(clinic, "HasVerboseLogging", listed)
        await LogLevel(state, "information", clinic, "Front-Desk.smile.local").look()
        assert logs.word_of(logs.current_level()) == word
    finally:
        await state.close()
