"""HQ's end of the links: offices arrive, are judged by a gate, and stay on the switchboard while they are connected."""

import asyncio
import contextlib
import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, HqAway, ProtocolBroken
from econnector.base.registration import checked_key
from econnector.base.version import version
from econnector.link.answering import Answering
from econnector.link.arrivals import Arrivals, network
from econnector.link.carrier import AcceptedCarrier, CarrierClosedError
from econnector.link.failing import unexpected
from econnector.link.guard import lift
from econnector.link.handshake import Limits, RefusedError, greet, turn_away
from econnector.link.link import Link
from econnector.link.outcasts import Outcasts
from econnector.link.switchboard import Switchboard
from econnector.wire.allowance import Allowance
from econnector.wire.call import Answers
from econnector.wire.events import Arrived, GoingAway
from econnector.wire.messages import Welcome
from econnector.wire.session import Session

__all__ = ["Admission", "Arrival", "Gate", "Gateway", "LinkInfo"]

log = structlog.get_logger(__name__)

_USUAL_PORTS = {"ws": ":80", "wss": ":443"}
_LAST_WORDS = 5.0
_STREAMS = 32
"""Calls that HQ answers at a time per office, which has little to ask: what they hold is memory of all offices."""
_ASKS_PER_SECOND, _ASKS_AT_ONCE = 5.0, 100.0
"""What a connector may ask of HQ; one that works as it should asks a few times a minute."""
_AGAIN = 5.0
"""Seconds after which somebody turned away for lack of room, or of the registry, shall try again."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who stands at the door; that they hold the key pair is proven already."""

    public_key: bytes
    install_id: str
    machine: str
    version: str
    low: int
    high: int
    registration_key: str | None
    """Plain form, well-formed; None when this installation says that it is enrolled."""
    address: str
    """Of the other end of the connection."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The gate's yes. A registry may use a subclass that knows more."""

    office: str
    """The office's name at HQ."""
    epoch: int
    """Grows whenever another installation takes over; what was admitted under a lower one is closed."""
    title: str


class Gate(Protocol):
    """Decides who may come in."""

    async def admit(self, arrival: Arrival) -> Admission:
        """Return the admission.

        Raises `KeyUnknown`, `KeyInactive`, `OwnedElsewhere` or another `Failure`, which the office's machine shows.
        """

    async def retire(self, admission: Admission, reason: str) -> None:
        """Note that the link is over; `reason` is one of `Ended.code`. A newer one may be open already."""


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """One live link, for HQ's own pages."""

    admission: Admission
    machine: str
    version: str
    address: str
    protocol: int
    since: dt.datetime
    in_flight: int
    leaving: bool


@dataclass(slots=True, eq=False)
class _Guest:
    admission: Admission
    arrival: Arrival
    link: Link
    departure: asyncio.Task[Any]
    """Ends when the link is over and the registry knows it."""

    def info(self) -> LinkInfo:
        return LinkInfo(
            admission=self.admission,
            machine=self.arrival.machine,
            version=self.arrival.version,
            address=self.arrival.address,
            protocol=self.link.protocol,
            since=self.link.since,
            in_flight=self.link.in_flight,
            leaving=self.link.leaving,
        )


