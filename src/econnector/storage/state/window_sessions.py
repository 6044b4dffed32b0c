"""Who is signed in to the eConnector Service window, kept in the state file so that a restart signs nobody out.

The token is 256 random bits that only the browser has; the row holds its SHA-256. A session ends half an hour
without use (a page that refreshes itself is no use), twelve hours after it began, or when its user signs out.
"""

import datetime as dt
import hashlib

import msgspec
import sqlalchemy as sa

from econnector.base.ids import new_token
from econnector.storage.state.base import metadata

__all__ = ["IDLE", "OVERALL", "WindowSession", "begin", "end", "end_all", "find", "know"]

IDLE = dt.timedelta(minutes=30)
OVERALL = dt.timedelta(hours=12)
_TOUCH_EVERY = 30.0
"""Seconds: a use so soon after the last is not written down."""

_sessions = sa.Table(
    "window_session",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("may_setup", sa.Boolean, nullable=False),
    sa.Column("may_admin", sa.Boolean, nullable=False),
    sa.Column("began", sa.Float, nullable=False),
    sa.Column("used", sa.Float, nullable=False),
    sa.Column("known", sa.Float, nullable=False),
)


class WindowSession(msgspec.Struct, frozen=True):
    """A session as it is kept; it does not hold the token."""

    user: int
    """Open Dental's UserNum."""
    name: str
    may_setup: bool
    may_admin: bool
    known: float
    """When Open Dental last said what this user may do, in seconds since 1970."""
    left: float
    """Seconds until it ends if it is not used."""


def begin(  # noqa: PLR0913, PLR0917 - a row's values
    connection: sa.Connection, user: int, name: str, may_setup: bool, may_admin: bool, now: dt.datetime
) -> str:
    """Begin a session, drop those that are over, and return its token: the only time that it is seen."""
    token, moment = new_token(), now.timestamp()
    over = (_sessions.c.used < moment - IDLE.total_seconds()) | (_sessions.c.began < moment - OVERALL.total_seconds())
    connection.execute(sa.delete(_sessions).where(over))
    values = {"user": user, "name": name, "may_setup": may_setup, "may_admin": may_admin}
    moments = {"began": moment, "used": moment, "known": moment}
    connection.execute(sa.insert(_sessions).values(token_hash=_hashed(token), **values, **moments))
    return token


def find(connection: sa.Connection, token: str, now: dt.datetime, use: bool) -> WindowSession | None:
    """Return the live session of `token`, or None; with `use` it is marked as used now."""
    row = connection.execute(sa.select(_sessions).where(_mine(token))).one_or_none()
    if row is None:
        return None
    moment = now.timestamp()
    idle = IDLE.total_seconds() - (0.0 if use else moment - row.used)
    left = min(idle, row.began + OVERALL.total_seconds() - moment)
    # A clock that was set back must not make sessions live longer.
    if moment - row.used >= IDLE.total_seconds() or left <= 0 or moment < row.began - _TOUCH_EVERY:
        end(connection, token)
        return None
    if use and abs(moment - row.used) >= _TOUCH_EVERY:
        connection.execute(sa.update(_sessions).where(_mine(token)).values(used=moment))
    return WindowSession(row.user, row.name, row.may_setup, row.may_admin, row.known, left)


def know(connection: sa.Connection, token: str, may_setup: bool, may_admin: bool, now: dt.datetime) -> None:
    """Keep what Open Dental now says that the user may do."""
    values = {"may_setup": may_setup, "may_admin": may_admin, "known": now.timestamp()}
    connection.execute(sa.update(_sessions).where(_mine(token)).values(values))


def end(connection: sa.Connection, token: str) -> None:
    """End one session. Ending it again changes nothing."""
    connection.execute(sa.delete(_sessions).where(_mine(token)))


def end_all(connection: sa.Connection, user: int) -> None:
    """End every session of a user who may not sign in any more."""
    connection.execute(sa.delete(_sessions).where(_sessions.c.user == user))


def _mine(token: str) -> sa.ColumnElement[bool]:
    return _sessions.c.token_hash == _hashed(token)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
