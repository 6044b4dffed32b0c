"""Nobody reaches the office: for each cause what the patient reads, what the office is told, and how it ends."""

import datetime as dt
from pathlib import Path

import pytest

from econnector.base.clock import SystemClock
from econnector.base.errors import OwnedElsewhere
from econnector.hq.registry import offices
from econnector.office.enrol import enrol
from tests.failures.world import World
from tests.office.connector import Connector
from tests.office.test_office import SlowClock, Sql, until
from tests.support.ports import free_port


async def asked(world: World, statement: str, **values: object) -> list[tuple[object, ...]]:
    """Ask the practice's database, as another program would."""
    sql = Sql(world.database)
    try:
        return await sql(statement, **values)
    finally:
        await sql.database.close()


@pytest.mark.causes(
    "office-unreachable", row="unreachable: connector off or link down", sees="patient, history, doctor, again"
)
@pytest.mark.causes(
    "office-unreachable", row="socket: no link for this office now", sees="patient, history, doctor, again"
)
async def test_a_connector_that_is_off(world: World) -> None:
    await world.enrol()
    async with world.working() as office:
        await until(lambda: office.snapshot().heard)
        await until(office.heartbeats)
        await world.sign_in()
        await world.until_it_works()
    page = await world.refused("office-unreachable")
    assert "It was last reachable" in page.text
    assert "To reach the office, call" in page.text
    finding = await world.finding("link")
    assert (finding.state, finding.code) == ("problem", "office-unreachable")
    assert "does not run on this machine" in " ".join(finding.details)
    assert finding.remedy
    await asked(world, "UPDATE eservicesignal SET SigDateTime = datetime(SigDateTime, '-9 minutes')")
    async with world.working():
        await world.until_it_works()
        (row,) = await until(lambda: asked(world, "SELECT Description FROM eservicesignal WHERE Severity = 4"))
        assert "0:0" in str(row[0]), "Open Dental's history says for how long"
        await until_ok(world, "link")


async def until_ok(world: World, check: str) -> None:
    async def ok() -> bool:
        return (await world.finding(check)).state == "ok"

    await until(ok)


class WakingClock(SystemClock):
    """A clock that stands still for half an hour, as that of a virtual machine that its host has stopped."""

    behind = dt.timedelta(minutes=30)

    def now(self) -> dt.datetime:
        return super().now() - self.behind


@pytest.mark.causes("machine-slept", row="unreachable: machine asleep", sees="history, doctor, again")
async def test_a_machine_that_was_asleep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("econnector.office.awake.watch.LOOK_SECONDS", 0.2)
    clock = WakingClock()
    await world.enrol()
    async with world.working(clock=clock) as office:
        await world.sign_in()
        await until(office.heartbeats)
        assert (await world.finding("sleep", clock=clock)).details[1:] == []
        clock.behind = dt.timedelta()
        # A machine that stands still for long while the test runs has slept, too.
        told, *_ = await until(
            lambda: asked(world, "SELECT Description FROM eservicesignal WHERE Description LIKE 'This computer %'")
        )
        assert "patients could not reach the practice" in str(told[0])
        finding = await world.finding("sleep", clock=clock)
        assert finding.state == "attention"
        assert finding.remedy
        assert len(finding.details) == 2, "when it slept"
        await world.until_it_works()


# -- an office that HQ never heard ------------------------------------------------------------------------------------


@pytest.mark.causes("104", row="never-connected: never enrolled", sees="patient, doctor, again")
async def test_a_machine_that_was_never_enrolled(world: World) -> None:
    _, key = await world.hq.add("smile", phone="555-0100")
    world.connector.write(world.hq.link, world.database)
    assert "555-0100" in (await world.refused("104")).text
    finding = await world.finding("enrolment")
    assert (finding.state, finding.code) == ("problem", "104")
    assert "enrol" in finding.remedy[0]
    await world.connector.enrol(key)
    async with world.working():
        await world.sign_in()
        await world.until_it_works()
        await until_ok(world, "enrolment")


@pytest.mark.causes("104", row="never-connected: installed but not started", sees="patient, doctor, again")
async def test_a_connector_that_was_installed_and_never_started(world: World) -> None:
    await world.enrol()
    await world.refused("104")
    assert (await world.finding("enrolment")).state == "ok"
    finding = await world.finding("link")
    assert finding.state == "problem"
    assert "does not run on this machine" in " ".join(finding.details)
    async with world.working():
        await world.sign_in()
        await world.until_it_works()
        await until_ok(world, "link")


