"""The fleet: every office with one word for how it is, however many there are; each look costs the same few queries.

What Open Dental's enterprise tool (CEMT) shows of a database, it works out from that database's `eservicesignal` rows.
HQ sees no database: the connector works the word out by the same rule and says it in every heartbeat. While HQ hears
nothing, `cemt` goes on by that rule with the last word that it has.
"""

import datetime as dt
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa
from packaging.version import InvalidVersion, Version

from econnector.base.version import version
from econnector.hq.registry.connectors import SECOND
from econnector.hq.registry.heartbeats import SILENT
from econnector.hq.registry.outages import TROUBLES
from econnector.hq.registry.tables import connectors, heartbeats, history, offices, outages, owners

__all__ = ["BEHIND", "PAGE", "STATUSES", "Cemt", "Fleet", "Line", "Sort", "Status", "Wanted", "behind", "cemt", "look"]

Status = Literal["down", "trouble", "standby", "never", "ended", "disabled", "working"]
"""The worst first. `trouble`: there is a link, and the office itself says that it cannot serve patients. `standby`: the
connector is away, and another machine waits to take its place."""
STATUSES: tuple[Status, ...] = get_args(Status)
Sort = Literal["name", "status", "heartbeat", "version"]
BEHIND = "behind"
"""As a wanted version: every connector older than HQ."""
PAGE = 50
_STALE = dt.timedelta(minutes=6)
"""CEMT takes a database for dead whose newest row is older: a heartbeat's five minutes and one of grace."""
_LINKED = ("enrolled", "connected")
_RECENT = dt.timedelta(days=90)
"""Comings and goings are kept as long."""


class Cemt(msgspec.Struct, frozen=True):
    """What CEMT shows of the office's database, as far as HQ can know."""

    status: str
    """None, NotEnabled, Working, Error, Critical; empty before the first heartbeat."""
    reported: str
    """The connector's last word."""
    reported_at: dt.datetime | None
    current: bool
    """Whether that word is young enough for the rule. If not, CEMT may still see heartbeats in the database, where only
    the way to HQ is broken."""


class Line(msgspec.Struct, frozen=True):
    """One office."""

    name: str
    title: str
    phone: str
    status: Status
    since: dt.datetime | None
    """Of the status, as far as HQ knows; the link's for `working`."""
    machine: str
    version: str
    behind: bool
    """The connector is older than HQ."""
    program_version: str
    heartbeat_at: dt.datetime | None
    cemt: Cemt
    failure: str
    """The code that the office itself reports now."""
    outage_since: dt.datetime | None
    outage_cause: str
    failed_at: dt.datetime | None
    """The last failure of the last 90 days that HQ knows of, its code and its reference."""
    failed_code: str
    failed_reference: str


class Wanted(msgspec.Struct, frozen=True):
    """Which offices, in which order."""

    name: str = ""
    """A part of name or title."""
    office: str = ""
    """The whole name of the only one that is wanted."""
    status: str = ""
    version: str = ""
    """A connector's version, or `BEHIND`."""
    sort: Sort = "name"
    descending: bool = False
    page: int = 1
    size: int | None = PAGE
    """Lines of a page; None: everything."""


class Fleet(msgspec.Struct, frozen=True):
    """One look."""

    lines: list[Line]
    found: int
    """Offices that are wanted, on whatever page."""
    counts: dict[Status, int]
    """Of all offices, by status."""
    versions: list[str]
    """Of all connectors, the newest first."""


def behind(theirs: str, ours: str | None = None) -> bool:
    """Return whether a connector's version is older than HQ's; what is no version is not."""
    try:
        return Version(theirs) < Version(ours or version())
    except InvalidVersion:
        return False


def cemt(reported: str, at: dt.datetime | None, now: dt.datetime) -> Cemt:
    """Return the word for a database whose connector last said `reported` at `at`."""
    if at is None:
        return Cemt("", "", None, current=False)
    current = now - at <= _STALE
    keeps = current or reported in {"None", "NotEnabled"}  # these two do not grow old
    return Cemt(reported if keeps else "Critical", reported, at, current)


def look(connection: sa.Connection, wanted: Wanted, now: dt.datetime) -> Fleet:
    """Return the wanted offices; three queries."""
    counts: dict[Status, int] = dict.fromkeys(STATUSES, 0)
    versions: set[str] = set()
    for row in connection.execute(_counted(now)):
        counts[row.word] += row.many
        versions.add(row.theirs)
    versions.discard("")
    rows = connection.execute(_page(wanted, versions, now)).all()
    ids = [row.id for row in rows]
    lasts = {(row.office_id, row.linked): row for row in connection.execute(_lasts(ids, now, wanted.size is None))}
    lines = [_line(row, lasts.get((row.id, 1)), lasts.get((row.id, 0)), now) for row in rows]
    return Fleet(lines, rows[0].found if rows else 0, counts, sorted(versions, key=_order, reverse=True))


def _counted(now: dt.datetime) -> sa.Select[Any]:
    both: list[sa.ColumnElement[Any]] = [_status(now).label("word"), _version().label("theirs")]
    each = _joined(sa.select(*both)).subquery()
    return sa.select(each, sa.func.count().label("many")).group_by(each.c.word, each.c.theirs)


def _joined(wanted: sa.Select[Any]) -> sa.Select[Any]:
    joined = wanted.select_from(offices).outerjoin(owners, owners.c.office_id == offices.c.id)
    joined = joined.outerjoin(connectors, connectors.c.id == owners.c.connector_id)
    return joined.outerjoin(heartbeats, heartbeats.c.office_id == offices.c.id)


def _version() -> sa.ColumnElement[str]:
    return sa.func.coalesce(heartbeats.c.version, connectors.c.version, "")


