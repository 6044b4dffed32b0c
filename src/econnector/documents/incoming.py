"""Files that patients send: pictures and PDFs by their content, and none that harms whoever opens it.

Nothing is decoded further than needed: of a picture its width and height, of a PDF how large its streams become and
whether it carries a program or other files. What looks like both a picture and something else is what its first bytes
say, and is served as nothing else.
"""

import base64
import re
import struct
import zlib

import msgspec

__all__ = ["Kind", "Refused", "judge", "recognise", "tidy_name"]

MOST_PIXELS = 120_000_000
"""Of a picture: more than any scanner or telephone makes of a page."""
MOST_STREAM, MOST_STREAMS = 256 * 1024 * 1024, 1024 * 1024 * 1024
"""Bytes that one stream of a PDF may become, and all of them."""
_LONGEST_NAME = 100
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)
"""Windows opens these, whatever their ending, and no file."""
_BLOCK = 256 * 1024
_MOST_ENTRIES = 100_000
"""In the directories of a TIFF: a page has twenty."""
_MOST_DEPTH = 500
"""Of brackets in an object of a PDF; readers take one stack frame for each."""
_MOST_COUNT = 20_000
"""Streams in a PDF."""
_FIRST = 4096
"""Bytes that are tried first: of most streams it is enough to see that they are none."""
_HEAD = 4096
"""Bytes before a PDF's stream in which its description is looked for."""
_HEADER = 26


class Kind(msgspec.Struct, frozen=True):
    """What a file is."""

    media_type: str
    extension: str


class Refused(Exception):  # noqa: N818 - the caller makes a failure of it
    """The file is not taken; `rule` says why in a stable word: empty, type, bomb, active, locked."""

    def __init__(self, rule: str) -> None:
        """Keep the rule."""
        super().__init__(rule)
        self.rule = rule


_PDF = Kind("application/pdf", "pdf")
_PNG, _JPEG, _GIF = Kind("image/png", "png"), Kind("image/jpeg", "jpg"), Kind("image/gif", "gif")
_BMP, _TIFF = Kind("image/bmp", "bmp"), Kind("image/tiff", "tif")
_STARTS = (
    (b"%PDF-", _PDF),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"\xff\xd8\xff", _JPEG),
    (b"GIF87a", _GIF),
    (b"GIF89a", _GIF),
    (b"BM", _BMP),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
)


def recognise(content: bytes) -> Kind:
    """Return what a file says that it is by its first bytes. Raises `Refused`."""
    if not content:
        raise Refused("empty")
    kind = next((kind for start, kind in _STARTS if content.startswith(start)), None)
    if kind is None:
        raise Refused("type")
    return kind


def judge(content: bytes) -> Kind:
    """Return what the file is. Raises `Refused`. Takes up to seconds for a large PDF: call it in a thread."""
    kind = recognise(content)
    if kind is _PDF:
        _judge_pdf(content)
        return kind
    width, height = _SIZES[kind.extension](content)
    if width <= 0 or height <= 0:
        raise Refused("type")
    if width * height > MOST_PIXELS:
        raise Refused("bomb")
    return kind


def tidy_name(name: str, kind: Kind) -> str:
    """Return a file's name as it may be shown and stored anywhere, with the ending that its content has."""
    last = re.split(r"[\\/]", name)[-1]
    kept = re.sub(r"[^\w .()+,-]", "", last, flags=re.UNICODE)
    kept = "".join(letter for letter in kept if ord(letter) <= 0xFFFF)  # noqa: PLR2004 - what Open Dental's columns hold
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", kept).strip(" .")
    stem = f"_{stem}" if _DEVICE.match(stem) else stem
    return f"{stem[:_LONGEST_NAME].strip(' .') or 'file'}.{kind.extension}"


# -- pictures ----------------------------------------------------------------------------------------------------------


