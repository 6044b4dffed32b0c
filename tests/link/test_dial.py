"""A connector dials a real web server, is judged by a gate, and stays."""

import asyncio
import random

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from econnector.base.clock import ManualClock
from econnector.base.errors import AnswerLost, HqAway, KeyUnknown, OfficeUnreachable, RegistryAway, SettingInvalid
from econnector.base.tasks import Jitter
from econnector.link import arrivals, dial, handshake
from econnector.link.accept import Admission, Arrival
from econnector.link.carrier import DialledCarrier
from econnector.link.connect import check_url
from econnector.link.dial import Dialler
from econnector.link.handshake import Limits
from econnector.link.identity import Identity, Install
from econnector.link.state import Status
from econnector.wire.call import Answers
from econnector.wire.liveness import Pace
from econnector.wire.messages import Challenge
from tests.link.practice import ADD, DOUBLE, FILE, SLEEP, Number, Size, pattern, read_all, until
from tests.link.vendor import PATIENT, Hq, Office, Registry, hq, office
from tests.support.ports import free_port


@pytest.fixture
def registry() -> Registry:
    return Registry("smile", "other")


def key(registry: Registry, name: str = "smile") -> str:
    return registry.offices[name].key


async def test_an_office_enrols_and_both_ask_each_other(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url, key(registry)) as smile:
        await smile.reaches(Status.ONLINE)
        assert await node.switchboard.office("smile").ask(DOUBLE, Number(4)) == Number(8)
        assert await smile.dialler.hq.ask(ADD, Number(3)) == Number(3)
        state = smile.dialler.state
        assert (state.office, state.title, state.epoch, state.failure) == ("smile", "Smile", 1, None)
        assert abs(state.clock_ahead) < 60
        [info] = node.gateway.links()
        assert (info.machine, info.version, info.admission.office) == ("FRONT-DESK", "1.2.3", "smile")
    assert registry.retired == [("smile", "closed")]


async def test_the_key_is_taken_however_it_is_typed_and_only_once(registry: Registry) -> None:
    typed = f" {key(registry)[:4]}-{key(registry)[4:8].lower()} {key(registry)[8:]}"
    async with hq(registry) as node, office(node.url, typed) as smile:
        await smile.reaches(Status.ONLINE)
        for connection in list(node._server.server_state.connections):
            connection.transport.abort()
        await until(lambda: len(registry.arrivals) == 2)
        assert [arrival.registration_key for arrival in registry.arrivals] == [key(registry), None]


async def test_a_mistyped_key_is_found_before_anything_is_dialled() -> None:
    with pytest.raises(KeyUnknown):
        Office("ws://127.0.0.1:1/link", "AAAA-BBBB-CCCC-DDDD")


async def test_an_unknown_key_is_refused_with_the_reason_and_tried_again_slowly(registry: Registry) -> None:
    stranger = Registry("stranger")
    async with hq(registry) as node, office(node.url, key(stranger, "stranger")) as smile:
        await smile.reaches(Status.REFUSED)
        assert smile.failure_code == KeyUnknown.code
        with pytest.raises(HqAway):
            await smile.dialler.hq.ask(DOUBLE, Number(1))
        await asyncio.sleep(0.3)
        assert len(registry.arrivals) == 1


async def test_a_disabled_key_is_code_103(registry: Registry) -> None:
    registry.offices["smile"].active = False
    async with hq(registry) as node, office(node.url, key(registry)) as smile:
        await smile.reaches(Status.REFUSED)
        assert smile.failure_code == "103"


async def test_a_connector_that_is_not_enrolled_and_has_no_key_is_refused(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url) as smile:
        await smile.reaches(Status.REFUSED)
        assert smile.failure_code == KeyUnknown.code


async def test_a_second_machine_with_the_same_key_stands_by_and_learns_who_owns_the_office(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url, key(registry)) as first:
        await first.reaches(Status.ONLINE)
        async with office(node.url, key(registry), machine="BACK-ROOM") as second:
            await second.reaches(Status.STANDBY)
            assert second.dialler.state.failure
            assert second.dialler.state.failure.facts["machine"] == "FRONT-DESK"
            assert first.status is Status.ONLINE
            assert await node.switchboard.office("smile").ask(ADD, Number(1)) == Number(1)
            assert (first.practice.total, second.practice.total) == (1, 0)


