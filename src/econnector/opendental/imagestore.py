"""The image store ("A to Z folder"): where a document's file is, and its bytes.

Where (`PrefC`, `ImageStore`): preference AtoZfolderUsed says 0 in the database, 1 in a folder, 2 at Dropbox, 3 on an
SFTP server. The folder is this computer's own (`computerpref.AtoZpath`), else this database server's
(`replicationserver.AtoZpath`), else the first entry of DocPath that has a sub-folder `A`. A connector on another
system than Windows needs its own setting, which overrides them all. A practice with several locations names several
folders, and a file filed at another one may be in the other folder only. A patient's files are in
`<first letter>/<patient.ImageFolder>/`. What a file is, is read from its bytes; patients get PDFs and pictures only.
"""

import asyncio
import base64
import binascii
import platform
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol, Self

import msgspec
import structlog
from sqlalchemy import ColumnElement, Connection, LargeBinary, cast, func, select, text

from econnector.base.errors import FileMissing
from econnector.opendental import preferences
from econnector.opendental.filed import FiledDocument
from econnector.opendental.tables import computerpref, document, replicationserver
from econnector.storage.database import Database
from econnector.storage.files import FileStore, StoredFile, account

__all__ = ["Chunks", "ImagePlaces", "ImageStore", "OpenedImage", "elsewhere", "media_type"]

log = structlog.get_logger(__name__)

_IN_DATABASE, _IN_FOLDER, _AT_DROPBOX, _ON_SFTP = "0", "1", "2", "3"
_AWAY = {_AT_DROPBOX: "at Dropbox", _ON_SFTP: "on an SFTP server"}
_BLOCK = 1024 * 1024
"""Bytes of base64 read at once."""
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
    (b"II*\0", "image/tiff", "tif"),
    (b"MM\0*", "image/tiff", "tif"),
    (b"BM", "image/bmp", "bmp"),
)
_PDF_WITHIN = 1024
"""Readers accept a PDF whose header begins this far in."""


class ImagePlaces(msgspec.Struct, frozen=True):
    """Where this practice says its images are."""

    used: str
    """Preference AtoZfolderUsed."""
    folders: tuple[str, ...]
    """Folders to look at, the first that fits wins."""
    source: str
    """What named them, for messages."""
    others: tuple[str, ...] = ()
    """Folders that the practice names besides, for other computers or servers: looked at for a file that is missing."""


class Chunks(Protocol):
    """Bytes, piece by piece."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin."""

    async def __anext__(self) -> bytes:
        """Return the next piece; raises StopAsyncIteration at the end."""

    async def aclose(self) -> None:
        """Let go of the file, read or not."""


class OpenedImage(msgspec.Struct):
    """A document's content, ready to be read."""

    media_type: str
    extension: str
    size: int
    chunks: Chunks
    """Read to the end or closed."""


