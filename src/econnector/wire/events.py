"""What a session tells its owner."""

from typing import NamedTuple

from econnector.wire.messages import Challenge, Fault, Goaway, Hello, Proof, Request, Welcome

__all__ = [
    "Answered",
    "Arrived",
    "Cancelled",
    "Challenged",
    "Chunk",
    "Closed",
    "Credited",
    "Ended",
    "Event",
    "Failed",
    "GoingAway",
    "Incoming",
    "Opened",
    "Refused",
]


class Challenged(NamedTuple):
    """Dialler: sign and call `prove`."""

    challenge: Challenge
    protocol: int


class Arrived(NamedTuple):
    """Acceptor: check the signature and call `welcome` or `refuse`."""

    hello: Hello
    proof: Proof
    protocol: int


class Opened(NamedTuple):
    """Dialler: the link is open."""

    welcome: Welcome


class Refused(NamedTuple):
    """Dialler: the acceptor does not let us in; the session is closed."""

    fault: Fault


class Incoming(NamedTuple):
    """They ask something: answer with `respond` or `fail`."""

    stream: int
    request: Request


class Answered(NamedTuple):
    """The result of our call; `more` says that bytes follow."""

    stream: int
    body: bytes
    more: bool


class Chunk(NamedTuple):
    """Bytes of our call's answer; give them back as `credit` once they are used up."""

    stream: int
    data: bytes


class Ended(NamedTuple):
    """The bytes of our call's answer are complete."""

    stream: int


class Failed(NamedTuple):
    """Our call failed on the other side."""

    stream: int
    fault: Fault


class Credited(NamedTuple):
    """We may send more bytes of our answer."""

    stream: int


class Cancelled(NamedTuple):
    """They gave up their call: stop working on it; nothing more may be sent."""

    stream: int


class GoingAway(NamedTuple):
    """They are draining: open a new link, ask nothing more on this one."""

    goaway: Goaway


class Closed(NamedTuple):
    """The session is over; everything in flight failed."""

    code: str
    """`closed` (they said so), `protocol-broken`, `silent` (nothing heard), `handshake-timeout`."""
    reason: str
    ours: bool
    """Whether this side found the reason."""


Event = (
    Challenged
    | Arrived
    | Opened
    | Refused
    | Incoming
    | Answered
    | Chunk
    | Ended
    | Failed
    | Credited
    | Cancelled
    | GoingAway
    | Closed
)
