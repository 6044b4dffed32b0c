"""The word that an update leaves with a connector before it stops it: so no alarm is raised over that stop."""

import contextlib
import datetime as dt

from econnector.base.clock import Clock
from econnector.base.errors import Failure
from econnector.storage.database import Database
from econnector.storage.state import meta

__all__ = ["mark", "marked", "unmark"]

_NAME = "updating"
_HOLDS = dt.timedelta(minutes=10)
"""An update that was killed must not explain the stops of the next day."""


async def mark(state: Database, clock: Clock) -> None:
    """Say that the connector is about to be stopped for an update."""
    await state.run(meta.write, _NAME, clock.now().isoformat(timespec="seconds"))


async def unmark(state: Database) -> None:
    """Say that the update is over."""
    await state.run(meta.forget, _NAME)


async def marked(state: Database, clock: Clock) -> bool:
    """Return whether an update stops the connector now; what cannot be read says no."""
    with contextlib.suppress(Failure, ValueError):
        said = await state.run(meta.read, _NAME)
        return bool(said) and abs(clock.now() - dt.datetime.fromisoformat(said)) < _HOLDS
    return False
