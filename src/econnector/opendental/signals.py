"""Table eservicesignal: the connector's heartbeat, as Open Dental's own eConnector window reads it.

A run leaves two rows: an *anchor* with the time it began and a *rolling* row, one second later, whose time every beat
moves to now. Their distance is how long the run lasted. All times are the database's clock.

==================================  =================================================================================
newest of the rows 0, 2, 5          what a beat does
==================================  =================================================================================
none                                anchor and rolling row
2 Working, however old              moves its time to now: also after a crash, which leaves no row; the gap shows as
                                    uptime, and the status was Critical meanwhile by its age
0 NotEnabled (Stop Monitoring)      anchor and rolling row: a connector that runs is monitored
5 Critical (it was stopped)         an Error row with the time it was down, unless an update (Open Dental's or our own)
                                    explains it; then anchor and rolling row
==================================  =================================================================================

A stop in order writes a Critical row. Rows are never deleted, by nobody.
"""

import datetime as dt
import enum

import msgspec
from sqlalchemy import Connection, func, select

from econnector.opendental import alerts, times, updates, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables import eservicesignal

__all__ = [
    "HEARTBEAT_SECONDS",
    "LISTENER",
    "STALE",
    "WORDS",
    "Look",
    "Severity",
    "Signal",
    "acknowledge",
    "beat",
    "ever_beaten",
    "history",
    "last_beat",
    "look",
    "report",
    "report_error",
    "status",
    "stop_monitoring",
    "stopped",
]

HEARTBEAT_SECONDS = 300
"""How often to beat. Readers call the connector Critical one minute after a beat is due."""

LISTENER = 1
"""The connector among Open Dental's eServiceCodes."""
STALE = dt.timedelta(minutes=6)
"""Without a heartbeat for longer, the connector counts as dead."""
STOPPED, STOPPED_FOR_UPDATE = "eConnector was stopped", "eConnector was stopped for its own update"
_SECOND = dt.timedelta(seconds=1)
_UPDATE_EXPLAINS = dt.timedelta(minutes=10)
_HISTORY_DAYS = 30


class Severity(enum.IntEnum):
    """How grave a row is; also the connector's status."""

    NONE = -1
    """No row: the service was never used."""
    NOT_ENABLED = 0
    INFO = 1
    WORKING = 2
    WARNING = 3
    ERROR = 4
    CRITICAL = 5


WORDS = {
    -1: "None",
    0: "NotEnabled",
    1: "Info",
    2: "Working",
    3: "Warning",
    4: "Error",
    5: "Critical",
}
"""Severities as Open Dental's eConnector window prints them."""


class Signal(msgspec.Struct, frozen=True):
    """One row of the history."""

    at: dt.datetime
    severity: int
    description: str
    is_processed: bool


def beat(connection: Connection, schema: Schema) -> None:
    """Say that the connector works. Call it at the start and then every `HEARTBEAT_SECONDS`."""
    alerts.clear(connection, alerts.Kind.CONNECTOR_DOWN)
    newest = _newest(connection, Severity.NOT_ENABLED, Severity.WORKING, Severity.CRITICAL)
    now = times.now(connection)
    if newest is not None and newest.severity == Severity.WORKING:
        _roll(connection, schema, newest, now)
        return
    if newest is not None and newest.severity == Severity.CRITICAL:
        _explain_gap(connection, schema, newest, now)
    # A stop within the first second of a run lies ahead: this run must be the newer one all the same.
    now = max(now, newest.at or now) if newest is not None else now
    _insert(connection, schema, Severity.WORKING, "Heartbeat Anchor", now, processed=True)
    _insert(connection, schema, Severity.WORKING, "Heartbeat", now + _SECOND, processed=True)


def stopped(connection: Connection, schema: Schema, *, for_update: bool = False) -> None:
    """Say that the connector was stopped in order: the next beat will tell how long it was down.

    With `for_update` the row says so, and the next beat tells nothing if it comes within ten minutes.

    Nothing is written unless the newest row says Working: who asked for Stop Monitoring wants no alarm, and a second
    Critical row would make the outage look shorter.
    """
    newest = _newest(connection, Severity.NOT_ENABLED, Severity.WORKING, Severity.CRITICAL)
    if newest is None or newest.severity != Severity.WORKING:
        return
    # Within the first second of a run the rolling row is still ahead.
    at = max(times.now(connection), newest.at or dt.datetime.min)  # noqa: DTZ901 - office time has no zone
    text = STOPPED_FOR_UPDATE if for_update else STOPPED
    _insert(connection, schema, Severity.CRITICAL, text, at, processed=False)


