"""Small pictures drawn by arithmetic, written as PNG: enough to be seen as a photograph or an X-ray in a list."""

import math
import struct
import zlib
from functools import cache

__all__ = ["photograph", "radiograph"]

WIDTH, HEIGHT = 240, 150


@cache
def radiograph(seed: int) -> bytes:
    """Return a grey picture of two rows of teeth, as PNG; `seed` varies it."""
    return _png(bytes(_tooth(x, y, seed) for y in range(HEIGHT) for x in range(WIDTH)), channels=1)


@cache
def photograph(seed: int) -> bytes:
    """Return a coloured picture of a smile, as PNG; `seed` varies it."""
    return _png(b"".join(_smile(x, y, seed) for y in range(HEIGHT) for x in range(WIDTH)), channels=3)


def _tooth(x: int, y: int, seed: int) -> int:
    arch = abs(y - HEIGHT / 2 - 14 * math.cos((x - WIDTH / 2) / 45 + seed / 9))
    gap = abs(math.sin(x / (8.5 + seed % 3))) ** 0.5
    body = max(0.0, 1 - ((arch - 26) / 24) ** 2)
    return max(8, min(255, int(30 + 200 * body * gap - arch / 3)))


def _smile(x: int, y: int, seed: int) -> bytes:
    across, down = (x - WIDTH / 2) / (WIDTH / 2.4), (y - HEIGHT / 2 - 8) / (HEIGHT / 3.2)
    if across**2 + (down + 0.45 * across**2) ** 2 > 1:
        return bytes((214 - seed % 5 * 22, 168 - seed % 5 * 20, 148 - seed % 5 * 18))
    if abs(down + 0.45 * across**2) > 0.62:  # noqa: PLR2004 - where the lips begin
        return bytes((176, 74, 82))
    edge = int(40 * abs(math.sin(x / 9 + seed)) ** 12)
    return bytes((246 - edge, 242 - edge, 230 - edge))


def _png(pixels: bytes, *, channels: int) -> bytes:
    """Return eight-bit pixels, row by row, as a PNG file (PNG specification, sections 5 and 11)."""
    step = WIDTH * channels
    rows = b"".join(b"\0" + pixels[at : at + step] for at in range(0, len(pixels), step))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0 if channels == 1 else 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
