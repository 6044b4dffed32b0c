"""Small pictures drawn by arithmetic, written as PNG: enough to be seen as a photograph or an X-ray in a list."""

import struct
import zlib
from functools import cache
from math import cos, sin

__all__ = ["photograph", "radiograph"]

WIDTH, HEIGHT = 240, 150


@cache
def radiograph(seed: int) -> bytes:
    """Return a grey picture of two rows of teeth, as PNG; `seed` varies it."""
    columns = [(14 * cos((x - WIDTH / 2) / 45 + seed / 9), abs(sin(x / (8.5 + seed % 3))) ** 0.5) for x in range(WIDTH)]
    return _png(bytes(_tooth(y, bend, gap) for y in range(HEIGHT) for bend, gap in columns), channels=1)


@cache
def photograph(seed: int) -> bytes:
    """Return a coloured picture of a smile, as PNG; `seed` varies it."""
    skin, lips = bytes((214 - seed % 5 * 22, 168 - seed % 5 * 20, 148 - seed % 5 * 18)), bytes((176, 74, 82))
    edges = [int(40 * abs(sin(x / 9 + seed)) ** 12) for x in range(WIDTH)]
    columns = [
        ((x - WIDTH / 2) / (WIDTH / 2.4), bytes((246 - edge, 242 - edge, 230 - edge))) for x, edge in enumerate(edges)
    ]
    return _png(b"".join(_smile(y, skin, lips, *one) for y in range(HEIGHT) for one in columns), channels=3)


def _tooth(y: int, bend: float, gap: float) -> int:
    arch = abs(y - HEIGHT / 2 - bend)
    body = max(0.0, 1 - ((arch - 26) / 24) ** 2)
    return max(8, min(255, int(30 + 200 * body * gap - arch / 3)))


def _smile(y: int, skin: bytes, lips: bytes, across: float, tooth: bytes) -> bytes:
    curve = (y - HEIGHT / 2 - 8) / (HEIGHT / 3.2) + 0.45 * across**2
    if across**2 + curve**2 > 1:
        return skin
    return lips if abs(curve) > 0.62 else tooth  # noqa: PLR2004 - where the lips begin


def _png(pixels: bytes, *, channels: int) -> bytes:
    """Return eight-bit pixels, row by row, as a PNG file (PNG specification, sections 5 and 11)."""
    step = WIDTH * channels
    rows = b"".join(b"\0" + pixels[at : at + step] for at in range(0, len(pixels), step))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0 if channels == 1 else 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
