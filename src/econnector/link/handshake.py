"""The first words on a carrier, from both ends: who dials proves who it is, who accepts says yes or why not."""

import asyncio
import contextlib
import datetime as dt
import secrets
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from econnector.base.clock import Clock
from econnector.base.errors import Failure, HqNamedOtherwise, ProtocolBroken, failure_from
from econnector.base.version import version
from econnector.link.carrier import Carrier, CarrierClosedError
from econnector.link.failing import fault_of
from econnector.link.identity import Claim, Identity, Install
from econnector.wire.events import Arrived, Challenged, Closed, Event, Opened, Refused
from econnector.wire.liveness import Pace
from econnector.wire.messages import NEWEST, OLDEST, Challenge, Hello, Welcome
from econnector.wire.rules import State
from econnector.wire.session import Session

__all__ = ["Credentials", "Dialled", "Limits", "RefusedError", "dial", "greet", "turn_away"]

E = TypeVar("E", bound=Event)

_NONCE = 32
_LAST_WORD = 5.0


class Limits(msgspec.Struct, frozen=True):
    """What one end of a link allows, and how long it waits."""

    streams: int = 256
    """Calls that it answers at a time."""
    window: int = 256 * 1024
    """Bytes of a streamed answer that may be under way to it, per call, at first: enough for a near line, little
    enough that small calls do not wait behind them. The reader lets it grow on a line that is long."""
    pace: Pace = Pace()
    low: int = OLDEST
    """Lowest protocol number that it speaks."""
    high: int = NEWEST
    """Highest protocol number that it speaks."""


class RefusedError(Exception):
    """HQ answered, and does not let this connector in."""

    def __init__(self, failure: Failure, retry_after: float) -> None:
        """`retry_after`: seconds that HQ asks to wait, 0 when it did not say."""
        super().__init__(failure.code)
        self.failure, self.retry_after = failure, retry_after


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the office's end shows at the door."""

    identity: Identity
    install: Install
    hq: str
    """HQ's name as it was dialled; part of what is signed."""
    registration_key: str = ""
    """Plain form; only at enrolment."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """A link that HQ has opened for us."""

    session: Session
    welcome: Welcome
    ahead: float
    """Seconds by which our clock is ahead of HQ's."""
    rest: list[Event]
    """What HQ said in the same breath as its welcome."""


async def dial(carrier: Carrier, credentials: Credentials, limits: Limits, clock: Clock) -> Dialled:
    """Introduce this office.

    Raises `RefusedError`, `HqNamedOtherwise`, `ProtocolBroken`, `CarrierClosedError`, `TimeoutError`.
    """
    install, identity = credentials.install, credentials.identity
    hello = Hello(
        limits.low,
        limits.high,
        install.version,
        install.install_id,
        install.machine,
        identity.public_key,
        limits.streams,
        limits.window,
    )
    session = Session(hello, clock.monotonic(), pace=limits.pace)
    async with asyncio.timeout(limits.pace.handshake):
        challenged, _ = await _expect(Challenged, carrier, session, clock)
        called = challenged.challenge.name
        if called and called.lower() != credentials.hq.lower():
            raise HqNamedOtherwise(dialled=credentials.hq, name=called)
        ahead = _ahead(challenged.challenge.clock, clock)
        signature = identity.sign(_claim(credentials.hq, challenged.challenge.nonce, hello))
        session.prove(signature, credentials.registration_key)
        opened, rest = await _expect(Opened, carrier, session, clock)
    return Dialled(session, opened.welcome, ahead, rest)


async def greet(carrier: Carrier, hq: str, limits: Limits, clock: Clock) -> tuple[Session, Arrived]:
    """Hear who arrives, as far as it is proven; the caller then opens the session or turns them away.

    Raises `ProtocolBroken` (the session has had its last word), `CarrierClosedError`, `TimeoutError`.
    """
    now = clock.now().isoformat(timespec="milliseconds")
    challenge = Challenge(limits.low, limits.high, version(), secrets.token_bytes(_NONCE), now, hq)
    session = Session(challenge, clock.monotonic(), pace=limits.pace, streams=limits.streams, window=limits.window)
    async with asyncio.timeout(limits.pace.handshake):
        arrived, _ = await _expect(Arrived, carrier, session, clock)
    if not _claim(hq, challenge.nonce, arrived.hello).signed_by(arrived.proof.signature):
        failure = ProtocolBroken(reason="the signature does not fit what was said")
        await turn_away(carrier, session, failure)
        raise failure
    return session, arrived


async def turn_away(carrier: Carrier, session: Session, failure: Failure, retry_after: float = 0.0) -> None:
    """Say why not. Never raises for a carrier that is gone, nor waits long for one that does not read."""
    if session.state in (State.AWAIT_PROOF, State.JUDGING):
        session.refuse(msgspec.structs.replace(fault_of(failure), retry_after=retry_after))
    with contextlib.suppress(CarrierClosedError, TimeoutError):
        async with asyncio.timeout(_LAST_WORD):
            await _flush(carrier, session)


def _claim(hq: str, nonce: bytes, hello: Hello) -> Claim:
    return Claim(
        hq=hq,
        nonce=nonce,
        install_id=hello.install,
        machine=hello.machine,
        version=hello.version,
        low=hello.low,
        high=hello.high,
        public_key=hello.public_key,
    )


def _ahead(theirs: str, clock: Clock) -> float:
    try:
        return (clock.now() - dt.datetime.fromisoformat(theirs)).total_seconds()
    except (ValueError, TypeError):
        return 0.0  # HQ did not say, or not in a way that can be compared


async def _expect(kind: type[E], carrier: Carrier, session: Session, clock: Clock) -> tuple[E, list[Event]]:
    events: list[Event] = []
    while not events:
        await _flush(carrier, session)
        events = session.receive(await carrier.receive(), clock.monotonic())
    event = events[0]
    if isinstance(event, kind):
        return event, events[1:]
    await _flush(carrier, session)
    if isinstance(event, Refused):
        fault = event.fault
        raise RefusedError(failure_from(fault.code, fault.reference, fault.facts), fault.retry_after)
    raise ProtocolBroken(reason=event.reason if isinstance(event, Closed) else "a word out of turn")


async def _flush(carrier: Carrier, session: Session) -> None:
    while data := session.outgoing():
        await carrier.send(data)
