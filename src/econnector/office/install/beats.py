"""Whether a connector's heartbeat has reached the practice's database, by the database's own clock."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from econnector.base.errors import Failure
from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.settings import Settings
from econnector.opendental import signals, times, writes
from econnector.storage.database import Database

__all__ = ["beaten", "beats", "database_of", "database_time", "wait"]

_PAUSE_SECONDS = 0.5
_WITHIN = 10.0


@contextlib.asynccontextmanager
async def database_of(loaded: Loaded[Settings]) -> AsyncIterator[Database]:
    """Open the practice's database for a while."""
    place = database_place(loaded)
    database = Database(place.url, password=place.password, ca=place.ca, workers=1, guard=writes.guard)
    try:
        yield database
    finally:
        await database.close()


async def database_time(database: Database) -> dt.datetime:
    """Return the database's time."""
    return await database.run(times.now, within=_WITHIN)


async def beats(database: Database) -> bool:
    """Return whether one has beaten lately, as every reader judges it; false while the database cannot be asked."""
    return await beaten(database, None)


async def beaten(database: Database, since: dt.datetime | None) -> bool:
    """Return whether one has beaten `since` then (None: lately)."""
    with contextlib.suppress(Failure):
        return await database.run(_beaten, since, within=_WITHIN)
    return False


def _beaten(connection: Any, since: dt.datetime | None) -> bool:
    last = signals.last_beat(connection)
    return last is not None and last >= (since or times.now(connection) - signals.STALE)


async def wait(
    database: Database, since: dt.datetime | None, seconds: float, over: Callable[[], Awaitable[bool]] | None = None
) -> bool:
    """Wait until one has beaten `since` then, for `seconds` at most or until it is `over`; return whether it has."""
    ends = time.monotonic() + seconds
    while not await beaten(database, since):
        if time.monotonic() > ends or (over is not None and await over()):
            return False
        await asyncio.sleep(_PAUSE_SECONDS)
    return True
