"""Checks of Open Dental's images folder: it can be used, and it is the one that everybody uses."""

import asyncio
import os
import shutil
from pathlib import Path

from econnector.base.errors import FileMissing
from econnector.office.doctor.check import Check, Finding, attention, from_failure, ok, problem
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.opendental import preflight
from econnector.opendental.filed import FiledDocument
from econnector.opendental.imagestore import ImagePlaces, ImageStore
from econnector.storage.files import account

__all__ = ["CHECKS"]

LEAST_FREE = 1024 * 1024 * 1024
"""Bytes that the images' disk must have left: a week of X-rays."""

_IN_DATABASE = "0"
_MB = 1024 * 1024


def _store(scene: Scene) -> ImageStore:
    settings = scene.loaded.value
    return ImageStore(settings.images.root, settings.machine)


async def _places(scene: Scene) -> ImagePlaces:
    return await scene.ask(_store(scene).places)


async def _images(scene: Scene) -> Finding:
    places, store = await _places(scene), _store(scene)
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
        reason = f"The folder cannot be listed ({why}); it is named by {source}."
        return from_failure(FileMissing(path=root, account=account(), reason=reason), *lines)
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
    if _is_there(root / "A"):
        lines.append("capital and small letters are the same here" if _is_there(root / "a") else _CASE)
    return lines


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:  # who may not look into the folder above is told so by another way
        return False


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


async def _shared(scene: Scene) -> Finding:
    """Look for the newest documents: only the folder that everybody uses has those that others filed."""
    places, store = await _places(scene), _store(scene)
    if places.used == _IN_DATABASE:
        return ok("the practice keeps its images in the database, which everybody uses")
    try:
        root = await store.root(places)
    except FileMissing:
        raise NotNowError("there is no images folder (see images)") from None
    newest = await scene.ask(preflight.newest_files, _NEWEST)
    there, elsewhere = await _found(scene, store, places, newest)
    others = await scene.ask(preflight.other_folders, scene.loaded.value.machine_name)
    lines = [f"{count} other computers use {path}" for path, count in others.items()]
    return _compare(root, len(newest), there, elsewhere, lines)


async def _found(
    scene: Scene, store: ImageStore, places: ImagePlaces, newest: list[FiledDocument]
) -> tuple[int, list[str]]:
    """Return how many documents can be opened, and for the others why not, each reason once and without names."""
    there, reasons = 0, dict[str, None]()
    for one in newest:
        try:
            opened = await store.open(scene.database(), places, one)
        except FileMissing as missing:
            reasons[missing.facts["reason"]] = None
        else:
            there += 1
            await opened.chunks.aclose()
    return there, list(reasons)


def _compare(root: Path, newest: int, there: int, reasons: list[str], lines: list[str]) -> Finding:
    if not newest:
        return ok("no document was filed yet that could be looked for", *lines)
    if there == newest:
        return ok(f"the {newest} newest documents of the practice are all in {root}", *lines)
    lines = [*reasons, *lines]
    remedy = [
        "Compare the folder with Setup, Data Paths on another computer: all must mean the same one.",
        "Set `images.root` to the folder as this machine sees it.",
        "If the practice has several locations: let the folders be synchronised, or copy the files here.",
    ]
    if not there:
        text = f"none of the {newest} newest documents of the practice is in {root}: others use another folder"
        return problem(text, remedy, *lines)
    return attention(f"{newest - there} of the {newest} newest documents are not in {root}", remedy, *lines)


_NEWEST = 12
"""Documents that are looked for."""

CHECKS = (
    Check("images", "images", "Open Dental's images folder is there and can be used.", 12, _images),
    Check("images-shared", "images", "The images folder is the one that other computers use.", 14, _shared),
)
