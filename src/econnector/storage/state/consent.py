"""Who of a family may see what: the word of the person concerned, per viewer and topic.

Open Dental knows relations, not consent. A row here is somebody's decision and stands until they decide otherwise,
whatever the practice's age rule becomes: nobody's record is opened again by a change of settings. Without a row the
practice's rules hold (`portalrules`).
"""

import datetime as dt
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from econnector.storage.state import portalrules
from econnector.storage.state.base import metadata
from econnector.storage.state.portalrules import Rules

__all__ = ["Privacy", "Word", "forget", "given_by", "privacy", "say"]

CONSENT = sa.Table(
    "portal_consent",
    metadata,
    sa.Column("owner", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("viewer", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("topic", sa.String(20), primary_key=True),
    sa.Column("allowed", sa.Boolean, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
)
sa.Index("portal_consent_viewer", CONSENT.c.viewer)


class Privacy(msgspec.Struct, frozen=True):
    """What stands between somebody who looks and the records of others."""

    rules: Rules = Rules()
    said: Mapping[tuple[int, str], bool] = {}
    """What others decided about them, by whose decision (PatNum) and topic."""
    today: dt.date | None = None
    """The day that ages are counted on; None: nobody is of full age."""


class Word(msgspec.Struct, frozen=True):
    """One decision."""

    viewer: int
    """PatNum of the one who may see, or not."""
    topic: str
    allowed: bool
    at: dt.datetime
    by: str
    """Who of the office recorded it; empty for the person themselves."""


def privacy(connection: sa.Connection, viewer: int, today: dt.date) -> Privacy:
    """Return what stands between `viewer` (a PatNum) and others."""
    rows = connection.execute(sa.select(CONSENT).where(CONSENT.c.viewer == viewer))
    said = {(row.owner, row.topic): bool(row.allowed) for row in rows}
    return Privacy(portalrules.read(connection), said, today)


def given_by(connection: sa.Connection, owner: int) -> list[Word]:
    """Return what `owner` (a PatNum) decided, by viewer and topic."""
    rows = connection.execute(
        sa.select(CONSENT).where(CONSENT.c.owner == owner).order_by(CONSENT.c.viewer, CONSENT.c.topic)
    )
    return [
        Word(row.viewer, row.topic, bool(row.allowed), dt.datetime.fromtimestamp(row.at, dt.UTC), row.by)
        for row in rows
    ]


def say(  # noqa: PLR0913 - one decision
    connection: sa.Connection, owner: int, viewer: int, topics: Mapping[str, bool], now: dt.datetime, *, by: str = ""
) -> dict[str, bool]:
    """Keep what `owner` decides about `viewer` (PatNums); return what of it is new.

    `by` names who of the office recorded it. Saying the same again changes nothing.
    """
    here = (CONSENT.c.owner == owner) & (CONSENT.c.viewer == viewer)
    known = {row.topic: bool(row.allowed) for row in connection.execute(sa.select(CONSENT).where(here))}
    new = {topic: allowed for topic, allowed in topics.items() if known.get(topic) is not allowed}
    for topic, allowed in new.items():
        connection.execute(sa.delete(CONSENT).where(here, CONSENT.c.topic == topic))
        values = {"owner": owner, "viewer": viewer, "topic": topic, "allowed": allowed}
        connection.execute(sa.insert(CONSENT).values(**values, at=now.timestamp(), by=by[:100]))
    return new


def forget(connection: sa.Connection, owner: int, viewer: int) -> int:
    """Drop what `owner` decided about `viewer`, so that the practice's rules hold; return how many topics."""
    here = (CONSENT.c.owner == owner) & (CONSENT.c.viewer == viewer)
    return int(connection.execute(sa.delete(CONSENT).where(here)).rowcount)
