"""A link's own WebSocket frames, held against the library's."""

import itertools
import random

import pytest
from websockets.frames import Frame, Opcode

from econnector.link.frames import FrameReader, frame

LIMIT = 300_000
SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)


class Reader:
    """A reader, and what the library would have got."""

    def __init__(self, *, masked: bool) -> None:
        self.others: list[bytes] = []
        self.fine = True
        self.frames = FrameReader(self, masked=masked)

    def library_takes(self, data: bytes) -> bool:
        self.others.append(data)
        return self.fine

    def feed(self, data: bytes, *cuts: int) -> list[bytes]:
        places = [0, *sorted(cuts), len(data)]
        pieces = [data[one:other] for one, other in itertools.pairwise(places)]
        return [message for piece in pieces for message in self.frames.feed(piece, LIMIT)]


def library(opcode: Opcode, data: bytes, *, masked: bool, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=masked)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_what_we_write_the_library_would_have_written(size: int, masked: bool) -> None:
    data = random.Random(size).randbytes(size)
    ours, theirs = frame(data, masked=masked), library(Opcode.BINARY, data, masked=masked)
    if masked:
        assert len(ours) == len(theirs)
        assert Reader(masked=True).feed(ours) == Reader(masked=True).feed(theirs) == [data]
    else:
        assert ours == theirs


def test_masks_are_not_repeated() -> None:
    assert len({frame(b"", masked=True) for _ in range(3000)}) > 2990


@pytest.mark.parametrize("masked", [False, True])
def test_bytes_come_in_any_pieces(masked: bool) -> None:
    some = random.Random(7)
    messages = [some.randbytes(size) for size in (*SIZES, 3, 0, 5)]
    ping = library(Opcode.PING, b"still there?", masked=masked)
    stream = b"".join(library(Opcode.BINARY, one, masked=masked) + ping for one in messages)
    for _ in range(30):
        reader = Reader(masked=masked)
        assert reader.feed(stream, *(some.randrange(len(stream)) for _ in range(some.randrange(60)))) == messages
        assert reader.others == [ping] * len(messages)
    short = b"".join(library(Opcode.BINARY, one, masked=masked) + ping for one in (b"a", b"", b"x" * 300))
    reader = Reader(masked=masked)
    assert reader.feed(short, *range(len(short))) == [b"a", b"", b"x" * 300]
    assert reader.others == [ping] * 3


@pytest.mark.parametrize(
    "odd",
    [
        library(Opcode.TEXT, b"hello", masked=True),
        library(Opcode.BINARY, b"a part", masked=True, fin=False),
        library(Opcode.CONT, b"the rest", masked=True),
        library(Opcode.CLOSE, b"\x03\xe8", masked=True),
        library(Opcode.BINARY, b"not masked", masked=False),
        library(Opcode.BINARY, bytes(LIMIT + 1), masked=True)[:20],
        b"\xc2\x80aaaa",  # a reserved bit
        b"\x83\x80aaaa",  # no such opcode
        b"\x89\xfe\x00\x80aaaa" + bytes(128),  # a ping that is too long
        b"\x09\x80aaaa",  # half a ping
    ],
    ids=["text", "part", "rest", "close", "unmasked", "long", "reserved", "unknown", "long-ping", "half-a-ping"],
)
def test_what_is_no_plain_message_is_the_librarys_from_there_on(odd: bytes) -> None:
    good = library(Opcode.BINARY, b"good", masked=True)
    reader = Reader(masked=True)
    assert reader.feed(good + odd + good) == [b"good"]
    assert b"".join(reader.others) == odd + good
    assert reader.feed(good) == []
    assert b"".join(reader.others) == odd + good + good


def test_nothing_is_heard_after_a_frame_in_which_the_library_finds_fault() -> None:
    reader = Reader(masked=True)
    reader.fine = False
    good, bad = library(Opcode.BINARY, b"good", masked=True), b"\x8b\x80aaaa"  # control, but of no known kind
    assert reader.feed(good + bad + good) == [b"good"]
    assert reader.feed(good) == []


def test_no_more_than_a_message_is_held() -> None:
    reader = Reader(masked=True)
    whole = library(Opcode.BINARY, bytes(LIMIT), masked=True)
    for at in range(0, len(whole) - 10, 10_000):
        assert reader.feed(whole[at : at + 10_000][: len(whole) - 10 - at]) == []
    assert reader.frames._held is not None
    assert len(reader.frames._held) < LIMIT + 14
    assert reader.feed(whole[-10:]) == [bytes(LIMIT)]
    assert reader.frames._held is None
