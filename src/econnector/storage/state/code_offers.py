"""Which versions of code systems HQ offers, as the connector heard it last; whoever imports reads them here."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from econnector.storage.state import meta
from econnector.storage.state.base import metadata

__all__ = ["Offer", "ask", "asked", "every", "keep", "wanted"]

_ASKED, _WANTED = "code-offers-asked", "code-offers-wanted"

_OFFERS = sa.Table(
    "code_offer",
    metadata,
    sa.Column("system", sa.String(64), primary_key=True),
    sa.Column("version", sa.String(255), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("checksum", sa.String(64), nullable=False),
)


class Offer(msgspec.Struct, frozen=True):
    """One version of one code system, and where its file is."""

    system: str
    version: str
    url: str
    checksum: str
    """SHA-256 of the file, in hexadecimal."""


def keep(connection: sa.Connection, offers: Sequence[Offer], now: dt.datetime) -> None:
    """Keep what HQ offers now, in the place of what it offered before; one offer for each system."""
    connection.execute(sa.delete(_OFFERS))
    for offer in {each.system: each for each in offers}.values():
        connection.execute(sa.insert(_OFFERS).values(**msgspec.structs.asdict(offer)))
    meta.write(connection, _ASKED, now.isoformat(timespec="milliseconds"))
    meta.forget(connection, _WANTED)


def every(connection: sa.Connection) -> dict[str, Offer]:
    """Return what HQ offers, by system."""
    return {row.system: Offer(*row) for row in connection.execute(sa.select(_OFFERS))}


def asked(connection: sa.Connection) -> str:
    """Return when HQ answered last, ISO 8601; empty when it never has."""
    return meta.read(connection, _ASKED)


def ask(connection: sa.Connection) -> None:
    """Have the connector that runs ask HQ now, and not only when a day is over."""
    meta.write(connection, _WANTED, "1")


def wanted(connection: sa.Connection) -> bool:
    """Return whether somebody waits for HQ's answer."""
    return bool(meta.read(connection, _WANTED))
