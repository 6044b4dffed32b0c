"""Check of Open Dental's images folder."""

import os
from pathlib import Path

from econnector.base.errors import DatabaseAway, DatabaseRefused
from econnector.office.doctor.check import Check, Finding, attention, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.opendental.imagestore import ImagePlaces, ImageStore

__all__ = ["CHECKS"]

_IN_DATABASE = "0"


async def _images(scene: Scene) -> Finding:
    settings = scene.loaded.value
    store = ImageStore(settings.images.root, settings.machine)
    try:
        places: ImagePlaces = await scene.database().run(store.places)
    except (DatabaseAway, DatabaseRefused):
        raise NotNowError("the database cannot be reached, and it says where the images are (see database)") from None
    if places.used == _IN_DATABASE:
        return ok("the practice keeps its images in the database")
    root = await store.root(places)
    return _judge(root, places.source)


def _judge(root: Path, source: str) -> Finding:
    try:
        patients = any(entry.is_dir() for entry in os.scandir(root) if len(entry.name) == 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        return attention(f"the images folder {root} (from {source}) cannot be listed: {why}", _RIGHTS)
    if not patients:
        return attention(
            f"{root} (from {source}) has no folders A to Z: is it really Open Dental's images folder?",
            ["Compare it with Setup, Data Paths on another computer.", "Set `images.root` to the right folder."],
        )
    if not os.access(root, os.W_OK):
        return attention(f"the images folder {root} (from {source}) can be read, but not written", _RIGHTS)
    return ok(f"the images folder is {root} (from {source})")


_RIGHTS = [
    "Give the account that runs the connector rights to the folder.",
    "On a share: run the service as such an account.",
]

CHECKS = (Check("images", "images", "Open Dental's images folder is there and can be used.", 12, _images),)
