"""The vendor's people who may use the fleet pages: accounts, passwords, one-time codes, sessions."""

import datetime as dt
import hashlib
import secrets
from functools import cache

import msgspec
import pyotp
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from econnector.base.errors import ValueRejected
from econnector.hq.registry import deeds
from econnector.hq.registry.deeds import Deed
from econnector.hq.registry.offices import NAME
from econnector.hq.registry.tables import admin_sessions, admins

__all__ = [
    "IDLE",
    "LEAST",
    "LONGEST",
    "Admin",
    "Session",
    "account",
    "add",
    "begin",
    "end",
    "every",
    "find",
    "knows",
    "matches",
    "provisioning",
    "prune",
    "remove",
    "set_password",
    "use_code",
]

IDLE = dt.timedelta(minutes=30)
LONGEST = dt.timedelta(hours=12)
"""A session ends this long after its last page, and this long after its first."""
LEAST, MOST = 12, 200
"""Characters of a password."""
_KNOWN = dt.timedelta(days=30)
"""How long an address counts as an account's own after a sign-in from there."""
_TOUCH = dt.timedelta(minutes=1)
_STEP = 30
"""Seconds that a one-time code stands for (RFC 6238)."""
_ISSUER = "eConnector HQ"
_COMMAND = "command line"


class Admin(msgspec.Struct, frozen=True):
    """An account, as its sign-in sees it."""

    id: int
    name: str
    password: str
    totp: str
    added_at: dt.datetime


class Session(msgspec.Struct, frozen=True):
    """Somebody who is signed in."""

    name: str
    began: dt.datetime


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def matches(admin: Admin | None, password: str) -> bool:
    """Return whether it is the account's password. Takes as long (tens of ms, 64 MiB) where there is no account."""
    try:
        right = _hasher().verify(admin.password if admin else _nobodys(), password[:MOST])
    except (Argon2Error, InvalidHashError):
        return False
    return right and admin is not None and len(password) <= MOST


def add(connection: sa.Connection, name: str, password: str, now: dt.datetime, *, codes: bool = False) -> Admin:
    """Make an account; with `codes` it wants a one-time code too. Raises `ValueRejected`."""
    if not NAME.fullmatch(name):
        raise ValueRejected(field="name", why="an account's name is 1 to 63 lower-case letters, digits and hyphens.")
    if account(connection, name) is not None:
        why = f"there is an account {name} already; `econnector hq admin password {name}` changes its password."
        raise ValueRejected(field="name", why=why)
    values = {"name": name, "password": _hashed(password), "totp": pyotp.random_base32() if codes else ""}
    connection.execute(sa.insert(admins).values(totp_used=0, added_at=now, **values))
    deeds.note(connection, Deed(now, _COMMAND, "account-added", detail=name))
    return _known(connection, name)


def set_password(
    connection: sa.Connection, name: str, password: str, now: dt.datetime, *, codes: bool | None = None
) -> Admin:
    """Replace an account's password, and end its sessions. Raises `ValueRejected`.

    `codes`: None keeps its one-time codes as they are, True makes new ones, False ends them.
    """
    found = _known(connection, name)
    _end_all(connection, found)
    values: dict[str, object] = {"password": _hashed(password)}
    if codes is not None:
        values |= {"totp": pyotp.random_base32() if codes else "", "totp_used": 0}
    connection.execute(sa.update(admins).where(admins.c.id == found.id).values(values))
    told = {None: "", True: ", new codes", False: ", without codes from now on"}[codes]
    deeds.note(connection, Deed(now, _COMMAND, "password-changed", detail=name + told))
    return _known(connection, name)


def remove(connection: sa.Connection, name: str, now: dt.datetime) -> None:
    """End an account and its sessions. Raises `ValueRejected`."""
    found = _known(connection, name)
    _end_all(connection, found)
    connection.execute(sa.delete(admins).where(admins.c.id == found.id))
    deeds.note(connection, Deed(now, _COMMAND, "account-removed", detail=name))