def _png(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR" or len(content) < _HEADER:
        return 0, 0
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def _gif(content: bytes) -> tuple[int, int]:
    return int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little")


def _bmp(content: bytes) -> tuple[int, int]:
    if len(content) < _HEADER:
        return 0, 0
    width, height = struct.unpack("<ii", content[18:26])
    return abs(width), abs(height)


def _jpeg(content: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header, which holds the size."""
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:  # noqa: PLR2004 - every marker begins with it
        marker = content[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - filling
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:  # noqa: PLR2004 - the frame headers
            return int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(content[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0, 0


def _tiff(content: bytes) -> tuple[int, int]:
    """Read width and height (tags 256 and 257) from every page's directory; return the largest page."""
    order = "little" if content.startswith(b"II") else "big"
    largest, at, seen, entries = (0, 0), int.from_bytes(content[4:8], order), set[int](), 0  # type: ignore[arg-type]
    while at and at not in seen and at + 2 <= len(content):
        seen.add(at)
        count = int.from_bytes(content[at : at + 2], order)  # type: ignore[arg-type]
        entries += count + 1
        if entries > _MOST_ENTRIES:  # directories that lie over each other can be millions
            raise Refused("bomb")
        tags = dict(_entry(content[start : start + 12], order) for start in range(at + 2, at + 2 + 12 * count, 12))
        page = tags.get(256, 0), tags.get(257, 0)
        largest = max(largest, page, key=lambda one: one[0] * one[1])
        after = at + 2 + 12 * count
        at = int.from_bytes(content[after : after + 4], order)  # type: ignore[arg-type]
    return largest


def _entry(entry: bytes, order: str) -> tuple[int, int]:
    short = entry[2:4] == (b"\3\0" if order == "little" else b"\0\3")
    value = entry[8:10] if short else entry[8:12]
    return int.from_bytes(entry[:2], order), int.from_bytes(value, order)  # type: ignore[arg-type]


_SIZES = {"png": _png, "gif": _gif, "bmp": _bmp, "jpg": _jpeg, "tif": _tiff}


# -- PDF ---------------------------------------------------------------------------------------------------------------

# Without `/JS`: no program runs by it alone, and a scan's packed megabytes have it in them by chance.
_ACTIVE = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|Rendition|XFA)\b")
_NAME_CODE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream\r?\n")
_BRACKET = re.compile(rb"\[|\]|<<|>>")
_OBJECTS = re.compile(rb"/(?:ObjStm|First)\b")
"""What a stream has that holds objects: readers go by the second even where the first is missing."""
_LOCKED = re.compile(rb"/Encrypt\b")
_LZW = re.compile(rb"/LZW")
_LZW_TIMES = 1400
"""What LZW can make of a byte at most."""
_BASE_85, _HEX = re.compile(rb"/(?:ASCII85Decode|A85)\b"), re.compile(rb"/(?:ASCIIHexDecode|AHx)\b")
_BLANK = b" \t\n\r\v\f\0"
_DEFLATE, _CHECK = 8, 31
"""RFC 1950: the method in the first byte's lower half, and what both bytes are a multiple of."""


def _judge_pdf(content: bytes) -> None:
    """Look for programs and enclosed files, in the open and in packed objects, and unpack everything within bounds."""
    locked = _LOCKED.search(_plain(content)) is not None
    _refuse_active(content)
    for start in range(0, len(content), _BLOCK):
        _refuse_deep(content[start : start + _BLOCK])
    left, letters = MOST_STREAMS, 4 * len(content)
    for count, found in enumerate(_STREAM.finditer(content)):
        # What is written before it describes it, and perhaps its neighbours: a text in it can pretend that it ends.
        head = _plain(content[max(0, found.start() - _HEAD) : found.start()])
        objects = _OBJECTS.search(head) is not None
        if locked and objects:
            raise Refused("locked")
        data, at, read = content, found.end(), 0
        if _BASE_85.search(head) or _HEX.search(head):
            data, at, read = _spelled(content, at)
            letters -= read
        left -= _unpacked(data, at, min(MOST_STREAM, left), looked_into=objects)
        if _LZW.search(head):
            left -= _written(content, found.end()) * _LZW_TIMES
        if min(left, letters) <= 0 or count > _MOST_COUNT:
            raise Refused("bomb")


def _written(content: bytes, start: int) -> int:
    """Return how many bytes a stream has in the file; one without an end goes on to the file's, as for readers."""
    end = content.find(b"endstream", start)
    return (len(content) if end < 0 else end) - start


def _spelled(content: bytes, start: int) -> tuple[bytes, int, int]:
    """Return the bytes of a stream that may be written in letters, where they begin, and how many letters were read."""
    seen = 0
    for read, end in ((_base_85, b"~>"), (_hex, b">")):
        ends = content.find(end, start)
        ends = len(content) if ends < 0 else ends
        seen += ends - start
        try:
            found = read(content[start:ends])
        except ValueError:
            continue
        if _is_packed(found, 0):
            return found, 0, seen
    return content, start, seen


def _base_85(written: bytes) -> bytes:
    return base64.a85decode(written, ignorechars=_BLANK)


def _hex(written: bytes) -> bytes:
    return bytes.fromhex(written.translate(None, _BLANK).decode("ascii"))


def _is_packed(content: bytes, at: int) -> bool:
    head = content[at : at + 2]
    return len(head) > 1 and head[0] & 0xF == _DEFLATE and int.from_bytes(head, "big") % _CHECK == 0


def _is_packed_again(made: bytes) -> bool:
    try:
        return _is_packed(made, 0) and len(zlib.decompressobj().decompress(made, _BLOCK)) > _FIRST
    except zlib.error:
        return False


def _unpacked(content: bytes, start: int, most: int, *, looked_into: bool) -> int:
    """Return how many bytes a packed stream becomes. Raises `Refused` above `most`, or for what an object has in it."""
    if not _is_packed(content, start):
        return 0
    unpacker, size, tail = zlib.decompressobj(), 0, b""
    block = content[start : start + _FIRST]
    at = start + len(block)
    try:
        while block:
            made = unpacker.decompress(block, _BLOCK)
            # Packed twice: nobody does that but to hide how much it becomes.
            size += len(made)
            if size > most or (size == len(made) and _is_packed_again(made)):
                raise Refused("bomb")
            if looked_into:
                _refuse_active(tail + made)
                _refuse_deep(tail + made)
                tail = made[-64:]
            block = unpacker.unconsumed_tail
            if not block and not unpacker.eof:
                block = content[at : at + _BLOCK]
                at += len(block)
            if unpacker.eof:
                break
    except zlib.error:
        pass  # damaged, or encrypted: what cannot be unpacked here does not grow
    return size


def _refuse_active(text: bytes) -> None:
    # A name may be written with codes (`/J#61vaScript`): read both ways.
    if _ACTIVE.search(text) or (b"#" in text and _ACTIVE.search(_plain(text))):
        raise Refused("active")


def _refuse_deep(text: bytes) -> None:
    """Refuse more brackets in each other than a reader bears."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in {b"[", b"<<"} else max(depth - 1, 0)
        if depth > _MOST_DEPTH:
            raise Refused("bomb")


def _plain(text: bytes) -> bytes:
    return _NAME_CODE.sub(lambda code: bytes([int(code[1], 16)]), text) if b"#" in text else text