def report(connection: Connection, schema: Schema, description: str) -> None:
    """Write an Info row: it stands in the history and changes no status."""
    _insert(connection, schema, Severity.INFO, description, times.now(connection), processed=True)


def report_error(connection: Connection, schema: Schema, description: str) -> None:
    """Write an Error row that somebody in the office should look at and acknowledge; raises the alert for it."""
    _insert(connection, schema, Severity.ERROR, description, times.now(connection), processed=False)


def status(connection: Connection) -> Severity:
    """Return what Open Dental's window shows: NONE, NOT_ENABLED, WORKING, ERROR or CRITICAL.

    An Error of any eService counts until it is acknowledged: so Open Dental counts.
    """
    return look(connection).severity


class Look(msgspec.Struct, frozen=True):
    """The status and what it is made of. Times are the database's."""

    severity: Severity
    now: dt.datetime
    newest: Signal | None
    """The listener's newest row that counts."""
    since: dt.datetime | None
    """When the status began: the run, the last sign of life before a silence, the stop, the oldest error."""
    errors: int
    """How many wait to be acknowledged, of every eService."""
    latest: Signal | None
    """The newest of them."""
    of: int
    """The eService (eServiceCode) that the newest of them is about."""


def look(connection: Connection) -> Look:
    """Return the status with what it is made of."""
    newest = _newest(connection, Severity.NOT_ENABLED, Severity.WORKING, Severity.ERROR, Severity.CRITICAL)
    now = times.now(connection)
    errors, oldest, latest, of = _waiting(connection)
    severity = _judge(newest, now, errors)
    since = None if newest is None else newest.at
    if severity is Severity.ERROR and errors:
        since = oldest
    elif severity is Severity.WORKING:
        since = _anchor(connection) or since
    shown = None if newest is None else newest.signal()
    return Look(severity, now, shown, since, errors, latest, of)


def _judge(newest: "_Found | None", now: dt.datetime, errors: int) -> Severity:
    if newest is None:
        return Severity.NONE
    if newest.severity == Severity.NOT_ENABLED:
        return Severity.NOT_ENABLED
    if newest.severity == Severity.CRITICAL or newest.at is None or newest.at < now - STALE:
        return Severity.CRITICAL
    return Severity.ERROR if errors else Severity(newest.severity)


def history(connection: Connection) -> list[Signal]:
    """Return the listener's rows of the last 30 days, newest first."""
    today = times.now(connection).date()
    at = eservicesignal.c.SigDateTime
    first, last = today - dt.timedelta(days=_HISTORY_DAYS), today + dt.timedelta(days=1)
    rows = connection.execute(
        select(at, eservicesignal.c.Severity, eservicesignal.c.Description, eservicesignal.c.IsProcessed)
        .where(eservicesignal.c.ServiceCode == LISTENER, at >= first, at <= last)
        .order_by(at.desc(), eservicesignal.c.Severity.desc())
    )
    return [Signal(row.SigDateTime, row.Severity, row.Description, bool(row.IsProcessed)) for row in rows]


def acknowledge(connection: Connection, schema: Schema) -> int:
    """Mark every Error row of every eService as seen, and remove the alert: the Ack button. Return how many were new.

    The caller writes the audit row: it knows who asked.
    """
    new = (eservicesignal.c.Severity == int(Severity.ERROR)) & (eservicesignal.c.IsProcessed == 0)
    count = writes.update(connection, schema, eservicesignal, {"IsProcessed": 1}, new)
    alerts.clear(connection, alerts.Kind.CONNECTOR_ERROR)
    return count


def stop_monitoring(connection: Connection, schema: Schema) -> None:
    """Say that the service is not in use and nobody should be alarmed; the next beat ends it.

    The caller writes the audit row (permission SecurityAdmin): it knows who asked.
    """
    newest = _newest(connection, Severity.NOT_ENABLED, Severity.WORKING, Severity.ERROR, Severity.CRITICAL)
    at = times.now(connection)
    # Of two rows of one second the graver one counts, and at its start a run is a second ahead.
    if newest is not None and newest.at is not None and at <= newest.at <= at + _SECOND:
        at = newest.at + _SECOND
    text = "Monitoring was stopped in the eConnector window"
    _insert(connection, schema, Severity.NOT_ENABLED, text, at, processed=True)


def ever_beaten(connection: Connection) -> bool:
    """Return whether any connector of this database ever worked, on whatever machine."""
    working = select(eservicesignal.c.EServiceSignalNum).where(eservicesignal.c.Severity == int(Severity.WORKING))
    return connection.scalar(working.limit(1)) is not None


