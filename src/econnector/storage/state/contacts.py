"""Who in the office gets a mail when it is unreachable, and which outages they were told of.

Addresses are unique as they are written here: whoever keeps one has brought it into one form. Times are ISO 8601, UTC.
"""

import msgspec
import sqlalchemy as sa

from econnector.storage.state.base import metadata
from econnector.storage.state.failures import OUTAGE

__all__ = ["Kept", "Told", "ended", "every", "note", "put", "remove", "settle", "told", "told_since"]

CONTACT = sa.Table(
    "contact",
    metadata,
    sa.Column("address", sa.String(254), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("purpose", sa.String(100), nullable=False),
)
ANNOUNCED = sa.Table(
    "announced",
    metadata,
    sa.Column("outage", sa.Integer, primary_key=True),
    sa.Column("mark", sa.String(80), nullable=False),
    sa.Column("addresses", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.String(32), nullable=False, index=True),
    sa.Column("over", sa.Boolean, nullable=False),
)
"""`addresses` is a JSON list, empty when the outage was left to HQ to tell; `mark` tells it from others in ids."""


class Kept(msgspec.Struct, frozen=True):
    """A contact as it is kept."""

    address: str
    name: str
    language: str
    purpose: str


class Told(msgspec.Struct, frozen=True):
    """An outage that people were told of."""

    outage: int
    mark: str
    addresses: list[str]
    began: str
    ended: str
    code: str
    reference: str


def put(connection: sa.Connection, contact: Kept, most: int) -> bool | None:
    """Keep a contact, in the place of one with the same address; say whether it is new, None if there are too many."""
    values = msgspec.structs.asdict(contact)
    mine = CONTACT.c.address == contact.address
    if connection.execute(sa.update(CONTACT).where(mine).values(values)).rowcount:
        return False
    if (connection.scalar(sa.select(sa.func.count()).select_from(CONTACT)) or 0) >= most:
        return None
    connection.execute(sa.insert(CONTACT).values(values))
    return True


def remove(connection: sa.Connection, address: str) -> bool:
    """Forget a contact; say whether there was one."""
    return connection.execute(sa.delete(CONTACT).where(CONTACT.c.address == address)).rowcount > 0


def every(connection: sa.Connection) -> list[Kept]:
    """Return all contacts by name."""
    rows = connection.execute(sa.select(CONTACT).order_by(CONTACT.c.name, CONTACT.c.address))
    return [Kept(row.address, row.name, row.language, row.purpose) for row in rows]


def note(connection: sa.Connection, outage: int, mark: str, addresses: list[str], at: str) -> None:
    """Note that these people were told of an outage, or that HQ tells them (no addresses)."""
    values = {"outage": outage, "mark": mark, "addresses": msgspec.json.encode(addresses), "at": at, "over": False}
    connection.execute(sa.insert(ANNOUNCED).values(values))


def told(connection: sa.Connection, outage: int) -> bool:
    """Return whether an outage was told, or left to HQ."""
    return connection.scalar(sa.select(ANNOUNCED.c.outage).where(ANNOUNCED.c.outage == outage)) is not None


def told_since(connection: sa.Connection, at: str) -> list[str]:
    """Return when outages were told by us since then, the latest first."""
    wanted = sa.select(ANNOUNCED.c.at).where(ANNOUNCED.c.at > at, ANNOUNCED.c.addresses != b"[]")
    return list(connection.scalars(wanted.order_by(ANNOUNCED.c.at.desc())))


def ended(connection: sa.Connection) -> list[Told]:
    """Return outages that are over, and of whose end nobody was told yet."""
    # An outage that was forgotten leaves its number to another one.
    connection.execute(sa.delete(ANNOUNCED).where(ANNOUNCED.c.outage.not_in(sa.select(OUTAGE.c.id))))
    joined = sa.select(ANNOUNCED, OUTAGE).join_from(ANNOUNCED, OUTAGE, OUTAGE.c.id == ANNOUNCED.c.outage)
    rows = connection.execute(joined.where(ANNOUNCED.c.over.is_(False), OUTAGE.c.ended != ""))
    return [_told(row) for row in rows]


def settle(connection: sa.Connection, outage: int) -> None:
    """Note that the end of an outage was told."""
    connection.execute(sa.update(ANNOUNCED).where(ANNOUNCED.c.outage == outage).values(over=True))


def _told(row: sa.Row[tuple[object, ...]]) -> Told:
    addresses = msgspec.json.decode(row.addresses, type=list[str])
    return Told(row.outage, row.mark, addresses, row.began, row.ended, row.code, row.reference)
