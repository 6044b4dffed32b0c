"""The practice's database and the connector's own file, opened by a command beside a connector that may run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.settings import Settings
from econnector.opendental import writes
from econnector.storage.database import Database
from econnector.storage.state.base import join_state

__all__ = ["Opened", "opened"]


class Opened(msgspec.Struct, frozen=True):
    """Both, until the context ends."""

    database: Database
    """Open Dental's; guarded: only what `writes` lists is written."""
    state: Database


@asynccontextmanager
async def opened(
    loaded: Loaded[Settings], *, workers: int = 1, statement_seconds: float = 10.0
) -> AsyncIterator[Opened]:
    """Open both. Raises what they raise."""
    place = database_place(loaded)
    database = Database(
        place.url,
        password=place.password,
        ca=place.ca,
        workers=workers,
        statement_seconds=statement_seconds,
        guard=writes.guard,
    )
    state = await join_state(loaded.value.state_file)
    try:
        yield Opened(database, state)
    finally:
        await state.close()
        await database.close()