@pytest.mark.causes("104", "hq-away")
@pytest.mark.causes(row="never-connected: blocked by firewall/antivirus/proxy", sees="patient, doctor, again")
async def test_a_connector_whose_way_to_hq_is_blocked(world: World) -> None:
    await world.enrol()
    way, wall = world.connector.file.read_text(), free_port()
    world.connector.file.write_text(way.replace('proxy = "none"', f'proxy = "http://127.0.0.1:{wall}"'))
    await world.refused("104")
    finding = await world.finding("hq")
    assert (finding.state, finding.code) == ("problem", "hq-away")
    assert str(wall) in finding.text
    world.connector.file.write_text(way)
    async with world.working():
        await world.sign_in()
        await world.until_it_works()
        await until_ok(world, "hq")


# -- the registration key ---------------------------------------------------------------------------------------------


@pytest.mark.causes("103", row="key-inactive: registration key disabled", sees="patient, history, doctor, again")
@pytest.mark.causes("103", row="key-inactive: support ended", sees="patient, history, doctor, again")
@pytest.mark.parametrize("why", ["disabled", "ended"])
async def test_a_key_that_is_not_active(world: World, why: str) -> None:
    await world.enrol()
    registry, now = world.hq.hq.registry, world.hq.hq.clock.now()
    async with world.working() as office:
        await until(lambda: office.snapshot().heard)
        await world.sign_in()
        if why == "disabled":
            await registry.run(offices.disable, "smile", "invoice 7", now)
        else:
            await registry.run(offices.end_support, "smile", dt.date(2026, 1, 31), now)
        page = await world.refused("103")
        assert "To reach the office, call" in page.text
        assert "invoice" not in page.text
        assert [kind for kind in await world.hq.kinds() if why in kind or "support" in kind], await world.hq.kinds()

        async def found() -> bool:
            finding = await world.finding("registration-key")
            return (finding.state, finding.code) == ("problem", "103") and why in finding.text

        await until(found)
        assert office.snapshot().standing == why, "the office's window says it"
        if why == "disabled":
            await registry.run(offices.enable, "smile", now)
        else:
            await registry.run(offices.end_support, "smile", dt.date(2099, 1, 31), now)
        await world.until_it_works()
        await until_ok(world, "registration-key")


# -- two machines, two clocks -----------------------------------------------------------------------------------------


@pytest.mark.causes("owned-elsewhere", row="two: second machine installed", sees="history, doctor, again")
async def test_a_second_machine_with_the_same_key(world: World, tmp_path: Path) -> None:
    _, key = await world.hq.add("smile")
    world.connector.write(world.hq.link, world.database)
    await world.connector.enrol(key)
    second = Connector(tmp_path / "second")
    second.write(world.hq.link, world.database, machine="BACK-OFFICE")
    async with world.working() as first:
        with pytest.raises(OwnedElsewhere) as caught:
            await enrol(second.loaded(), key)
        assert caught.value.facts["machine"] == "FRONT-DESK"
        await until(lambda: first.snapshot().others == ["BACK-OFFICE"])
        (told,) = await until(lambda: asked(world, "SELECT Description FROM alertitem WHERE Type = 11"))
        assert "BACK-OFFICE" in str(told[0])
        finding = await world.finds("owner", "attention")
        assert "BACK-OFFICE" in finding.text
        now = world.hq.hq.clock.now()
        await world.hq.hq.registry.run(offices.open_move, "smile", now + dt.timedelta(hours=1), now)
        await enrol(second.loaded(), key)
        moved = World(world.hq, second, world.database, tmp_path)
        async with moved.working():
            await moved.sign_in()
            await moved.until_it_works()
            await until(lambda: first.snapshot().link == "standby")
            finding = await world.finds("owner", "problem")
            assert finding.code == "owned-elsewhere"
        await moved.close()


@pytest.mark.causes("clock-drift", row="clock: clock drift", sees="history, doctor, again")
async def test_a_clock_that_differs_from_the_databases(world: World) -> None:
    await world.enrol()
    async with world.working(clock=SlowClock()):
        (told,) = await until(lambda: asked(world, "SELECT Description FROM alertitem WHERE Type = 24"))
        assert "clock" in str(told[0]).lower()
        finding = await world.finding("clock", clock=SlowClock())
        assert (finding.state, finding.code) == ("problem", "clock-drift")
        assert finding.remedy
        await world.sign_in()
        await world.until_it_works()
    async with world.working(clock=SystemClock()) as office:
        assert abs((await until(office.snapshot)).clock_ahead) < 60
        assert (await world.finding("clock")).state == "ok"
