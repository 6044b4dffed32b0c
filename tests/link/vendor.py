"""A small HQ for these tests: a real web server with a gateway, behind it a registry of two offices."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from econnector.base.errors import KeyInactive, KeyUnknown, OwnedElsewhere
from econnector.base.ids import new_id
from econnector.base.registration import new_key
from econnector.link.accept import Admission, Arrival, Gateway
from econnector.link.carrier import LARGEST_MESSAGE
from econnector.link.dial import Dialler
from econnector.link.guard import GuardedProtocol
from econnector.link.handshake import Limits
from econnector.link.identity import Identity, Install
from econnector.link.state import LinkState, Status
from econnector.link.switchboard import LocalSwitchboard, Switchboard
from econnector.wire.call import Answers
from econnector.wire.liveness import Pace
from tests.link.practice import Practice, until
from tests.support.certificates import ServerCertificate

PATIENT = Pace(handshake=60, idle=60, idle_answer=60, probe=30, probe_answer=30)
"""Of links that only their test may end: a machine that stands still for seconds does not."""


@dataclass
class OfficeRow:
    """What HQ knows of one office."""

    name: str
    key: str = field(default_factory=new_key)
    active: bool = True
    public_key: bytes = b""
    install_id: str = ""
    machine: str = ""
    epoch: int = 0


class Registry:
    """A gate with a memory: keys, owners, epochs; what a registry database does, in dictionaries."""

    def __init__(self, *names: str) -> None:
        self.offices = {name: OfficeRow(name) for name in names}
        self.arrivals: list[Arrival] = []
        self.retired: list[tuple[str, str]] = []

    async def admit(self, arrival: Arrival) -> Admission:
        self.arrivals.append(arrival)
        office = self._find(arrival)
        if not office.active:
            raise KeyInactive(reason="the key is disabled", since="2026-01-01")
        if office.public_key and office.public_key != arrival.public_key:
            raise OwnedElsewhere(machine=office.machine, since="2026-01-01", here=arrival.machine)
        if not office.public_key:
            office.epoch += 1
        office.public_key, office.install_id, office.machine = arrival.public_key, arrival.install_id, arrival.machine
        return Admission(office.name, office.epoch, office.name.title())

    async def retire(self, admission: Admission, reason: str) -> None:
        self.retired.append((admission.office, reason))

    def move(self, name: str) -> None:
        """Let the next machine with the key have the office."""
        self.offices[name].public_key = b""

    def _find(self, arrival: Arrival) -> OfficeRow:
        for office in self.offices.values():
            if arrival.registration_key == office.key or office.public_key == arrival.public_key:
                return office
        raise KeyUnknown


class Hq:
    """One node of HQ on a port of its own."""

    def __init__(
        self,
        registry: Registry,
        *,
        switchboard: Switchboard | None = None,
        port: int = 0,
        certificate: ServerCertificate | None = None,
        limits: Limits | None = None,
        half_open: int = 256,
    ) -> None:
        self.practice = Practice()
        self.admissions: list[Admission] = []
        self.switchboard = switchboard or LocalSwitchboard()
        limits = limits or Limits(pace=PATIENT)
        self.gateway = Gateway(registry, self.switchboard, self._answers, limits=limits, half_open=half_open)
        self.certificate = certificate
        self._socket = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port: int = self._socket.getsockname()[1]
        self._serving: asyncio.Task[None] | None = None
        self._server = _Server(self._config())

    def _answers(self, admission: Admission) -> Answers:
        self.admissions.append(admission)
        return self.practice.answers

    def _config(self) -> uvicorn.Config:
        app = Starlette(routes=[WebSocketRoute("/link", self.gateway.serve)])
        files: dict[str, Any] = {}
        if self.certificate is not None:
            files = {"ssl_certfile": self.certificate.certificate, "ssl_keyfile": self.certificate.key}
        return uvicorn.Config(
            app,
            ws=GuardedProtocol,
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
            log_level="error",
            timeout_graceful_shutdown=30,
            **files,
        )

    @property
    def url(self) -> str:
        scheme, host = ("ws", "127.0.0.1") if self.certificate is None else ("wss", "localhost")
        return f"{scheme}://{host}:{self.port}/link"

    async def start(self) -> None:
        await self.switchboard.start()
        self._serving = asyncio.create_task(self._server.serve([self._socket]))
        await until(lambda: self._server.started)

    async def kill(self) -> None:
        """Die without a word to anybody: what kill -9 looks like from outside."""
        for server in self._server.servers:  # first of all: who is cut off comes again at once
            server.close()
        self._abort()
        self._server.force_exit = True
        await self.stop()
        self._abort()  # whoever was on the way in

    def _abort(self) -> None:
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()

    async def stop(self) -> None:
        if self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._serving = None
        await self.switchboard.close()
        self._socket.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the test runner keeps its own


@contextlib.asynccontextmanager
async def hq(registry: Registry, **settings: Any) -> AsyncIterator[Hq]:
    node = Hq(registry, **settings)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


class Office:
    """A connector as far as its link goes."""

    def __init__(self, url: str, key: str | None, *, identity: Identity | None = None, **settings: Any) -> None:
        self.practice = Practice()
        self.states: list[LinkState] = []
        self.identity = identity or Identity.make()
        machine = settings.pop("machine", "FRONT-DESK")
        settings.setdefault("limits", Limits(pace=PATIENT))
        self.install = Install(new_id(), machine, "1.2.3")
        self.dialler = Dialler(
            url,
            self.identity,
            self.install,
            self.practice.answers,
            registration_key=key,
            on_change=self.states.append,
            **settings,
        )

    @property
    def status(self) -> Status:
        return self.dialler.state.status

    @property
    def failure_code(self) -> str:
        failure = self.dialler.state.failure
        return failure.code if failure is not None else ""

    async def reaches(self, status: Status) -> None:
        await until(lambda: self.status is status)

    async def fails(self, code: str) -> None:
        await until(lambda: self.failure_code == code)


@contextlib.asynccontextmanager
async def office(url: str, key: str | None = None, **settings: Any) -> AsyncIterator[Office]:
    connector = Office(url, key, **settings)
    running = asyncio.create_task(connector.dialler.run())
    try:
        yield connector
    finally:
        await connector.dialler.stop(1.0)
        async with asyncio.timeout(60):
            await running
