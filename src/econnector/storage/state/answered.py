"""Which calls that change something were answered, and how: the same call sent again gets the same answer.

An answer may hold a secret: it comes sealed (see `link.once`), and is kept for a day at most.
"""

import sqlalchemy as sa

from econnector.storage.state.base import metadata

__all__ = ["KEPT_SECONDS", "find", "keep", "sweep"]

KEPT_SECONDS = 24 * 3600
"""HQ asks again within seconds or not at all; a day covers a clock that jumped."""

ANSWERED = sa.Table(
    "answered",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("call", sa.String(128), nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)


def find(connection: sa.Connection, key: str, now: float) -> bytes | None:
    """Return the answer kept under `key`, if it is not too old; `now` is a Unix time."""
    query = sa.select(ANSWERED.c.answer).where(ANSWERED.c.key == key, ANSWERED.c.at > now - KEPT_SECONDS)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


def keep(connection: sa.Connection, key: str, call: str, answer: bytes, now: float) -> None:
    """Remember the answer to `call`; the first one under a key stays until it is too old."""
    known = connection.execute(sa.select(ANSWERED.c.at).where(ANSWERED.c.key == key)).scalar()
    if known is None:
        connection.execute(sa.insert(ANSWERED).values(key=key, call=call, answer=answer, at=now))
    elif known <= now - KEPT_SECONDS:
        connection.execute(sa.update(ANSWERED).where(ANSWERED.c.key == key).values(answer=answer, at=now))


def sweep(connection: sa.Connection, now: float) -> int:
    """Forget what is older than a day; return how many answers went."""
    return connection.execute(sa.delete(ANSWERED).where(ANSWERED.c.at <= now - KEPT_SECONDS)).rowcount
