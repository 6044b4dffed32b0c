"""The second step of signing in: an app's secret, recovery codes and passkeys of each sign-in (userweb.UserWebNum).

The app's secret is sealed (`sealing.Seal`) before it comes here, recovery codes are keyed digests, of a passkey only
the public half exists. A code of the app counts once: its time step is remembered, and none of before counts again.
"""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = [
    "PENDING",
    "Passkey",
    "SecondStep",
    "add_passkey",
    "confirm_app",
    "drop_passkey",
    "find",
    "forget",
    "has_any",
    "keep_codes",
    "prepare_app",
    "spend_step",
    "use_code",
    "use_passkey",
]

PENDING = dt.timedelta(minutes=15)
"""How long an app's secret waits for its first code."""
_LONGEST_NAME = 60

_apps = sa.Table(
    "portal_app",
    metadata,
    sa.Column("login", sa.BigInteger, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("drift", sa.Integer, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("pending", sa.LargeBinary, nullable=False),
    sa.Column("pending_at", sa.Float, nullable=False),
)
_recovery = sa.Table(
    "portal_recovery_code",
    metadata,
    sa.Column("login", sa.BigInteger, primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("used", sa.Float, nullable=False),
)
_passkeys = sa.Table(
    "portal_passkey",
    metadata,
    sa.Column("credential", sa.String(400), primary_key=True),
    sa.Column("login", sa.BigInteger, nullable=False, index=True),
    sa.Column("number", sa.String(32), nullable=False, unique=True),
    sa.Column("name", sa.String(_LONGEST_NAME), nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("added", sa.Float, nullable=False),
    sa.Column("used", sa.Float, nullable=False),
)


class Passkey(msgspec.Struct, frozen=True):
    """One passkey, as far as an office ever has it."""

    number: str
    """Names it on pages."""
    credential: str
    """Its id, base64url."""
    name: str
    host: str
    """The RP id it was made for: it works there and nowhere else."""
    public_key: bytes
    count: int
    """How often it says that it was used; 0 where it does not count."""
    added: dt.datetime
    used: dt.datetime | None


class SecondStep(msgspec.Struct, frozen=True):
    """What a sign-in has for its second step."""

    secret: bytes = b""
    """The app's, sealed; empty without one."""
    step: int = -1
    """The time step of the last code that counted."""
    drift: int = 0
    """Steps by which the app's clock was ahead of ours."""
    pending: bytes = b""
    """The sealed secret that waits for its first code."""
    codes_left: int = 0
    passkeys: tuple[Passkey, ...] = ()

    @property
    def on(self) -> bool:
        """Whether the password alone is not enough."""
        return bool(self.secret or self.passkeys)


def find(connection: sa.Connection, login: int, now: dt.datetime) -> SecondStep:
    """Return what this sign-in has."""
    app = connection.execute(sa.select(_apps).where(_apps.c.login == login)).one_or_none()
    unused = sa.select(sa.func.count()).select_from(_recovery).where(_recovery.c.login == login, _recovery.c.used == 0)
    keys = connection.execute(sa.select(_passkeys).where(_passkeys.c.login == login).order_by(_passkeys.c.added))
    fresh = app is not None and abs(now.timestamp() - app.pending_at) < PENDING.total_seconds()
    return SecondStep(
        secret=app.secret if app else b"",
        step=app.step if app else -1,
        drift=app.drift if app else 0,
        pending=app.pending if app and fresh else b"",
        codes_left=connection.execute(unused).scalar_one(),
        passkeys=tuple(_passkey(row) for row in keys),
    )


def has_any(connection: sa.Connection, login: int) -> bool:
    """Return whether this sign-in has a second step: asked for every page where the practice requires it."""
    app = sa.select(_apps.c.login).where(_apps.c.login == login, _apps.c.secret != b"")
    key = sa.select(_passkeys.c.login).where(_passkeys.c.login == login)
    return connection.execute(sa.union_all(app, key).limit(1)).first() is not None


def prepare_app(connection: sa.Connection, login: int, sealed: bytes, now: dt.datetime) -> None:
    """Keep a new secret that waits for its first code; an app that is in use stays so until then."""
    values = {"pending": sealed, "pending_at": now.timestamp()}
    if not connection.execute(sa.update(_apps).where(_apps.c.login == login).values(values)).rowcount:
        empty = {"login": login, "secret": b"", "step": -1, "drift": 0, "since": 0.0}
        connection.execute(sa.insert(_apps).values(empty | values))


def confirm_app(  # noqa: PLR0913, PLR0917 - a row's values
    connection: sa.Connection, login: int, pending: bytes, step: int, drift: int, now: dt.datetime
) -> bool:
    """Take the waiting secret into use; return whether it was still this one."""
    here = (_apps.c.login == login) & (_apps.c.pending == pending) & (_apps.c.pending != b"")
    values = {"secret": pending, "pending": b"", "step": step, "drift": drift, "since": now.timestamp()}
    return connection.execute(sa.update(_apps).where(here).values(values)).rowcount == 1


def spend_step(connection: sa.Connection, login: int, step: int, drift: int) -> bool:
    """Note that the code of this time step counted; return False if it, or a later one, already has."""
    here = (_apps.c.login == login) & (_apps.c.step < step)
    return connection.execute(sa.update(_apps).where(here).values(step=step, drift=drift)).rowcount == 1


def keep_codes(connection: sa.Connection, login: int, digests: list[str]) -> None:
    """Keep new recovery codes instead of all before."""
    connection.execute(sa.delete(_recovery).where(_recovery.c.login == login))
    if digests:
        connection.execute(sa.insert(_recovery), [{"login": login, "digest": one, "used": 0.0} for one in digests])


def use_code(connection: sa.Connection, login: int, digest: str, now: dt.datetime) -> bool:
    """Use a recovery code up; return whether it was one and unused."""
    here = (_recovery.c.login == login) & (_recovery.c.digest == digest) & (_recovery.c.used == 0)
    return connection.execute(sa.update(_recovery).where(here).values(used=now.timestamp())).rowcount == 1


def add_passkey(connection: sa.Connection, login: int, passkey: Passkey) -> bool:
    """Keep a passkey; return False if there is one with this id, whoever's it is."""
    taken = sa.select(_passkeys.c.number).where(_passkeys.c.credential == passkey.credential)
    if connection.execute(taken).first() is not None:
        return False
    values = {**msgspec.structs.asdict(passkey), "login": login, "added": passkey.added.timestamp(), "used": 0.0}
    connection.execute(sa.insert(_passkeys).values(values | {"name": passkey.name[:_LONGEST_NAME]}))
    return True


def use_passkey(connection: sa.Connection, number: str, count: int, now: dt.datetime) -> None:
    """Note that a passkey signed somebody in, and its new counter."""
    here = _passkeys.c.number == number
    connection.execute(sa.update(_passkeys).where(here).values(count=count, used=now.timestamp()))


def drop_passkey(connection: sa.Connection, login: int, number: str) -> bool:
    """Forget one passkey of this sign-in; return whether it was there."""
    here = (_passkeys.c.login == login) & (_passkeys.c.number == number)
    return connection.execute(sa.delete(_passkeys).where(here)).rowcount == 1


def forget(connection: sa.Connection, login: int) -> bool:
    """Take the second step away: the patient turned it off, or lost it and the office knows who they are.

    Returns whether there was one.
    """
    had = has_any(connection, login)
    for table in (_apps, _recovery, _passkeys):
        connection.execute(sa.delete(table).where(table.c.login == login))
    return had


def _passkey(row: Any) -> Passkey:
    return Passkey(
        number=row.number,
        credential=row.credential,
        name=row.name,
        host=row.host,
        public_key=row.public_key,
        count=row.count,
        added=_moment(row.added),
        used=_moment(row.used) if row.used else None,
    )


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
