"""What can happen to HQ's nodes and to the server between them."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import nats
import pytest
from nats.aio.msg import Msg

from econnector.base.clock import ManualClock
from econnector.base.errors import AnswerLost, OfficeUnreachable, SwitchboardAway
from econnector.link import relay, switchboard_nats
from econnector.link.loopback import Pair, pair
from econnector.link.switchboard_nats import NatsSwitchboard
from econnector.wire.codec import Decoder, pack
from econnector.wire.messages import Kind
from tests.link.practice import ADD, DOUBLE, FILE, SLEEP, Number, Practice, Size, read_all, until
from tests.support.nats import NatsServer, nats_server, patient_bus

__all__ = ["nats_server", "patient_bus"]

pytestmark = pytest.mark.usefixtures("patient_bus")


class Nodes:
    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self.practice = Practice()
        self.clock = ManualClock()
        """The page's; the links' is the machine's."""
        self.page = NatsSwitchboard(url, clock=self.clock)
        self.gateway, self.other = NatsSwitchboard(url), NatsSwitchboard(url)
        self._stack = stack

    async def connect(self, at: NatsSwitchboard, *, epoch: int = 1) -> Pair:
        both = await self._stack.enter_async_context(pair(self.practice.answers))
        await at.attach("smile", epoch, both.hq)
        return both

    async def is_reachable(self) -> bool:
        try:
            await self.page.office("smile").ask(DOUBLE, Number(1))
        except (OfficeUnreachable, AnswerLost):
            return False
        return True


@pytest.fixture
async def nodes(nats_server: NatsServer) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        nodes = Nodes(nats_server.url, stack)
        for node in (nodes.page, nodes.gateway, nodes.other):
            await node.start()
            stack.push_async_callback(node.close)
        yield nodes


@pytest.mark.causes("switchboard-away")
async def test_a_server_that_is_not_there_at_the_start_is_a_failure_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard_nats, "_START_SECONDS", 0.3)
    with pytest.raises(SwitchboardAway) as met:
        await NatsSwitchboard("nats://user:secret@127.0.0.1:1").start()
    assert "secret" not in str(met.value)
    assert "127.0.0.1:1" in str(met.value)


async def test_when_the_server_dies_what_waits_fails_at_once_and_later_all_is_well_again(
    nodes: Nodes, nats_server: NatsServer
) -> None:
    await nodes.connect(nodes.gateway)
    asking = asyncio.create_task(nodes.page.office("smile").ask(SLEEP, Number(1)))
    download = await nodes.page.office("smile").download(FILE, Size(50_000_000))
    await nodes.practice.sleeping.wait()
    nats_server.kill()
    with pytest.raises(AnswerLost):  # and not OfficeTooSlow after the call's own limit
        await asking
    with pytest.raises(AnswerLost):
        await read_all(aiter(download))
    with pytest.raises(OfficeUnreachable):
        await nodes.page.office("smile").ask(DOUBLE, Number(1))
    assert await nodes.gateway.office("smile").ask(DOUBLE, Number(1)) == Number(2)  # needs no bus
    nats_server.start()
    async with asyncio.timeout(60):
        while not await nodes.is_reachable():  # noqa: ASYNC110 - nobody tells when the bus is back
            await asyncio.sleep(0.1)
    assert await nodes.page.office("smile").ask(ADD, Number(1)) == Number(1)


async def test_when_two_nodes_hold_an_office_after_a_broken_bus_the_younger_link_stays(
    nodes: Nodes, nats_server: NatsServer
) -> None:
    old = await nodes.connect(nodes.gateway)
    nats_server.kill()
    await until(lambda: not _connected(nodes.other) and not _connected(nodes.gateway))
    young = await nodes.connect(nodes.other)
    assert old.hq.ended is None  # nobody could tell it
    nats_server.start()
    async with asyncio.timeout(60):
        await old.hq.over()
    assert young.hq.ended is None
    await until(lambda: _connected(nodes.page))
    assert await nodes.page.office("smile").ask(DOUBLE, Number(1)) == Number(2)


async def test_a_node_that_leaves_right_after_an_office_has_moved_passes_on_what_still_comes(nodes: Nodes) -> None:
    old = await nodes.connect(nodes.gateway)
    old.hq.ask_to_leave("this node stops")
    await nodes.connect(nodes.other, epoch=2)
    asking: list[asyncio.Task[Number]] = []
    async with asyncio.TaskGroup() as tasks:
        for turn in range(400):  # each in a message of its own
            asking.append(tasks.create_task(nodes.page.office("smile").ask(DOUBLE, Number(turn))))
            if turn == 200:
                tasks.create_task(nodes.gateway.close())
            await asyncio.sleep(0)
    assert [task.result().value for task in asking] == [2 * turn for turn in range(400)]


async def test_a_node_that_dies_amid_a_call_is_known_in_five_seconds(nodes: Nodes) -> None:
    assert relay.LOST_AFTER + switchboard_nats._LOOK <= 5
    await nodes.connect(nodes.gateway)
    asking = asyncio.create_task(nodes.page.office("smile").ask(SLEEP, Number(1)))
    await nodes.practice.sleeping.wait()
    assert nodes.gateway._nats
    transport = nodes.gateway._nats._transport
    assert transport is not None
    nodes.gateway._nats.options["allow_reconnect"] = False
    transport._io_writer.transport.abort()  # type: ignore[attr-defined] # what the death of its process looks like
    while not asking.done():
        nodes.clock.advance(relay.LOST_AFTER + 0.01)
        await asyncio.sleep(0.05)
    with pytest.raises(AnswerLost):
        await asking
    with pytest.raises(OfficeUnreachable):
        await nodes.page.office("smile").ask(DOUBLE, Number(1))