def _status(now: dt.datetime) -> sa.ColumnElement[str]:
    linked = sa.and_(owners.c.lost_at.is_(None), owners.c.last_seen > now - SILENT)
    other = connectors.alias("other")
    waits = sa.exists().where(
        other.c.office_id == offices.c.id, other.c.state == "standby", other.c.last_seen > now - SECOND
    )
    return sa.case(
        (offices.c.disabled_at.is_not(None), "disabled"),
        (offices.c.support_ends <= now.date(), "ended"),
        (owners.c.last_seen.is_(None), "never"),
        (sa.and_(linked, heartbeats.c.failure.in_(TROUBLES)), "trouble"),
        (linked, "working"),
        (waits, "standby"),
        else_="down",
    )


def _page(wanted: Wanted, versions: set[str], now: dt.datetime) -> sa.Select[Any]:
    lasting = sa.and_(outages.c.office_id == offices.c.id, outages.c.ended.is_(None))
    chosen = sa.select(
        *(offices.c[name] for name in ("id", "name", "title", "phone", "disabled_at", "support_ends", "created_at")),
        *(owners.c[name] for name in ("last_seen", "lost_at")),
        *(
            heartbeats.c[name]
            for name in ("practice_title", "practice_phone", "program_version", "failure", "failure_since")
        ),
        heartbeats.c.at.label("heartbeat_at"),
        heartbeats.c.status.label("reported"),
        connectors.c.machine,
        outages.c.began.label("outage_since"),
        outages.c.cause.label("outage_cause"),
        _version().label("version"),
        _status(now).label("status"),
        sa.func.count().over().label("found"),
    )
    found = _joined(chosen).outerjoin(outages, lasting).where(*_filters(wanted, versions, now))
    order = _by(wanted.sort, versions, now)
    found = found.order_by(order.desc() if wanted.descending else order.asc(), offices.c.name)
    if wanted.size is None:
        return found
    return found.limit(wanted.size).offset((wanted.page - 1) * wanted.size)


def _filters(wanted: Wanted, versions: set[str], now: dt.datetime) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if typed := wanted.name.strip().lower():
        named = (offices.c.name, offices.c.title, heartbeats.c.practice_title)
        found.append(sa.or_(*(sa.func.lower(each).contains(typed, autoescape=True) for each in named)))
    if wanted.office:
        found.append(offices.c.name == wanted.office)
    if wanted.status:
        found.append(_status(now) == wanted.status)
    if wanted.version == BEHIND:
        found.append(_version().in_([each for each in versions if behind(each)]))
    elif wanted.version:
        found.append(_version() == wanted.version)
    return found


def _by(sort: Sort, versions: set[str], now: dt.datetime) -> sa.ColumnElement[Any]:
    if sort == "status":
        return sa.case({word: place for place, word in enumerate(STATUSES)}, value=_status(now))
    if sort == "heartbeat":
        return sa.func.coalesce(heartbeats.c.at, sa.literal(dt.datetime(1, 1, 1, tzinfo=dt.UTC), heartbeats.c.at.type))
    if sort == "version" and versions:  # 0.10 is newer than 0.9, which no database knows
        places = {text: place for place, text in enumerate(sorted(versions, key=_order))}
        return sa.case(places, value=_version(), else_=-1)
    return offices.c.name


def _lasts(ids: list[int], now: dt.datetime, whole: bool) -> sa.Select[Any]:
    """Return of each office the last link that began (`linked` 1) and the last event that has a failure (0)."""
    linked = sa.case((history.c.kind.in_(_LINKED), 1), else_=0).label("linked")
    columns = [history.c[name] for name in ("office_id", "at", "cause", "reference")]
    order = [history.c.at.desc(), history.c.id.desc()]
    place = sa.func.row_number().over(partition_by=[history.c.office_id, linked], order_by=order).label("place")
    either = sa.or_(history.c.kind.in_(_LINKED), history.c.cause != "")
    events = sa.select(*columns, linked, place).where(either, history.c.at > now - _RECENT)
    if not whole:
        events = events.where(history.c.office_id.in_(ids))
    found = events.subquery()
    return sa.select(found).where(found.c.place == 1)


def _line(row: sa.Row[Any], link: sa.Row[Any] | None, failure: sa.Row[Any] | None, now: dt.datetime) -> Line:
    return Line(
        row.name,
        row.practice_title or row.title,
        row.practice_phone or row.phone,
        row.status,
        _since(row, link),
        row.machine or "",
        row.version,
        behind(row.version),
        row.program_version or "",
        row.heartbeat_at,
        cemt(row.reported or "", row.heartbeat_at, now),
        row.failure or "",
        row.outage_since,
        row.outage_cause or "",
        failure.at if failure else None,
        failure.cause if failure else "",
        failure.reference if failure else "",
    )


def _since(row: sa.Row[Any], link: sa.Row[Any] | None) -> dt.datetime | None:
    found: dt.datetime | None = None
    if row.status == "disabled":
        found = row.disabled_at
    elif row.status == "ended":
        found = dt.datetime.combine(row.support_ends, dt.time(), dt.UTC)
    elif row.status == "never":
        found = row.created_at
    elif row.status in {"down", "standby"}:
        found = row.lost_at or row.last_seen
    elif row.status == "trouble":
        found = row.outage_since or _said(row.failure_since)
    elif link is not None:
        found = link.at
    return found


def _said(moment: str) -> dt.datetime | None:
    """Return what an office said; it may say anything."""
    try:
        found = dt.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _order(text: str) -> tuple[bool, Version, str]:
    try:
        return True, Version(text), text
    except InvalidVersion:
        return False, Version("0"), text
