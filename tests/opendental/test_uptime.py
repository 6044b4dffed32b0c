"""When the connector worked: spans from heartbeat rows, and the hours of the strip."""

import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from econnector.opendental import signals
from econnector.opendental.schema import Schema
from econnector.opendental.tables import eservicesignal
from econnector.opendental.uptime import DAYS, Row, Span, State, days_of, spans_of, uptime
from tests.opendental.conftest import Practice

FIRST = dt.datetime.fromisoformat("2026-11-01")
NOW = dt.datetime.fromisoformat("2026-11-30T15:30")
UP, DOWN, OFF, UNKNOWN = State.UP, State.DOWN, State.OFF, State.UNKNOWN


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> dt.datetime:
    return FIRST + dt.timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)


def anchor(moment: dt.datetime) -> Row:
    return Row(moment, 2, begins=True)


def rolling(moment: dt.datetime) -> Row:
    return Row(moment, 2, begins=False)


def critical(moment: dt.datetime) -> Row:
    return Row(moment, 5, begins=False)


def off(moment: dt.datetime) -> Row:
    return Row(moment, 0, begins=False)


def spans(*rows: Row, updates: tuple[dt.datetime, ...] = ()) -> list[tuple[dt.datetime, dt.datetime, str, str]]:
    found = spans_of(rows, FIRST, NOW, updates)
    assert all(one.ended == other.began for one, other in itertools.pairwise(found))
    assert (found[0].began, found[-1].ended) == (FIRST, NOW)
    return [(span.began, span.ended, str(span.state), span.why) for span in found]


def test_without_a_row_nothing_is_known() -> None:
    assert spans() == [(FIRST, NOW, UNKNOWN, "")]


def test_a_run_that_goes_on_is_up_from_its_anchor_to_now() -> None:
    assert spans(anchor(at(10, 8)), rolling(NOW - dt.timedelta(minutes=4))) == [
        (FIRST, at(10, 8), UNKNOWN, ""),
        (at(10, 8), NOW, UP, ""),
    ]


def test_a_run_that_began_before_the_window_is_up_all_along() -> None:
    assert spans(anchor(FIRST - dt.timedelta(days=200)), rolling(NOW)) == [(FIRST, NOW, UP, "")]


def test_a_silent_connector_is_down_since_its_last_heartbeat() -> None:
    assert spans(anchor(at(10, 8)), rolling(at(12, 9, 0, 5)))[1:] == [
        (at(10, 8), at(12, 9, 0, 5), UP, ""),
        (at(12, 9, 0, 5), NOW, DOWN, "silent"),
    ]


def test_a_stop_in_order_counts_as_up_until_the_stop() -> None:
    found = spans(anchor(at(10, 8)), rolling(at(12, 9)), critical(at(12, 9, 4)), anchor(at(12, 11)), rolling(NOW))
    assert found[1:] == [
        (at(10, 8), at(12, 9, 4), UP, ""),
        (at(12, 9, 4), at(12, 11), DOWN, "stopped"),
        (at(12, 11), NOW, UP, ""),
    ]


def test_a_time_that_nobody_wanted_it_is_no_outage() -> None:
    found = spans(anchor(at(2)), rolling(at(3)), off(at(3, 0, 3)), anchor(at(20)), rolling(NOW))
    assert found[1:] == [(at(2), at(3, 0, 3), UP, ""), (at(3, 0, 3), at(20), OFF, ""), (at(20), NOW, UP, "")]


def test_a_stop_for_an_update_is_told_as_that() -> None:
    rows = (anchor(at(2)), rolling(at(3)), critical(at(3)), anchor(at(3, 0, 8)), rolling(NOW))
    assert spans(*rows, updates=(at(3, 0, 5),))[2] == (at(3), at(3, 0, 8), DOWN, "update")
    assert spans(*rows, updates=(at(2, 23),))[2] == (at(3), at(3, 0, 8), DOWN, "stopped")
    own = Row(at(3), 5, begins=False, updates=True)
    assert spans(*rows[:2], own, *rows[3:])[2] == (at(3), at(3, 0, 8), DOWN, "update")


