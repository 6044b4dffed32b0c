"""Services without an operating system's help: real connectors are installed, killed, restarted and removed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import pytest

from econnector.base.errors import ServiceMissing, ServiceNotStarted
from econnector.office.running import Running
from econnector.office.service.contract import Definition, ServiceState
from econnector.office.service.processes import Known, this
from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised
from econnector.office.service.supervisor import Places, Run
from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.support.whole import until

NAME = "OpenDentalEConnector"
T = TypeVar("T")


def written(services: Services, name: str = NAME) -> Run:
    """What the supervisor says about itself."""
    assert isinstance(services.manager, Supervised)
    found = services.manager._places(name).read_run()
    assert found is not None
    return found


def connector_of(services: Services, name: str = NAME) -> Known:
    """The connector's process, once there is one."""
    return until(lambda: (run := services.manager._places(name).read_run()) and run.connector)  # type: ignore[attr-defined,no-any-return]


async def ready(connector: Connector, hq: RunningHq, practice: str, office: str = "smile") -> None:
    _, key = await hq.add(office)
    connector.write(hq.link, practice)
    await connector.enrol(key)


def linked(found: Running) -> bool:
    return found.link == "open"


async def blocking(work: Awaitable[T]) -> T:
    return await work


async def test_a_connector_lives_through_all_that_can_happen_to_a_service(
    connector: Connector, hq: RunningHq, practice: str, services: Services
) -> None:
    await ready(connector, hq, practice)
    assert services.state(NAME) is ServiceState.NOT_INSTALLED
    await asyncio.to_thread(services.add, NAME, connector.file)
    assert [(each.name, each.state.value) for each in services.entries()] == [(NAME, "Not installed")]
    await asyncio.to_thread(services.install, NAME)
    assert services.state(NAME).value == "Installed, Stopped"

    await asyncio.to_thread(services.start, NAME)
    assert services.state(NAME).value == "Installed, Running"
    assert services.serving(connector.file) == NAME
    first = connector_of(services)
    await connector.until(lambda found: linked(found) and found.pid == first.pid)
    await asyncio.to_thread(services.start, NAME)
    assert connector_of(services) == first, "running already is success and changes nothing"

    os.kill(first.pid, signal.SIGKILL)
    second = await connector.until(lambda found: linked(found) and found.pid != first.pid)
    assert connector_of(services).pid == second.pid
    assert "SIGKILL" in services.manager.last_words(NAME)

    await asyncio.to_thread(services.restart, NAME)
    third = connector_of(services)
    assert third.pid not in {first.pid, second.pid}
    await connector.until(lambda found: linked(found) and found.pid == third.pid)
    supervisor = written(services).supervisor
    await asyncio.to_thread(services.stop, NAME)
    assert services.state(NAME).value == "Installed, Stopped"
    assert not third.alive()
    assert not supervisor.alive()
    assert (await connector.running()).stopped, "it was stopped in order"
    await asyncio.to_thread(services.stop, NAME)

    await asyncio.to_thread(services.uninstall, NAME)
    assert (services.entries(), services.state(NAME)) == ([], ServiceState.NOT_INSTALLED)
    assert connector.file.exists()
    with pytest.raises(ServiceMissing):
        services.uninstall(NAME)


async def test_a_connector_whose_supervisor_was_killed_is_seen_stopped_and_started_anew(
    connector: Connector, hq: RunningHq, practice: str, services: Services
) -> None:
    await ready(connector, hq, practice)
    await asyncio.to_thread(services.add, NAME, connector.file)
    await asyncio.to_thread(services.install, NAME)
    await asyncio.to_thread(services.start, NAME)
    orphan, supervisor = connector_of(services), written(services).supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not supervisor.alive())
    assert services.state(NAME) is ServiceState.RUNNING
    await asyncio.to_thread(services.manager.start, NAME)
    assert not orphan.alive()
    assert connector_of(services).alive()
    assert written(services).supervisor.alive()


def test_one_that_ends_again_says_why_and_where_to_look(services: Services, tmp_path: Path) -> None:
    settings = tmp_path / "office.toml"
    settings.write_text(
        f'state = "office.sqlite"\n[hq]\nurl = "wss://hq.invalid"\n[database]\nurl = "sqlite:///{tmp_path}/x"\n'
    )
    services.add(NAME, settings)
    services.install(NAME)
    with pytest.raises(ServiceNotStarted) as failed:
        services.start(NAME)
    assert "code 104" in failed.value.office_text() or "never" in failed.value.office_text(), failed.value.office_text()
    assert "opendentaleconnector.out" in failed.value.remedy_steps()[0]
    assert str(settings) in failed.value.remedy_steps()[1]


def test_what_a_restart_of_the_machine_leaves_behind_is_not_taken_for_a_running_service(tmp_path: Path) -> None:
    manager = Supervised(tmp_path)
    manager.install(Definition(NAME, tmp_path / "office.toml"))
    me = this(os.getpid())
    for stale in (Known(me.pid, "an earlier start of the machine:1"), Known(2**22 + 1, me.born)):
        Places(tmp_path, NAME).run.write_bytes(
            json.dumps({"supervisor": vars_of(stale), "connector": vars_of(stale)}).encode()
        )
        assert manager.state(NAME) is ServiceState.STOPPED
        manager.stop(NAME)
        assert me.alive()
    Places(tmp_path, NAME).run.write_text("not what we write")
    assert manager.state(NAME) is ServiceState.STOPPED


def vars_of(known: Known) -> dict[str, object]:
    return {"pid": known.pid, "born": known.born}


def test_it_survives_the_shell_that_started_it(services: Services, tmp_path: Path) -> None:
    services.manager.install(Definition(NAME, tmp_path / "office.toml"))
    code = "import sys; from pathlib import Path; from econnector.office.service.supervised import Supervised; "
    code += "Supervised(Path(sys.argv[1])).start(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "run"), NAME], check=True, start_new_session=True)
    found = written(services)
    assert found.supervisor.alive()
    assert os.getsid(found.supervisor.pid) == found.supervisor.pid
    services.manager.stop(NAME)
    assert not found.supervisor.alive()