class ImageStore:
    """The practice's images."""

    def __init__(self, override: str | Path | None = None, machine: str = "") -> None:
        """`override`: the folder from the connector's settings; `machine`: this computer's name in Open Dental."""
        self._override = str(override) if override else ""
        self._machine = machine or platform.node()

    def places(self, connection: Connection) -> ImagePlaces:
        """Return where the images are, by settings and database."""
        found = preferences.read_many(connection, ["AtoZfolderUsed", "DocPath"])
        used = found["AtoZfolderUsed"].strip() or _IN_FOLDER
        if self._override:
            return ImagePlaces(_IN_DATABASE if used == _IN_DATABASE else _IN_FOLDER, (self._override,), "the settings")
        own, shared = _own_folder(connection, self._machine), _server_folder(connection)
        listed = tuple(part.strip() for part in found["DocPath"].split(";") if part.strip())
        if own:
            others = (shared, *listed) if shared else listed
            return ImagePlaces(used, (own,), "this computer's own path (computerpref.AtoZpath)", others)
        if shared:
            return ImagePlaces(used, (shared,), "the database server's path (replicationserver.AtoZpath)", listed)
        return ImagePlaces(used, listed, "preference DocPath")

    async def root(self, places: ImagePlaces) -> Path:
        """Return the images folder. Raises `FileMissing` with what was tried and why it is not one."""
        if places.used in _AWAY:
            reason = (
                f"The practice keeps its images {_AWAY[places.used]}; set the images folder to a local copy of them."
            )
            raise _missing("the images folder", reason)
        root = await asyncio.to_thread(_choose, places.folders)
        if root is None:
            tried = "; ".join(places.folders) or "(none)"
            raise _missing(tried, await asyncio.to_thread(_why_none, places))
        return root

    async def sizes(self, places: ImagePlaces, folder: str, names: Sequence[str]) -> list[int | None]:
        """Return the sizes of files in a patient's `folder` (patient.ImageFolder), in bytes.

        None for each that is not there: kept in the database, elsewhere or nowhere. Only opening it tells.
        """
        unknown: list[int | None] = [None] * len(names)
        if not names or places.used == _IN_DATABASE or not folder.strip() or set(folder) & {"/", "\\"}:
            return unknown
        try:
            return await (await _patient_folder(await self.root(places), folder, "a list")).sizes(names)
        except FileMissing:
            return unknown

    async def open(
        self, database: Database, places: ImagePlaces, file: FiledDocument, *, anywhere: bool = False
    ) -> OpenedImage:
        """Open a document's content; with `anywhere` also in another of the practice's folders, if it is only there.

        Raises `FileMissing` when it is not where it should be, may not be read, or is neither a PDF nor a picture.
        """
        if file.elsewhere:
            raise _missing(f"document {file.number}", f"It is kept at {file.elsewhere}, not in the images folder.")
        if places.used == _IN_DATABASE:
            return await _open_stored(database, file.number)
        return await self._open_file(database, places, file, anywhere=anywhere)

    async def _open_file(
        self, database: Database, places: ImagePlaces, file: FiledDocument, *, anywhere: bool
    ) -> OpenedImage:
        for name, what in ((file.folder, "the patient has no images folder"), (file.file_name, "it has no file name")):
            if not name.strip() or set(name) & {"/", "\\"}:
                reason = f"In the database {what}." if not name.strip() else "Its name is a path, so it was not opened."
                raise _missing(f"document {file.number}", reason)
        try:
            root = await self.root(places)
            stored = await _stored_file(root, file)
        except FileMissing as missing:
            length, _, _ = await database.run(_stored_facts, file.number)
            if length:  # stored there before the practice had a folder, or by a program that has none
                return await _open_stored(database, file.number)
            stored = await elsewhere(places, missing, lambda folder: _stored_file(folder, file), take=anywhere)
        return await _recognised(_Started(stored), stored.size, f"document {file.number}")


def media_type(head: bytes) -> tuple[str, str] | None:
    """Return media type and extension by a file's first bytes; None for what is neither a PDF nor a picture."""
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return "application/pdf", "pdf"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp", "webp"
    return next(((kind, ending) for start, kind, ending in _SIGNATURES if head.startswith(start)), None)


async def _stored_file(root: Path, file: FiledDocument) -> StoredFile:
    # Messages name the document by its number: the names on the disk are made of the patient's.
    folder = await _patient_folder(root, file.folder, f"document {file.number} in {root}")
    # Opened from the patient's own folder, so that no link leads to another patient's.
    return await folder.open(file.file_name)


async def _patient_folder(root: Path, name: str, what: str) -> FileStore:
    letter = name[0].upper() if len(name[0].upper()) == 1 else name[0]
    folder = await FileStore(root, called=f"the patient's folder of {what}").path(letter, name)
    return FileStore(folder, called=what)


async def elsewhere(
    places: ImagePlaces, missing: FileMissing, find: Callable[[Path], Awaitable[StoredFile]], *, take: bool = True
) -> StoredFile:
    """Look in the practice's other folders for a file that is `missing`; `find` opens it in one of them.

    Raises `FileMissing` that says where it was looked for; unless `take` is set, also that another folder has it.
    """
    there: list[str] = []
    away: list[str] = []
    for name in dict.fromkeys((*places.folders, *places.others) if places.used not in _AWAY else ()):
        if f" in {Path(name)}" in missing.facts["path"] or name in missing.facts["path"].split("; "):
            continue
        if not await asyncio.to_thread(_is_folder, name):
            away.append(name)
            continue
        try:
            stored = await find(Path(name))
        except FileMissing:
            there.append(name)
            continue
        if take:
            log.info("a file was found in another folder than the images folder", folder=name)
            return stored
        await stored.aclose()
        reason = f"It is in {name}, another of the folders that {places.source} names. Set the images folder to that."
        raise _missing(missing.facts["path"], reason)
    raise _looked(missing, there, away)


def _looked(missing: FileMissing, there: list[str], away: list[str]) -> FileMissing:
    """Return the failure with the other places where it was looked for."""
    more = [f"It is not in {', '.join(there)} either."] if there else []
    more += [f"From here it cannot be looked for in {', '.join(away)}."] if away else []
    return _missing(missing.facts["path"], " ".join([missing.facts["reason"], *more])) if more else missing


class _Started:
    """The chunks of a file, of which the first can be looked at; closing it closes the file, started or not."""

    def __init__(self, stored: StoredFile) -> None:
        self._stored, self._chunks = stored, stored.chunks()
        self._first = b""

    async def peek(self) -> bytes:
        self._first = await anext(self._chunks, b"")
        return self._first

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._chunks)

    async def aclose(self) -> None:
        await self._stored.aclose()