def provisioning(admin: Admin) -> str:
    """Return the `otpauth://` address that an authenticator app takes."""
    return pyotp.TOTP(admin.totp).provisioning_uri(name=admin.name, issuer_name=_ISSUER)


def every(connection: sa.Connection) -> list[Admin]:
    """Return all accounts by name."""
    return [_admin(row) for row in connection.execute(sa.select(admins).order_by(admins.c.name))]


def account(connection: sa.Connection, name: str) -> Admin | None:
    """Return the account with this name, or None."""
    row = connection.execute(sa.select(admins).where(admins.c.name == name)).one_or_none()
    return None if row is None else _admin(row)


def use_code(connection: sa.Connection, admin: Admin, typed: str, now: dt.datetime) -> bool:
    """Return whether it is a one-time code of now (or half a minute around it) that nobody has used yet."""
    code, made, step = typed.replace(" ", ""), pyotp.TOTP(admin.totp), int(now.timestamp()) // _STEP
    steps = [each for each in (step - 1, step, step + 1) if secrets.compare_digest(_bytes(made, each), code.encode())]
    if not steps:
        return False
    unused = sa.and_(admins.c.id == admin.id, admins.c.totp_used < steps[0])
    return connection.execute(sa.update(admins).where(unused).values(totp_used=steps[0])).rowcount == 1


def _bytes(made: pyotp.TOTP, step: int) -> bytes:
    return made.at(step * _STEP).encode()


def begin(connection: sa.Connection, admin: Admin, address: str, now: dt.datetime) -> str:
    """Begin a session; return its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        sa.insert(admin_sessions).values(token_hash=_digest(token), admin_id=admin.id, began=now, seen=now)
    )
    deeds.note(connection, Deed(now, admin.name, "signed-in", address=address))
    return token


def knows(connection: sa.Connection, name: str, address: str, now: dt.datetime) -> bool:
    """Return whether the account signed in from this address in the last 30 days."""
    return deeds.happened(connection, name, "signed-in", address, now - _KNOWN)


def find(connection: sa.Connection, token: str, now: dt.datetime) -> Session | None:
    """Return the session of this token if it lasts, and keep it alive; one query, and a write once a minute."""
    mine = admin_sessions.c.token_hash == _digest(token)
    lasts = sa.and_(admin_sessions.c.seen > now - IDLE, admin_sessions.c.began > now - LONGEST)
    wanted = sa.select(admins.c.name, admin_sessions.c.began, admin_sessions.c.seen).join_from(admin_sessions, admins)
    row = connection.execute(wanted.where(mine, lasts)).one_or_none()
    if row is None:
        return None
    if now - row.seen > _TOUCH:
        connection.execute(sa.update(admin_sessions).where(mine).values(seen=now))
    return Session(row.name, row.began)


def end(connection: sa.Connection, token: str, name: str, address: str, now: dt.datetime) -> None:
    """End a session."""
    connection.execute(sa.delete(admin_sessions).where(admin_sessions.c.token_hash == _digest(token)))
    deeds.note(connection, Deed(now, name, "signed-out", address=address))


def prune(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete sessions that have ended; return how many."""
    over = sa.or_(admin_sessions.c.seen <= now - IDLE, admin_sessions.c.began <= now - LONGEST)
    return connection.execute(sa.delete(admin_sessions).where(over)).rowcount


def _hashed(password: str) -> str:
    if not LEAST <= len(password) <= MOST:
        raise ValueRejected(field="password", why=f"a password has {LEAST} to {MOST} characters.")
    return _hasher().hash(password)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _end_all(connection: sa.Connection, admin: Admin) -> None:
    connection.execute(sa.delete(admin_sessions).where(admin_sessions.c.admin_id == admin.id))


def _known(connection: sa.Connection, name: str) -> Admin:
    found = account(connection, name)
    if found is None:
        raise ValueRejected(field="name", why=f"there is no account {name}; `econnector hq admin list` has them.")
    return found


def _admin(row: sa.Row[tuple[object, ...]]) -> Admin:
    return Admin(row.id, row.name, row.password, row.totp, row.added_at)
