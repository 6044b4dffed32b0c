"""HQ as one Starlette app: the gateway for offices, the eServices' pages, and how HQ itself is doing."""

import asyncio
import contextlib
import ipaddress
import secrets
from collections.abc import AsyncIterator
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, UnknownAddress
from econnector.base.version import version
from econnector.hq.admin.app import create_pages
from econnector.hq.admin.frame import Desk
from econnector.hq.answers import answers_for
from econnector.hq.doors import Doors, host_of
from econnector.hq.eservices import ESERVICES, below_offices, on_host_names, takes_files
from econnector.hq.gate import RegistryGate
from econnector.hq.mail import account_of
from econnector.hq.memory import tidy
from econnector.hq.metrics import Measured, Metrics
from econnector.hq.notify import Notifier
from econnector.hq.registry import migrate
from econnector.hq.registry.database import Registry, ping
from econnector.hq.settings import HqSettings
from econnector.hq.shedding import Shedding
from econnector.hq.tries import Tries
from econnector.hq.watch import watch
from econnector.link.accept import Gateway
from econnector.link.switchboard import LocalSwitchboard, Switchboard
from econnector.web.guard import Guard, reference_of
from econnector.web.kit import Kit
from econnector.web.static import STATIC

__all__ = ["Hq", "create_admin_app", "create_app"]

log = structlog.get_logger(__name__)

_ROOM: Final = "econnector.hq"
_NOTICE: Final = 3.0
"""Seconds until every balancer that asks `/ready` every two seconds, and waits a second for it, sends us nothing."""
KIT: Final = Kit({"hq": (_ROOM, _ROOM)})


class Hq:
    """The parts of one HQ process."""

    def __init__(self, settings: HqSettings, clock: Clock = SYSTEM) -> None:
        """Put the parts together; nothing is opened yet. Raises `SettingInvalid`."""
        self.settings, self.clock = settings, clock
        self.registry = Registry(settings.database_url())
        self.switchboard = _switchboard(settings)
        self.metrics = Metrics(lambda: self.gateway.count, lambda: self.switchboard.joined)
        self.metrics.watch(self.switchboard.shares)
        node = f"{settings.node_name()}-{secrets.token_hex(3)}"
        self.gate = RegistryGate(self.registry, node, self.metrics, clock)
        name = urlsplit(settings.url).netloc.lower() or None
        after = settings.contacts.after_seconds
        self.notifier = Notifier(self.registry, account_of(settings.smtp), self.metrics, after, clock)
        codes = settings.code_offers()
        answers = answers_for(self.registry, clock, announces=self.notifier.sends, codes=codes)
        self.gateway = Gateway(self.gate, self.switchboard, answers, name=name, clock=clock)
        self.doors = Doors(self.registry, self.switchboard, clock)
        self.draining = False
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Migrate the registry and begin to work. Raises `RegistryAway`, `RegistryOutdated` or the switchboard's."""
        before, after = await asyncio.to_thread(migrate.upgrade, self.registry)
        if before != after:
            log.info("registry migrated", before=before or "empty", after=after)
        await self.switchboard.start()
        watching = watch(self.registry, self.metrics, self.clock)
        for work in (watching, self.notifier.run(), tidy(lambda: self.gateway.count)):
            self._background.append(asyncio.create_task(work))

    async def drain(self, seconds: float) -> None:
        """Say that this node is going to stop, let calls end, send the offices away: all within `seconds`.

        Where other nodes can take over, pages are served meanwhile, so that the balancer learns it before the port is
        closed.
        """
        self.draining = True
        self.gate.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if isinstance(self.switchboard, LocalSwitchboard):
                    await self._quiet(seconds / 2)  # there is no other node that an office could go to meanwhile
                    await self.gateway.drain(0.0, 0.0)
                else:
                    leaving = self.gateway.drain(seconds / 3, seconds / 2)
                    await asyncio.gather(asyncio.sleep(min(_NOTICE, seconds)), leaving)

    async def _quiet(self, seconds: float) -> None:
        ends = self.clock.monotonic() + seconds
        while any(link.in_flight for link in self.gateway.links()) and self.clock.monotonic() < ends:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End the links that are left and close everything; nothing that is away keeps it from ending."""
        self.gate.stop()
        await self.gateway.drain(0.0, 0.0)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._background:
            try:
                await self.gate.retire_all()
            except Failure as failure:
                log.warning("the ends of the links could not be noted", code=failure.code, reference=failure.reference)
        await self.switchboard.close()
        await self.registry.close()


def _switchboard(settings: HqSettings) -> Switchboard:
    bounds = settings.limits.bounds()
    if settings.switchboard == "local":
        return LocalSwitchboard(bounds)
    from econnector.link.switchboard_nats import NatsSwitchboard  # noqa: PLC0415 - NATS only where it is used

    return NatsSwitchboard(settings.switchboard, bounds=bounds)


def create_app(settings: HqSettings, clock: Clock = SYSTEM) -> Starlette:
    """Return HQ's app: `/link` for offices, `/o/<office>/…` and the offices' host names for people.

    Its lifespan opens and closes everything; `app.state.hq` is the `Hq`. Raises `SettingInvalid`.
    """
    hq = Hq(settings, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await hq.start()
        try:
            yield
        finally:
            await hq.stop()

    app = _App(
        hq.gateway,
        routes=[
            *below_offices(hq.doors),
            Route("/o/{office}", _to_first_eservice),
            Route("/o/{office}/", _to_first_eservice),
            Route("/", _landing),
            STATIC.route(),
            *_probes(hq),
            Route("/{path:path}", _unknown),
        ],
        middleware=[
            Middleware(Measured, metrics=hq.metrics),
            Middleware(Shedding, kit=KIT, doors=hq.doors, shares=hq.switchboard.shares),
            Middleware(_LastAnswers, hq=hq),
            Middleware(Guard, kit=KIT, uploads=takes_files),
            Middleware(_ByHost, on_host=Router(on_host_names(hq.doors)), hq=hq),
        ],
        exception_handlers={HTTPException: _to_the_guard},
        lifespan=lifespan,
    )
    app.state.hq = hq
    return app


class _App(Starlette):
    """Pages, and `/link` before them all.

    The layers around pages would stay on an office's stack as long as it is connected: a fifth of what it costs.
    """

    def __init__(self, gateway: Gateway, **parts: Any) -> None:
        super().__init__(**parts)
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one link."""
        if scope["type"] == "websocket" and scope["path"] == "/link":
            # Nothing else is asked of them, and the server keeps them as long as the link lives.
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name == b"host"]
            await self._gateway.serve(WebSocket(scope, receive, send))
        else:
            await super().__call__(scope, receive, send)


