"""The Code System Importer of the practice that the settings name, and its own way to the database.

An import never uses the connections that patients' pages wait for: it has its own, and rests between its batches.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from econnector.base.clock import SYSTEM, Clock
from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.codes.importer import Codes
from econnector.office.codes.transfer import WayOut
from econnector.office.install.machine import middle_tier_file
from econnector.office.settings import Settings
from econnector.opendental import writes
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import join_state

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Resting", "codes_of", "codes_over", "own_database"]

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

_WORKERS = 2
_STATEMENT_SECONDS = 60.0
"""Thousands of rows into a table with an index that is larger than the server's memory for it."""
_REST, _REST_IN_A_FILE = 0.1, 0.5
"""Of the time that a batch took. In a file a batch shuts everybody else out, on a server it is one client of many."""
_LONGEST_REST = 2.0


class Resting(Database):
    """A database that is left to others for a while after everything that was done with it."""

    async def run(self, f: "Callable[[Connection, *Ts], R]", *args: *Ts, within: float | None = None) -> R:
        """As `Database.run`, and rest."""
        began = time.monotonic()
        result = await super().run(f, *args, within=within)
        share = _REST if self.dialect == "mysql" else _REST_IN_A_FILE
        await asyncio.sleep(min(_LONGEST_REST, share * (time.monotonic() - began)))
        return result


def own_database(loaded: Loaded[Settings]) -> Database:
    """Return the practice's database over connections that an import alone uses."""
    place = database_place(loaded)
    return Resting(
        place.url,
        password=place.password,
        ca=place.ca,
        workers=_WORKERS,
        statement_seconds=_STATEMENT_SECONDS,
        guard=writes.guard,
    )


def codes_over(loaded: Loaded[Settings], database: Database, state: Database, clock: Clock = SYSTEM) -> Codes:
    """Return the hand on the code systems of the practice in `database`."""
    settings = loaded.value
    folder, middle_tier = settings.state_file.parent, middle_tier_file(loaded)
    way = WayOut(settings.hq.ca, settings.hq.way_out())
    return Codes(database, state, Schemas(), settings.machine_name, folder, middle_tier, clock, way)


@asynccontextmanager
async def codes_of(loaded: Loaded[Settings]) -> AsyncIterator[Codes]:
    """Open the practice's database and the state file, beside a connector that may run. Raises their failures."""
    database = own_database(loaded)
    state = await join_state(loaded.value.state_file)
    try:
        yield codes_over(loaded, database, state)
    finally:
        await state.close()
        await database.close()