async def test_after_a_move_the_new_machine_has_the_office_and_the_old_one_stands_by(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url, key(registry)) as first:
        await first.reaches(Status.ONLINE)
        registry.move("smile")
        async with office(node.url, key(registry), machine="BACK-ROOM") as second:
            await second.reaches(Status.ONLINE)
            await first.reaches(Status.STANDBY)
            assert second.dialler.state.epoch == 2
            await node.switchboard.office("smile").ask(ADD, Number(1))
            assert (first.practice.total, second.practice.total) == (0, 1)
            await until(lambda: ("smile", "replaced") in registry.retired)


async def test_a_connector_refuses_an_hq_that_forgot_a_move(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url, key(registry), epoch=7) as smile:
        await smile.fails("protocol-broken")
        assert smile.status is not Status.ONLINE


@pytest.mark.causes("protocol-broken")
async def test_a_signature_of_another_key_is_refused(registry: Registry) -> None:
    class Forger(Identity):
        def sign(self, claim: object) -> bytes:
            return Identity.make().sign(claim)  # type: ignore[arg-type]

    async with hq(registry) as node:
        async with office(node.url, key(registry), identity=Forger(Identity.make()._key)) as smile:
            await smile.fails("protocol-broken")
        assert registry.arrivals == []


@pytest.mark.causes("hq-name")
async def test_an_hq_of_another_name_is_told_by_name_and_nothing_is_signed_for_it(registry: Registry) -> None:
    async with hq(registry) as node:
        node.gateway._name = "hq.example.com"
        async with office(node.url, key(registry)) as smile:
            await smile.fails("hq-name")
            trouble = smile.dialler.state.failure
            assert trouble is not None
            assert trouble.facts["name"] == "hq.example.com"
            assert trouble.facts["dialled"] in node.url
        assert registry.arrivals == []


