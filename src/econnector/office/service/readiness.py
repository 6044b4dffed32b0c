"""Whether a connector that was started has really begun, by what it writes into its state file."""

import asyncio
import datetime as dt
from pathlib import Path

from econnector.base.errors import Failure
from econnector.office.running import NAME, decode

__all__ = ["has_begun"]

_STATEMENT_SECONDS = 4.0


def has_begun(state_file: Path, after: dt.datetime) -> bool:
    """Return whether a connector that was started `after` then has begun with this state file. Blocks."""
    try:
        text = asyncio.run(_read(state_file)) if state_file.exists() else ""
    except (Failure, OSError):
        return False
    running = decode(text) if text else None
    if running is None or not running.started or not running.alive(dt.datetime.now(dt.UTC)):
        return False
    return dt.datetime.fromisoformat(running.started) >= after.replace(microsecond=0)


async def _read(state_file: Path) -> str:
    from econnector.storage.database import Database  # noqa: PLC0415 - heavy, and most commands wait for no connector
    from econnector.storage.state import meta  # noqa: PLC0415 - as above

    database = Database(f"sqlite:///{state_file}", statement_seconds=_STATEMENT_SECONDS)
    try:
        return await database.run(meta.read, NAME)
    finally:
        await database.close()