async def test_a_dead_node_that_still_counts_as_a_listener_costs_one_call_and_no_more(
    nodes: Nodes, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchboard_nats, "_CLAIM_SECONDS", 1.0)
    dead = await nats.connect(nats_server.url)

    async def say_nothing(_: Msg) -> None:
        pass

    await dead.subscribe("econnector.office.smile", queue="link", cb=say_nothing)
    await dead.flush()
    asking = asyncio.create_task(nodes.page.office("smile").ask(DOUBLE, Number(1)))
    while not asking.done():
        nodes.clock.advance(relay.LOST_AFTER + 0.01)
        await asyncio.sleep(0.05)
    with pytest.raises(AnswerLost):
        await asking
    with pytest.raises(OfficeUnreachable):  # at once: nobody else has it
        await nodes.page.office("smile").ask(DOUBLE, Number(1))
    await nodes.connect(nodes.other)  # its claim meets silence, too
    await until(lambda: nodes.page._whereabouts.node("smile") == nodes.other._node)
    for number in range(50):
        assert await nodes.page.office("smile").ask(DOUBLE, Number(number)) == Number(2 * number)
    await nodes.connect(nodes.gateway, epoch=2)  # and is followed when it moves
    await until(lambda: nodes.page._whereabouts.node("smile") == nodes.gateway._node)
    assert await nodes.page.office("smile").ask(DOUBLE, Number(1)) == Number(2)
    await nodes.gateway.close()
    with pytest.raises(OfficeUnreachable):
        await nodes.page.office("smile").ask(DOUBLE, Number(1))
    await dead.close()


async def test_a_node_that_has_an_office_no_more_is_not_asked_alone_for_ever(nodes: Nodes) -> None:
    nodes.page._whereabouts.doubt("smile")
    both = await nodes.connect(nodes.other)
    await until(lambda: nodes.page._whereabouts.node("smile") == nodes.other._node)
    await nodes.other.detach("smile", both.hq)
    nodes.gateway._clock = ManualClock(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))  # it is wrong: its claim seems older
    await nodes.connect(nodes.gateway)
    nodes.clock.advance(10)
    assert not await nodes.is_reachable()
    assert await nodes.is_reachable()


async def test_a_call_that_takes_long_is_not_taken_for_lost(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert relay.ALIVE_EVERY < relay.LOST_AFTER / 2
    monkeypatch.setattr(relay, "ALIVE_EVERY", 0.05)
    await nodes.connect(nodes.gateway)
    asking = asyncio.create_task(nodes.page.office("smile").ask(SLEEP, Number(1)))
    await nodes.practice.sleeping.wait()
    (call,) = nodes.page._asking._calls.values()
    for _ in range(5):
        nodes.clock.advance(relay.LOST_AFTER / 2)
        nodes.page._asking.look()
        await until(lambda: call.heard == nodes.clock.monotonic())
    assert not asking.done()
    nodes.practice.wake.set()
    assert await asking == Number(1)


async def test_what_another_node_says_wrongly_does_no_harm(nodes: Nodes) -> None:
    await nodes.connect(nodes.gateway)
    assert nodes.other._nats
    nonsense = [b"", b"\0", b"\0\0\0\1", b"\0" * 12, b"\xff" * 40, b"\x93\x01", b"\0\0\0\2\x10\0\0\0\0\0\0\x4dab"]
    for subject in ("econnector.office.smile", f"econnector.to.{nodes.gateway._node}.-", "econnector.claims"):
        for payload in nonsense:
            await nodes.other._nats.publish(subject, payload, reply=f"econnector.node.{nodes.page._node}.9")
    for payload in nonsense:
        await nodes.other._nats.publish(f"econnector.node.{nodes.page._node}.9", payload)
    await nodes.other._nats.flush()
    assert await nodes.page.office("smile").ask(DOUBLE, Number(1)) == Number(2)


STREAMS = (Kind.RESPONSE, b"\xc0", 1)
OUT_OF_ORDER: dict[str, list[tuple[Kind, bytes, int]]] = {
    "bytes without an answer": [(Kind.DATA, b"x", 0)],
    "an end without an answer": [(Kind.END, b"\x91\x00", 0)],
    "an answer after an answer": [STREAMS, STREAMS],
    "the end of an answer amid its bytes": [STREAMS, (Kind.DATA, b"x", 0), (Kind.RESPONSE, b"\xc0", 0)],
}


@pytest.mark.parametrize("said", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER.keys())
async def test_another_node_that_answers_out_of_order_fails_the_call_and_takes_no_share(
    nodes: Nodes, said: list[tuple[Kind, bytes, int]]
) -> None:
    assert nodes.other._nats
    client = nodes.other._nats

    async def answer(message: Msg) -> None:
        if message.data[:1] == b"\0":
            (packet,) = Decoder(frozenset({Kind.REQUEST})).feed(message.data)
            words = b"".join(pack(kind, packet.stream, body, flags) for kind, body, flags in said)
            await client.publish(message.reply, words)

    await client.subscribe("econnector.office.smile", queue="link", cb=answer)
    await nodes.other._settled()
    with pytest.raises(AnswerLost):
        async with asyncio.timeout(60):
            await read_all(aiter(await nodes.page.office("smile").download(FILE, Size(1))))
    assert (nodes.page.shares.running, nodes.page.shares.bytes) == (0, 0)


def _connected(node: NatsSwitchboard) -> bool:
    return node._nats is not None and node._nats.is_connected