async def test_a_signature_made_for_another_hq_is_refused(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    # Somebody between the two, who passes on what both say and keeps HQ's name to himself.
    monkeypatch.setattr(handshake, "Challenge", lambda *parts: Challenge(*parts[:-1]))
    async with hq(registry) as node:
        node.gateway._name = "hq.example.com"
        async with office(node.url, key(registry)) as smile:
            await smile.fails("protocol-broken")
        assert registry.arrivals == []


@pytest.mark.causes("protocol-versions", row="listener: versions are negotiated", sees="again", aside=True)
@pytest.mark.parametrize(
    ("office_range", "hq_range", "works"),
    [((1, 1), (1, 2), True), ((1, 2), (1, 1), True), ((1, 1), (2, 2), False), ((2, 2), (1, 1), False)],
    ids=["HQ is newer", "office is newer", "HQ gave the old number up", "office gave the old number up"],
)
async def test_protocol_numbers_need_one_in_common(
    registry: Registry, office_range: tuple[int, int], hq_range: tuple[int, int], *, works: bool
) -> None:
    theirs = Limits(low=hq_range[0], high=hq_range[1], pace=PATIENT)
    ours = Limits(low=office_range[0], high=office_range[1], pace=PATIENT)
    async with hq(registry, limits=theirs) as node, office(node.url, key(registry), limits=ours) as smile:
        await smile.reaches(Status.ONLINE if works else Status.REFUSED)
        if works:
            await node.switchboard.office("smile").ask(DOUBLE, Number(1))
            assert smile.practice.asked[0].protocol == 1
        else:
            assert smile.failure_code == "protocol-versions"


async def test_a_link_that_breaks_is_back_by_itself_and_nothing_is_done_twice(registry: Registry) -> None:
    port = free_port()
    async with office(f"ws://127.0.0.1:{port}/link", key(registry)) as smile:
        for round_ in range(3):
            node = Hq(registry, port=port)
            await node.start()
            await smile.reaches(Status.ONLINE)
            assert await node.switchboard.office("smile").ask(ADD, Number(1)) == Number(round_ + 1)
            waiting = asyncio.create_task(node.switchboard.office("smile").ask(SLEEP, Number(1)))
            await smile.practice.sleeping.wait()
            smile.practice.sleeping.clear()
            await node.kill()
            with pytest.raises(AnswerLost):
                await waiting
            await until(lambda: smile.status is not Status.ONLINE)
        await until(lambda: smile.practice.cancelled == 3)


async def test_the_same_connector_coming_again_takes_the_place_of_its_old_link_at_once(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url, key(registry)) as smile:
        await smile.reaches(Status.ONLINE)
        waiting = asyncio.create_task(node.switchboard.office("smile").ask(SLEEP, Number(1)))
        await smile.practice.sleeping.wait()
        smile.dialler._moved.set()  # as after the machine slept
        with pytest.raises(AnswerLost):
            await waiting
        await until(lambda: node.gateway.count == 1 and len(node.admissions) == 2)
        assert await node.switchboard.office("smile").ask(DOUBLE, Number(4)) == Number(8)
        await until(lambda: registry.retired == [("smile", "replaced")])


async def test_when_a_node_drains_no_call_is_lost(registry: Registry) -> None:
    switchboard = Hq(registry).switchboard
    old, new = Hq(registry, switchboard=switchboard), Hq(registry, switchboard=switchboard)
    for node in (old, new):
        await node.start()
    async with office(old.url, key(registry)) as smile:
        await smile.reaches(Status.ONLINE)
        smile.dialler._url = new.url  # what a balancer does
        stop = asyncio.Event()
        answered = [0] * 8

        async def ask_on(asker: int) -> None:
            while not stop.is_set():
                count = answered[asker] + 1
                assert (await switchboard.office("smile").ask(DOUBLE, Number(count))).value == count * 2
                answered[asker] = count

        asking = [asyncio.create_task(ask_on(asker)) for asker in range(8)]
        slow = asyncio.create_task(switchboard.office("smile").ask(SLEEP, Number(1)))
        download = await switchboard.office("smile").download(FILE, Size(3_000_000))
        draining = asyncio.create_task(old.gateway.drain(0.0, grace=60))
        await until(lambda: new.gateway.count == 1)
        assert await read_all(aiter(download)) == pattern(0, 3_000_000)
        smile.practice.wake.set()
        assert await slow == Number(1)
        await draining
        assert old.gateway.count == 0
        assert smile.status is Status.ONLINE
        over_the_old_link = list(answered)
        await until(lambda: all(now > then for now, then in zip(answered, over_the_old_link, strict=True)))
        stop.set()
        await asyncio.gather(*asking)
    for node in (old, new):
        await node.stop()


async def test_a_draining_node_takes_in_nobody_and_the_old_link_serves_until_the_end(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url, key(registry)) as smile:
        await smile.reaches(Status.ONLINE)
        draining = asyncio.create_task(node.gateway.drain(0.0, grace=60))
        await smile.reaches(Status.DRAINING)
        assert await node.switchboard.office("smile").ask(DOUBLE, Number(4)) == Number(8)
        draining.cancel()
        await node.gateway.drain(0.0, grace=0.0)  # and now the time is over
        with pytest.raises(OfficeUnreachable):
            await node.switchboard.office("smile").ask(DOUBLE, Number(4))
        await until(lambda: smile.failure_code == HqAway.code)


async def test_a_connector_that_stops_answers_what_it_was_asked(registry: Registry) -> None:
    async with hq(registry) as node, office(node.url, key(registry)) as smile:
        await smile.reaches(Status.ONLINE)
        waiting = asyncio.create_task(node.switchboard.office("smile").ask(SLEEP, Number(1)))
        await smile.practice.sleeping.wait()
        stopping = asyncio.create_task(smile.dialler.stop(60))
        await until(lambda: smile.status is Status.DRAINING)
        async with asyncio.timeout(90):
            while not await _is_refused(node):
                pass  # HQ has not heard of it yet
        smile.practice.wake.set()
        assert await waiting == Number(1)
        await stopping
        await until(lambda: registry.retired == [("smile", "closed")])


async def _is_refused(node: Hq) -> bool:
    try:
        await node.switchboard.office("smile").ask(DOUBLE, Number(4))
    except OfficeUnreachable:
        return True
    return False


async def test_stopping_while_hq_is_away_waits_for_nothing() -> None:
    async with office(f"ws://127.0.0.1:{free_port()}/link", None) as smile:
        await smile.fails("hq-away")
        async with asyncio.timeout(90):
            await smile.dialler.stop(3600)


async def test_a_listener_that_fails_does_not_end_the_supervisor(registry: Registry) -> None:
    def broken(_state: object) -> None:
        raise RuntimeError("the window is gone")

    async with hq(registry) as node:
        identity = Identity.make()
        dialler = Dialler(
            node.url,
            identity,
            Install("0" * 32, "PC", "1"),
            Answers(),
            registration_key=key(registry),
            on_change=broken,
        )
        running = asyncio.create_task(dialler.run())
        await until(lambda: dialler.state.status is Status.ONLINE)
        await dialler.stop()
        await running


async def test_a_connector_never_dials_hq_in_clear_over_a_network() -> None:
    for url in ("ws://hq.example.com/link", "http://hq.example.com", "hq.example.com", "ws://10.0.0.1/link"):
        with pytest.raises(SettingInvalid):
            Office(url, None)


@pytest.mark.parametrize("url", ["wss://hq:443x/link", "wss://hq:99999/link", "wss://hq:0/link", "wss://[::1/link"])
def test_an_address_that_cannot_be_dialled_is_a_failure_of_the_settings(url: str) -> None:
    with pytest.raises(SettingInvalid):
        check_url(url)


async def test_arrivals_that_say_nothing_are_bounded_and_do_not_shut_others_out_for_long(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_PATIENCE", 0.2)
    async with hq(registry, half_open=6) as node:
        silent = [await connect(node.url) for _ in range(3)]
        with pytest.raises(InvalidStatus) as met:
            await connect(node.url)
        assert met.value.response.status_code == 503
        async with office(node.url, key(registry)) as smile:
            await smile.fails("hq-away")
            for connection in silent:
                await connection.close()
            await smile.reaches(Status.ONLINE)


async def test_a_connector_comes_again_when_a_full_hq_has_asked_it_to(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def wait(_: Dialler, pause: float) -> None:
        pauses.append(pause)
        await asyncio.sleep(0.01)

    monkeypatch.setattr(Dialler, "_wait", wait)
    monkeypatch.setattr(arrivals, "_PATIENCE", 0.05)
    async with hq(registry, half_open=2) as node, connect(node.url), office(node.url, key(registry)) as smile:
        await until(lambda: len(pauses) > 3)
        assert smile.dialler.state.failure is not None
        assert smile.dialler.state.failure.code == "hq-away"
    assert all(5 <= pause <= 75 for pause in pauses)


async def test_a_frozen_office_fails_its_calls_soon_and_later_ones_at_once(registry: Registry) -> None:
    quick = Limits(pace=Pace(handshake=60, probe=0.1, probe_answer=0.2))
    async with hq(registry, limits=quick) as node, office(node.url, key(registry)) as smile:
        await smile.reaches(Status.ONLINE)
        link = smile.dialler._link
        assert link is not None
        assert isinstance(link._carrier, DialledCarrier)
        link._carrier._connection.transport.pause_reading()
        with pytest.raises(AnswerLost):
            await node.switchboard.office("smile").ask(DOUBLE, Number(1))
        with pytest.raises(OfficeUnreachable):
            await node.switchboard.office("smile").ask(DOUBLE, Number(1))
        await until(lambda: registry.retired == [("smile", "silent")])
        node.gateway._limits = Limits(pace=PATIENT)
        link._carrier._connection.transport.resume_reading()
        await until(lambda: len(node.admissions) == 2)
        assert await node.switchboard.office("smile").ask(DOUBLE, Number(1)) == Number(2)


async def test_after_the_machine_slept_hq_is_dialled_at_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "_LOOK", 0.02)
    clock = ManualClock()
    async with hq(registry) as node, office(node.url, key(registry), clock=clock) as smile:
        await smile.reaches(Status.ONLINE)
        clock.advance(3600)
        await until(lambda: len(node.admissions) == 2 and smile.status is Status.ONLINE)
        assert await node.switchboard.office("smile").ask(DOUBLE, Number(1)) == Number(2)


async def test_a_gate_that_breaks_is_not_taken_for_a_refusal(registry: Registry) -> None:
    class Broken(Registry):
        async def admit(self, arrival: Arrival) -> Admission:
            raise RuntimeError(f"no table offices for {arrival.machine}")

        async def retire(self, admission: Admission, reason: str) -> None:
            raise RegistryAway(database=admission.office, reason=reason)

    broken = Broken("smile")
    async with hq(broken) as node, office(node.url, key(broken)) as smile:
        await smile.fails("hq-away")
        assert smile.status is Status.DISCONNECTED
        node.gateway._gate = registry
        registry.offices["smile"].key = key(broken)
        await smile.dialler.stop(0)
    async with hq(registry) as node, office(node.url, key(registry)) as smile:
        await smile.reaches(Status.ONLINE)
        node.gateway._gate = broken
        await smile.dialler.stop(1)
        await until(lambda: node.gateway.count == 0)
        with pytest.raises(OfficeUnreachable):
            await node.switchboard.office("smile").ask(DOUBLE, Number(1))


def test_when_hq_is_back_after_a_minute_nineteen_of_twenty_offices_are_back_in_twelve_seconds() -> None:
    chance = random.Random(1)
    waits = []
    for _ in range(2000):
        pace, now = Jitter(dial._FIRST, dial._MOST, chance.random), 0.0
        while now < 60:
            now += pace.next()
        waits.append(now - 60)
    waits.sort()
    assert waits[int(len(waits) * 0.95)] < 12
    assert waits[-1] < 35
