"""Check of Open Dental's images folder."""

import asyncio
import os
import shutil
from pathlib import Path

from econnector.base.errors import DatabaseAway, DatabaseRefused
from econnector.office.doctor.check import Check, Finding, attention, ok
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.opendental.imagestore import ImagePlaces, ImageStore

__all__ = ["CHECKS"]

LEAST_FREE = 1024 * 1024 * 1024
"""Bytes that the images' disk must have left: a week of X-rays."""

_IN_DATABASE = "0"
_MB = 1024 * 1024


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
    return await asyncio.to_thread(_judge, root, places)


def _judge(root: Path, places: ImagePlaces) -> Finding:
    """Return what there is to say of the folder. May take a share's time."""
    source, lines = places.source, _details(root, places)
    try:
        with os.scandir(root) as entries:
            patients = any(entry.is_dir() for entry in entries if len(entry.name) == 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        return attention(f"the images folder {root} (from {source}) cannot be listed: {why}", _RIGHTS, *lines)
    if not patients:
        return attention(
            f"{root} (from {source}) has no folders A to Z: is it really Open Dental's images folder?",
            ["Compare it with Setup, Data Paths on another computer.", "Set `images.root` to the right folder."],
            *lines,
        )
    if not os.access(root, os.W_OK):
        return attention(f"the images folder {root} (from {source}) can be read, but not written", _RIGHTS, *lines)
    if (free := _free(root)) is not None and free < LEAST_FREE:
        text = f"the disk of the images folder {root} is nearly full: {free // _MB:,} MB are left"
        return attention(text, ["Make room there: what patients send is kept in this folder."], *lines)
    return ok(f"the images folder is {root} (from {source})", *lines)


def _details(root: Path, places: ImagePlaces) -> list[str]:
    free = _free(root)
    lines = [f"free: {free // _MB:,} MB"] if free is not None else []
    lines += [f"also named: {folder}" for folder in places.folders if Path(folder) != root]
    if root.joinpath("A").is_dir():
        alike = root.joinpath("a").is_dir()
        lines.append("capital and small letters are the same here" if alike else _CASE)
    return lines


def _free(root: Path) -> int | None:
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return None


_CASE = "capital and small letters are not the same here; files are found all the same, by looking through the folder"


_RIGHTS = [
    "Give the account that runs the connector rights to the folder.",
    "On a share: run the service as such an account.",
]

CHECKS = (Check("images", "images", "Open Dental's images folder is there and can be used.", 12, _images),)
