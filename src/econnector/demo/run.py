"""HQ, one office and its portal in one process on loopback: everything real, joined by a real link."""

import asyncio
import contextlib
import datetime as dt
import signal
import time
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from econnector.base import logs
from econnector.base.clock import SYSTEM
from econnector.base.errors import Unexpected
from econnector.base.settings import Loaded
from econnector.demo.gateway.beside import sandbox
from econnector.demo.journey import Report, travel
from econnector.demo.place import Place, build
from econnector.demo.practice import SignIn
from econnector.demo.practice.papers import PRACTICE
from econnector.hq.app import Hq
from econnector.hq.registry import offices
from econnector.hq.run import serve
from econnector.hq.settings import HqSettings
from econnector.office.app import Office
from econnector.office.enrol import enrol
from econnector.office.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["OFFICE", "Wish", "build_only", "once", "stay"]

OFFICE = "juniper-hill"
"""The office's name at HQ."""
CONNECT_SECONDS = 20.0
_LOOPBACK = "127.0.0.1"

T = TypeVar("T")


class Wish(msgspec.Struct, frozen=True):
    """What a demo shall be."""

    folder: Path
    port: int = 0
    """0 takes a free one."""
    switchboard: str = "local"
    """Or `nats://server:4222`."""
    database: str = ""
    """URL without password; empty: a SQLite file in `folder`."""
    password: str | None = None
    seed: int = 0
    """Other dice make another practice; 0 means the usual one."""


class Shown(msgspec.Struct, frozen=True):
    """What a person is told about a running demo."""

    portal: str
    hq: str
    cards: str
    """The sandbox that cards are paid at."""
    folder: Path
    sign_ins: list[SignIn]


async def build_only(wish: Wish) -> Place:
    """Write the practice into `wish.folder` and start nothing. Raises as `build` does."""
    today = SYSTEM.now().astimezone().date()
    return await build(wish.folder, today, database=wish.database, password=wish.password, seed=wish.seed)


async def stay(wish: Wish, show: Callable[[Shown], None], *, browse: bool) -> None:
    """Run until interrupted; `show` is told when it can be used, `browse` then opens the browser.

    Raises the failure of whatever could not be started, or ended by itself.
    """
    _stop_as_with_ctrl_c()
    place = await build_only(wish)
    async with _running(wish, place, Report()) as running:
        show(running.shown)
        if browse:
            await asyncio.to_thread(webbrowser.open, running.shown.portal)
        await _first(asyncio.Event().wait(), *running.tasks)


async def once(wish: Wish) -> Report:
    """Build, start, make the journey, stop; the report says how it went. Raises nothing but interruption."""
    _stop_as_with_ctrl_c()
    report = Report()
    try:
        with report.step("make the practice"):
            place = await build_only(wish)
        async with _running(wish, place, report) as running:
            await asyncio.to_thread(travel, running.shown.portal, place.practice, place.images, report)
            stopping = time.perf_counter()
        report.note("stop", stopping)
    except Exception as error:  # noqa: BLE001 - whatever it was, the report names the step
        report.blame("stop", error)
    else:
        report.ok = True
    return report


class _Running(NamedTuple):
    shown: Shown
    tasks: tuple["asyncio.Task[None]", ...]


@contextlib.asynccontextmanager
async def _running(wish: Wish, place: Place, report: Report) -> AsyncIterator[_Running]:
    """Run both ends while the block lasts."""
    logs.configure(place.folder / "log")
    parts: list[Hq] = []
    up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    listen = f"{_LOOPBACK}:{wish.port}"
    settings = HqSettings(listen=listen, folder=place.folder / "hq", switchboard=wish.switchboard, node="demo")
    async with (
        sandbox(place.folder) as cards,
        _beside(lambda stop: serve(settings, stop, up.set_result, on_start=parts.append)) as hq,
    ):
        with report.step("start HQ"):
            address = await _first(up, hq)
        with report.step("enrol the office"):
            loaded = await _enrolled(place, parts[0], address, await cards)
        async with _beside(Office(loaded).run) as office:
            with report.step("connect the office"):
                await _first(_linked(parts[0]), hq, office)
            portal = f"{address}/o/{OFFICE}/portal/"
            shown = Shown(portal, address, await cards, place.folder, place.practice.sign_ins)
            yield _Running(shown, (hq, office))


@contextlib.asynccontextmanager
async def _beside(run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> AsyncIterator["asyncio.Task[None]"]:
    """Run something beside the block, and stop it in order at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def _first(wanted: Awaitable[T], *beside: "asyncio.Task[None]") -> T:
    """Return what is wanted; if something beside it ends before, raise what that died of."""
    waiting = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait({waiting, *beside}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        for task in beside:
            if task.done():
                task.result()
        raise Unexpected(kind="a part of the demo ended by itself")
    finally:
        waiting.cancel()


async def _enrolled(place: Place, hq: Hq, address: str, cards: str) -> Loaded[Settings]:
    """Make the office known to HQ, unless an earlier demo in this folder did; return the connector's settings."""
    link = address.replace("http", "ws", 1) + "/link"
    await asyncio.to_thread(place.tell, link, cards)
    place = place.at({"hq.url": link, "hq.proxy": "none", "payments.gateway": cards})
    if not (place.loaded.value.state_file.exists() and await hq.registry.run(_is_known)):
        key = await hq.registry.run(_new_key)
        await enrol(place.loaded, key)
    return place.loaded


def _is_known(connection: "Connection") -> bool:
    return any(office.name == OFFICE and office.key_used_at for office in offices.every(connection))


def _new_key(connection: "Connection") -> str:
    now = SYSTEM.now()
    if not any(office.name == OFFICE for office in offices.every(connection)):
        return offices.add(connection, OFFICE, now, title=PRACTICE.name, phone=PRACTICE.phone)[1]
    offices.open_move(connection, OFFICE, now + dt.timedelta(minutes=1), now)  # its state file is gone
    return offices.new_registration_key(connection, OFFICE, now)


async def _linked(hq: Hq) -> None:
    """Wait until the office's link is there."""
    async with asyncio.timeout(CONNECT_SECONDS):
        while not hq.gateway.count:  # noqa: ASYNC110 - the gateway tells nobody
            await asyncio.sleep(0.02)


def _stop_as_with_ctrl_c() -> None:
    """Let SIGTERM end the demo as Ctrl-C does: both ends stop in order, temporary files go.

    It does not borrow Ctrl-C's handler: a shell lets what runs in the background ignore Ctrl-C.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def told(_number: int, _frame: FrameType | None) -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    signal.signal(signal.SIGTERM, told)
