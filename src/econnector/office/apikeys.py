"""The keys of partners' programs, as a person in the office makes and removes them."""

import datetime as dt
from collections.abc import Collection
from typing import Final

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import ValueRejected
from econnector.eservices.api.calls import RIGHTS, Right
from econnector.eservices.api.office.keys import new_key
from econnector.office.desk import Who, note
from econnector.office.hand import WITHIN, need_setup
from econnector.opendental import audit
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import api_keys
from econnector.storage.state.api_keys import Kept

__all__ = ["ApiKeys", "Listed", "Made"]

LONGEST_NAME: Final = 60


class Made(msgspec.Struct, frozen=True):
    """A new key. It is shown this once."""

    number: str
    name: str
    rights: list[Right]
    key: str

    def __repr__(self) -> str:
        return f"Made({self.number})"


class Listed(msgspec.Struct, frozen=True):
    """A key as lists show it."""

    number: str
    name: str
    rights: list[str]
    made: dt.datetime
    used: str
    """The last day that it was used, UTC; empty for never."""
    removed: dt.datetime | None


class ApiKeys:
    """The keys of one practice. What is changed has its trace in Open Dental's audit trail first (see `hand`)."""

    def __init__(
        self, database: Database, state: Database, schemas: Schemas, machine: str, clock: Clock = SYSTEM
    ) -> None:
        """`machine` goes into the audit rows."""
        self._database, self._state, self._schemas = database, state, schemas
        self._machine, self._clock = machine, clock

    async def add(self, who: Who, name: str, rights: Collection[Right]) -> Made:
        """Make a key. Raises `PermissionMissing`, and `ValueRejected` for a useless name, no right, too many keys."""
        need_setup(who)
        name, wanted = _name(name), [right for right in RIGHTS if right in rights]
        if not wanted:
            raise ValueRejected(field="right", why="A key needs one right at least.")
        if sum(not each.removed for each in await self._state.run(api_keys.every)) >= api_keys.MOST:
            raise _crowded()
        number, key, digest = new_key()
        await self._note(who, f"{audit.API}key {number} made for {name}, which may read: {', '.join(wanted)}.")
        kept = Kept(number=number, name=name, rights=frozenset(wanted), digest=digest, made=self._clock.now())
        if not await self._state.run(api_keys.add, kept):
            raise _crowded()
        return Made(number, name, wanted, key)

    async def every(self) -> list[Listed]:
        """Return all keys, the newest first, and those that were removed."""
        found = await self._state.run(api_keys.every)
        return [Listed(key.number, key.name, sorted(key.rights), key.made, key.used, key.removed) for key in found]

    async def remove(self, who: Who, number: str) -> str:
        """End a key and return whose it was; a running connector refuses it within seconds.

        Raises `PermissionMissing`, and `ValueRejected` where no such key is in force.
        """
        need_setup(who)
        found = await self._state.run(api_keys.find, number)
        if found is None or found.removed:
            raise ValueRejected(field="number", why="There is no key of this number, or it was removed already.")
        await self._note(who, f"{audit.API}key {number} of {found.name} removed.")
        await self._state.run(api_keys.remove, number, self._clock.now())
        return found.name

    async def _note(self, who: Who, text: str) -> None:
        permission = audit.Permission.SERVICES_SETUP
        await self._database.run(note, self._schemas, permission, text, who, self._machine, within=WITHIN)


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueRejected(field="name", why=f"A name has 1 to {LONGEST_NAME} characters.")
    return name


def _crowded() -> ValueRejected:
    return ValueRejected(field="name", why=f"There are {api_keys.MOST} keys already. Remove one first.")
