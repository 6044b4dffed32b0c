r"""Files under one root, by names that other programs wrote: read only, never outside the root.

Names come from a Windows world: they may use `\`, and their case need not be the file's. Whatever could lead out of
the root (`..`, absolute names, drive letters, shares, device names, links) is refused before anything is opened.
"""

import asyncio
import getpass
import os
import re
import stat
import unicodedata
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO

from econnector.base.errors import FileMissing

__all__ = ["CHUNK", "FileStore", "StoredFile", "account"]

CHUNK = 64 * 1024
"""The most bytes that a chunk has: as much as a frame of the link takes."""

# One trip to a thread reads several chunks: the trips cost more than the reading.
_READ = 4 * CHUNK
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*]')
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}")
_DEVICES = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(\..*)?", re.IGNORECASE)


class StoredFile:
    """An open file: read it to the end or close it."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """`file` is open; `name` is its own name on the disk, without a folder."""
        self.name = name
        self.size = os.fstat(file.fileno()).st_size
        self._file = file

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes in order, at most `CHUNK` at once; close the file at the end, also if nobody reads on."""
        try:
            while block := await asyncio.to_thread(self._file.read, _READ):
                for start in range(0, len(block), CHUNK):
                    yield block[start : start + CHUNK]
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Close it."""
        await asyncio.to_thread(self._file.close)


class FileStore:
    """The files under one folder."""

    def __init__(self, root: str | Path, called: str = "") -> None:
        """Nothing is looked at before a file is asked for. `called` stands for the root in messages."""
        self.root = Path(root)
        self._called = called or str(root)

    async def open(self, *names: str) -> StoredFile:
        """Open the file that `names` (each may have several parts) lead to from the root.

        Raises `FileMissing` with the root, the account, and which of the reasons it is. Names below the root are in no
        message: they are made of patients' names.
        """
        return await asyncio.to_thread(self._open, names)

    async def path(self, *names: str) -> Path:
        """Return where the file or folder is. Raises `FileMissing` as `open` does."""
        return await asyncio.to_thread(self._resolve, names)

    async def sizes(self, names: Sequence[str]) -> list[int | None]:
        """Return the sizes of files right below the root, in bytes; None for what `open` would not open there.

        The folder is read once, however many names there are. Raises `FileMissing` if it cannot be read.
        """
        return await asyncio.to_thread(self._sizes, names)

    def _sizes(self, names: Sequence[str]) -> list[int | None]:
        try:
            with os.scandir(self.root) as entries:
                files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
                exact = {entry.name: entry.stat(follow_symlinks=False).st_size for entry in files}
        except OSError as error:
            raise _missing(self._called, _reason(error)) from None
        folded = {_folded(name): size for name, size in exact.items()}
        return [exact.get(name, folded.get(_folded(name))) for name in names]

    def _open(self, names: tuple[str, ...]) -> StoredFile:
        path = self._resolve(names)
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise _missing(self._called, "It is not a file.")
            # The path has no link left; if one was put there meanwhile, it is not followed.
            number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0))
        except OSError as error:
            raise _missing(self._called, _reason(error)) from None
        return StoredFile(os.fdopen(number, "rb"), path.name)

    def _resolve(self, names: tuple[str, ...]) -> Path:
        path = self.root
        try:
            if not path.is_dir():
                raise _missing(self._called, "The folder does not exist, or this account cannot see it.")
            for part in _parts(names, self._called):
                path = _match(path, part, self._called)
            real, top = path.resolve(strict=True), self.root.resolve(strict=True)
        except OSError as error:
            raise _missing(self._called, _reason(error)) from None
        if not real.is_relative_to(top):
            raise _missing(self._called, "A link leads out of the folder.")
        return real


def _parts(names: tuple[str, ...], called: str) -> list[str]:
    """Split into single names; refuse every name that is more than a name on any system."""
    whole = "/".join(names).replace("\\", "/")
    parts = whole.split("/")
    for part in parts:
        bad = not part or part.strip(" .") == "" or part != part.rstrip(" .")
        if bad or _FORBIDDEN.search(part) or _DEVICES.fullmatch(part):
            # The name itself is not repeated: it may be an attack on whoever reads the message.
            raise _missing(called, "The name stored in the database is not a plain file name, so it was not opened.")
    return parts


def _match(folder: Path, name: str, called: str) -> Path:
    """Return the entry of `folder` with this name, or else the one that differs only in case or accents' encoding."""
    exact = folder / name
    if exact.exists():
        return exact
    wanted = _folded(name)
    entries = sorted(entry.name for entry in os.scandir(folder))
    for entry in entries:
        if _folded(entry) == wanted:
            return folder / entry
    stem = _folded(Path(name).stem)
    alike = next((entry for entry in entries if _folded(Path(entry).stem).strip() == stem.strip()), None)
    reason = "There is no file of that name in the folder"
    ending = Path(alike or "").suffix
    more = f"; there is one that ends in {ending} instead" if _ENDING.fullmatch(ending) else ""
    raise _missing(called, f"{reason}{more}.")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "This account has no right to read it."
    if isinstance(error, FileNotFoundError):
        return "It does not exist."
    if isinstance(error, NotADirectoryError):
        return "A part of the path is a file, not a folder."
    return f"The system says: {error.strerror or type(error).__name__}."


def _missing(path: str, reason: str) -> FileMissing:
    return FileMissing(path=path, account=account(), reason=reason)


def account() -> str:
    """Return the name of the account that files are read as, for messages."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "unknown"
