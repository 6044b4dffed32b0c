"""Who is told when an office is unreachable: people whom the vendor named, and people whom the office named."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import cast

import msgspec
import sqlalchemy as sa

from econnector.base.errors import ValueRejected
from econnector.hq.registry import history, notices
from econnector.hq.registry.history import Event
from econnector.hq.registry.offices import by_id, get
from econnector.hq.registry.tables import contacts
from econnector.hq.registry.texts import fitting
from econnector.link.calls import OfficeContact
from econnector.mail.contacts import MOST_CONTACTS, Contact, checked
from econnector.mail.news import Source

__all__ = ["Listed", "add", "every", "recipients", "remove", "told", "told_all", "told_one"]

MOST = 20
"""That the vendor may name for one office."""
_QUIET = dt.timedelta(hours=1)
"""Changes by the office are written into its history once in this time."""


class Listed(msgspec.Struct, frozen=True):
    """A contact, and who named it."""

    contact: Contact
    source: Source
    added_at: dt.datetime


def add(connection: sa.Connection, office: str, contact: Contact, now: dt.datetime) -> bool:
    """Name a contact for the vendor, or change what is known of it; say whether it is new.

    Raises `OfficeUnknown`, and `ValueRejected` when there are too many.
    """
    number = get(connection, office).id
    by_id(connection, number)  # two people at once count one after the other
    mine = {each.contact.address for each in every(connection, number) if each.source == "hq"}
    if contact.address not in mine and len(mine) >= MOST:
        raise ValueRejected(field="address", why=f"This office has {MOST} contacts already; remove one first.")
    new = _put(connection, number, "hq", contact, now)
    if new:
        history.add(connection, number, Event(now, "contact-added", detail=f"{contact.name}, by the vendor"))
    return new


def remove(connection: sa.Connection, office: str, address: str, now: dt.datetime) -> None:
    """End what the vendor named. Raises `OfficeUnknown`, and `ValueRejected` where there is no such contact of ours."""
    number, wanted = get(connection, office).id, address.strip().lower()
    found = {each.source: each for each in every(connection, number) if each.contact.address == wanted}
    if "hq" not in found:
        theirs = "The office named this contact and removes it there: `econnector office contacts remove`."
        raise ValueRejected(field="address", why=theirs if found else f"{wanted} is no contact of {office}.")
    _drop(connection, number, "hq", {wanted})
    name = found["hq"].contact.name
    history.add(connection, number, Event(now, "contact-removed", detail=f"{name}, by the vendor"))


def every(connection: sa.Connection, office: int) -> list[Listed]:
    """Return all contacts of the office with this id, the vendor's first."""
    wanted = sa.select(contacts).where(contacts.c.office_id == office).order_by(contacts.c.source, contacts.c.name)
    return [_listed(row) for row in connection.execute(wanted)]


def recipients(connection: sa.Connection, office: int) -> dict[str, Listed]:
    """Return whom to tell, by address: once each, in the vendor's words where both named somebody."""
    found: dict[str, Listed] = {}
    for each in every(connection, office):
        found.setdefault(each.contact.address, each)
    return found


def told(connection: sa.Connection, office: int, said: Iterable[OfficeContact], now: dt.datetime) -> None:
    """Make the office's own contacts those that its heartbeat names; what is no contact is passed over."""
    wanted = _named(said)
    known = {each.contact.address: each.contact for each in every(connection, office) if each.source == "office"}
    if wanted == known:
        return
    _drop(connection, office, "office", known.keys() - wanted.keys())
    for contact in wanted.values():
        _put(connection, office, "office", contact, now)
    detail = f"{len(wanted)} named by the office"
    history.add_once(connection, office, Event(now, "contact-added", detail=detail), within=_QUIET)


def told_one(connection: sa.Connection, news: tuple[int, Sequence[OfficeContact]], now: dt.datetime) -> bool:
    """Do what `told_all` left to be done."""
    told(connection, *news, now)
    return True


def told_all(
    connection: sa.Connection, news: Sequence[tuple[int, Sequence[OfficeContact]]], now: dt.datetime
) -> list[bool | None]:
    """Look at what many offices name; None for each that names others than it did, for `told`."""
    del now
    numbers = sorted({office for office, _ in news})
    mine = sa.and_(contacts.c.office_id.in_(numbers), contacts.c.source == "office")
    known: dict[int, dict[str, Contact]] = {}
    for row in connection.execute(sa.select(contacts).where(mine)):
        known.setdefault(row.office_id, {})[row.address] = _listed(row).contact
    return [_named(said) == known.get(office, {}) or None for office, said in news]


def _named(said: Iterable[OfficeContact]) -> dict[str, Contact]:
    return {each.address: each for each in _valid(said)}


def _valid(said: Iterable[OfficeContact]) -> list[Contact]:
    found = []
    for each in list(said)[:MOST_CONTACTS]:
        try:
            found.append(checked(each.name, each.address, each.language, each.purpose))
        except ValueRejected:
            continue
    return found


def _put(connection: sa.Connection, office: int, source: Source, contact: Contact, now: dt.datetime) -> bool:
    values = fitting(contacts, msgspec.structs.asdict(contact))
    mine = sa.and_(_of(office, source), contacts.c.address == contact.address)
    if connection.scalar(sa.select(contacts.c.id).where(mine)) is not None:
        connection.execute(sa.update(contacts).where(mine).values(values))
        return False
    connection.execute(sa.insert(contacts).values(office_id=office, source=source, added_at=now, **values))
    notices.welcome(connection, office, contact.address, now)
    return True


def _drop(connection: sa.Connection, office: int, source: Source, addresses: set[str]) -> None:
    if addresses:
        gone = contacts.c.address.in_(sorted(addresses))
        connection.execute(sa.delete(contacts).where(_of(office, source), gone))


def _of(office: int, source: Source) -> sa.ColumnElement[bool]:
    return sa.and_(contacts.c.office_id == office, contacts.c.source == source)


def _listed(row: sa.Row[tuple[object, ...]]) -> Listed:
    source: Source = "hq" if row.source == "hq" else "office"
    language = cast("Contact", row).language
    return Listed(Contact(row.name, row.address, language, row.purpose), source, row.added_at)