async def _recognised(chunks: _Started, size: int, what: str) -> OpenedImage:
    kind = None
    try:
        kind = media_type(await chunks.peek())
    finally:
        if kind is None:
            await chunks.aclose()
    if kind is None:
        raise _missing(what, "The file is empty." if not size else "The file is neither a PDF nor a picture.")
    return OpenedImage(*kind, size, chunks)


def _own_folder(connection: Connection, machine: str) -> str:
    mine = select(computerpref.c.AtoZpath).where(
        func.upper(computerpref.c.ComputerName) == machine.upper(), computerpref.c.AtoZpath != ""
    )
    return (connection.execute(mine.limit(1)).scalar() or "").strip()


def _server_folder(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return ""
    server = connection.execute(text("SELECT @@server_id")).scalar()
    mine = select(replicationserver.c.AtoZpath).where(replicationserver.c.ServerId == int(server or 0))
    return (connection.execute(mine.limit(1)).scalar() or "").strip()


def _choose(folders: tuple[str, ...]) -> Path | None:
    """Return the first folder with a sub-folder `A`, or else the first that is there. May take a share's time."""
    there = [Path(folder) for folder in folders if _is_folder(folder)]
    return next((folder for folder in there if _is_folder(str(folder / "A"))), there[0] if there else None)


def _why_none(places: ImagePlaces) -> str:
    """Return why none of the folders can be used. May take a share's time."""
    if any(_is_closed(folder) for folder in places.folders):
        return f"This account has no right to look into the folder; named by {places.source}."
    return f"No such folder on this computer; named by {places.source}. Set the images folder in the settings."


def _is_closed(folder: str) -> bool:
    try:
        Path(folder).stat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _is_folder(folder: str) -> bool:
    try:
        # A relative path would mean a folder of wherever the service was started.
        return Path(folder).is_absolute() and Path(folder).is_dir()
    except (OSError, ValueError):
        return False


async def _open_stored(database: Database, number: int) -> OpenedImage:
    length, head, tail = await database.run(_stored_facts, number)
    if not length:
        raise _missing(f"document {number}", "The practice keeps images in the database, and this one has no content.")
    kind = media_type(_decoded(_whole(_clean(head)), number))
    if kind is None:
        raise _missing(f"document {number}", "The content is neither a PDF nor a picture.")
    written = length
    if len(_clean(head)) < len(head) or len(_clean(tail)) < len(tail):
        # Broken into lines, which Open Dental does not do: then only reading tells how much there is.
        written = sum([len(_clean(block)) async for block in _blocks(database, number, length)])
    size = written // 4 * 3 - _clean(tail).count(b"=")
    return OpenedImage(*kind, size, _stored_chunks(database, number, length))


async def _stored_chunks(database: Database, number: int, length: int) -> AsyncGenerator[bytes, None]:
    rest = b""
    async for block in _blocks(database, number, length):
        rest += _clean(block)
        ready = _whole(rest)
        yield _decoded(ready, number)
        rest = rest[len(ready) :]
    _decoded(rest, number)  # a piece that is left over is no base64


async def _blocks(database: Database, number: int, length: int) -> AsyncIterator[bytes]:
    for start in range(0, length, _BLOCK):
        yield await database.run(_stored_block, number, start)


def _stored() -> ColumnElement[bytes]:
    # As bytes: the server would count through the characters of its text from the start for every block.
    return cast(document.c.RawBase64, LargeBinary)


def _stored_facts(connection: Connection, number: int) -> tuple[int, bytes, bytes]:
    """Return how many bytes of base64 there are, the first ones and the last few."""
    facts = func.length(_stored()), func.substr(_stored(), 1, _PDF_WITHIN * 2), func.substr(_stored(), -8)
    row = connection.execute(select(*facts).where(document.c.DocNum == number)).one_or_none()
    return (0, b"", b"") if row is None else (row[0] or 0, row[1] or b"", row[2] or b"")


def _stored_block(connection: Connection, number: int, start: int) -> bytes:
    block = select(func.substr(_stored(), start + 1, _BLOCK)).where(document.c.DocNum == number)
    return connection.execute(block).scalar() or b""


def _clean(block: bytes) -> bytes:
    return block.translate(None, b" \t\r\n")


def _whole(block: bytes) -> bytes:
    """Return as much of it as makes whole groups of four."""
    return block[: len(block) // 4 * 4]


def _decoded(block: bytes, number: int) -> bytes:
    try:
        return base64.b64decode(block, validate=True)
    except (binascii.Error, ValueError):
        raise _missing(f"document {number}", "Its content in the database is damaged.") from None


def _missing(path: str, reason: str) -> FileMissing:
    return FileMissing(path=path, account=account(), reason=reason)
