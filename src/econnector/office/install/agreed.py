"""What a person has agreed to and an installation has not done yet, kept in the state file over a death in between."""

import contextlib

from econnector.base.errors import Failure
from econnector.base.settings import Loaded
from econnector.office.running import ran_here
from econnector.office.settings import Settings
from econnector.storage.database import Database
from econnector.storage.state import meta
from econnector.storage.state.base import join_state

__all__ = ["is_kept", "settle"]

_NAME = "install-update-server"


async def is_kept(loaded: Loaded[Settings]) -> bool:
    """Return whether this machine shall still become the Update Server."""
    file = loaded.value.state_file
    if not ran_here(file):
        return False
    state = Database(f"sqlite:///{file}", statement_seconds=5.0)
    try:
        with contextlib.suppress(Failure):  # another version's file: then it is asked again
            return bool(await state.run(meta.read, _NAME))
    finally:
        await state.close()
    return False


async def settle(loaded: Loaded[Settings], *, agreed: bool) -> None:
    """Keep that it shall become it, or that nothing is left to do."""
    state = await join_state(loaded.value.state_file)
    try:
        if agreed:
            await state.run(meta.write, _NAME, "yes")
        else:
            await state.run(meta.forget, _NAME)
    finally:
        await state.close()
