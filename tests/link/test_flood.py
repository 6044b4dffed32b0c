"""An office that is let in and then asks without end, or HQ that asks for the impossible: bounds hold on both ends."""

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame
from websockets.server import ServerProtocol

from econnector.base.errors import OfficeTooSlow, RegistryAway
from econnector.link import accept, arrivals, guard
from econnector.link.accept import Admission, Arrival
from econnector.link.arrivals import network
from econnector.link.calls import ECHO, Echo
from econnector.link.carrier import CarrierClosedError
from econnector.link.dial import Dialler
from econnector.link.guard import STRANGERS_MESSAGE, GuardedProtocol
from econnector.link.handshake import Limits
from econnector.link.jobs import Jobs
from econnector.link.loopback import Pair, pair
from econnector.link.state import Status
from econnector.wire.call import Answers, Asked, Call, Streamed
from econnector.wire.codec import pack
from econnector.wire.messages import Fault, Kind, Ping, Request
from tests.link.practice import FILE, SLEEP, Number, Practice, Size, pattern, read_all, until
from tests.link.vendor import Hq, Registry, hq, office
from tests.support.virtual import VirtualClock, in_virtual_time

STREAMS = 8
UPGRADE = (
    b"GET /link HTTP/1.1\r\nHost: hq\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
READ = 256 * 1024
"""Bytes that the event loop reads from a socket at a time."""
PING = bytes([0x89, 0x80 | 125]) + bytes(4 + 125)


def _request(call: str, params: msgspec.Struct, remaining: float = 5.0) -> bytes:
    raw = msgspec.Raw(msgspec.msgpack.encode(params))
    return msgspec.msgpack.encode(Request(call, remaining, "AAAA-BBBB", raw))


FLOODS = {
    "large answers": (_request(ECHO.name, Echo(b"x" * 100_000)), False),
    "small answers": (_request(ECHO.name, Echo(b"x")), False),
    "unknown calls": (_request("no.such-call", Number(1)), False),
    "calls given up": (_request(SLEEP.name, Number(1)), True),
}


@in_virtual_time
@pytest.mark.parametrize(("request_", "giving_up"), FLOODS.values(), ids=FLOODS.keys())
async def test_whoever_asks_without_end_and_reads_no_answer_is_closed(request_: bytes, *, giving_up: bool) -> None:
    vendor = Practice()
    limits = Limits(streams=STREAMS)
    async with pair(Practice().answers, vendor.answers, hq_limits=limits, clock=VirtualClock()) as both:
        both.office_carrier.freeze()
        asked = await _flood(both, request_, giving_up=giving_up)
        assert both.hq.ended
        assert both.hq.ended.code == "protocol-broken"
        assert asked <= 2 * STREAMS + 10  # what its transport has taken is not held by us
        both.office_carrier.cut()


async def _flood(both: Pair, request: bytes, *, giving_up: bool) -> int:
    asked = 0
    with contextlib.suppress(CarrierClosedError):
        for asked in range(1000):
            stream = 2 * asked + 1
            cancel = pack(Kind.CANCEL, stream) if giving_up else b""
            await both.office_carrier.send(pack(Kind.REQUEST, stream, request) + cancel)
            await asyncio.sleep(0.001)
            if both.hq.ended:
                break
    return asked


@in_virtual_time
async def test_a_link_that_is_left_sends_the_end_of_what_it_was_asked() -> None:
    practice = Practice()
    async with pair(practice.answers, clock=VirtualClock()) as both:
        both.office_carrier.delay = 0.02
        download = await both.ask_office().download(FILE, Size(400_000))
        both.office.retire("replaced", "a new link is there")
        assert await read_all(aiter(download)) == pattern(0, 400_000)
        await until(lambda: both.office.ended is not None and both.hq.ended is not None)
        assert both.hq.ended == both.office.ended == ("replaced", "a new link is there")


async def test_a_call_whose_time_is_over_before_its_first_step_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Jobs.begin

    def begin_late(jobs: Jobs, stream: int, request: Request) -> None:
        begin(jobs, stream, request)
        jobs._jobs[stream].expire()

    monkeypatch.setattr(Jobs, "begin", begin_late)
    practice = Practice()
    async with pair(practice.answers) as both, asyncio.timeout(90):
        with pytest.raises(OfficeTooSlow):
            await both.ask_office().ask(SLEEP, Number(1))
        assert both.office.in_flight == 0
        assert both.office._jobs._jobs == {}
        assert not practice.asked


@in_virtual_time
async def test_a_reader_that_allows_itself_for_ever_has_the_calls_own_limit() -> None:
    practice = Practice()
    brief = Call("test.brief-file", Size, Size, limit=0.1, streams=True)
    practice.answers.streaming(brief)(practice._file)

    class Idle:
        fault: Fault | None = None

        def answered(self, body: bytes, more: bool) -> None:
            pass

        def chunk(self, data: bytes) -> None:
            pass

        def ended(self) -> None:
            pass

        def failed(self, fault: Fault) -> None:
            self.fault = fault

    async with pair(practice.answers, clock=VirtualClock()) as both:
        idle = Idle()
        both.hq.start(_request(brief.name, Size(50_000_000), math.inf), idle)
        await until(lambda: idle.fault is not None)
        assert idle.fault
        assert idle.fault.code == OfficeTooSlow.code
        assert practice.closed_files == 1


async def test_a_file_that_comes_in_crumbs_costs_a_reader_no_more_than_its_bytes() -> None:
    answers, size = Answers(), 30_000

    async def crumbs(_asked: Asked, params: Size) -> Streamed[Size]:
        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, params.size, 2):
                yield pattern(at, 2)

        return Streamed(params, chunks())

    answers.streaming(FILE)(crumbs)
    async with pair(answers) as both:
        download = await both.ask_office().download(FILE, Size(size))
        await until(lambda: not both.hq.in_flight)
        pieces = [piece async for piece in download]
    assert b"".join(pieces) == pattern(0, size)
    assert len(pieces) < 20


