"""WebSocket frames as links use them: a binary message in one frame (RFC 6455, section 5.2).

The library's parser takes a dozen steps of generators per frame. Here a whole binary frame is one look at its header,
and everything else (control frames, text, fragments, whatever breaks the rules) is left to the library, which sees a
frame as a whole or the rest of the connection.
"""

import os
import struct
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # its own choice between C and Python

__all__ = ["FrameReader", "Owner", "frame"]

_BINARY = 0x82
"""FIN, and the opcode of binary data."""
_CLOSE, _CONTROL, _OPCODES_OF_CONTROL = 0x88, 0x88, 0x07
"""FIN and the opcode; those of control are eight and up. After CLOSE everything is the library's."""
_MASKED = 0x80
_SHORTEST, _KEY, _LONGEST_CONTROL = 2, 4, 132
"""Bytes of a frame's shortest head, of its mask, and of a whole control frame."""
_TWO, _EIGHT = 126, 127
"""How the length is told: in two bytes more, in eight."""
_TWO_BYTES, _EIGHT_BYTES = struct.Struct(">H"), struct.Struct(">Q")
_SHORT_HEAD, _LONG_HEAD = struct.Struct(">BBH"), struct.Struct(">BBQ")
_KEYS = 4096
"""Random bytes that are taken from the system at a time, for masks of four."""


class _Masks:
    """Masks, unpredictable as section 5.3 wants them, for less than a system call each."""

    __slots__ = ("_at", "_random")

    def __init__(self) -> None:
        self._random, self._at = b"", 0

    def next(self) -> bytes:
        if self._at >= len(self._random):
            self._random, self._at = os.urandom(_KEYS), 0
        self._at += 4
        return self._random[self._at - 4 : self._at]


_masks = _Masks()


def frame(data: bytes, *, masked: bool) -> bytes:
    """Return one message as one frame; clients mask theirs."""
    size, bit = len(data), _MASKED if masked else 0
    if size < _TWO:
        head = bytes((_BINARY, bit | size))
    elif size < 1 << 16:
        head = _SHORT_HEAD.pack(_BINARY, bit | _TWO, size)
    else:
        head = _LONG_HEAD.pack(_BINARY, bit | _EIGHT, size)
    if not masked:
        return head + data
    mask = _masks.next()
    return b"".join((head, mask, apply_mask(data, mask)))


class Owner(Protocol):
    """A connection."""

    def library_takes(self, data: bytes) -> bool:
        """Give bytes to the library: a whole control frame, or all the rest. Return whether more may come."""


class FrameReader:
    """Takes bytes in any pieces from the first frame on; gives messages."""

    __slots__ = ("_bit", "_held", "_needed", "_owner", "heard", "passing")

    def __init__(self, owner: Owner, *, masked: bool) -> None:
        """`owner` gives the library what is the library's; `masked` says whether they are a client."""
        self._owner = owner
        self.heard: Callable[[bytes], Any] | None = None
        """Who gets the messages; kept here for the owner."""
        self._bit = _MASKED if masked else 0
        self._held: bytearray | None = None
        self._needed = 0
        self.passing = False
        """Whether everything goes to the library from now on."""

    def feed(self, data: bytes, limit: int) -> Iterator[bytes]:
        """Yield the messages that are complete now, none longer than `limit` bytes; holds no more than one."""
        if self.passing:
            self._owner.library_takes(data)
            return
        piece: bytes | bytearray = data
        if self._held is not None:
            self._held += data
            if len(self._held) < self._needed:
                return
            piece, self._held = self._held, None
        at, size = 0, len(piece)
        while at < size and not self.passing:
            start, length = self._head(piece, at, size)
            end = start + length
            if end > size and (length <= limit or start > size):
                self._needed, self._held = end - at, bytearray(memoryview(piece)[at:])
                return
            if piece[at] == _BINARY and piece[at + 1] & _MASKED == self._bit and length <= limit:
                yield self._payload(piece, start, end)
            else:
                end = self._pass_on(piece, at, end)
            at = end

    def _head(self, piece: bytes | bytearray, at: int, size: int) -> tuple[int, int]:
        """Return where the payload of the frame at `at` begins, and its length: as far as its head is there."""
        if size - at < _SHORTEST:
            return at + _SHORTEST, 0
        start, length = at + _SHORTEST, piece[at + 1] & ~_MASKED
        if length >= _TWO:
            told = _TWO_BYTES if length == _TWO else _EIGHT_BYTES
            start += told.size
            length = told.unpack_from(piece, start - told.size)[0] if start <= size else 0
        return (start + _KEY if piece[at + 1] & _MASKED else start), length

    def _payload(self, piece: bytes | bytearray, start: int, end: int) -> bytes:
        if self._bit:
            return apply_mask(memoryview(piece)[start:end], piece[start - _KEY : start])
        return bytes(memoryview(piece)[start:end])

    def _pass_on(self, piece: bytes | bytearray, at: int, end: int) -> int:
        """Give the library one control frame, or everything from here on; return where it ends."""
        control = piece[at] & ~_OPCODES_OF_CONTROL == _CONTROL and piece[at] != _CLOSE and end - at < _LONGEST_CONTROL
        if not control:
            end = len(piece)
        if self._owner.library_takes(bytes(memoryview(piece)[at:end])) and control:
            return end
        self.passing = True
        return len(piece)
