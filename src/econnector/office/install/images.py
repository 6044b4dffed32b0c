"""The setup place that all computers of a practice see: `SetupFiles` in Open Dental's images folder."""

import asyncio
from pathlib import Path

from econnector.base.settings import Loaded
from econnector.office.install import beats, wheel
from econnector.office.settings import Settings
from econnector.opendental.imagestore import ImageStore

__all__ = ["FOLDER", "newest_wheel"]

FOLDER = "SetupFiles"
_WITHIN = 15.0


async def newest_wheel(loaded: Loaded[Settings]) -> Path:
    """Return the newest eConnector in it. Raises `FileMissing`, `WheelRejected` and the database's failures."""
    images = ImageStore(loaded.value.images.root, loaded.value.machine)
    async with beats.database_of(loaded) as database:
        places = await database.run(images.places, within=_WITHIN)
    root = await images.root(places)
    return await asyncio.to_thread(wheel.newest, root / FOLDER)
