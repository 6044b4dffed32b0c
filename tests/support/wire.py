"""Two sessions joined by hand, and the walks that bring a session into any state."""

import msgspec

from econnector.wire.events import Event
from econnector.wire.liveness import Pace
from econnector.wire.messages import Challenge, Hello, Request, Welcome
from econnector.wire.session import Session

HELLO = Hello(1, 1, "0.1.0", "0" * 32, "FRONTDESK", b"k" * 32)
CHALLENGE = Challenge(1, 1, "0.1.0", b"n" * 32)


def request(call: str = "portal.home", size: int = 10) -> bytes:
    """The body of a REQUEST whose params are `size` bytes."""
    params = msgspec.Raw(msgspec.msgpack.encode(b"p" * size))
    return msgspec.msgpack.encode(Request(call, 5.0, "AAAA-BBBB", params))


class Pair:
    """A dialler and an acceptor; `pump` carries bytes, `step` bytes at a time (0: as they are)."""

    def __init__(self, hello: Hello = HELLO, challenge: Challenge = CHALLENGE, pace: Pace | None = None) -> None:
        self.now = 100.0
        self.dialler = Session(msgspec.structs.replace(hello), self.now, pace=pace)
        self.acceptor = Session(msgspec.structs.replace(challenge), self.now, pace=pace)

    def carry(self, sender: Session, receiver: Session, step: int = 0) -> list[Event]:
        events: list[Event] = []
        while data := sender.outgoing():
            for at in range(0, len(data), step or len(data)):
                events += receiver.receive(data[at : at + (step or len(data))], self.now)
        return events

    def pump(self, step: int = 0) -> tuple[list[Event], list[Event]]:
        """Carry until nothing waits; return what the dialler and the acceptor were told."""
        told: tuple[list[Event], list[Event]] = ([], [])
        while self.dialler.has_outgoing or self.acceptor.has_outgoing:
            told[1].extend(self.carry(self.dialler, self.acceptor, step))
            told[0].extend(self.carry(self.acceptor, self.dialler, step))
        return told

    def shake(self) -> "Pair":
        """Bring both ends to OPEN."""
        self.pump()
        self.dialler.prove(b"s" * 64)
        self.pump()
        self.acceptor.welcome(Welcome(self.acceptor.protocol, "smile", "Smile Dental", 1, "0.1.0"), self.now)
        self.pump()
        return self
