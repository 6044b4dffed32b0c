r"""The files of messages: below `EmailAttachments` in the images folder, by the name that emailattach has.

The name is a path with a separator of Windows (`Out\x.pdf`, `In\x.jpg`) or, in older rows, a bare name.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from econnector.base.errors import FileMissing
from econnector.opendental.imagestore import ImagePlaces, ImageStore, OpenedImage, elsewhere, media_type
from econnector.opendental.webmail import FOLDER
from econnector.storage.files import FileStore, StoredFile, account

__all__ = ["SETTINGS", "keep", "kept_here", "open_file"]

_IN_DATABASE, _IN_FOLDER = "0", "1"
_UNKNOWN = ("application/octet-stream", "")


SETTINGS = ("AtoZfolderUsed",)
"""The preference that says where images are."""


def kept_here(settings: Mapping[str, str]) -> bool:
    """Return whether the practice has a folder for files of messages; in its database there is no place for them."""
    return (settings[SETTINGS[0]].strip() or _IN_FOLDER) == _IN_FOLDER


async def open_file(images: ImageStore, places: ImagePlaces, stored: str, what: str) -> OpenedImage:
    """Open a message's file. What is neither a PDF nor a picture has the media type of nothing in particular.

    `what` names it in messages, without a word of a patient's. Raises `FileMissing`.
    """
    if places.used == _IN_DATABASE:
        reason = "The practice keeps images in the database, so that this file is only on the computer that wrote it."
        raise FileMissing(path=what, account=account(), reason=reason)
    try:
        file = await _stored_file(await images.root(places), stored, what)
    except FileMissing as missing:
        file = await elsewhere(places, missing, lambda folder: _stored_file(folder, stored, what))
    try:
        chunks = file.chunks()
        first = await anext(chunks, b"")
        kind, extension = media_type(first) or _UNKNOWN
    except BaseException:
        await file.aclose()
        raise
    return OpenedImage(kind, extension, file.size, _Rest(file, first, chunks))


async def _stored_file(root: Path, stored: str, what: str) -> StoredFile:
    called = f"{what} in {root}"
    folder = await FileStore(root, called=f"the folder {FOLDER} of {called}").path(FOLDER)
    # Opened from that folder, so that no name and no link leads to a patient's images.
    return await FileStore(folder, called=called).open(stored)


class _Rest:
    """A file of which the first piece was looked at."""

    def __init__(self, file: StoredFile, first: bytes, chunks: AsyncIterator[bytes]) -> None:
        self._file, self._first, self._chunks = file, first, chunks

    def __aiter__(self) -> "_Rest":
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._chunks)

    async def aclose(self) -> None:
        await self._file.aclose()


async def keep(images: ImageStore, places: ImagePlaces, stored: str, content: bytes) -> None:
    """Write a file that a patient sent under the name that emailattach will have; written again, it is the same file.

    Raises `FileMissing` when there is no such folder or it cannot be written.
    """
    root = await images.root(places)
    try:
        await asyncio.to_thread(_write, root, stored.split("\\"), content)
    except OSError as error:
        reason = f"It cannot be written: {error.strerror or type(error).__name__}."
        raise FileMissing(path=str(root / FOLDER), account=account(), reason=reason) from None


def _write(root: Path, names: list[str], content: bytes) -> None:
    folder = root
    for name in (FOLDER, *names[:-1]):
        folder = _below(folder, name)
    target = folder / names[-1]
    if target.exists() and target.stat().st_size == len(content):
        return
    part = folder / f".{names[-1]}.part"
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _below(folder: Path, name: str) -> Path:
    """Return the folder of this name in whatever case it is there; make it if it is not."""
    exact = folder / name
    if not exact.is_dir():
        found = next((entry for entry in folder.iterdir() if entry.name.casefold() == name.casefold()), None)
        if found is not None:
            return found
        exact.mkdir(exist_ok=True)
    return exact
