"""Heartbeats, exactly as Open Dental's eConnector window reads them."""

import datetime as dt
import functools

import pytest
from sqlalchemy import Connection, select

from econnector.opendental import signals, times
from econnector.opendental.signals import Severity
from econnector.opendental.tables import eservicesignal
from tests.opendental.conftest import Practice

WORKING, NOT_ENABLED, ERROR, CRITICAL = 2, 0, 4, 5


async def rows(practice: Practice) -> list[tuple[int, str, int]]:
    """Return (severity, description, processed) in the order written."""
    found = await practice.sql(
        "SELECT Severity, Description, IsProcessed, ServiceCode, ReasonCategory, ReasonCode, Tag FROM eservicesignal"
        " ORDER BY EServiceSignalNum"
    )
    assert all(row[3:] == (1, 0, 0, "") for row in found)
    return [row[:3] for row in found]


async def at(practice: Practice) -> list[dt.datetime]:
    """Return the rows' times in the order written."""

    def read(connection: Connection) -> list[dt.datetime]:
        column = eservicesignal.c.SigDateTime
        return list(connection.scalars(select(column).order_by(eservicesignal.c.EServiceSignalNum)))

    return await practice.free.run(read)


async def alerts(practice: Practice) -> list[int]:
    return [row[0] for row in await practice.sql("SELECT Type FROM alertitem ORDER BY Type")]


async def status(practice: Practice) -> Severity:
    return await practice.guarded.run(signals.status)


async def pass_time(practice: Practice, seconds: int) -> None:
    await practice.shift("eservicesignal", "SigDateTime", -seconds)


STARTED = [(WORKING, "Heartbeat Anchor", 1), (WORKING, "Heartbeat", 1)]


async def test_a_start_writes_an_anchor_and_a_rolling_row_one_second_later(practice: Practice) -> None:
    assert await status(practice) is Severity.NONE
    assert not await practice.guarded.run(signals.ever_beaten)
    before = await practice.guarded.run(times.now)
    await practice.run(signals.beat)
    after = await practice.guarded.run(times.now)
    assert await rows(practice) == STARTED
    anchor, rolling = await at(practice)
    assert before <= anchor <= after
    assert rolling - anchor == dt.timedelta(seconds=1)
    assert await status(practice) is Severity.WORKING
    assert await practice.guarded.run(signals.ever_beaten)


async def test_a_start_right_after_a_stop_in_the_first_second_of_a_run_shows_working(practice: Practice) -> None:
    await practice.run(signals.beat)
    await practice.run(signals.stopped)
    await pass_time(practice, -2)  # the stop lies as far ahead as a clock that is set back can make it
    await practice.run(signals.beat)
    assert await status(practice) is Severity.ERROR, "the stop has to be acknowledged, and nothing is critical"
    await practice.run(signals.acknowledge)
    assert await status(practice) is Severity.WORKING


async def test_steady_state_moves_the_rolling_row_and_adds_none(practice: Practice) -> None:
    await practice.run(signals.beat)
    for _ in range(3):
        await pass_time(practice, signals.HEARTBEAT_SECONDS)
        await practice.run(signals.beat)
        assert await status(practice) is Severity.WORKING
    assert await rows(practice) == STARTED
    anchor, rolling = await at(practice)
    assert dt.timedelta(seconds=0) <= rolling - anchor - dt.timedelta(seconds=900) < dt.timedelta(minutes=2)


async def test_beating_again_at_once_does_not_swap_anchor_and_rolling_row(practice: Practice) -> None:
    for _ in range(4):
        await practice.run(signals.beat)
    await pass_time(practice, 300)
    await practice.run(signals.beat)
    anchor, rolling = await at(practice)
    assert rolling - anchor >= dt.timedelta(seconds=300)


async def test_after_a_crash_the_stale_row_moves_on_and_no_error_is_written(practice: Practice) -> None:
    await practice.run(signals.beat)
    await pass_time(practice, 7200)  # killed; nothing was written
    assert await status(practice) is Severity.CRITICAL
    await practice.run(signals.beat)
    assert await rows(practice) == STARTED
    assert await status(practice) is Severity.WORKING
    assert await alerts(practice) == []


async def test_a_stop_in_order_writes_critical_once(practice: Practice) -> None:
    await practice.run(signals.beat)
    await practice.run(signals.stopped)
    await practice.run(signals.stopped)
    assert [row[::2] for row in await rows(practice)] == [(WORKING, 1), (WORKING, 1), (CRITICAL, 0)]
    assert await status(practice) is Severity.CRITICAL
    times_ = await at(practice)
    assert times_[2] >= times_[1]


async def test_a_restart_after_a_stop_writes_an_error_with_the_time_it_was_down(practice: Practice) -> None:
    await practice.run(signals.beat)
    await practice.run(signals.stopped)
    await pass_time(practice, 65 * 60 + 30)
    await practice.run(signals.beat)
    found = await rows(practice)
    assert [row[0] for row in found] == [WORKING, WORKING, CRITICAL, ERROR, WORKING, WORKING]
    assert "critical for 1:05" in found[3][1]
    assert [row[2] for row in found[3:]] == [0, 1, 1]
    assert found[4:] == STARTED
    moments = await at(practice)
    assert moments[3] == moments[4] == moments[5] - dt.timedelta(seconds=1)
    assert await status(practice) is Severity.ERROR
    assert await alerts(practice) == [13]


