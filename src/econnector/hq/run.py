"""`econnector hq run`: HQ as a process, from its first listening socket to a clean stop."""

import asyncio
import contextlib
import errno
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import structlog
import uvicorn

from econnector.base import logs
from econnector.base.errors import Failure, PortTaken, SettingInvalid
from econnector.base.loops import loop_factory
from econnector.base.openfiles import open_files, raise_open_files
from econnector.base.settings import Loaded
from econnector.base.version import version
from econnector.hq.app import Hq, create_admin_app, create_app
from econnector.hq.http import BoundedHttp
from econnector.hq.lean import Lean, LeanHttp
from econnector.hq.memory import settle
from econnector.hq.registry.offices import count
from econnector.hq.settings import Address, HqSettings, parse_address
from econnector.hq.websocket import LinkProtocol
from econnector.link.carrier import LARGEST_MESSAGE

__all__ = ["run", "serve"]

log = structlog.get_logger(__name__)

DRAIN = 8.0
"""Seconds from SIGTERM until the last link is closed; service managers wait at least ten."""
_OTHER_FILES = 1000
"""Open files beside the offices' sockets: browsers, the registry, the bus, the log."""


def run(loaded: Loaded[HqSettings], ready: Callable[[str], None] = lambda _: None) -> None:
    """Run HQ until SIGTERM, SIGINT or Ctrl-C; a second one stops at once.

    `ready` is told HQ's address when it can be used. Raises `PortTaken`, `SettingInvalid`, `RegistryAway`,
    `RegistryOutdated` or the switchboard's failure.
    """
    chosen = loaded.value.log
    journal = sys.stderr if logs.under_journal(sys.stderr) and not chosen.json else None
    logs.configure(
        chosen.folder,
        chosen.level,
        echo=None if journal else sys.stderr,
        json=chosen.json,
        journal=journal,
        journal_level="debug",
        keep_days=chosen.days,
    )
    logs.catch_strays()
    raise_open_files()

    def up(url: str) -> None:
        settle()
        ready(url)

    async def until_told() -> None:
        stop = asyncio.Event()
        with _on_signals(stop):
            await serve(loaded.value, stop, up)

    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(until_told())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def serve(
    settings: HqSettings,
    stop: asyncio.Event,
    ready: Callable[[str], None] = lambda _: None,
    *,
    on_start: Callable[[Hq], None] = lambda _: None,
    on_admin: Callable[[str], None] = lambda _: None,
) -> None:
    """Run HQ in this event loop until `stop`; raises as `run` does. `on_start` gets the parts before they work.

    `on_admin` is told the admin address, if there is one.
    """
    app = create_app(settings)
    hq: Hq = app.state.hq
    on_start(hq)
    with contextlib.ExitStack() as opened:
        main = _Listener(app, parse_address(settings.listen), "listen", _for_public(settings, hq))
        opened.callback(main.socket.close)
        listeners = [main]
        if settings.admin:
            address = parse_address(settings.admin)
            listeners.append(_Listener(create_admin_app(hq), address, "admin", _for_admin(settings, address)))
            opened.callback(listeners[-1].socket.close)
            on_admin(listeners[-1].url())
        try:
            await hq.start()
            await _compare_files(hq)
            await _until(stop, hq, listeners, lambda: ready(settings.url or main.url()))
        except BaseExceptionGroup as group:
            raise _first_failure(group) from None
        finally:
            await hq.stop()


async def _compare_files(hq: Hq) -> None:
    """Say at once what would show on the worst day only: that not all offices could come to this node."""
    files, offices = open_files(), await hq.registry.run(count)
    if files is not None and files < offices + _OTHER_FILES:
        remedy = "raise the limit of open files (LimitNOFILE= in the unit, or ulimit -n)"
        log.error("this node could not hold all offices", offices=offices, open_files=files, remedy=remedy)


