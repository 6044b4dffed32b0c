"""One link's rules, without a socket or a clock: bytes in, events out; words in, bytes out; time passed in.

The owner asks three things: `receive(data, now)` → events; `outgoing()` → bytes for one WebSocket message;
`next_deadline()` → when to call `tick(now)`. Nothing that the other side sends raises: it breaks a rule and gets CLOSE,
and the owner gets `Closed`. Raising (`WrongStateError`) is for the owner's own mistakes.
"""

from collections.abc import Callable
from typing import ClassVar

from econnector.wire.allowance import Allowance
from econnector.wire.codec import Decoder, Packet, ProtocolError, body_of, pack
from econnector.wire.events import Arrived, Challenged, Closed, Event, GoingAway, Opened, Refused
from econnector.wire.liveness import Liveness, Pace
from econnector.wire.messages import (
    Challenge,
    Close,
    Fault,
    Goaway,
    Hello,
    Kind,
    Ping,
    Proof,
    Welcome,
    common_protocol,
)
from econnector.wire.outbox import Outbox
from econnector.wire.rules import CONNECTION, MAY_SAY, State
from econnector.wire.streams import CHUNK, Streams, WrongStateError

__all__ = ["CHUNK", "Session", "WrongStateError"]

_URGENT_HELD = 1024
_WORDS_PER_SECOND, _WORDS_AT_ONCE = 1000.0, 1024.0
"""Packets that the other side may send of its own accord: nothing else bounds them, and each costs all links time."""
_COSTS = {int(Kind.CANCEL): 1 / 4, int(Kind.CREDIT): 1 / 16, int(Kind.DATA): 1 / 16}
"""Who gives up many calls, or has much to read, has reason to; DATA counts only when it is a crumb."""
_CRUMB_SIZE = 512

_FREE = frozenset(map(int, (Kind.RESPONSE, Kind.END, Kind.FAIL)))
"""What answers one of our calls needs no such bound."""
_FREE_TO_OFFICES = _FREE | {int(Kind.REQUEST)}
"""HQ may ask an office as fast as it likes; an office has little to ask of HQ."""


