"""Invites to the portal: a code by mail that lets somebody choose their sign-in, seven days, once.

One row for each sign-in: a new invite takes the older one's place. The row holds a keyed digest of the code, never the
code, and the fingerprint of the password that was stored when it was sent: whatever changes that password (the office,
the patient, taking the access away) ends the invite with it.
"""

import datetime as dt
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["GOOD_FOR", "MOST_WRONG", "Invite", "find", "of_logins", "put", "sweep", "use", "wrong"]

GOOD_FOR: Final = dt.timedelta(days=7)
MOST_WRONG: Final = 10
"""Wrong birth dates with the right code; then the invite has ended: who has the mail may not try them all."""
_KEPT: Final = dt.timedelta(days=30)
_SET_BACK: Final = 60.0
"""Seconds that the clock may have been set back meanwhile; more must not make an invite live longer."""

_invites = sa.Table(
    "portal_invite",
    metadata,
    sa.Column("login", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("patient", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("password", sa.String(32), nullable=False),
    sa.Column("mail", sa.String(255), nullable=False),
    sa.Column("sent", sa.Float, nullable=False),
    sa.Column("used", sa.Float, nullable=False),
    sa.Column("wrong", sa.Integer, nullable=False),
)


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """One invite."""

    login: int
    """UserWebNum."""
    patient: int
    """PatNum."""
    digest: str
    password: str
    """Fingerprint of the password that was stored when it was sent."""
    mail: str
    """The letter's message id."""
    sent: dt.datetime
    used: bool = False
    wrong: int = 0
    """Wrong birth dates so far."""

    @property
    def until(self) -> dt.datetime:
        """When it is too old."""
        return self.sent + GOOD_FOR

    def is_open(self, now: dt.datetime) -> bool:
        """Return whether it may still be accepted, as far as this row knows."""
        age = (now - self.sent).total_seconds()
        return not self.used and self.wrong < MOST_WRONG and -_SET_BACK <= age < GOOD_FOR.total_seconds()

    def __repr__(self) -> str:
        return f"Invite(login={self.login})"


def put(connection: sa.Connection, invite: Invite) -> None:
    """Keep an invite instead of the one before."""
    connection.execute(sa.delete(_invites).where(_invites.c.login == invite.login))
    values = msgspec.structs.asdict(invite) | {"sent": invite.sent.timestamp(), "used": 0.0}
    connection.execute(sa.insert(_invites).values(values))


def find(connection: sa.Connection, digest: str) -> Invite | None:
    """Return the invite of the code with this digest, open or not."""
    row = connection.execute(sa.select(_invites).where(_invites.c.digest == digest)).first()
    return _read(row) if row else None


def of_logins(connection: sa.Connection, logins: list[int]) -> dict[int, Invite]:
    """Return the last invites of these sign-ins (UserWebNums), by sign-in."""
    rows = connection.execute(sa.select(_invites).where(_invites.c.login.in_(logins)))
    return {row.login: _read(row) for row in rows}


def use(connection: sa.Connection, digest: str, now: dt.datetime) -> None:
    """Note that it was accepted."""
    connection.execute(sa.update(_invites).where(_invites.c.digest == digest).values(used=now.timestamp()))


def wrong(connection: sa.Connection, digest: str) -> None:
    """Count a wrong birth date."""
    here = _invites.c.digest == digest
    connection.execute(sa.update(_invites).where(here).values(wrong=_invites.c.wrong + 1))


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete invites that no longer matter; return how many."""
    return int(connection.execute(sa.delete(_invites).where(_invites.c.sent < (now - _KEPT).timestamp())).rowcount)


def _read(row: Any) -> Invite:
    return Invite(
        login=row.login,
        patient=row.patient,
        digest=row.digest,
        password=row.password,
        mail=row.mail,
        sent=dt.datetime.fromtimestamp(row.sent, dt.UTC),
        used=bool(row.used),
        wrong=row.wrong,
    )
