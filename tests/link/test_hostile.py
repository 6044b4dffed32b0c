"""Bytes that nobody should say: they close one link, with a reason, and nothing else happens."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from econnector.base.errors import AnswerLost
from econnector.link.carrier import LARGEST_MESSAGE, CarrierClosedError
from econnector.link.loopback import pair
from econnector.link.state import Status
from econnector.wire.codec import pack
from econnector.wire.messages import Kind
from tests.link.practice import DOUBLE, SLEEP, Number, Practice, until
from tests.link.vendor import Hq, Registry, hq, office

NONSENSE = {
    "random": os.urandom(64),
    "zeros": bytes(64),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: hq\r\n\r\n",
    "a packet that is too long": b"\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00",
    "a call before the handshake": pack(Kind.REQUEST, 1, b"\x95"),
    "a hello that is none": pack(Kind.HELLO, 0, b"\xc1\xc1\xc1"),
    "deep nesting": pack(Kind.HELLO, 0, b"\x91" * 4000),
}


@pytest.fixture
async def node() -> AsyncIterator[Hq]:
    async with hq(Registry("smile")) as running:
        yield running


@pytest.mark.parametrize("words", NONSENSE.values(), ids=NONSENSE.keys())
async def test_hq_closes_on_nonsense_and_serves_the_next(node: Hq, words: bytes) -> None:
    async with connect(node.url) as stranger:
        await stranger.send(words)
        with pytest.raises(ConnectionClosed):
            await _read_on(stranger)
    await _serves(node)


async def test_hq_closes_on_text_and_on_a_message_that_is_too_large(node: Hq) -> None:
    for message in ("hello", b"\0" * (LARGEST_MESSAGE + 1)):
        async with connect(node.url) as stranger:
            with pytest.raises(ConnectionClosed):
                await _read_on(stranger, message)
    await _serves(node)


async def test_hq_survives_arrivals_that_vanish(node: Hq) -> None:
    for _ in range(10):
        stranger = await connect(node.url)
        stranger.transport.abort()
    await _serves(node)
    assert node.gateway.count <= 1


@pytest.mark.parametrize("words", NONSENSE.values(), ids=NONSENSE.keys())
async def test_a_connector_that_is_told_nonsense_says_so_and_goes_on_trying(words: bytes) -> None:
    met = 0

    async def rogue(connection: ServerConnection) -> None:
        nonlocal met
        met += 1
        await connection.recv()
        await connection.send(words)
        await connection.wait_closed()

    async with serve(rogue, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with office(f"ws://127.0.0.1:{port}/link", None) as smile:
            await smile.fails("protocol-broken")
            await until(lambda: met > 1)
            assert smile.status is not Status.ONLINE


@pytest.mark.parametrize("words", NONSENSE.values(), ids=NONSENSE.keys())
async def test_an_open_link_closes_on_nonsense_and_what_waits_fails(words: bytes) -> None:
    practice = Practice()
    async with pair(practice.answers) as both:
        asking = asyncio.create_task(both.ask_office().ask(SLEEP, Number(1)))
        await practice.sleeping.wait()
        await both.hq_carrier.send(words)
        with pytest.raises(AnswerLost):
            await asking
        await until(lambda: both.hq.ended is not None and both.office.ended is not None)
        assert both.hq.ended
        assert both.office.ended
        assert both.office.ended.code == both.hq.ended.code == "protocol-broken"
        await until(lambda: practice.cancelled == 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_whatever_bytes_come_nothing_but_the_link_ends(messages: list[bytes]) -> None:
    async def play() -> None:
        async with pair(Practice().answers) as both:
            with contextlib.suppress(CarrierClosedError):
                for message in messages:
                    await both.hq_carrier.send(message)
            await asyncio.sleep(0)

    asyncio.run(play())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([int(kind) for kind in Kind]), st.integers(0, 9), st.binary(max_size=40)),
        max_size=8,
    )
)
def test_whatever_packets_come_nothing_but_the_link_ends(packets: list[tuple[int, int, bytes]]) -> None:
    async def play() -> None:
        async with pair(Practice().answers) as both:
            asking = asyncio.create_task(both.ask_office().ask(DOUBLE, Number(1)))
            with contextlib.suppress(CarrierClosedError):
                for kind, stream, body in packets:
                    await both.office_carrier.send(pack(kind, stream, body))
            await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(play())


async def _read_on(connection: ClientConnection, first: str | bytes = b"") -> None:
    async with asyncio.timeout(60):
        if first:
            await connection.send(first)
        while True:
            await connection.recv()


async def _serves(node: Hq) -> None:
    registry = node.gateway._gate
    assert isinstance(registry, Registry)
    registry.move("smile")
    async with office(node.url, registry.offices["smile"].key) as smile:
        await smile.reaches(Status.ONLINE)
        assert await node.switchboard.office("smile").ask(DOUBLE, Number(2)) == Number(4)
