"""Notices: one piece of news for one person, from the moment it is due until it is sent. Nothing is told twice.

Every node of HQ takes what is due: a *claim* is a change of one row that only one of them can make. A claim falls
after `LEASE`, so that a node that died while it sent delays a notice and loses none. Between the mail server's yes and
the row's there is a moment in which a death makes a second copy; it carries the same Message-ID.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from econnector.base.ids import new_id
from econnector.hq.registry.tables import Utc, contacts, notices, offices, outages
from econnector.hq.registry.texts import fitting
from econnector.mail.news import Kind, message_id

__all__ = [
    "LEASE",
    "PER_OFFICE",
    "PER_PERSON",
    "Notice",
    "Waiting",
    "back",
    "claim",
    "down",
    "fail",
    "last_sent",
    "last_told",
    "later",
    "prune",
    "sent",
    "waiting",
    "welcome",
]

LEASE = dt.timedelta(minutes=3)
"""How long a node may take to send what it claimed."""
PER_PERSON = 4
"""Letters in an hour about one office to one person: two outages with their ends; more are told in one letter."""
PER_OFFICE = 40
"""Letters in an hour about one office: it cannot make HQ write to the world by naming others every minute."""
WELCOMES = 20
"""People in a day who are told that an office named them."""
_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
_KEPT = dt.timedelta(days=90)
_FIRST, _MOST = dt.timedelta(seconds=30), dt.timedelta(minutes=15)
_LETTER = 50
"""Pieces of news in one letter."""


class Notice(msgspec.Struct, frozen=True):
    """A claimed notice."""

    id: int
    office: int
    outage: int | None
    kind: Kind
    address: str
    message_id: str
    made_at: dt.datetime
    tries: int


class Waiting(msgspec.Struct, frozen=True):
    """How many notices are not told yet, and since when the oldest of them waits."""

    count: int
    oldest: dt.datetime | None


def welcome(connection: sa.Connection, office: int, address: str, now: dt.datetime) -> None:
    """Let somebody know that they are a contact now, once."""
    today = sa.and_(notices.c.office_id == office, notices.c.kind == "named", notices.c.made_at > now - _DAY)
    if (connection.scalar(sa.select(sa.func.count()).select_from(notices).where(today)) or 0) < WELCOMES:
        _make(connection, office, None, "named", "", [address], now)


def down(  # noqa: PLR0913, PLR0917 - what a notice is
    connection: sa.Connection, office: int, outage: int, mark: str, to: Sequence[str], now: dt.datetime
) -> None:
    """Have everybody in `to` told of an outage; `mark` tells it from the office's other ones, here and there.

    News of an earlier outage that nobody has sent yet is old by now and is dropped.
    """
    _drop(connection, notices.c.office_id == office, notices.c.kind != "named")
    _make(connection, office, outage, "down", mark, to, now)


def back(connection: sa.Connection, office: int, outage: int, mark: str, now: dt.datetime) -> None:
    """Have everybody told that an outage is over who was told of it, or should have been and was not yet."""
    about = sa.and_(notices.c.outage_id == outage, notices.c.kind == "down")
    heard = notices.c.state.in_(["due", "claimed", "sent"])
    to = connection.scalars(sa.select(notices.c.address).where(about, heard).order_by(notices.c.address)).all()
    _drop(connection, about)
    _make(connection, office, outage, "back", mark, to, now)


def _drop(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
    waiting_ones = sa.update(notices).where(notices.c.state == "due", *which)
    connection.execute(waiting_ones.values(state="dropped"))


def _make(  # noqa: PLR0913, PLR0917 - what a notice is
    connection: sa.Connection,
    office: int,
    outage: int | None,
    kind: Kind,
    mark: str,
    to: Sequence[str],
    now: dt.datetime,
) -> None:
    name = connection.scalar(sa.select(offices.c.name).where(offices.c.id == office)) or ""
    for address in to:
        key = hashlib.sha256(f"{office}\n{outage}\n{kind}\n{address}".encode()).hexdigest()
        if connection.scalar(sa.select(notices.c.id).where(notices.c.key == key)) is not None:
            continue
        rest = {"claim": "", "error": "", "tries": 0, "state": "due", "made_at": now, "due": now}
        values = rest | {"key": key, "office_id": office, "outage_id": outage, "kind": kind, "address": address}
        values["message_id"] = message_id(kind, name, mark, address)
        connection.execute(sa.insert(notices).values(values))


# -- sending ---------------------------------------------------------------------------------------------------------


def claim(connection: sa.Connection, now: dt.datetime) -> tuple[str, list[Notice]]:
    """Take what is due for one person; return the claim's token and the notices, none when nothing is due.

    What has become old meanwhile is settled here, and what would be too much in an hour is put off.
    """
    fallen = sa.and_(notices.c.state == "claimed", notices.c.due <= now)
    connection.execute(sa.update(notices).where(fallen).values(state="due", claim=""))
    due = sa.and_(notices.c.state == "due", notices.c.due <= now)
    token, tried = new_id(), set[tuple[str, bool]]()
    for row in connection.execute(sa.select(notices).where(due).order_by(notices.c.due, notices.c.id).limit(200)).all():
        whom = (row.address, row.kind == "named")
        if whom in tried:
            continue
        tried.add(whom)
        same = notices.c.kind == "named" if whom[1] else notices.c.kind != "named"
        wanted = sa.select(notices).where(due, notices.c.address == row.address, same)
        one_letter = connection.execute(wanted.order_by(notices.c.id).limit(1 if whom[1] else _LETTER)).all()
        taken = [_notice(each) for each in one_letter if _take(connection, each, token, now)]
        if taken:
            return token, taken
    return token, []


def _take(connection: sa.Connection, row: sa.Row[tuple[object, ...]], token: str, now: dt.datetime) -> bool:
    mine = sa.and_(notices.c.id == row.id, notices.c.state == "due")
    if settled := _settled(connection, row, now):
        connection.execute(sa.update(notices).where(mine).values(settled))
        return False
    if (free := _free(connection, row.office_id, row.address, now)) > now:
        connection.execute(sa.update(notices).where(mine).values(due=free))
        return False
    values = {"state": "claimed", "claim": token, "due": now + LEASE, "tries": row.tries + 1}
    return connection.execute(sa.update(notices).where(mine).values(values)).rowcount == 1


def _settled(connection: sa.Connection, row: sa.Row[tuple[object, ...]], now: dt.datetime) -> dict[str, object]:
    """Return what becomes of a notice that need not be sent any more, or nothing."""
    here = sa.and_(contacts.c.office_id == row.office_id, contacts.c.address == row.address)
    if connection.scalar(sa.select(contacts.c.id).where(here).limit(1)) is None:
        return {"state": "dropped", "error": "no longer a contact"}
    if row.kind == "down":
        ended = sa.select(outages.c.id).where(outages.c.id == row.outage_id, outages.c.ended.is_not(None))
        if connection.scalar(ended) is not None:
            return {"state": "dropped", "error": "over meanwhile"}
    if row.made_at < now - _DAY:
        return {"state": "failed", "error": row.error or "it could not be sent within a day"}
    return {}


def _free(connection: sa.Connection, office: int, address: str, now: dt.datetime) -> dt.datetime:
    """Return when the next letter about this office may go to this person."""
    lately = sa.select(notices.c.sent_at).where(notices.c.office_id == office, notices.c.sent_at > now - _HOUR)
    lately = lately.order_by(notices.c.sent_at.desc())
    person = lately.where(notices.c.address == address, notices.c.kind != "named")
    free = now
    for which, most in ((person, PER_PERSON), (lately, PER_OFFICE)):
        times = connection.scalars(which.limit(most)).all()
        if len(times) == most and times[-1] is not None:
            free = max(free, times[-1] + _HOUR)
    return free


def sent(connection: sa.Connection, token: str, now: dt.datetime) -> None:
    """Note that what was claimed under this token has been sent."""
    connection.execute(_claimed(token).values(state="sent", sent_at=now, error=""))


def later(connection: sa.Connection, token: str, tries: int, why: str, now: dt.datetime) -> None:
    """Note that it could not be sent now; `tries` says how often that was so."""
    pause = min(_MOST, _FIRST * 2 ** min(tries - 1, 10))
    connection.execute(_claimed(token).values(fitting(notices, {"error": why}) | {"state": "due", "due": now + pause}))


def fail(connection: sa.Connection, token: str, why: str) -> None:
    """Note that it will never be sent."""
    connection.execute(_claimed(token).values(fitting(notices, {"error": why}) | {"state": "failed"}))


def _claimed(token: str) -> sa.Update:
    return sa.update(notices).where(notices.c.claim == token, notices.c.state == "claimed")


# -- looking ---------------------------------------------------------------------------------------------------------


def waiting(connection: sa.Connection) -> Waiting:
    """Return what is not told yet."""
    wanted = sa.select(sa.func.count(), sa.func.min(notices.c.made_at, type_=Utc()))
    count, oldest = connection.execute(wanted.where(notices.c.state.in_(["due", "claimed"]))).one()
    return Waiting(int(count), oldest)


def last_sent(connection: sa.Connection, office: int) -> tuple[str, dt.datetime] | None:
    """Return kind and time of the last letter about the office, or None."""
    wanted = sa.select(notices.c.kind, notices.c.sent_at).where(notices.c.office_id == office)
    row = connection.execute(
        wanted.where(notices.c.state == "sent").order_by(notices.c.sent_at.desc()).limit(1)
    ).first()
    return (row[0], row[1]) if row and row[1] else None


def last_told(connection: sa.Connection, office: int, address: str) -> dt.datetime | None:
    """Return when this person was last told of an outage of the office, or None."""
    wanted = sa.select(sa.func.max(notices.c.sent_at, type_=Utc()))
    mine = sa.and_(notices.c.office_id == office, notices.c.address == address, notices.c.kind != "named")
    found: dt.datetime | None = connection.scalar(wanted.where(mine))
    return found


def prune(connection: sa.Connection, now: dt.datetime) -> int:
    """Forget notices and outages of more than 90 days ago; return how many notices went."""
    gone = connection.execute(sa.delete(notices).where(notices.c.made_at < now - _KEPT)).rowcount
    used = sa.select(notices.c.outage_id).where(notices.c.outage_id.is_not(None))
    over = sa.and_(outages.c.ended < now - _KEPT, outages.c.id.not_in(used))
    connection.execute(sa.delete(outages).where(over))
    return gone


def _notice(row: sa.Row[tuple[object, ...]]) -> Notice:
    values = (row.kind, row.address, row.message_id, row.made_at, row.tries + 1)
    return Notice(row.id, row.office_id, row.outage_id, *values)
