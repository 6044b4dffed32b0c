"""A file of codes as it comes: plain or a zip of one text, UTF-8 or UTF-16, read line by line in bounded memory."""

import codecs
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from econnector.base.errors import CodeFileUnreadable

__all__ = ["LONGEST", "FileLine", "Lines", "digest_of", "opened"]

LONGEST = 64 * 1024
"""Characters of a line; what is longer is no line of codes."""
_CHUNK = 1024 * 1024
_CPT_ENTRY = "MEDU.TXT"


class FileLine(msgspec.Struct, frozen=True):
    """One line of a file."""

    number: int
    """From 1."""
    text: str
    """Without its end; bytes that are no text are lone surrogates."""
    whole: bool = True
    """False for one that is too long and was cut."""


class Lines(Protocol):
    """An open file of codes."""

    def __iter__(self) -> Iterator[FileLine]: ...

    def share(self) -> float:
        """Return how much of it was read, from 0 to 1."""


def digest_of(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal. Raises `CodeFileUnreadable`."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CodeFileUnreadable(file=path, reason=error.strerror or "it cannot be read") from None


@contextmanager
def opened(path: Path) -> Iterator[Lines]:
    """Open a file, or the one text in a zip. Raises `CodeFileUnreadable`, also while lines are read."""
    try:
        with path.open("rb") as raw:
            if not zipfile.is_zipfile(raw):
                raw.seek(0)
                yield _Text(path, raw, path.stat().st_size)
                return
            with zipfile.ZipFile(raw) as archive:
                entry = _entry(path, archive)
                with archive.open(entry) as unpacked:
                    yield _Text(path, io.BufferedReader(unpacked), entry.file_size)  # type: ignore[type-var]
    except OSError as error:
        raise CodeFileUnreadable(file=path, reason=error.strerror or "it cannot be read") from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise CodeFileUnreadable(file=path, reason=f"the zip is damaged or locked ({error})") from None


def _entry(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the text in the zip: the only file, or the AMA's list among its others."""
    files = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(files) == 1:
        return files[0]
    for entry in files:
        if Path(entry.filename).name.upper() == _CPT_ENTRY:
            return entry
    raise CodeFileUnreadable(file=path, reason=f"the zip holds {len(files)} files, and one text is expected")


class _Text:
    def __init__(self, path: Path, raw: BinaryIO | io.BufferedReader, size: int) -> None:
        self._path, self._raw, self._size = path, raw, max(size, 1)
        self._read = 0

    def share(self) -> float:
        return min(1.0, self._read / self._size)

    def __iter__(self) -> Iterator[FileLine]:
        number, rest, skipping = 0, "", False
        for piece in self._pieces():
            *whole, rest = (rest + piece).split("\n")
            for text in whole:
                if skipping:  # the end of a line that was too long
                    skipping = False
                    continue
                number += 1
                yield _line(number, text)
            if len(rest) > LONGEST:
                if not skipping:
                    number += 1
                    yield _line(number, rest)
                rest, skipping = "", True
        if rest.strip("\x1a") and not skipping:
            yield _line(number + 1, rest)

    def _pieces(self) -> Iterator[str]:
        first = self._raw.read(_CHUNK)
        decoder = codecs.getincrementaldecoder(_encoding(first))(errors="surrogateescape")
        piece = first
        while piece:
            self._read += len(piece)
            yield decoder.decode(piece)
            piece = self._raw.read(_CHUNK)
        yield decoder.decode(b"", final=True)


def _line(number: int, text: str) -> FileLine:
    return FileLine(number, text[:LONGEST].rstrip("\r"), len(text) <= LONGEST)


def _encoding(first: bytes) -> str:
    wide = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if wide else "utf-8-sig"
