"""What is said over the pipes to the process that sends mail: MessagePack behind its length."""

import struct
from typing import BinaryIO, TypeVar

import msgspec

from econnector.mail.letter import Account, Letter

__all__ = ["HEAD", "MOST_BYTES", "Answer", "Request", "decode", "encode", "read"]

HEAD = struct.Struct(">I")
MOST_BYTES = 64 * 1024 * 1024

T = TypeVar("T", bound=msgspec.Struct)


class Request(msgspec.Struct):
    """Send this letter through this account."""

    number: int
    account: Account
    letter: Letter
    seconds: float


class Answer(msgspec.Struct):
    """It was accepted (`code` is empty), or which failure it met."""

    number: int
    code: str = ""
    reference: str = ""
    facts: dict[str, str] = {}


def encode(message: msgspec.Struct) -> bytes:
    """Return a message as it goes through the pipe."""
    body = msgspec.msgpack.encode(message)
    return HEAD.pack(len(body)) + body


def decode(body: bytes, kind: type[T]) -> T:
    """Return the message of a body. Raises ValueError."""
    return msgspec.msgpack.decode(body, type=kind)


def read(stream: BinaryIO, kind: type[T]) -> T | None:
    """Return the next message; None once the other side has gone. Blocking. Raises ValueError."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    (length,) = HEAD.unpack(head)
    if length > MOST_BYTES:
        raise ValueError("longer than a mail can be")
    body = stream.read(length)
    return decode(body, kind) if len(body) == length else None