@pytest.mark.parametrize(
    ("stopped_before_update", "update_ago", "explained"),
    [(60, 300, True), (60, 595, True), (60, 700, False), (-60, 300, False)],
)
async def test_an_update_explains_the_outage_for_ten_minutes(
    practice: Practice, stopped_before_update: int, update_ago: int, explained: bool
) -> None:
    await practice.run(signals.beat)
    await practice.run(signals.stopped)
    await pass_time(practice, update_ago + stopped_before_update)
    now = await practice.guarded.run(times.now)
    await practice.sql(
        "INSERT INTO updatehistory (DateTimeUpdated, ProgramVersion) VALUES (:at, '24.3.10.0')",
        at=str(now - dt.timedelta(seconds=update_ago)),
    )
    await practice.run(signals.beat)
    expected = [WORKING, WORKING] if explained else [ERROR, WORKING, WORKING]
    assert [row[0] for row in await rows(practice)][3:] == expected
    assert await alerts(practice) == ([] if explained else [13])


async def test_every_beat_removes_the_down_alert_and_its_read_marks(practice: Practice) -> None:
    await practice.sql("DELETE FROM alertread")
    await practice.sql(
        "INSERT INTO alertitem (AlertItemNum, ClinicNum, Description, Type, Severity, Actions, FormToOpen, FKey,"
        " ItemValue, UserNum) VALUES (71, -1, 'x', 12, 3, 3, 9, 0, '', 0), (72, -1, 'y', 12, 3, 3, 9, 0, '', 0),"
        " (73, 0, 'z', 8, 3, 3, 0, 0, '', 0)"
    )
    await practice.sql("INSERT INTO alertread (AlertItemNum, UserNum) VALUES (71, 1), (73, 1)")
    await practice.run(signals.beat)
    assert await practice.sql("SELECT AlertItemNum FROM alertitem") == [(73,)]
    assert await practice.sql("SELECT AlertItemNum FROM alertread") == [(73,)]


async def test_acknowledging_marks_errors_of_every_service_and_removes_the_alert(practice: Practice) -> None:
    await practice.run(signals.beat)
    await practice.run(signals.report_error, "Mail could not be sent.")
    await practice.run(signals.report_error, "Mail could not be sent again.")
    await practice.sql(
        "INSERT INTO eservicesignal (ServiceCode, ReasonCategory, ReasonCode, Severity, Description, SigDateTime, Tag,"
        " IsProcessed) VALUES (2, 0, 0, 4, 'text messages', '2020-01-01 00:00:00', '', 0)"
    )
    assert await alerts(practice) == [13]
    assert await status(practice) is Severity.ERROR
    await practice.run(signals.acknowledge)
    assert await alerts(practice) == []
    assert await practice.sql("SELECT COUNT(*) FROM eservicesignal WHERE Severity = 4 AND IsProcessed = 0") == [(0,)]
    await pass_time(practice, 1)
    await practice.run(signals.beat)
    assert await status(practice) is Severity.WORKING


async def test_an_acknowledged_error_that_is_newest_still_shows_as_error(practice: Practice) -> None:
    await practice.run(signals.beat)
    await pass_time(practice, 60)
    await practice.run(signals.report_error, "x")
    await practice.run(signals.acknowledge)
    assert await status(practice) is Severity.ERROR


async def test_an_unseen_error_of_another_service_makes_the_connector_yellow(practice: Practice) -> None:
    await practice.run(signals.beat)
    await practice.sql(
        "INSERT INTO eservicesignal (ServiceCode, ReasonCategory, ReasonCode, Severity, Description, SigDateTime, Tag,"
        " IsProcessed) VALUES (2, 0, 0, 4, 'text messages', '2020-01-01 00:00:00', '', 0)"
    )
    assert await status(practice) is Severity.ERROR


async def test_stop_monitoring_holds_until_the_next_beat(practice: Practice) -> None:
    await practice.run(signals.beat)
    await pass_time(practice, 10)
    await practice.run(signals.stop_monitoring)
    assert await status(practice) is Severity.NOT_ENABLED
    await practice.run(signals.stopped)
    assert await status(practice) is Severity.NOT_ENABLED
    assert (await rows(practice))[2][::2] == (NOT_ENABLED, 1)
    await pass_time(practice, 86_400)
    assert await status(practice) is Severity.NOT_ENABLED
    await practice.run(signals.beat)
    assert (await rows(practice))[3:] == STARTED
    assert await status(practice) is Severity.WORKING


@pytest.mark.parametrize(("age", "expected"), [(350, Severity.WORKING), (380, Severity.CRITICAL)])
async def test_six_minutes_without_a_beat_are_critical(practice: Practice, age: int, expected: Severity) -> None:
    await practice.run(signals.beat)
    await pass_time(practice, age)
    assert await status(practice) is expected


async def test_history_is_thirty_days_of_the_listener_newest_first(practice: Practice) -> None:
    await practice.run(signals.beat)
    await pass_time(practice, 40 * 86_400)
    await practice.sql("UPDATE eservicesignal SET Severity = 5")
    await practice.run(signals.beat)
    found = await practice.guarded.run(signals.history)
    assert [signal.severity for signal in found] == [WORKING, ERROR, WORKING]
    assert found[0].description == "Heartbeat"
    assert [signal.is_processed for signal in found] == [True, False, True]


async def stopped_for_update(practice: Practice) -> None:
    await practice.run(functools.partial(signals.stopped, for_update=True))


@pytest.mark.parametrize(("seconds", "explained"), [(5, True), (590, True), (700, False)])
async def test_a_stop_for_our_own_update_explains_itself_for_ten_minutes(
    practice: Practice, seconds: int, explained: bool
) -> None:
    await practice.run(signals.beat)
    await stopped_for_update(practice)
    assert await status(practice) is Severity.CRITICAL
    await pass_time(practice, seconds)
    await practice.run(signals.beat)
    errors = [row for row in await rows(practice) if row[0] == ERROR]
    assert len(errors) == (0 if explained else 1)
    assert await alerts(practice) == ([] if explained else [13])
    assert await status(practice) is (Severity.WORKING if explained else Severity.ERROR)
