"""The office's own contacts: who gets a mail when it is unreachable. HQ hears of them with the heartbeat."""

from typing import cast

from econnector.base.errors import ValueRejected
from econnector.link.calls import OfficeContact
from econnector.mail.contacts import MOST_CONTACTS, Contact, Language
from econnector.storage.database import Database
from econnector.storage.state import contacts
from econnector.storage.state.contacts import Kept

__all__ = ["add", "every", "remove", "wired"]


async def add(state: Database, contact: Contact) -> bool:
    """Keep a contact, or change the one with this address; say whether it is new.

    Raises `ValueRejected` when there are too many.
    """
    kept = Kept(contact.address, contact.name, contact.language, contact.purpose)
    new = await state.run(contacts.put, kept, MOST_CONTACTS)
    if new is None:
        why = f"There are {MOST_CONTACTS} contacts already. Remove one first, or use an address that reaches several."
        raise ValueRejected(field="address", why=why)
    return new


async def remove(state: Database, address: str) -> None:
    """Forget a contact, here and, with the next heartbeat, at HQ. Raises `ValueRejected` if there is none."""
    wanted = address.strip().lower()
    if not await state.run(contacts.remove, wanted):
        raise ValueRejected(field="address", why=f"{wanted} is not one of the contacts.")


async def every(state: Database) -> list[Contact]:
    """Return all contacts by name."""
    found = await state.run(contacts.every)
    return [Contact(each.name, each.address, cast("Language", each.language), each.purpose) for each in found]


def wired(contact: Contact) -> OfficeContact:
    """Return a contact as HQ is told of it."""
    return OfficeContact(contact.name, contact.address, contact.language, contact.purpose)
