"""Who changed a service at the command line, in the audit trail of the practice that the service is for."""

import asyncio
import contextlib
from pathlib import Path

from econnector.base.errors import Failure
from econnector.office.desk import Who, desk_of
from econnector.office.service.contract import DEEDS
from econnector.office.settings import load_settings

__all__ = ["note"]

_WITHIN = 3.0
_PAST = {deed: done for done, deed in DEEDS.items()}


def note(who: Who, name: str, settings: Path | None, deed: str) -> bool:
    """Write it down, and return whether that could be done: a database that is away keeps nobody from a service.

    Blocks for some seconds at most. Another program's service (`settings` is None) has no practice that we know.
    """
    if settings is None or not settings.exists():
        return False
    with contextlib.suppress(Failure, OSError):
        asyncio.run(_note(who, settings, f"{name}: {_PAST.get(deed, deed)}"))
        return True
    return False


async def _note(who: Who, settings: Path, text: str) -> None:
    async with desk_of(load_settings(settings, environment={})) as desk:
        await desk.service_changed(who, text, within=_WITHIN)
