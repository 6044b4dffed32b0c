"""Portal sessions, minted and checked by the office, kept in the state file so that a restart ends none.

The token is 256 random bits that only its holder has; the row holds its SHA-256. A session ends after an hour
without use, a day after it began, when it is revoked, or when the password it was opened with has changed
(NIST SP 800-63B-4 section 2.2.3; HIPAA 164.312(a)(2)(iii)). Rows stay for `KEEP` after the end: they are the
list of who signed in from where.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from econnector.base.ids import new_id, new_token
from econnector.storage.state import consent, portalrules
from econnector.storage.state.base import metadata
from econnector.storage.state.consent import Privacy

__all__ = [
    "IDLE",
    "KEEP",
    "OVERALL",
    "Opened",
    "PortalSession",
    "end",
    "end_all",
    "find",
    "keep_with",
    "listed",
    "open_session",
    "revoke",
    "sweep",
]

IDLE = dt.timedelta(hours=1)
OVERALL = dt.timedelta(hours=24)
KEEP = dt.timedelta(days=90)

_TOUCH_EVERY = 60.0
"""Seconds: a use within a minute of the last is not written down, so that reading a page writes nothing."""
_LONGEST_TEXT = 200

_sessions = Table(
    "portal_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("number", String(32), nullable=False, unique=True),
    Column("login", BigInteger, nullable=False),
    Column("patient", BigInteger, nullable=False),
    Column("password", String(32), nullable=False),
    Column("began", Float, nullable=False),
    Column("used", Float, nullable=False),
    Column("ended", Float, nullable=False),
    Column("ended_why", String(40), nullable=False),
    Column("address", String(_LONGEST_TEXT), nullable=False),
    Column("agent", String(_LONGEST_TEXT), nullable=False),
    Column("before", String(19), nullable=False),
)
Index("portal_session_patient", _sessions.c.patient, _sessions.c.began)


class PortalSession(msgspec.Struct, frozen=True):
    """A session as the office keeps it; it does not hold the token."""

    number: str
    """Names the session in logs and in the access list; also groups its eservicelog rows (LogGuid)."""
    login: int
    """userweb.UserWebNum."""
    patient: int
    """PatNum of the one who signed in."""
    password: str
    """Fingerprint of the stored password it was opened with."""
    began: dt.datetime
    used: dt.datetime
    ended: dt.datetime | None = None
    ended_why: str = ""
    address: str = ""
    agent: str = ""
    before: str = ""
    """When the same person signed in the time before, in office time, ISO 8601; empty when never."""
    privacy: Privacy = Privacy()
    """What stands between its holder and others' records; known of a session that was found for a call."""
    preview: bool = False
    """Whether it is nobody's: somebody of the office looks as this patient (`previews`)."""

    def left(self, now: dt.datetime) -> dt.timedelta:
        """Return how long it lives at most."""
        return max(self.began + self.privacy.rules.overall - now, dt.timedelta())

    def lives(self, rules: portalrules.Rules, now: dt.datetime) -> bool:
        """Return whether it would still open anything."""
        return self.ended is None and not _over(self.began.timestamp(), self.used.timestamp(), now, rules)


class Opened(msgspec.Struct, frozen=True):
    """A new session with its token: the only time that the token is seen."""

    token: str
    session: PortalSession


def open_session(  # noqa: PLR0913 - a row's values
    connection: Connection,
    now: dt.datetime,
    *,
    login: int,
    patient: int,
    password: str,
    address: str = "",
    agent: str = "",
    before: str = "",
    number: str = "",
) -> Opened:
    """Begin a session and return its token. `password` is the fingerprint of the stored one."""
    token = new_token()
    values = {
        "token_hash": _hashed(token),
        "number": number or new_id(),
        "login": login,
        "patient": patient,
        "password": password,
        "began": now.timestamp(),
        "used": now.timestamp(),
        "ended": 0.0,
        "ended_why": "",
        "address": address[:_LONGEST_TEXT],
        "agent": agent[:_LONGEST_TEXT],
        "before": before,
    }
    connection.execute(insert(_sessions).values(values))
    return Opened(token, _looking(connection, _read(values), now))


