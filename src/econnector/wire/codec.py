"""Packets to bytes and back, whatever pieces the bytes come in."""

import struct
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec

from econnector.wire.messages import CEILING, MORE, Kind, Message

__all__ = ["HEADER_SIZE", "Decoder", "Packet", "ProtocolError", "body_of", "pack"]

_HEADER = struct.Struct(">IBBHI")
HEADER_SIZE = _HEADER.size
_encode = msgspec.msgpack.Encoder().encode

M = TypeVar("M", bound=Message)


class ProtocolError(Exception):
    """The other side broke a rule; the text says which, without repeating what was sent."""


class Packet(NamedTuple):
    """One packet."""

    kind: int
    flags: int
    stream: int
    body: bytes


def pack(kind: int, stream: int, body: bytes | memoryview | Message = b"", flags: int = 0) -> bytes:
    """Return one packet as bytes."""
    raw = _encode(body) if isinstance(body, Message) else body
    return _HEADER.pack(len(raw), kind, flags, 0, stream) + raw


_decoders: dict[type[Message], msgspec.msgpack.Decoder[Message]] = {}


def body_of(kind: type[M], packet: Packet) -> M:
    """Return the packet's body as a message. Raises `ProtocolError` if it is not one."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        return decoder.decode(packet.body)  # type: ignore[return-value]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's own text may repeat what was sent, so it stays out of the reason.
        raise ProtocolError(f"the body of {Kind(packet.kind).name} cannot be read") from None


def _has_flag(kind: int, flags: int) -> bool:
    return kind == Kind.RESPONSE and flags == MORE


class Decoder:
    """Takes bytes in any pieces, gives whole packets; holds at most one packet's ceiling and one piece."""

    __slots__ = ("_held", "_needed", "allowed")

    def __init__(self, allowed: frozenset[int]) -> None:
        """Let only packets of the `allowed` kinds in; the set may be replaced between packets."""
        self.allowed = allowed
        self._held: bytearray | None = None
        self._needed = 0

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that are complete now.

        Raises `ProtocolError` at the header of a packet that is unknown, not allowed or too long, before its body is
        waited for: that is what keeps memory bounded.
        """
        if self._held is not None:
            # Appending, not joining: a packet that comes a byte at a time must not cost its square.
            self._held += data
            if len(self._held) < self._needed:
                return
            data, self._held = bytes(self._held), None
        at, size, self._needed = 0, len(data), HEADER_SIZE
        while size - at >= HEADER_SIZE:
            length, kind, flags, reserved, stream = _HEADER.unpack_from(data, at)
            if kind not in self.allowed or length > CEILING[kind] or reserved or (flags and not _has_flag(kind, flags)):
                raise ProtocolError(self._why(kind, length))
            end = at + HEADER_SIZE + length
            if end > size:
                self._needed = end - at
                break
            yield Packet(kind, flags, stream, data[at + HEADER_SIZE : end])
            at, self._needed = end, HEADER_SIZE
        if at < size:
            self._held = bytearray(data[at:])

    def _why(self, kind: int, length: int) -> str:
        if kind not in CEILING:
            return f"packets of kind {kind} are unknown"
        name = Kind(kind).name
        if kind not in self.allowed:
            return f"{name} is not allowed now"
        if length > CEILING[kind]:
            return f"{name} of {length} bytes is longer than {CEILING[kind]}"
        return f"{name} has flags or reserved bits that mean nothing"
