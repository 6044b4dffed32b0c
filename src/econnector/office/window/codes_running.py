"""The imports that this process runs for the window: each over its own way to the database, none in a page's."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from econnector.base.errors import Failure, Unexpected
from econnector.office.codes.importer import Codes, Wanted
from econnector.office.codes.job import Job
from econnector.office.codes.open import codes_over, own_database
from econnector.office.window.frame import Visitor
from econnector.office.window.scene import Scene

__all__ = ["close", "codes_of", "start", "stop"]

_WAIT_SECONDS = 10.0
_LOOK_SECONDS = 0.2


@dataclass(slots=True)
class _Run:
    """One import that was begun in this window."""

    job: Job
    task: asyncio.Task[None]


_RUNS: dict[tuple[str, str], _Run] = {}
"""By state file's place and system."""


def codes_of(scene: Scene) -> Codes:
    """Return the hand on this practice's code systems, for what takes no longer than a page."""
    return codes_over(scene.loaded, scene.database, scene.state, scene.clock)


async def start(visitor: Visitor, wanted: Wanted) -> None:
    """Begin an import, which goes on when the page is sent. Raises what forbids it."""
    scene, opened = visitor.scene, AsyncExitStack()
    try:
        database = own_database(scene.loaded)
        opened.push_async_callback(database.close)
        job = await codes_over(scene.loaded, database, scene.state, scene.clock).prepare(visitor.who, wanted)
    except BaseException:
        await opened.aclose()
        raise
    key = (scene.state.server, job.progress.system)
    _RUNS[key] = _Run(job, asyncio.create_task(_run(key, job, opened)))


async def _run(key: tuple[str, str], job: Job, opened: AsyncExitStack) -> None:
    try:
        async with opened, job:
            await job.run()
    except Failure:  # kept where the page reads it
        pass
    except Exception as fault:  # noqa: BLE001 - nobody else would tell the person who waits
        await job.failed(Unexpected(kind=type(fault).__name__))
    finally:
        _RUNS.pop(key, None)


async def stop(visitor: Visitor, name: str) -> bool:
    """Cancel an import, whichever process runs it; return whether it has stopped within seconds.

    Raises `PermissionMissing`, `CodeSystemUnknown`, `CodeImportIdle`.
    """
    codes = codes_of(visitor.scene)
    await codes.cancel(visitor.who, name)
    run = _RUNS.get((visitor.scene.state.server, name))
    if run is not None:
        run.job.cancel()
        await asyncio.wait([run.task], timeout=_WAIT_SECONDS)
        return run.task.done()
    try:
        async with asyncio.timeout(_WAIT_SECONDS):
            while codes.runs(name):  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        return False
    return True


async def close() -> None:
    """Cancel every import of this process and wait until each has kept how far it is: the process is going to end."""
    running = list(_RUNS.values())
    for run in running:
        run.job.cancel()
    if running:
        await asyncio.wait([run.task for run in running])
