"""The messages of a link: what each packet's body holds, how long it may be, and the version rules.

A packet on the wire (all numbers big-endian)::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-------------------------------+-------------------------------+
    |                      length of the body                       |
    +---------------+---------------+-------------------------------+
    |     kind      |     flags     |        reserved, zero         |
    +---------------+---------------+-------------------------------+
    |                  stream (0: the link itself)                  |
    +---------------------------------------------------------------+
    |  body: MessagePack array of the Struct below, or raw bytes    |
    +---------------------------------------------------------------+

Bodies are arrays, so a newer side may append fields: an older one ignores what it does not know, and every field
appended later has a default. `docs/protocol.md` has the same picture with the version rules.
"""

from enum import IntEnum

import msgspec

__all__ = [
    "CEILING",
    "MORE",
    "NEWEST",
    "OLDEST",
    "Challenge",
    "Close",
    "Credit",
    "End",
    "Fault",
    "Goaway",
    "Hello",
    "Kind",
    "Ping",
    "Proof",
    "Request",
    "Welcome",
    "common_protocol",
]

OLDEST = 1
"""The oldest protocol number this software speaks."""
NEWEST = 1
"""The newest. Number 1: everything in this file."""

MORE = 1
"""Flag of RESPONSE: bytes follow the result."""

_KIB = 1024


class Kind(IntEnum):
    """What a packet is."""

    HELLO = 1
    CHALLENGE = 2
    PROOF = 3
    WELCOME = 4
    REFUSE = 5
    REQUEST = 16
    RESPONSE = 17
    DATA = 18
    END = 19
    FAIL = 20
    CREDIT = 21
    CANCEL = 22
    PING = 32
    PONG = 33
    GOAWAY = 34
    CLOSE = 35


CEILING: dict[int, int] = {
    Kind.HELLO: 4 * _KIB,
    Kind.CHALLENGE: 4 * _KIB,
    Kind.PROOF: 4 * _KIB,
    Kind.WELCOME: 16 * _KIB,
    Kind.REFUSE: 16 * _KIB,
    Kind.REQUEST: 1024 * _KIB,
    Kind.RESPONSE: 1024 * _KIB,
    Kind.DATA: 64 * _KIB,
    Kind.END: 64,
    Kind.FAIL: 16 * _KIB,
    Kind.CREDIT: 16,
    Kind.CANCEL: 0,
    Kind.PING: 16,
    Kind.PONG: 16,
    Kind.GOAWAY: 4 * _KIB,
    Kind.CLOSE: 4 * _KIB,
}
"""The longest body of each kind, in bytes. Longer ones, and unknown kinds, close the link."""


class Message(msgspec.Struct, array_like=True):
    """A body that is a MessagePack array."""


class Hello(Message):
    """The dialler's first word: who it is and which protocol numbers it speaks."""

    low: int
    high: int
    version: str
    """Of the software; said on both sides, decides nothing."""
    install: str
    """The id of this installation: 32 hexadecimal characters."""
    machine: str
    public_key: bytes
    """Ed25519, 32 bytes."""
    streams: int = 256
    """How many calls at a time it will answer."""
    window: int = 1024 * _KIB
    """Credit that every stream of bytes towards it starts with."""


class Challenge(Message):
    """The acceptor's answer: sign this nonce."""

    low: int
    high: int
    version: str
    nonce: bytes
    """32 random bytes."""
    clock: str = ""
    """The acceptor's time, ISO 8601 UTC."""
    name: str = ""
    """What the acceptor is called and must be dialled as: tells a wrong address from an attack."""


class Proof(Message):
    """The signed transcript; at enrolment with the registration key."""

    signature: bytes
    registration_key: str = ""


class Welcome(Message):
    """The link is open."""

    protocol: int
    office: str
    title: str
    epoch: int
    """Grows with every change of owner or link; a lower one than the last seen is refused by the dialler."""
    version: str
    streams: int = 256
    window: int = 1024 * _KIB


class Fault(Message):
    """A failure as it crosses a link: its code, its reference and its public facts (REFUSE and FAIL)."""

    code: str
    reference: str = ""
    facts: dict[str, str] = {}
    retry_after: float = 0.0
    """Seconds that the other side should wait; 0 leaves it to its own back-off."""


class Request(Message):
    """One call."""

    call: str
    remaining: float
    """Seconds left for it."""
    reference: str
    params: msgspec.Raw
    key: str = ""
    """Idempotency key, on calls that change something."""


class End(Message):
    """The bytes are complete."""

    size: int
    """How many there were: a stream that lost some is an error, not a short file."""


class Credit(Message):
    """The receiver took this many bytes; as many more may be sent."""

    size: int


class Ping(Message):
    """Are you there? PONG returns the same number."""

    stamp: int


class Goaway(Message):
    """No new calls on this link; those in flight are finished."""

    reason: str
    spread_ms: int = 0
    """Reconnect at a random time within this many milliseconds."""


class Close(Message):
    """The last word before the transport is closed."""

    code: str
    reason: str = ""


def common_protocol(ours: tuple[int, int], theirs: tuple[int, int]) -> int:
    """Return the highest protocol number in both ranges, or 0 when there is none."""
    best = min(ours[1], theirs[1])
    return best if best >= max(ours[0], theirs[0]) else 0