class Session:
    """One end of a link.

    `streams` says how many of their calls this side answers at a time, `window` with how many bytes of credit each
    stream of bytes towards it starts.
    """

    __slots__ = (
        "_decoder",
        "_events",
        "_free",
        "_liveness",
        "_outbox",
        "_spoken",
        "_stamp",
        "_streams",
        "_their_hello",
        "_words",
        "draining",
        "protocol",
        "state",
    )

    def __init__(
        self,
        words: Hello | Challenge,
        now: float,
        *,
        pace: Pace | None = None,
        streams: int = 256,
        window: int = 1 << 20,
    ) -> None:
        """Dial with a `Hello`, whose streams and window count; accept with a `Challenge` that has a fresh nonce."""
        self._words = words
        self._their_hello: Hello | None = None
        dialling = isinstance(words, Hello)
        if isinstance(words, Hello):
            streams, window = words.streams, words.window
        self.protocol = 0
        self.draining = False
        self._stamp = 0
        self._spoken, self._free = Allowance(_WORDS_PER_SECOND, _WORDS_AT_ONCE), _FREE_TO_OFFICES if dialling else _FREE
        self._events: list[Event] = []
        self._outbox = Outbox()
        self._liveness = Liveness(pace or Pace(), now)
        self._streams = Streams(self._outbox, self._liveness, first=1 if dialling else 2, limit=streams, window=window)
        self.state = State.AWAIT_CHALLENGE if dialling else State.AWAIT_HELLO
        self._decoder = Decoder(MAY_SAY[self.state])
        if dialling:
            self._outbox.urgent(pack(Kind.HELLO, 0, words))

    # -- in and out --------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes, in any pieces; return what they mean."""
        if self.closed:
            return []
        events: list[Event] = []
        self._events = events
        if data:
            self._liveness.heard(now)
        some = False
        try:
            for packet in self._decoder.feed(data):
                some = True
                self._take(packet, now)
                if self.closed:
                    break
            if not some and len(data) <= _CRUMB_SIZE:
                self._spend(1.0, now)  # nobody who speaks as they should cuts packets so small
        except ProtocolError as error:
            self._finish("protocol-broken", str(error))
        return events

    def outgoing(self) -> bytes:
        """Return what should leave now, as one WebSocket message; empty when nothing waits."""
        return self._outbox.take()

    @property
    def closed(self) -> bool:
        """Whether the session is over; `outgoing` may still hold its last word."""
        return self.state is State.CLOSED

    @property
    def has_outgoing(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._outbox)

    def next_deadline(self) -> float | None:
        """Return when to call `tick`; None when the session is over."""
        return None if self.closed else self._liveness.next_deadline()

    def tick(self, now: float) -> list[Event]:
        """Note that time has passed; return what it means."""
        if self.closed:
            return []
        events: list[Event] = []
        self._events = events
        verdict = self._liveness.tick(now)
        if verdict == "ping":
            self._stamp = (self._stamp + 1) % 2**32
            self._outbox.urgent(pack(Kind.PING, 0, Ping(self._stamp)))
        elif verdict == "dead" and self._liveness.opened:
            self._finish("silent", "nothing was heard from the other side")
        elif verdict == "dead":
            self._finish("handshake-timeout", "the handshake was not finished in time")
        return events

    # -- handshake ---------------------------------------------------------------------------------------------

    def prove(self, signature: bytes, registration_key: str = "") -> None:
        """Dialler, after `Challenged`: send the signed transcript."""
        self._expect(State.PROVING)
        self._outbox.urgent(pack(Kind.PROOF, 0, Proof(signature, registration_key)))
        self._enter(State.AWAIT_WELCOME)

    def welcome(self, welcome: Welcome, now: float) -> None:
        """Acceptor, after `Arrived`: open the link; streams and window are this session's."""
        self._expect(State.JUDGING)
        welcome.streams, welcome.window = self._streams.limit, self._streams.window
        self._outbox.urgent(pack(Kind.WELCOME, 0, welcome))
        self.protocol = welcome.protocol
        if self._their_hello is not None:
            self._streams.learn(self._their_hello.streams, self._their_hello.window)
        self._open(now)

    def refuse(self, fault: Fault) -> None:
        """Acceptor, at any time before the link is open: say why not, and end the session."""
        if self.state not in (State.AWAIT_PROOF, State.JUDGING):
            raise WrongStateError(f"refuse in {self.state.name}")
        self._outbox.urgent(pack(Kind.REFUSE, 0, fault))
        self._enter(State.CLOSED)

    # -- calls -------------------------------------------------------------------------------------------------

    @property
    def may_open(self) -> bool:
        """Whether a call may be opened now."""
        streams = self._streams
        return self.state is State.OPEN and not self.draining and streams.ours < streams.their_limit

    @property
    def in_flight(self) -> int:
        """Calls in flight, both directions."""
        return self._streams.ours + self._streams.theirs

    def open(self, request: bytes, now: float) -> int:
        """Send an encoded `Request`; return its stream. Raises `WrongStateError` unless `may_open`."""
        if not self.may_open:
            raise WrongStateError("no call may be opened now")
        return self._streams.open(request, now)

    def respond(self, stream: int, body: bytes, *, more: bool = False) -> bool:
        """Answer their call with an encoded result (at most 1 MiB); False when they gave it up."""
        return self.state is State.OPEN and self._streams.respond(stream, body, more=more)

    def room(self, stream: int) -> int:
        """Return how many bytes `data` takes now (0: wait for `Credited` or for sending); -1 when the call is over."""
        return self._streams.room(stream) if self.state is State.OPEN else -1

    def data(self, stream: int, chunk: bytes | memoryview) -> bool:
        """Send bytes of an answer, at most `room(stream)` of them; False when they gave it up."""
        return self.state is State.OPEN and self._streams.data(stream, chunk)

    def end(self, stream: int) -> bool:
        """Say that the answer's bytes are complete; False when they gave the call up."""
        return self.state is State.OPEN and self._streams.end(stream)

    def fail(self, stream: int, fault: Fault) -> bool:
        """Answer their call with a failure, before or amid the bytes; False when they gave it up."""
        return self.state is State.OPEN and self._streams.fail(stream, fault)

    def credit(self, stream: int, size: int) -> bool:
        """Give back `size` bytes of credit after using them up; False when the call is over."""
        return self.state is State.OPEN and self._streams.credit(stream, size)

    def cancel(self, stream: int) -> bool:
        """Give up a call of ours: nothing more of it is told; False when it is over already."""
        return self.state is State.OPEN and self._streams.cancel(stream)

    # -- the end -----------------------------------------------------------------------------------------------

    def goaway(self, reason: str, spread_ms: int = 0, *, asking: bool = False) -> None:
        """Ask for no new calls, and open none ourselves unless `asking`; those in flight go on."""
        self._expect(State.OPEN)
        self.draining = self.draining or not asking
        self._outbox.urgent(pack(Kind.GOAWAY, 0, Goaway(reason, spread_ms)))

    def close(self, code: str, reason: str = "") -> None:
        """End the session at once; what waits to be sent is dropped but for this last word."""
        if not self.closed:
            self._outbox.clear()
            self._outbox.urgent(pack(Kind.CLOSE, 0, Close(code, reason[:500])))
            self._enter(State.CLOSED)

    def _finish(self, code: str, reason: str) -> None:
        self.close(code, reason)
        self._events.append(Closed(code, reason, ours=True))

    # -- rules -------------------------------------------------------------------------------------------------

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise WrongStateError(f"not while {self.state.name}")

    def _enter(self, state: State) -> None:
        self.state = state
        self._decoder.allowed = MAY_SAY[state]

    def _open(self, now: float) -> None:
        self._liveness.open(now)
        self._enter(State.OPEN)

    def _take(self, packet: Packet, now: float) -> None:
        meaning = CONNECTION.get((self.state, packet.kind))
        if packet.kind not in self._free:
            self._count(packet, now)
        if meaning == "stream":
            self._streams.receive(packet, self._events.append)
            return
        if meaning is None:
            raise ProtocolError(f"{Kind(packet.kind).name} is not allowed now")
        if packet.stream:
            raise ProtocolError(f"{Kind(packet.kind).name} belongs to the link, not to a call")
        self._MEANINGS[meaning](self, packet, now)

    def _count(self, packet: Packet, now: float) -> None:
        """Bound what the other side says of its own accord, such as calls that it gives up as soon as it made them."""
        if packet.kind == Kind.DATA and len(packet.body) > _CRUMB_SIZE:
            return
        self._spend(_COSTS.get(packet.kind, 1.0), now)

    def _spend(self, cost: float, now: float) -> None:
        if not self._spoken.takes(now, cost):
            raise ProtocolError("more small packets than anybody needs")

    def _on_hello(self, packet: Packet, now: float) -> None:  # noqa: ARG002 - all meanings look alike
        hello = body_of(Hello, packet)
        self.protocol = common_protocol((self._words.low, self._words.high), (hello.low, hello.high))
        self._their_hello = hello
        self._enter(State.AWAIT_PROOF)
        if self.protocol:
            self._outbox.urgent(pack(Kind.CHALLENGE, 0, self._words))
            return
        facts = {"ours": f"{hello.low} to {hello.high}", "theirs": f"{self._words.low} to {self._words.high}"}
        self.refuse(Fault("protocol-versions", facts=facts))
        self._events.append(Closed("protocol-versions", "no protocol number in common", ours=True))

    def _on_challenge(self, packet: Packet, now: float) -> None:  # noqa: ARG002
        challenge = body_of(Challenge, packet)
        self.protocol = common_protocol((self._words.low, self._words.high), (challenge.low, challenge.high))
        if not self.protocol:
            raise ProtocolError("a challenge without a protocol number in common")
        self._enter(State.PROVING)
        self._events.append(Challenged(challenge, self.protocol))

    def _on_proof(self, packet: Packet, now: float) -> None:  # noqa: ARG002
        proof = body_of(Proof, packet)
        self._enter(State.JUDGING)
        if self._their_hello is None:
            raise ProtocolError("a proof without a hello")
        self._events.append(Arrived(self._their_hello, proof, self.protocol))

    def _on_welcome(self, packet: Packet, now: float) -> None:
        welcome = body_of(Welcome, packet)
        if welcome.protocol != self.protocol:
            raise ProtocolError("a welcome under another protocol number")
        self._streams.learn(welcome.streams, welcome.window)
        self._open(now)
        self._events.append(Opened(welcome))

    def _on_refuse(self, packet: Packet, now: float) -> None:  # noqa: ARG002
        fault = body_of(Fault, packet)
        self._enter(State.CLOSED)
        self._events.append(Refused(fault))

    def _on_ping(self, packet: Packet, now: float) -> None:  # noqa: ARG002
        stamp = body_of(Ping, packet)
        if self._outbox.urgent_count >= _URGENT_HELD:
            raise ProtocolError("pings faster than they can be answered")
        self._outbox.urgent(pack(Kind.PONG, 0, stamp))

    def _on_pong(self, packet: Packet, now: float) -> None:  # noqa: ARG002
        body_of(Ping, packet)

    def _on_goaway(self, packet: Packet, now: float) -> None:  # noqa: ARG002
        self.draining = True
        self._events.append(GoingAway(body_of(Goaway, packet)))

    def _on_close(self, packet: Packet, now: float) -> None:  # noqa: ARG002
        close = body_of(Close, packet)
        self._enter(State.CLOSED)
        self._outbox.clear()
        self._events.append(Closed(close.code, close.reason, ours=False))

    _MEANINGS: ClassVar[dict[str, Callable[["Session", Packet, float], None]]] = {
        "hello": _on_hello,
        "challenge": _on_challenge,
        "proof": _on_proof,
        "welcome": _on_welcome,
        "refuse": _on_refuse,
        "ping": _on_ping,
        "pong": _on_pong,
        "goaway": _on_goaway,
        "close": _on_close,
    }
