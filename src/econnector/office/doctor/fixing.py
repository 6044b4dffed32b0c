"""Mending what a check found, by the fix that stands beside it: looked at again before, and once more afterwards."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Literal

import msgspec
import structlog

from econnector.base.errors import Failure, Unexpected
from econnector.base.settings import Loaded
from econnector.office.desk import Who, desk_of
from econnector.office.doctor.check import Check, Finding, Fix
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.settings import Settings

__all__ = ["SECONDS", "Mended", "mend", "note", "trace"]

log = structlog.get_logger(__name__)

_NOTE_SECONDS: Final = 3.0
SECONDS: Final = 60.0
"""How long a fix may take: a service waits for its connector."""


class Mended(msgspec.Struct):
    """How a fix went."""

    check: str
    fix: str
    outcome: Literal["mended", "failed", "needless"]
    """`needless`: looked at once more, there was nothing to mend."""
    text: str
    remedy: list[str] = []
    code: str = ""
    reference: str = ""
    after: Finding = msgspec.field(default_factory=Finding)
    """What the check finds now."""


async def mend(scenes: Callable[[], Scene], check: Check) -> Mended:
    """Do what the check's finding offers now; never raises but for cancellation.

    `scenes` makes a new scene each time it is asked: what the fix changes has to be read anew.
    """
    before = await _look(scenes, check)
    fix = next((each for each in check.fixes if each.id == before.fix), None)
    if fix is None:
        return Mended(check.id, "", "needless", "Nothing was changed: there is nothing to mend any more.", after=before)
    mended = await _do(scenes, check, fix)
    mended.after = await _look(scenes, check)
    return mended


async def _look(scenes: Callable[[], Scene], check: Check) -> Finding:
    scene = await asyncio.to_thread(scenes)
    try:
        return await check.run(scene)
    finally:
        await scene.close()


async def _do(scenes: Callable[[], Scene], check: Check, fix: Fix) -> Mended:
    scene = await asyncio.to_thread(scenes)
    try:
        async with asyncio.timeout(SECONDS):
            text = await fix.deed(scene)
    except Failure as failure:
        remedy, code = list(failure.remedy_steps()), failure.code
        return Mended(check.id, fix.id, "failed", failure.office_text(), remedy, code, failure.reference)
    except TimeoutError:
        return Mended(check.id, fix.id, "failed", f"It was not done within {SECONDS:g} seconds.")
    except (OSError, NotNowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return Mended(check.id, fix.id, "failed", f"It could not be done: {why}.")
    except Exception as error:
        fault = Unexpected(kind=type(error).__name__)
        log.exception("a fix failed", fix=fix.id, reference=fault.reference)
        return Mended(check.id, fix.id, "failed", fault.office_text(), [], fault.code, fault.reference)
    finally:
        await scene.close()
    log.info("the doctor mended something", check=check.id, fix=fix.id)
    return Mended(check.id, fix.id, "mended", text)


async def note(loaded: Loaded[Settings], who: Who, mended: Mended) -> None:
    """Leave the trace in Open Dental's audit trail; a database that is away keeps nobody from mending."""
    with contextlib.suppress(Failure):
        async with desk_of(loaded) as desk:
            await desk.service_changed(who, trace(mended), within=_NOTE_SECONDS)


def trace(mended: Mended) -> str:
    """Return what the audit trail says of it; no path, no name."""
    return f"The doctor mended {mended.check}: {mended.fix}"
