"""The keys of partners' programs: who they are for and what they allow; of the secret only its SHA-256.

The secret is 256 random bits, so that its digest alone tells nothing and needs no slow hash. A key that was removed
stays in the list: the audit trail names keys by their number. `used` is a day, so that not every request writes.
"""

import datetime as dt
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["MOST", "Kept", "add", "every", "find", "note_used", "remove"]

MOST: Final = 50
"""Keys that are in force at a time."""

_KEYS = sa.Table(
    "api_key",
    metadata,
    sa.Column("number", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("rights", sa.String(200), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("used", sa.String(10), nullable=False),
    sa.Column("removed", sa.Float, nullable=False),
)
_C = _KEYS.c


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is kept; it does not hold the secret."""

    number: str
    """`k7m3q9tz`: names it between people and in the audit trail; it opens nothing."""
    name: str
    """Of the partner's program."""
    rights: frozenset[str]
    digest: str
    made: dt.datetime
    used: str = ""
    """The last day that it was used, ISO 8601, UTC; empty for never."""
    removed: dt.datetime | None = None

    def __repr__(self) -> str:
        return f"Kept({self.number})"


def add(connection: sa.Connection, key: Kept) -> bool:
    """Keep a new key; False when there are too many already."""
    count = sa.select(sa.func.count()).select_from(_KEYS).where(_C.removed == 0.0)
    if (connection.scalar(count) or 0) >= MOST:
        return False
    values = {"number": key.number, "name": key.name, "rights": " ".join(sorted(key.rights)), "digest": key.digest}
    times = {"made": key.made.timestamp(), "used": key.used, "removed": 0.0}
    connection.execute(sa.insert(_KEYS).values(values | times))
    return True


def find(connection: sa.Connection, number: str) -> Kept | None:
    """Return the key with this number, removed or not."""
    row = connection.execute(sa.select(_KEYS).where(_C.number == number)).one_or_none()
    return _kept(row) if row else None


def every(connection: sa.Connection) -> list[Kept]:
    """Return all keys, the newest first."""
    return [_kept(row) for row in connection.execute(sa.select(_KEYS).order_by(_C.made.desc(), _C.number))]


def note_used(connection: sa.Connection, number: str, day: str) -> None:
    """Note that a key was used on this day."""
    connection.execute(sa.update(_KEYS).where(_C.number == number).values(used=day))


def remove(connection: sa.Connection, number: str, now: dt.datetime) -> bool:
    """End a key; False where there is none in force."""
    here = (_C.number == number) & (_C.removed == 0.0)
    return connection.execute(sa.update(_KEYS).where(here).values(removed=now.timestamp())).rowcount > 0


def _kept(row: Any) -> Kept:
    return Kept(
        number=row.number,
        name=row.name,
        rights=frozenset(row.rights.split()),
        digest=row.digest,
        made=dt.datetime.fromtimestamp(row.made, dt.UTC),
        used=row.used,
        removed=dt.datetime.fromtimestamp(row.removed, dt.UTC) if row.removed else None,
    )