def test_rows_of_one_second_are_taken_in_the_order_they_were_written() -> None:
    rows = [anchor(at(5)), critical(at(5)), rolling(at(5)), rolling(at(5, 0, 0, 1))]
    ordered = sorted(rows, key=lambda row: row.order)
    assert ordered == [rolling(at(5)), critical(at(5)), anchor(at(5)), rolling(at(5, 0, 0, 1))]


def test_hours_and_days_add_up() -> None:
    made = [
        Span(at(1), at(2, 3, 30), UP),
        Span(at(2, 3, 30), at(2, 3, 45), DOWN, "stopped"),
        Span(at(2, 3, 45), at(2, 4, 15), UP),
        Span(at(2, 4, 15), at(2, 6), DOWN, "silent"),
        Span(at(2, 6), at(2, 7), OFF),
    ]
    days = days_of(made, FIRST.date())
    assert (len(days), [day.date for day in days[:2]]) == (DAYS, [at(1).date(), at(2).date()])
    assert all((hour.up, hour.look) == (3600, "up") for hour in days[0].hours)
    assert [hour.look for hour in days[1].hours[:8]] == ["up"] * 3 + ["part", "part", "down", "off", "unknown"]
    assert (days[1].hours[3].up, days[1].hours[3].down) == (2700, 900)
    assert days[0].share == 1.0
    assert days[1].share == (4 * 3600) / (6 * 3600)
    assert days[2].share is None


KINDS = st.sampled_from((anchor, rolling, critical, off))
MOMENTS = st.datetimes(FIRST - dt.timedelta(days=3), NOW).map(lambda moment: moment.replace(microsecond=0))


@given(st.lists(st.tuples(KINDS, MOMENTS), max_size=30))
def test_whatever_the_rows_say_the_time_is_covered_once(drawn: list[tuple[type[Row], dt.datetime]]) -> None:
    rows = sorted((make(moment) for make, moment in drawn), key=lambda row: row.order)  # type: ignore[call-arg]
    found = spans(*rows)
    days = days_of([Span(began, ended, State(state), why) for began, ended, state, why in found], FIRST.date())
    for state in (UP, DOWN, OFF):
        told = sum((ended - began).total_seconds() for began, ended, is_state, _ in found if is_state == state)
        assert sum(getattr(hour, state) for day in days for hour in day.hours) == told
    assert all(hour.up + hour.down + hour.off <= 3600 for day in days for hour in day.hours)


async def test_the_strip_of_a_practice_is_by_the_databases_clock(practice: Practice) -> None:
    found = await practice.guarded.run(uptime)
    assert (len(found.days), found.share, found.days[-1].date) == (DAYS, None, found.now.date())
    await practice.run(signals.beat)
    await practice.shift("eservicesignal", "SigDateTime", -3 * 86400)
    await practice.run(signals.stopped)
    await practice.shift("eservicesignal", "SigDateTime", -2 * 86400)
    await practice.run(signals.beat)
    await practice.run(_of_another_service)
    found = await practice.guarded.run(uptime)
    assert [str(span.state) for span in found.spans][:4] == ["unknown", "up", "down", "down"]
    assert [span.why for span in found.spans if span.state is DOWN] == ["silent", "stopped"]
    assert found.share is not None
    assert found.share < 0.01
    down = sum(hour.down for day in found.days for hour in day.hours)
    assert abs(down - 5 * 86400) < 3600, "five days, give or take what the tests themselves took"


def _of_another_service(connection: Connection, schema: Schema) -> None:
    del schema
    row = {"ServiceCode": 2, "Severity": 5, "SigDateTime": FIRST}
    filled = {"ReasonCategory": 0, "ReasonCode": 0, "Description": "", "Tag": "", "IsProcessed": 0}
    connection.execute(insert(eservicesignal).values({**row, **filled}))
