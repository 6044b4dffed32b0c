"""When the eConnector worked: the last 30 days as spans, and as hours of days for a strip, from table eservicesignal.

Read from the rows of severity 0, 2 and 5 (see `signals`), by the database's clock::

    anchor ─────────── rolling row   it worked
    rolling row ── ≤ 6 min ── stop   it worked until the stop
    rolling row ── > 6 min ── …      it was silent from the rolling row on: killed, asleep, no database
    Critical ───────── anchor        it was stopped
    NotEnabled ─────── anchor        nobody wanted it

A crash that a restart ended within the same run leaves no row: such a gap shows as uptime, here as in Open Dental.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import Connection, select

from econnector.opendental import times
from econnector.opendental.signals import LISTENER, STALE, STOPPED_FOR_UPDATE, Severity
from econnector.opendental.tables import eservicesignal, updatehistory

__all__ = ["DAYS", "Day", "Hour", "Row", "Span", "State", "Uptime", "days_of", "spans_of", "uptime"]

DAYS = 30
"""Today and the 29 days before."""
_HOUR = dt.timedelta(hours=1)
_UPDATE_EXPLAINS = dt.timedelta(minutes=10)
_RANKED = (Severity.NOT_ENABLED, Severity.WORKING, Severity.CRITICAL)


class State(enum.StrEnum):
    """What a span of time was."""

    UP = "up"
    DOWN = "down"
    OFF = "off"
    """Not monitored: Stop Monitoring was clicked."""
    UNKNOWN = "unknown"
    """Before the first row, or still to come."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of one state."""

    began: dt.datetime
    ended: dt.datetime
    state: State
    why: str = ""
    """Of a time that it was down: `stopped`, `silent` or `update`."""


class Hour(msgspec.Struct):
    """Seconds of each state in one hour of one day."""

    up: int = 0
    down: int = 0
    off: int = 0

    @property
    def look(self) -> str:
        """Return how to show it: `up`, `part`, `down`, `off` or `unknown`."""
        if self.down:
            return "part" if self.up else "down"
        return "up" if self.up else "off" if self.off else "unknown"


class Day(msgspec.Struct):
    """One day, midnight to midnight of office time."""

    date: dt.date
    hours: list[Hour]
    """24 of them."""

    @property
    def share(self) -> float | None:
        """Return how much of the day it was wanted it also worked, 0 to 1; None if it was never wanted."""
        return _share(self.hours)


class Uptime(msgspec.Struct):
    """The last 30 days."""

    now: dt.datetime
    """The database's clock."""
    spans: list[Span]
    """Oldest first, without gaps, up to now."""
    days: list[Day]
    """Oldest first; the last is today."""

    @property
    def share(self) -> float | None:
        """Return how much of the time it was wanted it also worked, 0 to 1; None if it was never wanted."""
        return _share([hour for day in self.days for hour in day.hours])


class Row(msgspec.Struct, frozen=True):
    """A row of the connector of severity 0, 2 or 5."""

    at: dt.datetime
    severity: int
    begins: bool
    """An anchor, the first row of a run."""
    updates: bool = False
    """A stop for the connector's own update."""

    @property
    def order(self) -> tuple[dt.datetime, int]:
        """Rows of the same second in the order in which they were written: keys may be random."""
        return self.at, 2 if self.begins else 0 if self.severity == Severity.WORKING else 1


def uptime(connection: Connection) -> Uptime:
    """Return the last 30 days, by the database's clock."""
    now = times.now(connection)
    first = dt.datetime.combine(now.date() - dt.timedelta(days=DAYS - 1), dt.time())
    spans = spans_of(_rows(connection, first), first, now, _updates(connection, first))
    return Uptime(now, spans, days_of(spans, first.date()))


def _rows(connection: Connection, first: dt.datetime) -> list[Row]:
    """Return the rows since `first`, and the last one before: it says how the time begins."""
    columns, at = eservicesignal.c, eservicesignal.c.SigDateTime
    ranked = select(at, columns.Severity, columns.Description).where(
        columns.ServiceCode == LISTENER, columns.Severity.in_([int(each) for each in _RANKED]), times.is_dated(at)
    )
    before = ranked.where(at < first).order_by(at.desc(), columns.Severity.desc()).limit(1)
    found = [*connection.execute(before), *connection.execute(ranked.where(at >= first))]
    rows = [Row(at, severity, _begins(severity, words), words == STOPPED_FOR_UPDATE) for at, severity, words in found]
    return sorted(rows, key=lambda row: row.order)


def _begins(severity: int, description: str) -> bool:
    return severity == Severity.WORKING and "anchor" in description.lower()


def _updates(connection: Connection, first: dt.datetime) -> list[dt.datetime]:
    at = updatehistory.c.DateTimeUpdated
    return list(connection.scalars(select(at).where(at >= first)))


def spans_of(rows: Sequence[Row], first: dt.datetime, now: dt.datetime, updates: Iterable[dt.datetime]) -> list[Span]:
    """Return what `rows` (oldest first) say about the time from `first` to `now`, cut to it."""
    known, spans = list(updates), []
    for span in _merged(_walk(rows, first, now)):
        began, ended = max(span.began, first), min(span.ended, now)
        if began < ended:
            why = "update" if span.state is State.DOWN and _explained(span, known) else span.why
            spans.append(Span(began, ended, span.state, why))
    return spans


def _explained(span: Span, updates: list[dt.datetime]) -> bool:
    return any(span.began <= at and span.ended <= at + _UPDATE_EXPLAINS for at in updates)


def _walk(rows: Sequence[Row], first: dt.datetime, now: dt.datetime) -> Iterator[Span]:
    """Yield the time between each row and the next; the last one counts until now."""
    if not rows:
        yield Span(first, now, State.UNKNOWN)
        return
    yield Span(min(first, rows[0].at), rows[0].at, State.UNKNOWN)
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        ended = after.at if after else max(now, row.at)
        if row.severity == Severity.NOT_ENABLED:
            yield Span(row.at, ended, State.OFF)
        elif row.severity == Severity.CRITICAL:
            yield Span(row.at, ended, State.DOWN, "update" if row.updates else "stopped")
        elif _same_run(row, after) or ended - row.at <= STALE:
            yield Span(row.at, ended, State.UP)
        else:
            yield Span(row.at, ended, State.DOWN, "silent")


def _same_run(row: Row, after: Row | None) -> bool:
    return after is not None and row.begins and after.severity == Severity.WORKING and not after.begins


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    last: Span | None = None
    for span in spans:
        if last is not None and (last.state, last.why) == (span.state, span.why):
            last = Span(last.began, span.ended, span.state, span.why)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def days_of(spans: Iterable[Span], first: dt.date) -> list[Day]:
    """Return the 30 days from `first` on, each hour with the seconds of each state."""
    days = [Day(first + dt.timedelta(days=number), [Hour() for _ in range(24)]) for number in range(DAYS)]
    for span in spans:
        if span.state is State.UNKNOWN:
            continue
        for began, ended in _by_hour(span):
            hour = days[(began.date() - first).days].hours[began.hour]
            setattr(hour, span.state, getattr(hour, span.state) + int((ended - began).total_seconds()))
    return days


def _by_hour(span: Span) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    began = span.began
    while began < span.ended:
        ended = min(began.replace(minute=0, second=0) + _HOUR, span.ended)
        yield began, ended
        began = ended


def _share(hours: Iterable[Hour]) -> float | None:
    up = down = 0
    for hour in hours:
        up, down = up + hour.up, down + hour.down
    return up / (up + down) if up + down else None
