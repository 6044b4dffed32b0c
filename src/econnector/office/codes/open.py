"""The Code System Importer of the practice that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.codes.importer import Codes
from econnector.office.install.machine import middle_tier_file
from econnector.office.settings import Settings
from econnector.opendental import writes
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import join_state

__all__ = ["codes_of"]

_WORKERS = 2
_STATEMENT_SECONDS = 60.0
"""Thousands of rows into a table with an index that is larger than the server's memory for it."""


@asynccontextmanager
async def codes_of(loaded: Loaded[Settings]) -> AsyncIterator[Codes]:
    """Open the practice's database and the state file, beside a connector that may run. Raises their failures."""
    place, settings = database_place(loaded), loaded.value
    database = Database(
        place.url,
        password=place.password,
        ca=place.ca,
        workers=_WORKERS,
        statement_seconds=_STATEMENT_SECONDS,
        guard=writes.guard,
    )
    state = await join_state(settings.state_file)
    try:
        folder = settings.state_file.parent
        yield Codes(database, state, Schemas(), settings.machine_name, folder, middle_tier_file(loaded))
    finally:
        await state.close()
        await database.close()