async def _until(stop: asyncio.Event, hq: Hq, listeners: list["_Listener"], ready: Callable[[], None]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for each in listeners:
            tasks.create_task(each.serve())
        for each in listeners:
            await each.server.up.wait()
        log.info("HQ is up", version=version(), addresses=[each.url() for each in listeners])
        ready()
        await stop.wait()
        log.info("HQ is stopping", links=hq.gateway.count)
        await hq.drain(DRAIN)
        for each in listeners:
            each.server.should_exit = True


def _first_failure(group: BaseExceptionGroup[BaseException]) -> BaseException:
    failures, _ = group.split(Failure)
    found: BaseException = failures or group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs it, because they mean draining first, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class _Listener:
    """One address and the app behind it. The socket is bound at once, so that a taken port is known first."""

    def __init__(self, app: Any, address: Address, setting: str, options: dict[str, Any]) -> None:
        config = uvicorn.Config(
            app,
            host=address.host,
            port=address.port,
            lifespan="off",  # `serve` starts and stops the parts itself: what goes wrong then has a name
            log_config=None,
            access_log=False,  # addresses and tokens of patients' browsers are nobody's business
            server_header=False,
            timeout_graceful_shutdown=3,
            **options,
        )
        self._host, self._scheme = address.host, "https" if config.is_ssl else "http"
        self.socket = _bind(config, address, setting)
        self.server = _Server(config)

    async def serve(self) -> None:
        """Serve until the server's `should_exit`. Raises `PortTaken` if another one has begun to listen meanwhile."""
        try:
            await self.server.serve(sockets=[self.socket])
        except OSError as error:
            raise PortTaken(address=self.url()) from error

    def url(self) -> str:
        """Return where it listens, with the port it really has."""
        return f"{self._scheme}://{Address(self._host, self.socket.getsockname()[1])}"


def _for_public(settings: HqSettings, hq: Hq) -> dict[str, Any]:
    return {
        "http": partial(LeanHttp, lean=Lean(hq.doors, hq.metrics, lambda: hq.draining)),
        "ws": LinkProtocol,
        "ws_max_size": LARGEST_MESSAGE,
        # The link finds a dead peer itself, and compressing would cost 50 KiB per office.
        "ws_ping_interval": None,
        "ws_per_message_deflate": False,
        **_behind_proxies(settings),
        **_tls(settings),
    }


def _for_admin(settings: HqSettings, address: Address) -> dict[str, Any]:
    return {
        "http": BoundedHttp,
        "ws": "none",
        **_behind_proxies(settings),
        **({} if address.inside else _tls(settings)),
    }


def _behind_proxies(settings: HqSettings) -> dict[str, Any]:
    return {"proxy_headers": bool(settings.trusted_proxies), "forwarded_allow_ips": settings.trusted_proxies}


def _tls(settings: HqSettings) -> dict[str, Any]:
    if not (settings.tls.certificate and settings.tls.key):
        return {}
    return {"ssl_certfile": settings.tls.certificate, "ssl_keyfile": settings.tls.key}


def _bind(config: uvicorn.Config, address: Address, setting: str) -> Any:
    # uvicorn logs the error and exits; a person gets the failure instead, and only that.
    logger = logging.getLogger("uvicorn.error")
    logger.disabled = True
    try:
        return config.bind_socket()
    except SystemExit as ended:
        raise _cannot_listen(ended.__context__, address, setting) from ended
    finally:
        logger.disabled = False


def _cannot_listen(cause: BaseException | None, address: Address, setting: str) -> Failure:
    if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
        return PortTaken(address=address)
    why = getattr(cause, "strerror", None) or "it cannot be listened on"
    return SettingInvalid(name=setting, place="the settings", why=f"{address}: {why}")


@contextlib.contextmanager
def _on_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def told(*_: object) -> None:
        if stop.is_set() and task is not None:
            loop.call_soon_threadsafe(task.cancel)
        loop.call_soon_threadsafe(stop.set)

    before = {each: signal.signal(each, told) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