def find(connection: Connection, token: str, now: dt.datetime) -> tuple[PortalSession | None, str]:
    """Return the live session of `token` and mark it as used; or None and why: unknown, idle, old, or what ended it.

    An idle or old session is ended for good, whatever the clock does later. How long they live is the practice's to
    say (`portalrules`).
    """
    mine = _sessions.c.token_hash == _hashed(token)
    row = connection.execute(select(_sessions).where(mine)).mappings().one_or_none()
    if row is None:
        return None, "unknown"
    if row["ended"]:
        return None, str(row["ended_why"])
    rules = portalrules.read(connection)
    why = _over(row["began"], row["used"], now, rules)
    if why:
        _end(connection, mine, why, now)
        return None, why
    if abs(now.timestamp() - row["used"]) >= _TOUCH_EVERY:
        connection.execute(update(_sessions).where(mine).values(used=now.timestamp()))
    return _looking(connection, _read(row), now), ""


def end(connection: Connection, token: str, why: str, now: dt.datetime) -> PortalSession | None:
    """End one session; return it if it was alive. Ending it again changes nothing."""
    mine = _sessions.c.token_hash == _hashed(token)
    row = connection.execute(select(_sessions).where(mine, _sessions.c.ended == 0)).mappings().one_or_none()
    _end(connection, mine, why, now)
    return None if row is None else _looking(connection, _read(row), now)


def revoke(connection: Connection, number: str, why: str, now: dt.datetime) -> bool:
    """End the session that the access list calls `number`; return whether it was alive."""
    return _end(connection, _sessions.c.number == number, why, now) == 1


def end_all(connection: Connection, patient: int, why: str, now: dt.datetime, *, but: str = "") -> int:
    """End every session of `patient` except the one with number `but`; return how many were ended."""
    return _end(connection, (_sessions.c.patient == patient) & (_sessions.c.number != but), why, now)


def keep_with(connection: Connection, number: str, password: str) -> str:
    """Let a session go on under a new password's fingerprint: its holder has just changed it.

    Return its new token; the old one opens nothing any more, whoever else has it.
    """
    token = new_token()
    mine = update(_sessions).where(_sessions.c.number == number)
    connection.execute(mine.values(password=password, token_hash=_hashed(token)))
    return token


def listed(connection: Connection, patient: int, most: int = 100) -> list[PortalSession]:
    """Return the sessions of `patient`, newest first: the access list."""
    newest_first = select(_sessions).where(_sessions.c.patient == patient).order_by(_sessions.c.began.desc())
    return [_read(row) for row in connection.execute(newest_first.limit(most)).mappings()]


def sweep(connection: Connection, now: dt.datetime) -> int:
    """Delete rows of sessions that began more than `KEEP` and a day ago; return how many."""
    gone = connection.execute(delete(_sessions).where(_sessions.c.began < (now - KEEP - OVERALL).timestamp()))
    return int(gone.rowcount)


def _looking(connection: Connection, session: PortalSession, now: dt.datetime) -> PortalSession:
    """Return the session with what stands between its holder and others' records now."""
    privacy = consent.privacy(connection, session.patient, now.astimezone().date())
    return msgspec.structs.replace(session, privacy=privacy)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _over(began: float, used: float, now: dt.datetime, rules: portalrules.Rules) -> str:
    moment = now.timestamp()
    if moment - used >= rules.idle.total_seconds():
        return "idle"
    # A clock that was set back must not make sessions live longer.
    if moment - began >= rules.overall.total_seconds() or moment < began - _TOUCH_EVERY:
        return "old"
    return ""


def _end(connection: Connection, which: ColumnElement[bool], why: str, now: dt.datetime) -> int:
    ending = update(_sessions).where(which, _sessions.c.ended == 0).values(ended=now.timestamp(), ended_why=why)
    return int(connection.execute(ending).rowcount)


def _read(row: Mapping[str, Any] | Mapping[Any, Any]) -> PortalSession:
    return PortalSession(
        number=row["number"],
        login=row["login"],
        patient=row["patient"],
        password=row["password"],
        began=_moment(row["began"]),
        used=_moment(row["used"]),
        ended=_moment(row["ended"]) if row["ended"] else None,
        ended_why=row["ended_why"],
        address=row["address"],
        agent=row["agent"],
        before=row["before"],
    )


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