def create_admin_app(hq: Hq) -> Starlette:
    """Return what listens on the admin address: metrics, probes and the fleet pages, for the vendor's people only."""

    async def metrics(_: Request) -> Response:
        return hq.metrics.exposition()

    async def to_fleet(_: Request) -> Response:
        return RedirectResponse("/admin/", 303)

    pages = create_pages(Desk(hq.registry, hq.doors.asker, Tries(hq.clock), hq.clock))
    leads = [Route(path, to_fleet) for path in ("/", "/admin")]
    return Starlette(
        routes=[Route("/metrics", metrics), *_probes(hq, version=version()), *leads, Mount("/admin", app=pages)]
    )


def _probes(hq: Hq, **more: str) -> list[BaseRoute]:
    """`more` is told with the health: to strangers nothing that helps them to choose an attack."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", **more})

    async def ready(_: Request) -> Response:
        why = "this node is going to stop" if hq.draining else await _not_ready(hq)
        return JSONResponse({"ready": not why, "why": why}, 503 if why else 200)

    return [Route("/health", health), Route("/ready", ready)]


async def _not_ready(hq: Hq) -> str:
    try:
        async with asyncio.timeout(5):
            await hq.registry.run(ping)
    except Failure as failure:
        return failure.code
    except TimeoutError:
        return "registry-away"
    return ""


async def _landing(request: Request) -> Response:
    return KIT.visit(request, reference_of(request)).page("hq/landing.html")


async def _to_first_eservice(request: Request) -> Response:
    return RedirectResponse(f"/o/{request.path_params['office']}{ESERVICES[0].path}/", 303)


async def _to_the_guard(_: Request, error: Exception) -> NoReturn:
    raise error


async def _unknown(request: Request) -> Response:
    raise UnknownAddress(reference=reference_of(request))


class _LastAnswers:
    """ASGI middleware: a node that is going to stop lets no balancer keep a connection for later."""

    def __init__(self, app: ASGIApp, hq: Hq) -> None:
        self._app, self._hq = app, hq

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._hq.draining:
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self._app(scope, receive, last)


class _ByHost:
    """ASGI middleware: on an office's own host name, its pages and nothing else."""

    def __init__(self, app: ASGIApp, on_host: ASGIApp, hq: Hq) -> None:
        self._app, self._on_host, self._doors = app, on_host, hq.doors
        self._own = (urlsplit(hq.settings.url).hostname or "").lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self._app
        if scope["type"] == "http" and await self._is_offices(host_of(Request(scope))):
            chosen = self._on_host
        await chosen(scope, receive, send)

    async def _is_offices(self, host: str) -> bool:
        if host == self._own or _is_address(host):
            return False
        return await self._doors.by_host(host) is not None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
