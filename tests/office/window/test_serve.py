"""The window is served by the connector, and by a command where the connector does not run."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.demo.browser import Browser, Lost
from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised
from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.support.ports import free_port

pytestmark = pytest.mark.timeout(300)


@contextlib.contextmanager
def another_program(port: int) -> Iterator[None]:
    """Something that is no window listens on the port."""
    with socket.create_server(("127.0.0.1", port)):
        yield


def page_at(address: str) -> str:
    with contextlib.suppress(Lost):
        return Browser(address).open("").body.decode()
    return ""


async def until_page(address: str, wanted: str = "eConnector Service", seconds: float = 60.0) -> str:
    async with asyncio.timeout(seconds):
        while wanted not in (page := await asyncio.to_thread(page_at, address)):  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.1)
    return page


async def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return (await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 60)).strip()


@pytest.fixture
async def enrolled(hq: RunningHq, practice: str, connector: Connector) -> tuple[Connector, int]:
    """An enrolled connector with a window at a port of its own; it does not run yet."""
    port = free_port()
    connector.write(hq.url, practice, more=f"[window]\nport = {port}\n[awake]\nkeep = false\n")
    await connector.enrol((await hq.add("smile"))[1])
    return connector, port


@pytest.mark.causes("port-taken", aside=True)
async def test_a_taken_port_is_waited_for_and_harms_nothing_else(enrolled: tuple[Connector, int]) -> None:
    connector, port = enrolled
    with another_program(port):
        process = connector.start()
        found = await connector.until(lambda now: now.window_trouble and now.link == "open" and now.database == "open")
        assert found.window_trouble
        assert found.window_trouble.code == "port-taken"
        assert found.window == ""
        # So does the command, at a free port; meanwhile the connector tries several times.
        command = connector.popen("office", "window", "--no-browser")
        address = await first_line(command)
        assert address != f"http://127.0.0.1:{port}/"
        await until_page(address)
        command.terminate()
        await asyncio.to_thread(command.wait, 60)
        assert connector.words().count("the window cannot be served") == 1
        assert f"127.0.0.1:{port}" in " ".join((await connector.say("office", "status"))[1].split())
    found = await connector.until(lambda now: now.window, 60)
    assert found.window == f"http://127.0.0.1:{port}/"
    assert found.window_trouble is None
    await until_page(found.window)
    assert found.window in (await connector.say("office", "status"))[1]
    assert await connector.stop(process) == 0


async def test_an_address_that_others_can_reach_is_refused_by_the_command_and_harmless_to_the_connector(
    hq: RunningHq, practice: str, connector: Connector
) -> None:
    connector.write(hq.url, practice, more='[window]\naddress = "0.0.0.0"\n[awake]\nkeep = false\n')
    await connector.enrol((await hq.add("smile"))[1])
    status, _, words = await connector.say("office", "window", "--no-browser")
    assert status == 78
    assert "window.address" in words
    assert "for this machine alone" in words
    connector.start()
    found = await connector.until(lambda now: now.window_trouble and now.link == "open" and now.database == "open")
    assert found.window_trouble
    assert found.window_trouble.code == "setting-invalid"


async def test_start_in_the_commands_window_starts_the_installed_service_which_takes_the_window_over(
    enrolled: tuple[Connector, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, port = enrolled
    monkeypatch.setenv("ECONNECTOR_SERVICE_FOLDER", str(tmp_path / "services"))
    monkeypatch.setenv("ECONNECTOR_SERVICE_MANAGER", "supervised")
    services = Services()
    assert isinstance(services.manager, Supervised)
    words = [sys.executable, "-m", "econnector", "office", "window", "--no-browser", "--settings", str(connector.file)]
    command = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - a moment
    connector.processes.append(command)
    address = await first_line(command)
    assert address == f"http://127.0.0.1:{port}/"
    assert "Start" in await until_page(address)
    browser = Browser(address)

    def start() -> str:
        try:
            return browser.submit(browser.open("").form("/start")).body.decode()
        except Lost as lost:
            return str(lost)

    assert "It can only be started on the computer that hosts it." in await asyncio.to_thread(start)
    services.add("OpenDentalEConnector", connector.file)
    services.install("OpenDentalEConnector")
    try:
        await asyncio.to_thread(start)
        found = await connector.until(lambda now: now.window, 60)
        assert found.window == address
        assert await asyncio.to_thread(command.wait, 60) == 0
        await until_page(address)
        told = {"ok": True, "address": address, "served_by": "connector"}
        assert await connector.ask("office", "window") == (0, told)
        assert "already started" in await asyncio.to_thread(start)
    finally:
        await asyncio.to_thread(services.stop, "OpenDentalEConnector")