class Gateway:
    """Takes offices in, and holds their links while they last."""

    def __init__(  # noqa: PLR0913 - what HQ puts together once
        self,
        gate: Gate,
        switchboard: Switchboard,
        answers_for: Callable[[Admission], Answers],
        *,
        name: str | None = None,
        limits: Limits | None = None,
        half_open: int = 1024,
        clock: Clock = SYSTEM,
    ) -> None:
        """Set up.

        `answers_for` gives what HQ answers to an office. `name` is the host (and port, unless it is the usual one)
        under which offices dial HQ; without it the Host header of their request is taken, which a balancer in front
        must then leave as it is. At most `half_open` arrivals are heard at a time (see `Arrivals`): each
        holds its place for two round trips, so that half of 1,024 at half a second are a thousand a second.
        """
        self._gate, self._switchboard, self._answers_for = gate, switchboard, answers_for
        self._name, self._limits, self._clock = name, limits or Limits(streams=_STREAMS), clock
        self._arrivals, self._outcasts = Arrivals(half_open), Outcasts()
        self._guests: set[_Guest] = set()
        self._closed = False

    @property
    def count(self) -> int:
        """How many links are live."""
        return len(self._guests)

    def links(self) -> list[LinkInfo]:
        """Return every live link."""
        return [guest.info() for guest in self._guests]

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one WebSocket until its link is over: the end point of the `/link` route. Raises nothing."""
        met = None
        async with self._arrivals.turn(network(_address(websocket))) as heard:
            if not heard or self._closed:
                await _send_away(websocket, self._arrivals.again())
                return
            try:
                await websocket.accept()
            except (WebSocketDisconnect, RuntimeError, OSError):
                return
            carrier = AcceptedCarrier(websocket)
            met = await self._meet(carrier, websocket)
            if met is None:
                await _hang_up(carrier)
        if met is not None:
            lift(websocket)
            await self._host(carrier, *met)

    async def drain(self, spread: float, grace: float = 30.0) -> None:
        """Send every office elsewhere: one by one over `spread` seconds, in random order; take in no new one.

        An office is told when its turn comes, finds another node at once and is asked here until it has. Links that
        are left after `grace` more seconds are closed.
        """
        self._closed = True
        guests = list(self._guests)
        random.shuffle(guests)
        for guest in guests:
            guest.link.ask_to_leave("this node of HQ is going to stop")
            await asyncio.sleep(spread / len(guests))
        departures = {guest.departure for guest in guests}
        if departures:
            await asyncio.wait(departures, timeout=grace)
            await asyncio.gather(*(guest.link.close("stopping", "this node of HQ stops") for guest in self._guests))
            await asyncio.wait(departures, timeout=_LAST_WORDS)

    # -- arrival -----------------------------------------------------------------------------------------------

    async def _meet(self, carrier: AcceptedCarrier, websocket: WebSocket) -> tuple[Session, Arrival, Admission] | None:
        try:
            session, arrived = await greet(carrier, self._name or _host(websocket), self._limits, self._clock)
        except (Failure, RefusedError, CarrierClosedError, TimeoutError) as error:
            log.info("an arrival did not introduce itself", why=str(error) or "too slow", address=_address(websocket))
            return None
        try:
            arrival = _arrival(arrived, _address(websocket))
            pause = self._outcasts.pause(arrival.public_key, self._clock.monotonic())
            if pause:
                failure = ProtocolBroken(reason="this connector has broken the link's rules again and again")
                await turn_away(carrier, session, failure, pause)
                return None
            return session, arrival, await self._gate.admit(arrival)
        except Failure as failure:
            log.info("an office was not admitted", code=failure.code, machine=arrived.hello.machine)
            await turn_away(carrier, session, failure, _AGAIN if failure.retry else 0.0)
        except Exception as error:  # noqa: BLE001 - a broken gate must not look like a broken link
            unexpected(error, "arrival", "")
            await turn_away(carrier, session, HqAway(url=self._name or "", reason="HQ met a fault"), _AGAIN)
        return None

    async def _host(self, carrier: AcceptedCarrier, session: Session, arrival: Arrival, admission: Admission) -> None:
        allowance = Allowance(_ASKS_PER_SECOND, _ASKS_AT_ONCE)
        answering = Answering(self._answers_for(admission), allowance=allowance, asker=admission.office)
        link = Link(carrier, session, answering, clock=self._clock)
        guest = _Guest(admission, arrival, link, cast("asyncio.Task[Any]", asyncio.current_task()))
        link.on_goaway = lambda event: self._leaves(guest, event)
        session.welcome(self._welcome(session, admission), self._clock.monotonic())
        reason = "closed"
        try:
            await self._switchboard.attach(admission.office, admission.epoch, link)
            self._guests.add(guest)
            reason = (await link.run()).code
        except Failure as failure:
            await link.close(failure.code, failure.office_text())
            reason = failure.code
        finally:
            self._guests.discard(guest)
            if reason == ProtocolBroken.code:
                self._outcasts.broke(arrival.public_key, self._clock.monotonic())
            await self._depart(admission, link, reason)

    async def _depart(self, admission: Admission, link: Link, reason: str) -> None:
        try:
            await self._switchboard.detach(admission.office, link)
            await self._gate.retire(admission, reason)
        except Failure as failure:
            log.warning("a departure could not be noted", office=admission.office, code=failure.code)

    def _welcome(self, session: Session, admission: Admission) -> Welcome:
        return Welcome(
            protocol=session.protocol,
            office=admission.office,
            title=admission.title,
            epoch=admission.epoch,
            version=version(),
            streams=self._limits.streams,
            window=self._limits.window,
        )

    def _leaves(self, guest: _Guest, event: GoingAway) -> None:
        """The office is about to stop: ask it nothing more, and close when everything is answered."""
        log.info("an office is going away", office=guest.admission.office, reason=event.goaway.reason)
        guest.link.retire("closed", event.goaway.reason)


def _arrival(arrived: Arrived, address: str) -> Arrival:
    hello = arrived.hello
    key = arrived.proof.registration_key
    return Arrival(
        public_key=hello.public_key,
        install_id=hello.install,
        machine=hello.machine,
        version=hello.version,
        low=hello.low,
        high=hello.high,
        registration_key=checked_key(key) if key else None,
        address=address,
    )


def _host(websocket: WebSocket) -> str:
    return websocket.headers.get("host", "").lower().removesuffix(_USUAL_PORTS.get(websocket.url.scheme, ""))


async def _send_away(websocket: WebSocket, seconds: float) -> None:
    head = [(b"retry-after", b"%d" % round(seconds)), (b"content-length", b"0")]
    with contextlib.suppress(RuntimeError, OSError):
        await websocket.send({"type": "websocket.http.response.start", "status": 503, "headers": head})
        await websocket.send({"type": "websocket.http.response.body", "body": b""})


async def _hang_up(carrier: AcceptedCarrier) -> None:
    # Whoever does not read what is said to them is not waited for.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS):
            await carrier.close(1000, "not admitted")


def _address(websocket: WebSocket) -> str:
    return websocket.client.host if websocket.client else ""
