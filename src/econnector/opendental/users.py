"""Open Dental's own users (table userod): signing in as they do there, and what their groups let them do.

A user name is compared without case and blanks around it; the first of several (by UserNum) that is not hidden
counts. Permissions come from usergroupattach alone: `userod.UserGroupNum` is what a user's group was before groups
could be several, it is no longer kept up, and reading it would give people back what was taken from them.

What `userod.Password` holds is told in `passwords`. A user without a password signs in with an empty one and no other,
as in Open Dental. Five wrong passwords lock a user for five minutes after the last, counted in the same two columns
that Open Dental counts in, so that neither place is a way around the other.
"""

import datetime as dt
import enum
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from econnector.base.errors import TooManyTries
from econnector.opendental import passwords, preferences, times
from econnector.opendental.passwords import Form
from econnector.opendental.tables import grouppermission, program, usergroupattach, userod

__all__ = ["LOCKED_FOR", "TRIES", "Permission", "User", "find", "sign_in", "users"]

TRIES = 5
"""Wrong passwords before a user is locked."""
LOCKED_FOR = dt.timedelta(minutes=5)
"""After the last wrong one."""
_MOST_COUNTED = 255
_LONGEST = 255
_MAY_NOT_WRITE = ((1142,), (1143,))
"""MySQL's numbers for a right on a table or column that is missing."""


class Permission(enum.IntEnum):
    """The permissions that matter here (Open Dental's EnumPermType). Neither of them takes a date."""

    SECURITY_ADMIN = 24
    SERVICES_SETUP = 91


class User(msgspec.Struct, frozen=True):
    """A person who signed in."""

    number: int
    """UserNum."""
    name: str
    permissions: frozenset[Permission]
    must_change: bool = False
    """Open Dental will ask for a new password first; until then this one is known to whoever gave it."""

    def may(self, permission: Permission) -> bool:
        """Return whether one of the user's groups has the permission."""
        return permission in self.permissions


class _Row(msgspec.Struct, frozen=True):
    number: int
    name: str
    stored: str
    failed: int
    failed_at: dt.datetime | None
    must_change: bool

    def locked_until(self, now: dt.datetime) -> dt.datetime | None:
        if self.failed < TRIES or self.failed_at is None or now - self.failed_at >= LOCKED_FOR:
            return None
        return self.failed_at + LOCKED_FOR


_NOBODY = _Row(0, "", "SHA3_512$-$-", 0, None, must_change=False)
_VISIBLE = userod.c.IsHidden == 0


def sign_in(connection: Connection, user_name: str, password: str) -> User | None:
    """Return the user if the password is theirs, else None after as long and as much work, known name or not.

    Raises `TooManyTries` while the user is locked, as Open Dental says too.
    """
    found = _named(connection, user_name) or _NOBODY
    now = times.now(connection)
    right = _is_password(connection, found, password)
    until = found.locked_until(now)
    if until is not None:
        raise TooManyTries(tries=found.failed, seconds=max(int((until - now).total_seconds()), 1))
    _count(connection, found, now, failed=not right)
    return _user(connection, found) if right else None


def find(connection: Connection, number: int) -> User | None:
    """Return the user with this UserNum as they are now, None if hidden or gone: for somebody who signed in before."""
    row = connection.execute(_ROWS.where(userod.c.UserNum == number)).one_or_none()
    return None if row is None else _user(connection, _read(row))


def users(connection: Connection) -> list[str]:
    """Return the names for a sign-in list as Open Dental shows it; none where names are typed (UserNameManualEntry)."""
    if preferences.read(connection, "UserNameManualEntry") == "1":
        return []
    names = select(userod.c.UserName).where(_VISIBLE, userod.c.UserNumCEMT == 0)
    return [name for name in connection.scalars(names.order_by(userod.c.UserName)) if name and name.strip()]


_ROWS = select(
    userod.c.UserNum,
    userod.c.UserName,
    userod.c.Password,
    userod.c.FailedAttempts,
    userod.c.DateTFail,
    userod.c.IsPasswordResetRequired,
).where(_VISIBLE)


def _named(connection: Connection, typed: str) -> _Row | None:
    wanted = _folded(typed[: _LONGEST + 1])
    if not wanted:
        return None
    # Compared here and not by the server, whose comparison takes é for e: Open Dental does not.
    names = connection.execute(select(userod.c.UserNum, userod.c.UserName).where(_VISIBLE).order_by(userod.c.UserNum))
    numbers = [row.UserNum for row in names if _folded(row.UserName or "") == wanted]
    row = connection.execute(_ROWS.where(userod.c.UserNum == (numbers[0] if numbers else 0))).one_or_none()
    return None if row is None else _read(row)


def _folded(name: str) -> str:
    return name.strip().lower()


def _read(row: Any) -> _Row:
    number, name, stored, failed, failed_at, must_change = row
    return _Row(number, (name or "").strip(), stored or "", failed, failed_at, must_change=bool(must_change))


def _is_password(connection: Connection, row: _Row, password: str) -> bool:
    ecw = _ecw_in_use(connection)
    matches = passwords.check(row.stored, password, ecw=ecw)
    return matches or (not password and passwords.form_of(row.stored, ecw=ecw) is Form.NO_ACCESS)


def _ecw_in_use(connection: Connection) -> bool:
    bridge = (program.c.ProgName == "eClinicalWorks") & (program.c.Enabled == 1)
    return connection.scalar(select(program.c.ProgramNum).where(bridge).limit(1)) is not None


def _count(connection: Connection, row: _Row, now: dt.datetime, *, failed: bool) -> None:
    """Count a wrong password; after five minutes without one the count begins anew, with a right password too."""
    over = row.failed_at is not None and now - row.failed_at > LOCKED_FOR
    if not failed and not over:
        return
    # Raised by the server, so that of two at once both count.
    more = sa.case((userod.c.FailedAttempts >= _MOST_COUNTED, _MOST_COUNTED), else_=userod.c.FailedAttempts + 1)
    attempts = (1 if over else more) if failed else 0
    # A name that nobody has costs the same statement.
    counted = sa.update(userod).where(userod.c.UserNum == row.number)
    try:
        connection.execute(counted.values(FailedAttempts=attempts, DateTFail=now if failed else None))
    except DBAPIError as error:
        # An account that may only read signs people in all the same; whoever serves the page slows guessing down.
        if error.orig is None or error.orig.args[:1] not in _MAY_NOT_WRITE:
            raise


def _user(connection: Connection, row: _Row) -> User:
    groups = select(usergroupattach.c.UserGroupNum).where(usergroupattach.c.UserNum == row.number)
    permissions = grouppermission.c.PermType
    found = connection.scalars(
        select(permissions).where(
            grouppermission.c.UserGroupNum.in_(groups),
            permissions.in_([int(each) for each in Permission]),
            grouppermission.c.FKey == 0,
        )
    )
    return User(row.number, row.name, frozenset(Permission(each) for each in found), row.must_change)