@pytest.mark.parametrize("again", [math.nan, math.inf, 1e12, -1e12])
async def test_no_pause_that_hq_asks_for_keeps_a_connector_away_or_makes_it_rush(
    again: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(Registry):
        async def admit(self, arrival: Arrival) -> Admission:
            raise RegistryAway(database="registry", reason=f"not for {arrival.machine}")

    pauses: list[float] = []

    async def wait(_dialler: Dialler, pause: float) -> None:
        pauses.append(pause)
        await asyncio.sleep(0.01)

    monkeypatch.setattr(accept, "_AGAIN", again)
    monkeypatch.setattr(Dialler, "_wait", wait)
    registry = Away("smile")
    async with hq(registry) as node, office(node.url, registry.offices["smile"].key):
        await until(lambda: len(pauses) > 2)
    assert all(0 <= pause <= 320 for pause in pauses)


async def test_one_address_cannot_take_all_the_room_for_arrivals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "_PATIENCE", 0.2)
    registry = Registry("smile")
    async with hq(registry, half_open=6) as node, contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(connect(node.url))
        with pytest.raises(InvalidStatus) as met:
            await connect(node.url)
        assert met.value.response.status_code == 503
        await stack.enter_async_context(connect(node.url, local_addr=("127.0.0.2", 0)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    assert (network(one) == network(other)) is same


async def test_a_call_longer_than_one_web_socket_message_goes_in_pieces() -> None:
    registry = Registry("smile")
    largest = Echo(b"x" * 1_000_000)
    async with hq(registry) as node, office(node.url, registry.offices["smile"].key) as smile:
        await smile.reaches(Status.ONLINE)
        at_hq = node.switchboard.office("smile")
        assert await asyncio.gather(*(at_hq.ask(ECHO, largest) for _ in range(3))) == [largest] * 3
        assert await smile.dialler.hq.ask(ECHO, largest) == largest


async def test_a_stranger_is_given_no_room_for_a_long_message() -> None:
    async with hq(Registry("smile")) as node, connect(node.url) as stranger, asyncio.timeout(60):
        with pytest.raises(ConnectionClosed) as met:
            await _say_in_fragments(stranger, 3 * STRANGERS_MESSAGE // 2)
        assert met.value.rcvd
        assert met.value.rcvd.code == 1009


async def _say_in_fragments(stranger: ClientConnection, size: int) -> None:
    await stranger.send([b"x" * (size // 3)] * 3)
    await stranger.recv()


@contextlib.asynccontextmanager
async def _stranger(node: Hq) -> AsyncIterator[GuardedProtocol]:
    """Give HQ's end of a WebSocket on which nothing was said yet."""
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", node.port)) as stranger:
        stranger.setblocking(False)
        await loop.sock_sendall(stranger, UPGRADE)
        await until(lambda: any(getattr(one, "_frames", None) for one in node._server.server_state.connections))
        (connection,) = node._server.server_state.connections
        assert isinstance(connection, GuardedProtocol)
        yield connection


def _small(first: int, data: bytes = b"") -> bytes:
    return bytes([first, 0x80 | len(data)]) + bytes(4) + data


FRAMES = {
    "pings": (b"", _small(0x89)),
    "pongs": (b"", _small(0x8A, b"x" * 9)),
    "empty messages": (b"", _small(0x82)),
    "messages of a byte": (b"", _small(0x82, b"x")),
    "empty parts of a message": (_small(0x02), _small(0x00)),
    "parts of a byte": (_small(0x02), _small(0x00, b"x")),
}


@pytest.mark.parametrize(("first", "again"), FRAMES.values(), ids=FRAMES.keys())
async def test_small_frames_of_a_stranger_are_not_taken_without_end(
    first: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Frame] = []
    parsed = ServerProtocol.recv_frame

    def recv_frame(self: ServerProtocol, one: Frame) -> None:
        taken.append(one)
        parsed(self, one)

    monkeypatch.setattr(ServerProtocol, "recv_frame", recv_frame)
    async with hq(Registry("smile")) as node, asyncio.timeout(60), _stranger(node) as connection:
        connection.data_received(first + again * (READ // len(again)))
        assert connection.transport.is_closing()
        assert connection.conn.close_sent
        assert connection.conn.close_sent.code == 1008
        assert len(taken) <= 1000  # and not the 43,690 that fit into one reading of the socket
        assert connection.queue.qsize() < 100


async def test_an_office_may_say_more_small_frames_but_not_without_end() -> None:
    registry = Registry("smile")
    async with hq(registry) as node, office(node.url, registry.offices["smile"].key) as smile, asyncio.timeout(60):
        await smile.reaches(Status.ONLINE)
        (connection,) = node._server.server_state.connections
        assert isinstance(connection, GuardedProtocol)
        connection.data_received(_small(0x89) * 1000)
        parts = bytes([0x02, 0x80 | 3]) + bytes(4) + pack(Kind.PING, 0, Ping(1))[:3]
        parts += b"".join(_small(0x00, bytes([byte])) for byte in pack(Kind.PING, 0, Ping(1))[3:]) + _small(0x80)
        connection.data_received(parts)  # a proxy may cut messages as it likes
        assert await node.switchboard.office("smile").ask(ECHO, Echo(b"x")) == Echo(b"x")
        assert len(registry.arrivals) == 1
        connection.data_received(_small(0x89) * 6000)
        assert connection.transport.is_closing()
        await until(lambda: len(registry.arrivals) == 2)


async def test_pings_of_somebody_who_does_not_read_are_not_answered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_STRANGERS_CRUMBS", (1e6, 1e6))
    async with hq(Registry("smile")) as node, asyncio.timeout(60), _stranger(node) as connection:
        for _ in range(400):
            connection.data_received(PING * 200)
        assert not connection.transport.is_closing()
        assert connection.transport.get_write_buffer_size() < 500_000
