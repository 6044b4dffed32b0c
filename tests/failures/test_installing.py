"""Installing, starting, stopping and updating go wrong: what the person at the machine reads."""

import asyncio
import contextlib
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import (
    HeartbeatMissing,
    ServiceElsewhere,
    ServiceManagerFailed,
    ServiceNotStopped,
    UpdateNeedsMore,
    UpdateTurn,
    WheelRejected,
)
from econnector.office.desk import Who
from econnector.office.install import versions, wheel
from econnector.office.install.install import Asking, Installation
from econnector.office.install.update import Update
from econnector.office.service import systemd
from econnector.office.service.lock import Lock
from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised
from econnector.office.settings import load_settings
from econnector.office.window.scene import Scene
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state.base import join_state
from tests.failures.test_reaching import asked
from tests.failures.world import World
from tests.office.connector import sqlite_practice
from tests.office.service.test_adapters import NAME, RUNS, manager
from tests.office.window.bare import PORT, Window, add_users, post
from tests.support.ports import free_port

ADMIN = Who(0, "", may_setup=True, may_admin=True)


@contextlib.asynccontextmanager
async def own_services(folder: Path) -> AsyncIterator[Services]:
    found = Services(folder / "services", Supervised(folder / "run"))
    try:
        yield found
    finally:
        for entry in await asyncio.to_thread(found.entries):
            with contextlib.suppress(Exception):
                await asyncio.to_thread(found.stop, entry.name)


@pytest.mark.causes("heartbeat-missing")
async def test_an_installation_whose_connector_is_not_heard_says_so_and_is_completed(
    world: World, tmp_path: Path
) -> None:
    _, key = await world.hq.add("smile")
    world.connector.write(world.hq.link, world.database, more=f"[window]\nport = {free_port()}\n")

    def yes(question: object) -> str:
        return question.recommended or question.goes_on[0]  # type: ignore[attr-defined,no-any-return]

    async with own_services(tmp_path) as services:
        asking = Asking(yes, lambda _: key)
        # What the connector writes is lost, as in a database whose replication another server undoes.
        await asked(world, "CREATE TRIGGER lost BEFORE INSERT ON eservicesignal BEGIN SELECT RAISE(IGNORE); END")
        first = Installation(world.connector.file, services, asking, ADMIN, seconds=0.5)
        with pytest.raises(HeartbeatMissing) as caught:
            await first.run()
        assert first.step == "heartbeat"
        assert caught.value.remedy_steps()
        await asked(world, "DROP TRIGGER lost")
        await asyncio.to_thread(services.stop, NAME)
        again = Installation(world.connector.file, services, asking, ADMIN, seconds=60.0)
        assert (await again.run()).message == "eConnector successfully installed"


@pytest.mark.causes("service-manager-failed", row="install: executable missing", sees="history")
async def test_a_program_that_is_not_there_any_more(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.enrol()
    services = Services(tmp_path / "services", Supervised(tmp_path / "run"))
    services.add(NAME, world.connector.file)
    await asyncio.to_thread(services.install, NAME)
    monkeypatch.setattr("sys.executable", str(tmp_path / "gone" / "python"))
    with pytest.raises(ServiceManagerFailed) as caught:
        await asyncio.to_thread(services.start, NAME)
    assert "No such file" in caught.value.office_text()
    assert caught.value.remedy_steps()


@pytest.mark.causes("service-not-stopped")
def test_a_service_that_systemd_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "STOP_SECONDS", 0.0)
    units, _ = manager(tmp_path, show=RUNS)
    with pytest.raises(ServiceNotStopped) as caught:
        units.stop(NAME)
    assert "journalctl" in " ".join(caught.value.remedy_steps())


@pytest.mark.causes("service-elsewhere")
async def test_start_in_a_window_on_a_machine_without_the_service(tmp_path: Path) -> None:
    url = await sqlite_practice(tmp_path / "practice.sqlite")
    database, state = Database(url, guard=guard), await join_state(tmp_path / "office.sqlite")
    await add_users(Database(url))
    loaded = load_settings(None, {"database.url": url, "state": str(tmp_path / "office.sqlite")}, {})
    clock = ManualClock()
    scene = Scene(loaded, database, Schemas(), state, "127.0.0.1", PORT, inside=False, clock=clock)
    async with Window(scene, clock, url).signed_in() as browser:
        answer = await post(browser, "/start")
    assert answer.status_code == ServiceElsewhere.http
    assert ServiceElsewhere.code in answer.text
    await database.close()
    await state.close()


@pytest.mark.causes("update-turn")
async def test_two_updates_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "versions_folder", lambda: tmp_path)
    second = Update(Services(tmp_path / "services", Supervised(tmp_path / "run")))
    first = Lock.take(tmp_path / ".lock")
    assert first is not None
    with pytest.raises(UpdateTurn, match="already"):
        await second.run(tmp_path / "any.whl")
    first.free()
    with pytest.raises(WheelRejected):
        await second.run(tmp_path / "any.whl")


@pytest.mark.causes("update-needs-more")
def test_a_version_that_needs_a_package_which_nobody_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    file = tmp_path / "econnector-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("econnector/__init__.py", "")
        head = "Metadata-Version: 2.4\nName: econnector\nVersion: 9.9.9\nRequires-Python: >=3.11\n"
        archive.writestr("econnector-9.9.9.dist-info/METADATA", head + "Requires-Dist: nobody-has-this-of-econnector\n")
    found = wheel.examine(file, "0.1.0")
    with pytest.raises(UpdateNeedsMore) as caught:
        wheel.unpack(found, tmp_path / "9.9.9")
    assert "nobody-has-this-of-econnector" in caught.value.office_text()
    assert not (tmp_path / "9.9.9").exists()
