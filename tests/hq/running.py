"""HQ on a free port of this machine, and connectors that dial it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from econnector.base.errors import Failure
from econnector.hq.app import Hq
from econnector.hq.registry import history, offices
from econnector.hq.registry.offices import Office
from econnector.hq.run import serve
from econnector.hq.settings import HqSettings
from econnector.link.calls import HEARTBEAT, Heard, Heartbeat
from econnector.link.dial import Dialler
from econnector.link.handshake import Limits
from econnector.link.identity import Identity, Install
from econnector.link.state import Status
from econnector.wire.call import Answers
from tests.hq.registries import lay_registry
from tests.link.vendor import PATIENT
from tests.support.ports import free_port
from tests.support.site import PLAIN, SmallOffice


async def until(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return `what()` once it is true; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while not (found := what()):  # noqa: ASYNC110 - the things waited for tell nobody
            await asyncio.sleep(0.01)
        return found


@dataclass
class Connector:
    """One installation in an office: its identity outlives its processes."""

    url: str
    key: str | None
    machine: str = "FRONTDESK"
    identity: Identity = field(default_factory=Identity.make)
    office: SmallOffice = field(default_factory=SmallOffice)
    ca: Path | None = None
    epoch: int = 0
    dialler: Dialler | None = None
    _running: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Connector"]:
        """Dial until the block ends; hangs up without a word then."""
        self.start()
        try:
            yield self
        finally:
            await self.stop()

    def start(self, answers: Answers | None = None) -> None:
        install = Install(self.identity.public_key.hex()[:32], self.machine, "0.1.0")
        self.dialler = Dialler(
            self.url,
            self.identity,
            install,
            answers or self.office.answers(),
            registration_key=self.key,
            proxy=False,
            ca=self.ca,
            epoch=self.epoch,
            limits=Limits(pace=PATIENT),
        )
        self._running = asyncio.create_task(self.dialler.run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    @property
    def state(self) -> Any:
        assert self.dialler
        return self.dialler.state

    async def online(self, seconds: float = 60.0) -> None:
        await until(lambda: self.state.status is Status.ONLINE, seconds)
        self.epoch = self.state.epoch

    async def refused(self) -> Failure:
        """Wait until HQ says no; return why."""
        failure = await until(lambda: self.state.status in {Status.REFUSED, Status.STANDBY} and self.state.failure)
        assert isinstance(failure, Failure)
        return failure

    async def say(self, **values: Any) -> Heard:
        """Send a heartbeat."""
        assert self.dialler
        return await self.dialler.hq.ask(HEARTBEAT, Heartbeat("0.1.0", machine=self.machine, **values))


class RunningHq:
    """HQ in this event loop."""

    def __init__(self, settings: HqSettings) -> None:
        self.settings = settings
        self.url = self.admin_url = ""
        self.hq: Hq
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._stop.clear()
        self.url = ""
        self._task = asyncio.create_task(
            serve(self.settings, self._stop, self._ready, on_start=self._parts, on_admin=self._admin)
        )
        await until(lambda: self.url or (self._task and self._task.done()))
        if self._task.done():
            await self._task

    def _ready(self, url: str) -> None:
        self.url = url

    def _admin(self, url: str) -> None:
        self.admin_url = url

    def _parts(self, hq: Hq) -> None:
        self.hq = hq
        hq.gateway._limits = msgspec.structs.replace(hq.gateway._limits, pace=PATIENT)

    async def stop(self) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task

    @property
    def link(self) -> str:
        return self.url.replace("http", "ws", 1) + "/link"

    async def add(self, name: str = "smile", **values: Any) -> tuple[Office, str]:
        """Add an office as `econnector hq office add` does."""
        return await self.hq.registry.run(offices.add, name, self.hq.clock.now(), **values)

    async def kinds(self, name: str = "smile") -> list[str]:
        """Return what happened to an office, oldest first."""
        office = await self.hq.registry.run(offices.get, name)
        return [event.kind for event in reversed(await self.hq.registry.run(history.recent, office.id))]

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """Return a browser without a screen."""
        headers = {"accept": "text/html", **options.pop("headers", {})}
        options.setdefault("verify", PLAIN)
        return httpx2.AsyncClient(base_url=self.url, headers=headers, trust_env=False, timeout=60, **options)


@contextlib.asynccontextmanager
async def running_hq(folder: Path, **settings: Any) -> AsyncIterator[RunningHq]:
    """Run HQ with its registry in `folder` until the block ends; another one may be started at its port afterwards."""
    values: dict[str, Any] = {"listen": f"127.0.0.1:{free_port()}", "folder": folder} | settings
    await asyncio.to_thread(lay_registry, folder)
    hq = RunningHq(HqSettings(**values))
    await hq.start()
    try:
        yield hq
    finally:
        await hq.stop()
