"""Who of the office looks at the portal as a patient: a session of its own kind, which the portal knows nothing of.

Its token opens a preview in the office's window and nothing else: the portal looks for tokens among its own sessions
(`sessions`) and finds none. A user has one preview at a time.
"""

import datetime as dt
import hashlib

import msgspec
import sqlalchemy as sa

from econnector.base.ids import new_token
from econnector.storage.state.base import metadata

__all__ = ["LASTS", "Preview", "begin", "end", "find"]

LASTS = dt.timedelta(minutes=30)

_PREVIEWS = sa.Table(
    "portal_preview",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user", sa.BigInteger, nullable=False),
    sa.Column("login", sa.BigInteger, nullable=False),
    sa.Column("patient", sa.BigInteger, nullable=False),
    sa.Column("password", sa.String(32), nullable=False),
    sa.Column("began", sa.Float, nullable=False),
)


class Preview(msgspec.Struct, frozen=True):
    """A preview as it is kept; it does not hold the token."""

    user: int
    """UserNum of the one who looks."""
    login: int
    """UserWebNum of the sign-in that is looked through."""
    patient: int
    """PatNum."""
    password: str
    """The fingerprint of the stored password when it began: a new one ends it."""
    began: dt.datetime


def begin(connection: sa.Connection, preview: Preview) -> str:
    """Begin a preview, drop the user's last one and those that are over, and return its token."""
    token = new_token()
    over = (preview.began - LASTS).timestamp()
    connection.execute(sa.delete(_PREVIEWS).where((_PREVIEWS.c.user == preview.user) | (_PREVIEWS.c.began < over)))
    values = msgspec.structs.asdict(preview) | {"began": preview.began.timestamp()}
    connection.execute(sa.insert(_PREVIEWS).values(token_hash=_hashed(token), **values))
    return token


def find(connection: sa.Connection, token: str, now: dt.datetime) -> Preview | None:
    """Return the preview of `token`, or None for one that is over or never was."""
    row = connection.execute(sa.select(_PREVIEWS).where(_PREVIEWS.c.token_hash == _hashed(token))).one_or_none()
    # A clock that was set back must not make it last longer.
    if row is None or not 0 <= now.timestamp() - row.began < LASTS.total_seconds():
        return None
    began = dt.datetime.fromtimestamp(row.began, dt.UTC)
    return Preview(row.user, row.login, row.patient, row.password, began)


def end(connection: sa.Connection, user: int) -> None:
    """End a user's preview. Ending it again changes nothing."""
    connection.execute(sa.delete(_PREVIEWS).where(_PREVIEWS.c.user == user))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