def last_beat(connection: Connection) -> dt.datetime | None:
    """Return when a connector last said that it works; None if none ever did."""
    newest = _newest(connection, Severity.WORKING)
    return None if newest is None else newest.at


class _Found(msgspec.Struct, frozen=True):
    key: int
    severity: int
    at: dt.datetime | None
    description: str = ""
    is_processed: int = 1

    def signal(self) -> Signal:
        return Signal(self.at or dt.datetime.min, self.severity, self.description, bool(self.is_processed))  # noqa: DTZ901 - office time has no zone


def _newest(connection: Connection, *severities: Severity) -> _Found | None:
    at, severity = eservicesignal.c.SigDateTime, eservicesignal.c.Severity
    key = eservicesignal.c.EServiceSignalNum
    rows = select(key, severity, at, eservicesignal.c.Description, eservicesignal.c.IsProcessed).where(
        eservicesignal.c.ServiceCode == LISTENER, severity.in_([int(one) for one in severities])
    )
    row = connection.execute(rows.order_by(at.desc(), severity.desc(), key.desc()).limit(1)).first()
    return None if row is None else _Found(*row)


def _roll(connection: Connection, schema: Schema, newest: _Found, now: dt.datetime) -> None:
    # A run that beats again within its first second must not move the rolling row back onto its anchor.
    if newest.at is not None and now <= newest.at <= now + _SECOND:
        return
    here = eservicesignal.c.EServiceSignalNum == newest.key
    writes.update(connection, schema, eservicesignal, {"SigDateTime": now}, here)


def _explain_gap(connection: Connection, schema: Schema, newest: _Found, now: dt.datetime) -> None:
    """Write the Error row after an outage, unless an update that is just over explains it: Open Dental's or ours."""
    since, updated = newest.at or now, updates.last_update(connection)
    if newest.description == STOPPED_FOR_UPDATE and since + _UPDATE_EXPLAINS >= now:
        return
    if updated is not None and since <= updated and updated + _UPDATE_EXPLAINS >= now:
        return
    minutes = max(int((now - since).total_seconds()) // 60, 0)
    text = f"eConnector was critical for {minutes // 60}:{minutes % 60:02d} and works again"
    _insert(connection, schema, Severity.ERROR, text, now, processed=False)


def _waiting(connection: Connection) -> tuple[int, dt.datetime | None, Signal | None, int]:
    """Return how many errors wait to be acknowledged, since when, the newest and the eService that it is about."""
    columns, at = eservicesignal.c, eservicesignal.c.SigDateTime
    waiting = (columns.Severity == int(Severity.ERROR), columns.IsProcessed == 0)
    count, oldest = connection.execute(select(func.count(), func.min(at)).where(*waiting)).one()
    if not count:
        return 0, None, None, 0
    newest = select(at, columns.Description, columns.ServiceCode).where(*waiting)
    row = connection.execute(newest.order_by(at.desc(), columns.EServiceSignalNum.desc()).limit(1)).one()
    when = row.SigDateTime or dt.datetime.min  # noqa: DTZ901 - office time has no zone
    return count, oldest, Signal(when, int(Severity.ERROR), row.Description, is_processed=False), row.ServiceCode


def _anchor(connection: Connection) -> dt.datetime | None:
    """Return when the newest run began: its rolling row's neighbour, if that is of the same run."""
    columns = eservicesignal.c
    ended = _newest(connection, Severity.NOT_ENABLED, Severity.CRITICAL)
    working = (columns.ServiceCode == LISTENER) & (columns.Severity == int(Severity.WORKING))
    rows = select(columns.SigDateTime).where(working).order_by(columns.SigDateTime.desc())
    at: dt.datetime | None = connection.scalar(rows.limit(1).offset(1))
    return None if at is None or (ended and ended.at and at < ended.at) else at


def _insert(  # noqa: PLR0913 - one row
    connection: Connection, schema: Schema, severity: Severity, text: str, at: dt.datetime, *, processed: bool
) -> None:
    values = {
        "ServiceCode": LISTENER,
        "ReasonCategory": 0,
        "ReasonCode": 0,
        "Severity": int(severity),
        "Description": text,
        "SigDateTime": at,
        "Tag": "",
        "IsProcessed": int(processed),
    }
    writes.insert(connection, schema, eservicesignal, values)
    if severity is Severity.ERROR:
        alerts.raise_once(connection, schema, alerts.Kind.CONNECTOR_ERROR, "eConnector has posted an error.")
