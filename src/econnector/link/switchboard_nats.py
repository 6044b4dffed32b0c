"""A switchboard for several HQ processes: each office has a subject, to which the node that has its link listens.

Because the NATS server knows who listens, a call to an office without a link fails at once. When an office's link
moves from one node to another, the new node claims the subject; the old one lets go of its link, and passes on what
still reaches it until the new one listens: no call is lost in between.
"""

import asyncio
import contextlib
import re
from collections.abc import Coroutine, Iterator
from typing import Any
from weakref import WeakValueDictionary

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import OfficeUnreachable, OwnedElsewhere, SwitchboardAway
from econnector.base.ids import new_id
from econnector.link.admission import Bounds, Shares
from econnector.link.asking import LineAsker
from econnector.link.claims import Claim, Whereabouts, encode, read_claim
from econnector.link.line import Handle, Line, Sink
from econnector.link.relay import Asking, Serving
from econnector.link.switchboard import Attached, Holdings
from econnector.wire.call import Asker

__all__ = ["NatsSwitchboard"]

log = structlog.get_logger(__name__)

_PLAIN = re.compile(r"[a-z0-9_-]{1,100}")
_PAYLOAD = 900 * 1024
"""Bytes that one NATS message may grow to; a packet that is longer travels alone (servers allow 1 MiB)."""
_START_SECONDS = 4.0
_CLAIM_SECONDS = 2.0
_OVERLAP_SECONDS = 1.0
"""How long a node goes on passing calls to the node that claimed the office."""
_LOOK = 0.5
_STOOD_STILL = 1.0
"""Seconds that such a pause lasts too long when this process stood still: what came meanwhile is read first."""
_NO_RESPONDERS = "503"


class _Line:
    """The way to an office that may be connected to another node."""

    __slots__ = ("_office", "_switchboard", "loop")

    def __init__(self, switchboard: "NatsSwitchboard", office: str) -> None:
        self._switchboard, self._office = switchboard, office
        self.loop = asyncio.get_running_loop()

    def start(self, request: bytes, sink: Sink) -> Handle:
        return self._switchboard.relay(self._office, request, sink)


