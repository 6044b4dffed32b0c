"""Files in one zip, byte by byte: never held, and its size is known before the first byte.

Every file is one entry, as it is: PDFs and pictures do not get smaller. An entry is nevertheless written in the
"deflated" form, as blocks that are merely stored: these say themselves where they end, so that every program reads
them, also one that unpacks while it still loads. Checksums follow the bytes they are about.
"""

import datetime as dt
import re
import struct
import unicodedata
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence

import msgspec

__all__ = ["MOST_BYTES", "Entry", "size_of", "stream", "unique_names"]

MOST_BYTES = 512 * 1024 * 1024
"""The most that one archive takes in: far from where the plain format ends, and what a phone may still save."""

_BLOCK = 32 * 1024
_STORED = struct.Struct("<BHH")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_AFTER = struct.Struct("<4sIII")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_NEEDS, _FLAGS, _DEFLATED = 20, 0x0808, 8  # 2.0; checksum after the bytes, names in UTF-8
_FIRST_YEAR, _LAST_YEAR = 1980, 2107
_LONGEST = 100
_NOT_SAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]|\.{2,}')

_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\.|$)", re.IGNORECASE)


class Entry(msgspec.Struct, frozen=True):
    """One file that goes in."""

    name: str
    """Safe and unique: `unique_names`."""
    modified: dt.datetime | None
    size: int
    open: Callable[[], AsyncIterator[bytes]]
    """Begin to read: yields exactly `size` bytes, and is closed when nobody reads on."""


def unique_names(wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Return a name for each wanted (stem, extension): a plain one on any system, and no two alike on any of them."""
    taken: set[str] = set()
    names = []
    for stem, extension in wanted:
        plain = _plain(stem)
        name, number = f"{plain}.{extension}", 1
        while _folded(name) in taken:
            number += 1
            name = f"{plain} ({number}).{extension}"
        taken.add(_folded(name))
        names.append(name)
    return names


def size_of(entries: Sequence[Entry]) -> int:
    """Return how many bytes `stream` yields. Raises `ValueError` for more than the plain format can say."""
    if len(entries) >= 2**16 - 1 or sum(entry.size for entry in entries) > MOST_BYTES:
        raise ValueError("too much for one archive")
    heads = _LOCAL.size + _AFTER.size + _CENTRAL.size
    return _END.size + sum(heads + 2 * len(entry.name.encode()) + _packed(entry.size) for entry in entries)


async def stream(entries: Sequence[Entry]) -> AsyncGenerator[bytes, None]:
    """Yield the archive. Raises `ValueError` where a file has another size than was said, before it looks whole."""
    size_of(entries)
    place, listed = 0, []
    for entry in entries:
        name, when = entry.name.encode(), _when(entry.modified)
        head = _LOCAL.pack(b"PK\3\4", _NEEDS, _FLAGS, _DEFLATED, *when, 0, 0, 0, len(name), 0) + name
        yield head
        checksum, size = 0, 0
        chunks = entry.open()
        try:
            async for block in _blocks(chunks):
                checksum, size = zlib.crc32(block, checksum), size + len(block)
                yield _STORED.pack(0, len(block), len(block) ^ 0xFFFF) + block
        finally:
            await _close(chunks)
        if size != entry.size:
            raise ValueError("a file has another size than it had when the archive was begun")
        sizes = checksum, _packed(size), size
        yield _STORED.pack(1, 0, 0xFFFF) + _AFTER.pack(b"PK\7\10", *sizes)
        listed.append(
            _CENTRAL.pack(b"PK\1\2", _NEEDS, _NEEDS, _FLAGS, _DEFLATED, *when, *sizes, len(name), 0, 0, 0, 0, 0, place)
            + name
        )
        place += len(head) + _packed(size) + _AFTER.size
    directory = b"".join(listed)
    yield directory + _END.pack(b"PK\5\6", 0, 0, len(listed), len(listed), len(directory), place, 0)


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut into blocks of one size, but for the last: then the archive's size depends on the files' sizes alone."""
    rest = b""
    async for chunk in chunks:
        rest += chunk
        whole = len(rest) // _BLOCK * _BLOCK
        for start in range(0, whole, _BLOCK):
            yield rest[start : start + _BLOCK]
        rest = rest[whole:]
    if rest:
        yield rest


async def _close(chunks: AsyncIterator[bytes]) -> None:
    close = getattr(chunks, "aclose", None)
    if close is not None:
        await close()


def _packed(size: int) -> int:
    return size + _STORED.size * (-(-size // _BLOCK) + 1)


def _when(moment: dt.datetime | None) -> tuple[int, int]:
    """Return time and date as the format has them: local, even seconds, from 1980."""
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return 0, 1 << 5 | 1
    return (
        moment.hour << 11 | moment.minute << 5 | moment.second // 2,
        (moment.year - _FIRST_YEAR) << 9 | moment.month << 5 | moment.day,
    )


def _plain(stem: str) -> str:
    """Return a name without what leads elsewhere, hides, or means something to a system."""
    composed = unicodedata.normalize("NFC", stem)
    letters = (letter for letter in composed if unicodedata.category(letter)[0] != "C")
    plain = " ".join(_NOT_SAFE.sub(" ", "".join(letters)).split())[:_LONGEST].strip(" .-") or "document"
    return f"_{plain}" if _DEVICE.match(plain) else plain


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
