"""Outages of offices that have contacts: when one began, why as far as HQ can know, and when it was over.

An office is *out* while it has no link, or while its own heartbeats say that it cannot serve patients (its database is
away). The two together are one outage: for the people who are told there is no difference. It is over when a heartbeat
has come that says nothing of the kind, and nothing has gone wrong again for a moment since; so an office that comes and
goes is one outage, and not one every minute.
"""

import contextlib
import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from econnector.base.errors import KeyInactive, OfficeUnreachable
from econnector.base.ids import new_reference
from econnector.hq.registry import contacts as people
from econnector.hq.registry import notices
from econnector.hq.registry.heartbeats import SILENT
from econnector.hq.registry.offices import by_id, standing_of
from econnector.hq.registry.tables import connectors, contacts, heartbeats, history, offices, outages, owners
from econnector.mail.news import Kind, News

__all__ = ["TROUBLES", "Patience", "Seen", "look", "news"]

TROUBLES = (
    "database-away",
    "database-refused",
    "database-busy",
    "database-damaged",
    "database-version",
    "update-running",
)
"""What a heartbeat may report that keeps the office from serving patients."""
_IN_ORDER = ("closed", "stopping")
"""How a link ends whose connector said goodbye."""
_MANY, _SHARE = 20, 0.3
"""More offices than both of these gone at once is more likely HQ's own trouble than theirs."""
_DAY = dt.timedelta(days=1)


class Patience(msgspec.Struct, frozen=True):
    """How long to wait before contacts are told."""

    after: dt.timedelta
    """Of an outage, before anybody is told."""
    settle: dt.timedelta
    """Of everything being well, before an outage counts as over."""

    def for_many(self) -> dt.timedelta:
        """Return how long to wait when very many offices are out at once: it may be HQ that is cut off."""
        return self.after * 3


class Seen(msgspec.Struct, frozen=True):
    """What one look found."""

    begun: list[str]
    """Names of offices whose contacts are to be told."""
    over: list[str]
    many: int = 0
    """Offices that are out but so many at once that their contacts wait a little longer."""


def look(connection: sa.Connection, now: dt.datetime, watching: dt.datetime, patience: Patience) -> Seen:
    """Begin and end outages, and have contacts told; said by two nodes at once, it happens once.

    `watching` is since when somebody has looked without a break: silence while HQ itself was away counts for nothing.
    """
    over = [row.name for row in connection.execute(_lasting()).all() if _goes_on(connection, row, now, patience)]
    ripe = [row for row in connection.execute(_out(now)).all() if _age(row, watching, now) >= patience.after]
    alive = sa.select(sa.func.count()).select_from(owners).where(owners.c.last_seen > now - _DAY)
    many = len(ripe) > max(_MANY, _SHARE * (connection.scalar(alive) or 0))
    if many:
        ripe = [row for row in ripe if _age(row, watching, now) >= patience.for_many()]
    begun = [row.name for row in ripe if _begin(connection, row, now)]
    return Seen(begun, over, len(ripe) if many else 0)


# -- beginning -------------------------------------------------------------------------------------------------------


