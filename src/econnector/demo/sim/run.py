"""A simulation from its first dial to what came of it."""

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from econnector.base.errors import Unexpected
from econnector.base.openfiles import raise_open_files
from econnector.demo.sim.fleet import Fleet
from econnector.demo.sim.load import Load, share
from econnector.demo.sim.plan import Plan, Returned, Second, Told
from econnector.demo.sim.vendor import Vendor, enter, free_port
from econnector.hq import settings as hq_settings

__all__ = ["simulate"]

_ALL_SECONDS = 600.0
_BACK_SECONDS = 300.0
_KIB = 1024.0


async def simulate(plan: Plan, folder: Path, tell: Callable[[Second], None] = lambda _: None) -> Told:
    """Run it; `tell` hears of it every second. Files go to `folder`.

    Raises `Unexpected` where HQ does not start or offices stay away, and the registry's failures.
    """
    gc.set_threshold(100_000, 50, 100)  # all that is here is alive, and a look at it costs as much as its work
    _heed_sigterm()
    raise_open_files()  # a socket per office, and HQ, which is our child, needs as many
    vendor = None if plan.settings else Vendor(folder, await free_port(), tls=plan.tls, registry=plan.registry)
    if vendor is None:
        settings = hq_settings.read(plan.settings, {}).value
        url, database, ca = settings.url, settings.database_url(), None
    else:
        url, database, ca = vendor.url, vendor.database, vendor.ca
    keys = await enter(database, plan.offices)
    if vendor is not None:
        await vendor.start()
    fleet = Fleet(_link(url), keys, slow=plan.slow, slow_seconds=plan.slow_seconds, ca=ca)
    try:
        return await _watch(plan, url, vendor, fleet, tell)
    finally:
        await fleet.close()
        if vendor is not None:
            await vendor.kill()


def _heed_sigterm() -> None:
    """Let a service manager's stop take HQ with it, which would go on alone."""
    task = asyncio.current_task()
    if task is not None:
        with contextlib.suppress(NotImplementedError):  # Windows ends both
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _watch(plan: Plan, url: str, vendor: Vendor | None, fleet: Fleet, tell: Callable[[Second], None]) -> Told:
    loop = asyncio.get_running_loop()
    empty = vendor.memory_mb if vendor else 0.0
    began = loop.time()
    load = Load(url, fleet, plan.pages_per_second, ca=vendor.ca if vendor else None, seed=plan.seed)
    ticking = asyncio.create_task(_tick(fleet, load, vendor, tell))
    visiting: asyncio.Task[None] | None = None
    try:
        await fleet.dial()
        if not await fleet.until(1.0, _ALL_SECONDS):
            raise Unexpected(kind=f"only {len(fleet.online)} of {fleet.many} offices are connected")
        told = Told(offices=fleet.many, connected_seconds=round(loop.time() - began, 1))
        if vendor is not None:
            await _rest(plan.rest, vendor, told)
            told.memory_mb = round(vendor.memory_mb, 1)
            told.memory_kib_each = round((vendor.memory_mb - empty) * _KIB / fleet.many, 1)
        visiting = asyncio.create_task(load.run())
        await _live(plan, vendor, fleet, load, told)
    finally:
        for task in (ticking, visiting):
            if task is not None:
                task.cancel()
        await load.close()
    told.pages, told.failed, told.away = load.pages, load.failed, load.away
    told.p50, told.p99, told.slow_p50 = share(load.times, 0.5), share(load.times, 0.99), share(load.slow_times, 0.5)
    told.heartbeats, told.heartbeats_late = fleet.heartbeats, fleet.late
    told.cpu_seconds = round(vendor.cpu_seconds, 1) if vendor else 0.0
    told.own_cpu_seconds = round(time.process_time(), 1)
    return told


async def _rest(seconds: float, vendor: Vendor, told: Told) -> None:
    """Let all stand idle; in the first half HQ tidies up after the crowd, which is no part of what idleness costs."""
    await asyncio.sleep(seconds / 2)
    before = vendor.cpu_seconds
    await asyncio.sleep(seconds / 2)
    if seconds:
        told.rest_cpu = round(100 * (vendor.cpu_seconds - before) / (seconds / 2), 1)


async def _live(plan: Plan, vendor: Vendor | None, fleet: Fleet, load: Load, told: Told) -> None:
    """Let the time pass, and kill HQ now and then."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + plan.seconds
    while (left := ends - loop.time()) > 0:
        if not plan.restart_every or vendor is None:
            await asyncio.sleep(left)
            return
        await asyncio.sleep(min(left, plan.restart_every))
        if loop.time() < ends:
            told.restarts.append(await _restart(vendor, fleet, load, plan.away))


async def _restart(vendor: Vendor, fleet: Fleet, load: Load, away: float) -> Returned:
    """Kill HQ, start it again `away` seconds later, and see how its offices come back."""
    fleet.up.clear()
    await vendor.kill()
    if not await _empty(fleet):
        raise Unexpected(kind="offices stayed connected to an HQ that is gone")
    await asyncio.sleep(away)
    loop, used, pages = asyncio.get_running_loop(), vendor.cpu_seconds, len(load.times)
    await vendor.start()
    began, came = loop.time(), []
    for part in (0.5, 0.95, 1.0):
        if not await fleet.until(part, _BACK_SECONDS):
            raise Unexpected(kind=f"only {len(fleet.online)} of {fleet.many} offices came back")
        came.append(round(loop.time() - began, 1))
    fleet.up.set()
    cost = 1000 * (vendor.cpu_seconds - used) / fleet.many
    half, most, everybody = came
    return Returned(half, most, everybody, share(load.times[pages:], 0.99), round(cost, 2))


async def _empty(fleet: Fleet) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60.0):
            while fleet.online:  # noqa: ASYNC110 - ten thousand may tell
                await asyncio.sleep(0.02)
    return not fleet.online


async def _tick(fleet: Fleet, load: Load, vendor: Vendor | None, tell: Callable[[Second], None]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        await asyncio.sleep(1.0)
        lately, load.lately = load.lately, []
        memory = vendor.memory_mb if vendor else 0.0
        tell(
            Second(
                at=round(loop.time() - began, 1),
                online=len(fleet.online),
                answered=load.pages,
                failed=load.failed,
                p50=share(lately, 0.5),
                p99=share(lately, 0.99),
                memory_mb=round(memory, 1),
            )
        )


def _link(url: str) -> str:
    """Return where offices dial, from HQ's address for browsers."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path.rstrip('/')}/link", "", ""))
