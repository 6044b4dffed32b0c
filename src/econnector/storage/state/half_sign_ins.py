"""Sign-ins of which the password was right and the second step is still to come, and the challenges of passkeys.

A half sign-in is no session: its ticket opens nothing, and the session that follows has a token of its own. A ticket
is 256 random bits; the row holds its SHA-256.
"""

import datetime as dt
import hashlib

import msgspec
import sqlalchemy as sa

from econnector.base.ids import new_token
from econnector.storage.state.base import metadata

__all__ = ["GOOD_FOR", "HalfSignIn", "begin", "challenge", "end", "find", "holder_of", "sweep", "take_challenge"]

GOOD_FOR = dt.timedelta(minutes=10)
_LONGEST_TEXT = 200
_SET_BACK = -60.0
"""Seconds that the clock may have been set back meanwhile; more must not make anything live longer."""

_halves = sa.Table(
    "portal_half_sign_in",
    metadata,
    sa.Column("ticket_hash", sa.String(64), primary_key=True),
    sa.Column("login", sa.BigInteger, nullable=False),
    sa.Column("password", sa.String(32), nullable=False),
    sa.Column("address", sa.String(_LONGEST_TEXT), nullable=False),
    sa.Column("agent", sa.String(_LONGEST_TEXT), nullable=False),
    sa.Column("began", sa.Float, nullable=False),
)
_challenges = sa.Table(
    "portal_challenge",
    metadata,
    sa.Column("holder", sa.String(64), primary_key=True),
    sa.Column("challenge", sa.LargeBinary, nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("made", sa.Float, nullable=False),
)


class HalfSignIn(msgspec.Struct, frozen=True):
    """A sign-in that waits for its second step."""

    login: int
    password: str
    """Fingerprint of the stored password that was right."""
    address: str
    agent: str


def begin(connection: sa.Connection, half: HalfSignIn, now: dt.datetime) -> str:
    """Keep it; return its ticket, the only time that it is seen."""
    ticket = new_token()
    values = {
        "ticket_hash": holder_of(ticket),
        "login": half.login,
        "password": half.password,
        "address": half.address[:_LONGEST_TEXT],
        "agent": half.agent[:_LONGEST_TEXT],
        "began": now.timestamp(),
    }
    connection.execute(sa.insert(_halves).values(values))
    return ticket


def find(connection: sa.Connection, ticket: str, now: dt.datetime) -> HalfSignIn | None:
    """Return the sign-in of this ticket, unless it has waited too long."""
    row = connection.execute(sa.select(_halves).where(_halves.c.ticket_hash == holder_of(ticket))).one_or_none()
    if row is None or not _SET_BACK <= now.timestamp() - row.began < GOOD_FOR.total_seconds():
        return None
    return HalfSignIn(row.login, row.password, row.address, row.agent)


def end(connection: sa.Connection, ticket: str) -> bool:
    """Drop a ticket; return whether it was there, which it is for one only."""
    return connection.execute(sa.delete(_halves).where(_halves.c.ticket_hash == holder_of(ticket))).rowcount == 1


def challenge(connection: sa.Connection, holder: str, value: bytes, host: str, now: dt.datetime) -> None:
    """Keep the challenge that a passkey of `host` is to sign, instead of the one before."""
    connection.execute(sa.delete(_challenges).where(_challenges.c.holder == holder))
    values = {"holder": holder, "challenge": value, "host": host, "made": now.timestamp()}
    connection.execute(sa.insert(_challenges).values(values))


def take_challenge(connection: sa.Connection, holder: str, host: str, now: dt.datetime) -> bytes:
    """Return the challenge and forget it, so that it counts once; empty if there is none for this host."""
    row = connection.execute(sa.select(_challenges).where(_challenges.c.holder == holder)).one_or_none()
    connection.execute(sa.delete(_challenges).where(_challenges.c.holder == holder))
    if row is None or row.host != host or not _SET_BACK <= now.timestamp() - row.made < GOOD_FOR.total_seconds():
        return b""
    return bytes(row.challenge)


def sweep(connection: sa.Connection, now: dt.datetime) -> int:
    """Delete what has waited too long; return how many."""
    before = (now - GOOD_FOR).timestamp()
    gone = connection.execute(sa.delete(_halves).where(_halves.c.began < before)).rowcount
    return int(gone + connection.execute(sa.delete(_challenges).where(_challenges.c.made < before)).rowcount)


def holder_of(ticket: str) -> str:
    """Return under what the challenge of a ticket (or of a session's token) is kept."""
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).hexdigest()
