"""The window without the connector: the same pages, served by a command until somebody stops it.

It is what brings a connector back that does not run: its page has Start. When the connector then runs and wants its
port, this one leaves it the window; who is signed in stays signed in, because both keep that in the state file.
"""

import asyncio
import contextlib
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from starlette.types import ASGIApp

from econnector.base.clock import SYSTEM
from econnector.base.errors import PortTaken, StateLocked
from econnector.base.settings import Loaded
from econnector.office.addresses import database_place
from econnector.office.left import Left, read_file, read_left
from econnector.office.settings import Settings
from econnector.office.window import codes_running
from econnector.office.window.hosts import address, loopback
from econnector.office.window.install import busy
from econnector.office.window.serve import serve_window, window_over
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state.base import join_state

__all__ = ["served_by_connector", "stay", "why_not_served"]

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_GOODBYE_SECONDS = 10.0
_PROBE_SECONDS = 3.0


async def served_by_connector(loaded: Loaded[Settings]) -> str:
    """Return where this office's connector serves the window, or an empty text.

    Raises `SettingInvalid` for an address that is not this machine's own.
    """
    host = loopback(loaded)
    try:
        left = await read_file(loaded)
    except StateLocked:  # the service runs as somebody else, and only that account may read its state
        usual = address(host, loaded.value.window.port)
        return usual if await asyncio.to_thread(_is_window, usual) else ""
    return left.running.window if left.running.alive(SYSTEM.now()) else ""


async def why_not_served(loaded: Loaded[Settings]) -> str:
    """Return in a sentence why the connector does not serve the window now."""
    with contextlib.suppress(StateLocked):
        running = (await read_file(loaded)).running
        if running.alive(SYSTEM.now()) and running.window_trouble is not None:
            return f"The connector runs and cannot serve the window: {running.window_trouble.failure().office_text()}"
    return "The connector does not serve the window now."


def _is_window(url: str) -> bool:
    """Return whether an eConnector's window answers there."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=_PROBE_SECONDS) as answer:
            return b"eConnector Service" in answer.read(1 << 16)
    except (urllib.error.URLError, OSError, ValueError):
        return False


async def stay(loaded: Loaded[Settings], up: Callable[[str], None]) -> bool:
    """Serve the window until cancelled; `up` is told its address. Return True once the connector serves it itself.

    The port is the window's own, or a free one where another program has that. Raises `SettingInvalid`, or
    `StateLocked` where this account may not use the connector's state file.
    """
    host, place = loopback(loaded), database_place(loaded)
    state = await join_state(loaded.value.state_file)
    database = Database(place.url, password=place.password, ca=place.ca, workers=4, guard=guard)
    app = window_over(loaded, database, Schemas(), state, SYSTEM, inside=False)
    at: list[int] = []

    def told(port: int) -> None:
        at.append(port)
        up(address(host, port))

    async def wanted() -> None:
        """Return once the connector runs and cannot serve its window, because we have its port.

        An installation that was begun here is finished first.
        """
        while not await given_up():  # noqa: ASYNC110 - a file
            await asyncio.sleep(_LOOK_SECONDS)

    async def given_up() -> bool:
        has_it = at == [loaded.value.window.port] and not busy(loaded.file)
        return has_it and _wants_the_port(await read_left(state))

    try:
        return await _first(_serve(host, loaded.value.window.port, app, told), wanted())
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(codes_running.close(), _GOODBYE_SECONDS)
        await database.close()
        await state.close()


async def _first(serve: Coroutine[Any, Any, None], wanted: Coroutine[Any, Any, None]) -> bool:
    """Run both until one ends; return whether it was `wanted`. Raises what `serve` raises."""
    serving, waiting = tasks = asyncio.create_task(serve), asyncio.create_task(wanted)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        return waiting.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _serve(host: str, port: int, app: Callable[[int], ASGIApp], up: Callable[[int], None]) -> None:
    try:
        await serve_window(host, port, app, up)
    except PortTaken as taken:
        log.info("the window's port is taken", why=taken.office_text())
        await serve_window(host, 0, app, up)


def _wants_the_port(left: Left) -> bool:
    running = left.running
    return running.alive(SYSTEM.now()) and running.window_trouble is not None and not running.window