class NatsSwitchboard:
    """The links of several processes, joined by a NATS server."""

    def __init__(
        self, url: str, *, prefix: str = "econnector", bounds: Bounds | None = None, clock: Clock = SYSTEM
    ) -> None:
        """`url` such as `nats://127.0.0.1:4222` (several: comma-separated); `prefix` keeps two systems apart."""
        self._url, self._prefix, self._clock = url, prefix, clock
        self._server = url.rpartition("@")[2]
        self._node = new_id()
        self._nats: Client | None = None
        self._holdings = Holdings()
        self.shares = Shares(self._way, bounds)
        self._since: dict[str, float] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._door: Subscription | None = None
        self._yielded: dict[str, str] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._whereabouts = Whereabouts(clock)
        self._outbox: dict[tuple[str, str], list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: asyncio.Task[None] | None = None
        self._last_error = ""
        self._asking = Asking(self._post, f"{prefix}.node.{self._node}", clock)
        self._serving = Serving(self._post, f"{prefix}.to.{self._node}.-")

    # -- life --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Connect. Raises `SwitchboardAway`; later losses of the connection heal by themselves."""
        self._nats = client = Client()
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._connect(client)
        except (NatsError, OSError, TimeoutError, ValueError) as error:
            await client.close()
            reason = self._last_error or str(error) or "no answer"
            raise SwitchboardAway(server=self._server, reason=reason) from None
        await self._listen(f"{self._prefix}.node.{self._node}.*", self._on_answer)
        self._door = await self._listen(f"{self._prefix}.to.{self._node}.*", self._on_asked)
        await self._listen(f"{self._prefix}.claims", self._on_claim_again)
        await self._listen(f"{self._prefix}.where", self._on_where)
        await self._settled()
        self._go(self._look())

    async def _connect(self, client: Client) -> None:
        # Everything said outright: the library's defaults give up after two minutes and log a traceback per try.
        await client.connect(
            self._url.split(","),
            name="econnector",
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            connect_timeout=2,
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=5,
            max_outstanding_pings=2,
        )

    async def close(self) -> None:
        """Leave. What still comes for offices that have moved is passed on; what goes through other nodes fails."""
        for task in list(self._tasks):
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLAIM_SECONDS):
                await asyncio.gather(*map(self._unlisten, list(self._subscriptions)))
                await _drained(self._door)
                await self._settled()
        self._asking.lose_all("this node of HQ stops")
        self._serving.stop_streams()
        if self._nats is not None:
            await self._nats.close()

    # -- the switchboard ---------------------------------------------------------------------------------------

    @property
    def joined(self) -> bool:
        """Whether the NATS server can be reached now."""
        return self._nats is not None and self._nats.is_connected

    def office(self, name: str) -> Asker:
        """Return whom to ask for the office."""
        return LineAsker(lambda: self.line(name))

    async def attach(self, office: str, epoch: int, link: Attached) -> None:
        """Route the office's calls to `link`, from whatever node. Raises `OwnedElsewhere` for an older epoch."""
        lock = self._locks.setdefault(office, asyncio.Lock())
        async with lock:
            self._holdings.put(office, epoch, link)
            self._since[office] = self._clock.now().timestamp()
            new = office not in self._subscriptions or office in self._yielded
            if new:
                await self._claim_for(office, link)
            self._yielded.pop(office, None)
            if office not in self._subscriptions:
                self._subscriptions[office] = await self._listen(self._subject(office), self._on_asked, queue="link")
                await self._settled()
            if new:
                await self._claim_again(office)

    async def detach(self, office: str, link: Attached) -> None:
        """Route no more calls to `link`."""
        if self._holdings.drop(office, link):
            await self._unlisten(office)
            await self._settled()

    def line(self, name: str) -> Line:
        """Return the way to the office's link, here or at whatever node has it."""
        return self.shares.line(name)

    def _way(self, name: str) -> Line:
        # What is connected here needs no bus.
        return self._holdings.find(name) or _Line(self, name)

    def relay(self, office: str, request: bytes, sink: Sink) -> Handle:
        """Ask the node that has the office's link. Raises `OfficeUnreachable` when nobody can be asked."""
        if not self.joined or self._whereabouts.silent(office):
            raise OfficeUnreachable(office=office)
        node = self._whereabouts.node(office)
        subject = f"{self._prefix}.to.{node}.{_token(office)}" if node else self._subject(office)
        return self._asking.start(office, subject, request, sink)

    def _subject(self, office: str) -> str:
        return f"{self._prefix}.office.{_token(office)}"

    # -- who has the link --------------------------------------------------------------------------------------

    async def _claim_for(self, office: str, link: Attached) -> None:
        try:
            await self._claim(office)
        except OwnedElsewhere:
            self._holdings.drop(office, link)
            raise

    async def _claim(self, office: str) -> None:
        """Tell the node that has the office until now, and wait until it has let go. Raises `OwnedElsewhere`."""
        if self._nats is None or not self.joined:
            return  # said to all when the bus is back
        try:
            claim = encode(self._own_claim(office))
            answer = await self._nats.request(self._subject(office), claim, timeout=_CLAIM_SECONDS)
        except NatsError:
            return  # nobody has it, or somebody who does not answer any more
        if answer.data == b"no":
            raise OwnedElsewhere(machine="another machine", since="?", here="?")

    def _give_way(self, claim: Claim) -> bool:
        """Let go of an office for a younger link; False when ours is the younger one."""
        office = claim.office
        if self._holdings.find(office) is not None:
            ours = self._own_claim(office)
            if not ours.older_than(claim):
                return False
            self._holdings.yield_to(office, claim.epoch)
        if office in self._subscriptions:
            self._yielded[office] = claim.node
            self._go(self._stop_passing_on(office, claim.node))
        return True

    async def _stop_passing_on(self, office: str, node: str) -> None:
        await asyncio.sleep(_OVERLAP_SECONDS)
        if self._yielded.get(office) == node:
            await self._unlisten(office)

    async def _on_claim_again(self, message: Msg) -> None:
        """After a broken bus two nodes may have an office's link: the younger one keeps it."""
        claim = read_claim(message.data)
        if claim is None or claim.node == self._node:
            return
        self._whereabouts.hear(claim)
        if self._holdings.find(claim.office) is not None and not self._give_way(claim):
            await self._claim_again(claim.office)

    async def _on_where(self, message: Msg) -> None:
        await self._claim_again(message.data.decode(errors="replace"))

    async def _claim_again(self, office: str) -> None:
        if self._holdings.find(office) is None:
            return
        await self._publish(f"{self._prefix}.claims", encode(self._own_claim(office)), "")

    def _own_claim(self, office: str) -> Claim:
        return Claim(office, self._holdings.epoch(office), self._since.get(office, 0.0), self._node)

    # -- what comes in -----------------------------------------------------------------------------------------

    async def _on_answer(self, message: Msg) -> None:
        headers = message.headers
        if headers is not None and headers.get("Status") == _NO_RESPONDERS:
            gone = self._asking.nobody(message.subject)
        else:
            gone = self._asking.hear(message.data, message.reply)
        for office in gone:
            self._whereabouts.forget(office)

    async def _on_asked(self, message: Msg) -> None:
        """Take what an office is asked, later packets of what runs here, and what another node passes on."""
        office = _office_of(message.subject)
        node = self._yielded.get(office)
        if node is None:
            await self._take(message, office)
        else:
            token = message.subject.rpartition(".")[2]
            await self._publish(f"{self._prefix}.to.{node}.{token}", message.data, message.reply)

    async def _take(self, message: Msg, office: str) -> None:
        if message.data[:1] == b"\0":
            asker = message.reply.rpartition(".")[0] + ".-"
            here = self._holdings.find(office) is not None
            self._serving.hear(message.data, asker, self.shares.line(office) if here else None, office)
        elif (claim := read_claim(message.data)) is not None:
            gives_way = claim.node == self._node or self._give_way(claim)
            await self._publish(message.reply, b"yes" if gives_way else b"no", "")

    # -- what goes out -----------------------------------------------------------------------------------------

    def _post(self, subject: str, reply: str, packet: bytes) -> None:
        self._outbox.setdefault((subject, reply), []).append(packet)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._outbox:
                outbox, self._outbox = self._outbox, {}
                self._asking.next_turn()
                for (subject, reply), packets in outbox.items():
                    for payload in _payloads(packets):
                        await self._publish(subject, payload, reply)
        finally:
            self._writer = None

    async def _publish(self, subject: str, payload: bytes, reply: str) -> None:
        # While the bus is away everything is dropped: what waits for an answer has failed already.
        if self._nats is not None and self.joined:
            try:
                await self._nats.publish(subject, payload, reply=reply)
            except (NatsError, OSError) as error:
                log.warning("a message between HQ's nodes was not sent", kind=type(error).__name__)

    # -- the bus -----------------------------------------------------------------------------------------------

    async def _listen(self, subject: str, heard: Any, queue: str = "") -> Subscription:
        if self._nats is None:
            raise SwitchboardAway(server=self._server, reason="not started")
        # Credit bounds what may wait here; the library's own bounds would drop messages.
        return await self._nats.subscribe(subject, queue=queue, cb=heard, pending_msgs_limit=0, pending_bytes_limit=0)

    async def _unlisten(self, office: str) -> None:
        if self._holdings.find(office) is None:
            self._since.pop(office, None)
        await _drained(self._subscriptions.pop(office, None))
        if office not in self._subscriptions:
            self._yielded.pop(office, None)

    async def _settled(self) -> None:
        """Return once the server has done what it was told so far.

        The library's own flush does not say that: its ping overtakes what waits to be sent. A question to nobody is
        sent in order, and refused at once.
        """
        if self._nats is not None and self.joined:
            with contextlib.suppress(NatsError, OSError):
                await self._nats.request(f"{self._prefix}.nobody", timeout=_CLAIM_SECONDS)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(_LOOK)
            if loop.time() - before < _LOOK + _STOOD_STILL:
                for office in self._asking.look():
                    self._whereabouts.doubt(office)
                    await self._publish(f"{self._prefix}.where", office.encode(), "")

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _on_error(self, error: Exception) -> None:
        kind = type(error).__name__
        if kind != self._last_error.partition(":")[0]:
            log.warning("the bus between HQ's nodes met an error", kind=kind)
        self._last_error = f"{kind}: {error}"

    async def _on_disconnected(self) -> None:
        self._asking.lose_all("the connection between HQ's nodes broke")
        self._serving.stop_streams()

    async def _on_reconnected(self) -> None:
        self._last_error = ""
        self._whereabouts.clear()  # what was said meanwhile is missed
        log.info("the bus between HQ's nodes is back", offices=len(self._holdings.offices()))
        for office in self._holdings.offices():
            await self._claim_again(office)


async def _drained(subscription: Subscription | None) -> None:
    """End a subscription. What is under way to us is still passed on, or told that the office is not here."""
    if subscription is not None:
        with contextlib.suppress(NatsError):  # the bus is away or closed, and the subscription with it
            await subscription.drain()  # type: ignore[no-untyped-call]


def _token(office: str) -> str:
    return office if _PLAIN.fullmatch(office) else f"={office.encode().hex()}"


def _office_of(subject: str) -> str:
    token = subject.rpartition(".")[2]
    return bytes.fromhex(token[1:]).decode() if token[:1] == "=" else token


def _payloads(packets: list[bytes]) -> Iterator[bytes]:
    """Join packets to as few messages as the server's limit allows."""
    held: list[bytes] = []
    size = 0
    for packet in packets:
        if held and size + len(packet) > _PAYLOAD:
            yield b"".join(held)
            held, size = [], 0
        held.append(packet)
        size += len(packet)
    if held:
        yield held[0] if len(held) == 1 else b"".join(held)
