"""Serving the window over HTTP in a running event loop. A taken port is waited for; nothing here ends anything else."""

import asyncio
import contextlib
import errno
from collections.abc import Callable, Iterator
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from econnector.base.clock import Clock
from econnector.base.errors import Failure, PortTaken, SettingInvalid, Unexpected
from econnector.base.settings import Loaded
from econnector.office.running import Trouble, trouble
from econnector.office.settings import Settings
from econnector.office.window.hosts import address, authority, loopback
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database

__all__ = ["AGAIN_SECONDS", "WindowServer", "serve_window", "window_over"]

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0
"""How soon a taken port is tried again: a window that was served beside the connector hands it over."""
_MOST_AT_ONCE = 100


class _Server(uvicorn.Server):
    """Serves what was bound before, and leaves signals and the end of the process to whoever runs it."""

    def __init__(self, config: uvicorn.Config, bound: asyncio.Server) -> None:
        super().__init__(config)
        self._bound = bound

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Begin to listen; uvicorn's own way would end the process where a port is taken."""
        assert sockets is None  # noqa: S101 - we bind ourselves
        await self._bound.start_serving()
        self.servers, self.started = [self._bound], True


async def serve_window(
    host: str, port: int, app: Callable[[int], ASGIApp], up: Callable[[int], None] = lambda _: None
) -> None:
    """Serve `app(port)` until cancelled; `up` is told the port, which is a free one if `port` is 0.

    Raises `PortTaken`, or `SettingInvalid` for an address that this machine does not have.
    """
    made: list[_Server] = []

    def protocol() -> asyncio.Protocol:
        server = made[0]
        kind: Any = server.config.http_protocol_class
        made_one: asyncio.Protocol = kind(
            config=server.config, server_state=server.server_state, app_state=server.lifespan.state
        )
        return made_one

    loop = asyncio.get_running_loop()
    try:
        bound = await loop.create_server(protocol, host, port, start_serving=False)
    except OSError as error:
        raise _cannot_listen(error, host, port) from None
    port = bound.sockets[0].getsockname()[1]
    config = uvicorn.Config(
        app(port),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=1,
    )
    made.append(_Server(config, bound))
    up(port)
    try:
        await made[0].serve()
    finally:
        await _close(made[0], bound)


async def _close(server: _Server, bound: asyncio.Server) -> None:
    """Let go of the port and of every browser; the one that waits gets a moment for its answer."""
    bound.close()
    with contextlib.suppress(asyncio.CancelledError, TimeoutError):
        async with asyncio.timeout(1.5):
            if server.started:
                await server.shutdown()


def _cannot_listen(error: OSError, host: str, port: int) -> Failure:
    if error.errno in {errno.EADDRINUSE, errno.EACCES}:
        return PortTaken(address=authority(host, port))
    why = f"{authority(host, port)}: {error.strerror or 'it cannot be listened on'}"
    return SettingInvalid(name="window.address", place="the settings", why=why)


class WindowServer:
    """The connector's own window: served as long as it runs, whatever happens to the port."""

    def __init__(self, loaded: Loaded[Settings], app: Callable[[int], ASGIApp], clock: Clock) -> None:
        """`app` makes the pages for the port they are served at."""
        self._loaded, self._app, self._clock = loaded, app, clock
        self.address = ""
        """Where a browser finds it; empty while it is not served."""
        self.trouble: Trouble | None = None

    async def run(self) -> None:
        """Serve until cancelled, or return where it cannot be served now: call it again."""
        window = self._loaded.value.window
        if not window.enabled:
            await asyncio.Event().wait()
        try:
            host = loopback(self._loaded)
            await serve_window(host, window.port, self._app, lambda port: self._up(host, port))
        except Failure as failure:
            self._lost(failure)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the window, the connector goes on
            self._lost(Unexpected(kind=type(error).__name__))
        finally:
            self.address = ""

    def _up(self, host: str, port: int) -> None:
        self.address, self.trouble = address(host, port), None
        log.info("the window is served", address=self.address)

    def _lost(self, failure: Failure) -> None:
        if self.trouble is None or self.trouble.code != failure.code:
            log.warning("the window cannot be served", code=failure.code, why=failure.office_text())
            self.trouble = trouble(failure, self._clock.now())


def window_over(  # noqa: PLR0913 - what a scene is made of
    loaded: Loaded[Settings],
    database: Database,
    schemas: Schemas,
    state: Database,
    clock: Clock,
    *,
    inside: bool = True,
) -> Callable[[int], ASGIApp]:
    """Return what makes the window's pages for a port."""

    def app(port: int) -> ASGIApp:
        # The pages are many modules; who switches the window off does not load them.
        from econnector.office.window.app import create_app  # noqa: PLC0415
        from econnector.office.window.scene import Scene  # noqa: PLC0415 - as above

        return create_app(Scene(loaded, database, schemas, state, loopback(loaded), port, inside, clock))

    return app
