"""`econnector hq run` as a process: started, stopped, killed, and what it says when it cannot start."""

import asyncio
import contextlib
import os
import resource
import shlex
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from econnector.eservices.portal.calls import PRACTICE, Nothing, Practice
from econnector.hq.registry import heartbeats, history, migrate, offices
from econnector.hq.registry.database import Registry
from econnector.link.state import Status
from econnector.wire.call import Answers, Asked
from tests.hq.conftest import NOW
from tests.hq.running import Connector, until
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.site import PLAIN

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR_")}


class Process:
    """One `econnector hq run`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""
        self.url = ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr
        while line := await self.process.stderr.readline():
            self.said += line.decode()
            if b"HQ is up at " in line:
                self.url = line.decode().split()[-1]

    async def up(self) -> "Process":
        await until(lambda: self.url or self.process.returncode is not None, 60)
        assert self.url, self.said
        return self

    async def ended(self) -> int:
        """Wait for its end; return its exit status."""
        async with asyncio.timeout(60):
            status = await self.process.wait()
            await self._reading
        return status


@contextlib.asynccontextmanager
async def hq_run(
    folder: Path, *flags: str, listen: str = "", through: str = "", **variables: str
) -> AsyncIterator[Process]:
    listen = listen or f"127.0.0.1:{free_port()}"  # another one may be started at it
    command = [*shlex.split(through), sys.executable, "-m", "econnector", "hq", "run", "--listen", listen, *flags]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**ENVIRONMENT, **variables, "ECONNECTOR_HQ_FOLDER": str(folder), "PYTHONUNBUFFERED": "1"},
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    running = Process(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await running.ended()


@pytest.fixture
def key(sqlite_registry: Registry) -> str:
    """The registration key of the office `smile`."""
    return sqlite_registry.run_now(offices.add, "smile", NOW, title="Smile Dental")[1]


async def test_hq_killed_at_once_and_started_again_has_everything_and_its_offices_back(
    tmp_path: Path, key: str, sqlite_registry: Registry
) -> None:
    async with hq_run(tmp_path) as first:
        await first.up()
        address = first.url.removeprefix("http://")
        connector = Connector(f"ws://{address}/link", key)
        async with connector.running():
            await connector.online()
            await connector.say(status="Working", practice_title="Smile Group")
            before = connector.epoch
            first.process.send_signal(signal.SIGKILL)
            await first.ended()
            await until(lambda: connector.state.status is not Status.ONLINE)
            async with hq_run(tmp_path, listen=address) as second:
                await second.up()
                await until(lambda: connector.state.status is Status.ONLINE)
                assert connector.state.epoch > before
                async with httpx2.AsyncClient(
                    base_url=second.url, verify=PLAIN, trust_env=False, timeout=60
                ) as browser:
                    answer = await browser.get("/o/smile/portal/sign-in")
                assert answer.status_code == 200
    found = sqlite_registry.run_now(heartbeats.find, "smile")
    assert found is not None
    assert (found.title, found.status) == ("Smile Group", "Working")


async def test_hq_uses_all_open_files_that_it_may_and_says_when_they_are_too_few_for_its_offices(
    tmp_path: Path, key: str
) -> None:
    few = """sh -c 'ulimit -Sn 256 && ulimit -Hn 900 && exec "$@"' sh"""
    async with hq_run(tmp_path, through=few) as hq:
        await hq.up()
        assert resource.prlimit(hq.process.pid, resource.RLIMIT_NOFILE) == (900, 900)
        assert "this node could not hold all offices" in hq.said
        assert "open_files=900" in hq.said
        assert "offices=1" in hq.said
    assert key not in hq.said


async def test_on_sigterm_hq_lets_calls_end_and_exits_with_nothing_left_open(
    tmp_path: Path, key: str, sqlite_registry: Registry
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()
    answers = Answers()

    async def slow(_: Asked, __: Nothing) -> Practice:
        asked.set()
        await answer.wait()
        return Practice("Slow Smile")

    answers.to(PRACTICE)(slow)
    async with hq_run(tmp_path) as hq:
        await hq.up()
        connector = Connector(f"ws://{hq.url.removeprefix('http://')}/link", key)
        connector.start(answers)
        await connector.online()
        async with httpx2.AsyncClient(base_url=hq.url, verify=PLAIN, trust_env=False, timeout=60) as browser:
            page = asyncio.create_task(browser.get("/o/smile/portal/sign-in"))
            await asked.wait()
            hq.process.send_signal(signal.SIGTERM)
            while (await browser.get("/ready")).status_code != 503:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
            answer.set()
            done = await page
        assert done.status_code == 200
        assert "Slow Smile" in done.text
        assert await hq.ended() == 0, hq.said
        await until(lambda: connector.state.status is not Status.ONLINE)
        await connector.stop()
    office = sqlite_registry.run_now(offices.get, "smile")
    assert sqlite_registry.run_now(history.recent, office.id)[0].kind == "lost"
    assert "Traceback" not in hq.said


async def test_two_hqs_on_one_port_and_the_second_says_so(tmp_path: Path) -> None:
    async with hq_run(tmp_path) as first:
        await first.up()
        address = first.url.removeprefix("http://")
        async with hq_run(tmp_path / "second", listen=address) as second:
            assert await second.ended() == 78
    assert f"Another program already listens on {address}" in second.said
    assert "code port-taken" in second.said
    assert "1. Stop that program, or choose another port." in second.said
    assert "Errno" not in second.said
    assert not (tmp_path / "second").exists(), "the port is looked at before anything is made"


async def test_an_address_that_is_not_this_machines_is_said(tmp_path: Path) -> None:
    async with hq_run(tmp_path, listen="192.0.2.1:8440") as hq:
        assert await hq.ended() == 78
    assert "code setting-invalid" in hq.said
    assert "192.0.2.1:8440" in hq.said


async def test_a_registry_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    async with hq_run(tmp_path, ECONNECTOR_HQ_DATABASE="postgresql://hq:hunter2@127.0.0.1:1/registry") as hq:
        assert await hq.ended() == 69
    assert "code registry-away" in hq.said
    assert "hunter2" not in hq.said
    assert "Traceback" not in hq.said


async def test_a_registry_of_a_newer_hq_is_left_alone(tmp_path: Path, sqlite_registry: Registry) -> None:
    with sqlite_registry.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    async with hq_run(tmp_path) as hq:
        assert await hq.ended() == 78
    assert "code registry-version" in hq.said
    assert migrate.NEWEST in hq.said


async def test_hq_serves_tls_itself_when_it_has_a_certificate(tmp_path: Path, key: str) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue()
    file = tmp_path / "hq.toml"
    file.write_text(f'[tls]\ncertificate = "{issued.certificate}"\nkey = "{issued.key}"\n[log]\nfolder = "log"\n')
    async with hq_run(tmp_path, "--settings", str(file)) as hq:
        await hq.up()
        assert hq.url.startswith("https://127.0.0.1:")
        connector = Connector(f"wss://{hq.url.removeprefix('https://')}/link", key, ca=authority.file)
        async with connector.running():
            await connector.online()
        trusting = ssl.create_default_context(cafile=authority.file)
        async with httpx2.AsyncClient(base_url=hq.url, verify=trusting, trust_env=False, timeout=60) as browser:
            answer = await browser.get("/")
        assert answer.status_code == 200
        assert "max-age" in answer.headers["strict-transport-security"]
        hq.process.send_signal(signal.SIGINT)
        assert await hq.ended() == 0
    assert any('"office":"smile"' in log.read_text() for log in (tmp_path / "log").rglob("*.txt"))
