"""Watching the offices: who fell silent is written down within a minute, once, and so is their return."""

import asyncio

import structlog

from econnector.base.clock import SYSTEM, Clock
from econnector.base.tasks import keep_running
from econnector.hq.metrics import Metrics
from econnector.hq.registry import admins, deeds, heartbeats, history, notices
from econnector.hq.registry.database import Registry

__all__ = ["look", "watch"]

log = structlog.get_logger(__name__)

_EVERY = 10.0
_HOUSEKEEPING = 3600.0
_NAMED = 100
"""Offices of one look that the log names; the history has them all."""


async def watch(registry: Registry, metrics: Metrics, clock: Clock = SYSTEM) -> None:
    """Look every ten seconds and tidy every hour, for ever; the registry being away only delays it."""

    async def once() -> None:
        metrics.silent.inc(len(await look(registry, clock)))

    async def tidy() -> None:
        await registry.run(history.prune, clock.now())
        await registry.run(notices.prune, clock.now())
        await registry.run(admins.prune, clock.now())
        await registry.run(deeds.prune, clock.now())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_running("watch", once, every=_EVERY))
        tasks.create_task(keep_running("housekeeping", tidy, every=_HOUSEKEEPING))


async def look(registry: Registry, clock: Clock = SYSTEM) -> list[str]:
    """Look once; return the offices that fell silent since the last look. Raises `RegistryAway`."""
    gone = []
    while found := await registry.run(heartbeats.silent, clock.now()):
        gone += found
    for office in gone[:_NAMED]:
        log.warning("an office is unreachable", office=office)
    if len(gone) > _NAMED:
        log.warning("very many offices are unreachable", offices=len(gone), named=_NAMED)
    return gone
