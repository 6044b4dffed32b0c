"""What the connector left in its state file, for whoever explains how the office stands."""

import contextlib

import msgspec

from econnector.base.errors import Failure
from econnector.base.settings import Loaded
from econnector.office.running import NAME, Running, decode, ran_here
from econnector.office.settings import Settings
from econnector.office.standing import OFFICE
from econnector.storage.database import Database
from econnector.storage.state import failures, meta
from econnector.storage.state.failures import Met, Outage

__all__ = ["Left", "read_file", "read_left"]

_MOST = 5


class Left(msgspec.Struct):
    """One look into the state file."""

    office: str = ""
    """The office that this machine is enrolled for, or empty."""
    running: Running = msgspec.field(default_factory=Running)
    outages: list[Outage] = []
    """The last ones, newest first; those that last included."""
    failures: list[Met] = []
    """The last ones that patients or the connector met."""
    ran: bool = False
    """Whether a connector ever ran, or was enrolled, on this machine with these settings."""


async def read_file(loaded: Loaded[Settings]) -> Left:
    """Read it beside a connector that may hold the file. Raises `StateLocked` where this account may not look."""
    file = loaded.value.state_file
    if not ran_here(file):
        return Left()
    state = Database(f"sqlite:///{file}", statement_seconds=5.0)
    try:
        return await read_left(state)
    finally:
        await state.close()


async def read_left(state: Database) -> Left:
    """Read an open state file; what cannot be read is left out."""
    left = Left()
    with contextlib.suppress(Failure):
        left.office = await state.run(meta.read, OFFICE)
        left.running = decode(await state.run(meta.read, NAME))
        left.ran = bool(left.running.written or await state.run(meta.read, meta.INSTALL))
        left.outages = await state.run(failures.latest_outages, _MOST)
        left.failures = await state.run(failures.latest, _MOST)
    return left