def _away(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.or_(owners.c.lost_at.is_not(None), owners.c.last_seen < now - SILENT)


def _out(now: dt.datetime) -> sa.Select[tuple[object, ...]]:
    """Return every office that is out, has contacts, and has no outage yet."""
    named = sa.exists().where(contacts.c.office_id == offices.c.id)
    known = sa.exists().where(outages.c.office_id == offices.c.id, outages.c.ended.is_(None))
    out = sa.or_(_away(now), heartbeats.c.failure.in_(TROUBLES))
    return _offices().where(named, ~known, out)


def _offices() -> sa.Select[tuple[object, ...]]:
    wanted = sa.select(
        *(offices.c[name] for name in ("id", "name", "disabled_at", "support_ends")),
        *(owners.c[name] for name in ("epoch", "last_seen", "lost_at")),
        *(heartbeats.c[name] for name in ("at", "clock", "failure", "failure_since")),
    )
    return wanted.join_from(offices, owners).outerjoin(heartbeats, heartbeats.c.office_id == offices.c.id)


def _began(row: sa.Row[Any], now: dt.datetime) -> dt.datetime:
    """Return when the office was last well: by HQ's clock, whatever the office's shows."""
    began: dt.datetime = row.lost_at or row.last_seen
    if row.lost_at is None and row.last_seen >= now - SILENT and row.at is not None:
        began = row.at
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            since, shown = (dt.datetime.fromisoformat(text) for text in (row.failure_since, row.clock))
            began = row.at - (shown - since)
    return min(began, now)


def _age(row: sa.Row[Any], watching: dt.datetime, now: dt.datetime) -> dt.timedelta:
    return now - max(_began(row, now), watching)


def _begin(connection: sa.Connection, row: sa.Row[Any], now: dt.datetime) -> bool:
    by_id(connection, row.id)  # another node may be about to do the same: one after the other
    began = _began(row, now)
    mine = outages.c.office_id == row.id
    same = sa.or_(outages.c.ended.is_(None), outages.c.began == began)
    if connection.scalar(sa.select(outages.c.id).where(mine, same).limit(1)) is not None:
        return False
    cause, code = _cause(connection, row, now)
    values = {"began": began, "epoch": row.epoch, "cause": cause, "code": code, "reference": new_reference()}
    key = connection.execute(sa.insert(outages).values(office_id=row.id, **values)).inserted_primary_key
    notices.down(connection, row.id, int(key[0]) if key else 0, _mark(row, began), _people(connection, row.id), now)
    return True


def _people(connection: sa.Connection, office: int) -> list[str]:
    return list(people.recipients(connection, office))


def _mark(row: sa.Row[Any], began: dt.datetime) -> str:
    """Return what tells this outage from the office's others; the connector too knows the epoch of a lost link."""
    return f"link {row.epoch}" if row.lost_at is not None else f"{began:%Y%m%d%H%M%S}"


def _cause(connection: sa.Connection, row: sa.Row[Any], now: dt.datetime) -> tuple[str, str]:
    """Return the likely cause (a key of `words.CAUSES`) and the code to look up."""
    if standing_of(row.disabled_at, row.support_ends, now) != "active":
        return "inactive", KeyInactive.code
    if row.lost_at is None and row.last_seen >= now - SILENT:
        return row.failure, row.failure
    lost = sa.select(history.c.detail).where(history.c.office_id == row.id, history.c.kind == "lost")
    how = connection.scalar(lost.order_by(history.c.at.desc(), history.c.id.desc()).limit(1))
    in_order = row.lost_at is not None and how in _IN_ORDER
    return "stopped" if in_order else "gone", OfficeUnreachable.code


# -- the end ---------------------------------------------------------------------------------------------------------


def _lasting() -> sa.Select[tuple[object, ...]]:
    wanted = _offices().add_columns(
        outages.c.id.label("outage"), outages.c.began, outages.c.epoch.label("mark"), outages.c.cause
    )
    return (
        wanted.add_columns(outages.c.well_since)
        .join(outages, outages.c.office_id == offices.c.id)
        .where(outages.c.ended.is_(None))
    )


def _goes_on(connection: sa.Connection, row: sa.Row[Any], now: dt.datetime, patience: Patience) -> bool:
    """Bring a lasting outage up to date; return whether it is over now."""
    away = row.lost_at is not None or row.last_seen < now - SILENT
    # After a link has come back, only a heartbeat tells whether the office can do its work.
    well = not away and row.at is not None and row.at >= row.last_seen and row.failure not in TROUBLES
    mine = sa.and_(outages.c.id == row.outage, outages.c.ended.is_(None))
    if not well or row.well_since is None:
        since = row.last_seen if well else None
        if since != row.well_since:
            connection.execute(sa.update(outages).where(mine).values(well_since=since))
        return False
    if now - row.well_since < patience.settle:
        return False
    if not connection.execute(sa.update(outages).where(mine).values(ended=row.well_since)).rowcount:
        return False
    notices.back(connection, row.id, row.outage, f"link {row.mark} {row.outage}", now)
    return True


# -- telling ---------------------------------------------------------------------------------------------------------


def news(connection: sa.Connection, notice: notices.Notice) -> News | None:
    """Return what a notice tells, as it is known now; None when there is nothing to tell."""
    wanted = sa.select(
        *(offices.c[name] for name in ("name", "title")),
        *(heartbeats.c[name] for name in ("practice_title", "utc_offset")),
        *(outages.c[name] for name in ("began", "ended", "cause", "code", "reference")),
        connectors.c.machine,
    )
    joined = wanted.join_from(offices, owners, isouter=True)
    joined = joined.outerjoin(connectors, connectors.c.id == owners.c.connector_id)
    joined = joined.outerjoin(heartbeats, heartbeats.c.office_id == offices.c.id)
    told_of = sa.and_(outages.c.office_id == offices.c.id, outages.c.id == notice.outage)
    joined = joined.outerjoin(outages, told_of)
    row = connection.execute(joined.where(offices.c.id == notice.office)).one_or_none()
    if row is None or (notice.kind != "named" and row.began is None):
        return None
    kind: Kind = notice.kind
    times, first = _before(connection, notice, row.began)
    return News(
        kind,
        row.name,
        row.title if row.title != row.name else row.practice_title or row.title,
        row.began or notice.made_at,
        row.ended,
        _told_cause(connection, notice.office, row.began, row.cause) if kind == "back" else row.cause or "",
        row.machine or "",
        row.code or "",
        row.reference or "",
        row.utc_offset,
        times,
        first,
    )


def _before(connection: sa.Connection, notice: notices.Notice, began: dt.datetime | None) -> tuple[int, dt.datetime]:
    """Return how many outages there were since this person was last told anything, this one included, and the first."""
    told = notices.last_told(connection, notice.office, notice.address)
    if began is None or told is None:
        return 1, began or notice.made_at
    untold = sa.and_(outages.c.office_id == notice.office, outages.c.began > told, outages.c.began < began)
    wanted = sa.select(sa.func.count(), sa.func.min(outages.c.began))
    count, first = connection.execute(wanted.where(untold)).one()
    return int(count) + 1, first or began


def _told_cause(connection: sa.Connection, office: int, began: dt.datetime, ours: str) -> str:
    """Return the cause that the office told when it came back, else the one that HQ had."""
    told = sa.select(history.c.cause).where(
        history.c.office_id == office, history.c.kind == "outage", history.c.at >= began
    )
    cause = connection.scalar(told.order_by(history.c.at.desc(), history.c.id.desc()).limit(1))
    return str(cause or ours)
