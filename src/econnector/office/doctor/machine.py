"""Checks of this machine while it runs on: that it keeps a log, and that it does not fall asleep."""

import asyncio
import getpass
import os
import shutil
from pathlib import Path

from econnector.base import logs
from econnector.base.errors import LogUnwritable
from econnector.office.awake import power
from econnector.office.doctor.check import Check, Finding, attention, ok, unknown
from econnector.office.doctor.scene import Scene

__all__ = ["CHECKS"]

LEAST_FREE = 16 * 1024 * 1024
"""Bytes that a disk must have left: a few days of log."""


async def _logs(scene: Scene) -> Finding:
    folder = scene.loaded.value.log_folder
    reason = await asyncio.to_thread(_why_not, folder)
    if reason:
        raise LogUnwritable(path=folder, reason=reason, account=_account())
    files = await asyncio.to_thread(logs.log_files, folder)
    areas = {file.parent.parent for file in files}
    return ok(f"the log can be written to {folder}", f"{len(files)} files in {len(areas)} areas")


def _why_not(folder: Path) -> str:
    """Return why nothing can be written there, or an empty text; nothing is made to find out."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir():
        return f"{there} is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"this account may not write into {there}"
    free = shutil.disk_usage(there).free
    return "" if free >= LEAST_FREE else f"the disk is full, {free // 1024} kilobytes are left"


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return "that runs this"


async def _sleep(scene: Scene) -> Finding:
    keep = scene.loaded.value.awake.keep
    found, running = await asyncio.gather(asyncio.to_thread(power.look), scene.running())
    held = running.alive(scene.clock.now()) and running.awake == "kept"
    kept = f"the connector keeps it awake (by {running.awake_by})" if held else "nothing keeps it awake now"
    kept += "" if keep else "; the setting awake.keep is off"
    if found.allows:
        text = f"the power settings let this computer sleep: {'; '.join(found.allows)}"
        return attention(text, found.remedy, kept)
    if not found.known:
        return ok(f"{kept}; its power settings cannot be read") if held else unknown("power settings cannot be read")
    return ok("the power settings do not let this computer sleep by itself", kept)


CHECKS = (
    Check("logs", "machine", "What happens is written down: the log folder can be written.", 5, _logs),
    Check("sleep", "machine", "This computer does not fall asleep by itself.", 14, _sleep),
)
