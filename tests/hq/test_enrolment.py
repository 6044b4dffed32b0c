"""Real connectors dial a real HQ: who is let in, who is not, and why."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.errors import KeyInactive, KeyUnknown, OwnedElsewhere
from econnector.base.registration import new_key, shown
from econnector.eservices.portal.calls import PRACTICE, Nothing
from econnector.hq.registry import heartbeats, offices
from econnector.link.calls import ECHO, Echo, Outage
from econnector.link.state import Status
from tests.hq.running import Connector, RunningHq, running_hq, until


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[RunningHq]:
    async with running_hq(tmp_path) as running:
        yield running


async def test_a_connector_enrols_once_and_comes_back_with_its_own_key(hq: RunningHq) -> None:
    _, key = await hq.add(title="Smile Dental")
    connector = Connector(hq.link, shown(key))
    async with connector.running():
        await connector.online()
        assert (connector.state.office, connector.state.title) == ("smile", "Smile Dental")
        first = connector.epoch
    connector.key = None
    async with connector.running():
        await connector.online()
        assert connector.epoch > first
    await until(lambda: hq.hq.gateway.count == 0)
    await hq.stop()
    await hq.start()
    assert await hq.kinds() == ["added", "enrolled", "lost", "connected", "lost"]


@pytest.mark.causes("registration-key-unknown")
async def test_a_key_that_hq_never_gave_out_is_refused(hq: RunningHq) -> None:
    await hq.add()
    async with Connector(hq.link, new_key()).running() as connector:
        assert isinstance(await connector.refused(), KeyUnknown)


async def test_a_machine_that_never_enrolled_is_refused(hq: RunningHq) -> None:
    await hq.add()
    async with Connector(hq.link, None).running() as connector:
        assert isinstance(await connector.refused(), KeyUnknown)


async def test_a_mistyped_key_is_noticed_before_anything_is_sent(hq: RunningHq) -> None:
    _, key = await hq.add()
    wrong = key[:-1] + ("2" if key[-1] != "2" else "3")
    with pytest.raises(KeyUnknown):
        Connector(hq.link, wrong).start()


@pytest.mark.parametrize("how", ["disabled", "ended"])
async def test_an_inactive_key_is_refused_with_the_reason_and_since_when(hq: RunningHq, how: str) -> None:
    _, key = await hq.add()
    now = hq.hq.clock.now()
    if how == "disabled":
        await hq.hq.registry.run(offices.disable, "smile", "invoice 7 unpaid", now)
    else:
        await hq.hq.registry.run(offices.end_support, "smile", dt.date(2026, 1, 31), now)
    async with Connector(hq.link, key).running() as connector:
        failure = await connector.refused()
    assert isinstance(failure, KeyInactive)
    assert failure.facts["standing"] == how
    assert ("invoice 7" if how == "disabled" else "support ended") in failure.office_text()
    assert (f"{now:%Y-%m-%d}" if how == "disabled" else "2026-01-31") in failure.office_text()
    assert "refused" in await hq.kinds()


async def test_a_second_machine_is_refused_and_both_sides_learn_of_it(hq: RunningHq) -> None:
    _, key = await hq.add()
    async with Connector(hq.link, key, "FRONTDESK").running() as first:
        await first.online()
        async with Connector(hq.link, key, "SERVER-2").running() as second:
            failure = await second.refused()
            assert second.state.status is Status.STANDBY
            assert isinstance(failure, OwnedElsewhere)
            assert failure.facts["machine"] == "FRONTDESK"
            assert failure.facts["here"] == "SERVER-2"
            assert failure.facts["since"] != "?"
        heard = await first.say()
        assert heard.others == ["SERVER-2"]
        assert first.state.status is Status.ONLINE
    assert "second-machine" in await hq.kinds()


async def test_after_a_move_the_new_machine_serves_and_the_old_one_stays_in_standby(hq: RunningHq) -> None:
    _, key = await hq.add()
    old, new = Connector(hq.link, key, "OLD"), Connector(hq.link, key, "NEW")
    new.office.title = "New Smile"
    async with old.running():
        await old.online()
        now = hq.hq.clock.now()
        await hq.hq.registry.run(offices.open_move, "smile", now + dt.timedelta(days=1), now)
        async with new.running():
            await new.online()
            assert new.epoch > old.epoch
            await until(lambda: old.state.status is Status.STANDBY)
            assert hq.hq.gateway.count == 1
            practice = await hq.hq.switchboard.office("smile").ask(PRACTICE, Nothing())
            assert practice.title == "New Smile"
    old.key = None
    async with old.running():
        failure = await old.refused()
        assert isinstance(failure, OwnedElsewhere)
        assert failure.facts["machine"] == "NEW"
    assert "moved" in await hq.kinds()


async def test_a_heartbeat_is_kept_and_answered_with_the_keys_standing(hq: RunningHq) -> None:
    _, key = await hq.add()
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        outage = Outage("2026-03-02T01:00:00Z", "2026-03-02T02:00:00Z", "database-away", "7F3K-22QX")
        heard = await connector.say(practice_title="Smile Group", status="Working", outages=[outage], utc_offset=60)
        assert (heard.standing, heard.others) == ("active", [])
        assert abs((dt.datetime.fromisoformat(heard.clock) - hq.hq.clock.now()).total_seconds()) < 60
        found = await hq.hq.registry.run(heartbeats.find, "smile")
        assert found is not None
        assert (found.title, found.status, found.utc_offset) == ("Smile Group", "Working", 60)
        assert "outage" in await hq.kinds()

        await hq.hq.registry.run(offices.disable, "smile", "unpaid", hq.hq.clock.now())
        assert (await connector.say()).standing == "disabled"
        assert connector.dialler
        assert await connector.dialler.hq.ask(ECHO, Echo(b"ping")) == Echo(b"ping")


async def test_hq_stopped_and_started_again_keeps_everything(hq: RunningHq) -> None:
    _, key = await hq.add(title="Smile Dental")
    connector = Connector(hq.link, key)
    async with connector.running():
        await connector.online()
        await connector.say(status="Working")
        before = connector.epoch
        address = hq.url.removeprefix("http://")
        await hq.stop()
        hq.settings = type(hq.settings)(listen=address, folder=hq.settings.folder)
        await hq.start()
        await connector.online(90)
        await until(lambda: connector.state.epoch > before)
    found = await hq.hq.registry.run(heartbeats.find, "smile")
    assert found is not None
    assert found.status == "Working"


async def test_while_the_registry_is_away_offices_come_again_soon_and_without_a_person(
    hq: RunningHq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("econnector.link.accept._AGAIN", 0.1)
    _, key = await hq.add()
    file = hq.settings.data_folder() / "registry.db"
    hq.hq.registry.engine.dispose()
    kept = file.read_bytes()
    file.write_bytes(b"no database any more" * 1000)
    connector = Connector(hq.link, key)
    async with connector.running():
        await until(lambda: connector.state.failure is not None)
        assert connector.state.failure.code == "registry-away"
        assert connector.state.status is Status.DISCONNECTED
        hq.hq.registry.engine.dispose()
        file.write_bytes(kept)
        await connector.online()
