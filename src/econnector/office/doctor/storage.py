"""Checks of what the connector writes to disk: its log can be written, old files of it go, no disk is full."""

import asyncio
import getpass
import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from econnector.base import logs
from econnector.base.errors import Failure, LogUnwritable
from econnector.office.doctor.access import nearest
from econnector.office.doctor.check import Check, Finding, Fix, attention, from_failure, offering, ok, problem
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.opendental import preferences

__all__ = ["CHECKS"]

LEAST_FREE = 16 * 1024 * 1024
"""Bytes that a disk must have left: a few days of log."""
ROOMY = 512 * 1024 * 1024
"""Bytes below which somebody should make room."""
_DAYS = "EConnectorCleanupLoggerIntervalDays"
_MB = 1024 * 1024
_AWAY = [
    "See that the disk of the state file and of the log (settings `state`, `log.folder`) is there for this account.",
    "A drive letter of a share is its user's only: a service needs a folder of this computer.",
]


class _Logs(msgspec.Struct):
    files: int = 0
    size: int = 0
    areas: int = 0
    old: int = 0
    """Files that are older than they are kept."""


async def _logs(scene: Scene) -> Finding:
    folder = scene.loaded.value.log_folder
    reason = await asyncio.to_thread(_why_not, folder)
    found = await asyncio.to_thread(_look, folder, await _days(scene), scene)
    if reason:
        failure = LogUnwritable(path=folder, reason=reason, account=_account())
        return _sweepable(from_failure(failure), found, folder)
    lines = [f"{found.files} files in {found.areas} areas, {found.size // _MB:,} MB"]
    if found.old:
        text = f"log files in {folder} are older than the practice keeps them: {found.old}; the connector did not run"
        return _sweepable(attention(text, ["Start the connector: it deletes them every day."], *lines), found, folder)
    return ok(f"the log can be written to {folder}", *lines)


def _sweepable(finding: Finding, found: _Logs, folder: Path) -> Finding:
    return offering(finding, _SWEEP, count=found.old, folder=folder) if found.old else finding


def _why_not(folder: Path) -> str:
    """Return why nothing can be written there, or an empty text; nothing is made to find out."""
    try:
        there = nearest(folder)
    except OSError as error:
        return error.strerror or type(error).__name__
    if not there.is_dir():
        return f"{there} is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"this account may not write into {there}"
    free = shutil.disk_usage(there).free
    return "" if free >= LEAST_FREE else f"the disk is full, {free // 1024} kilobytes are left"


def _look(folder: Path, days: int | None, scene: Scene) -> _Logs:
    found, areas, today = _Logs(), set[str](), scene.clock.now().astimezone().date()
    try:
        files = logs.log_files(folder)
    except OSError:
        return found
    for file in files:
        day = logs.day_of(file)
        areas.add(file.parent.parent.name)
        found.files += 1
        found.size += _size(file)
        # The sweep of today may not have been yet: one day more is nothing to speak of.
        found.old += bool(days and day is not None and (today - day).days > days + 1)
    found.areas = len(areas)
    return found


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


async def _days(scene: Scene) -> int | None:
    """Return how many days log files are kept; None while nobody knows, 0 for ever."""
    days = scene.loaded.value.log.days
    if days is not None:
        return days
    try:
        text = await scene.database().run(preferences.read, _DAYS, within=3.0)
    except (NotNowError, Failure):
        return None
    return int(text) if text.isdecimal() else 0


async def _sweep(scene: Scene) -> str:
    days, folder = await _days(scene), scene.loaded.value.log_folder
    if not days:
        raise NotNowError("nobody knows how long log files are kept (see database)")
    swept = await asyncio.to_thread(logs.sweep, folder, days, scene.clock.now().astimezone().date())
    kilobytes = -(-swept.size // 1024)
    return f"Log files of more than {days} days were deleted: {swept.files}, {kilobytes:,} kilobytes."


async def _disk(scene: Scene) -> Finding:
    settings = scene.loaded.value
    places = {"the state file": settings.state_file, "the log": settings.log_folder, "temporary files": _temporary()}
    try:
        found = [(what, *await asyncio.to_thread(_free, place)) for what, place in places.items()]
    except OSError as error:
        why = error.strerror or type(error).__name__
        return problem(f"a disk that the connector writes to cannot be looked at: {why}", _AWAY)
    lines = [f"{what} ({there}): {free // _MB:,} MB free" for what, there, free in found]
    what, there, free = min(found, key=lambda each: each[2])
    remedy = ["Make room on that disk, or move it there to another one.", "Look first at backups and old downloads."]
    if free < LEAST_FREE:
        return problem(f"the disk of {what} ({there}) is full: {free // 1024:,} kilobytes are left", remedy, *lines)
    if free < ROOMY:
        return attention(f"the disk of {what} ({there}) is nearly full: {free // _MB:,} MB are left", remedy, *lines)
    return ok(f"every disk that the connector writes to has at least {free // _MB:,} MB free", *lines)


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError:  # no folder for temporary files can be written at all
        return Path("/tmp")  # noqa: S108 - looked at, never written


def _free(place: Path) -> tuple[Path, int]:
    there = nearest(place)
    return there, shutil.disk_usage(there).free


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return "that runs this"


_SWEEP = Fix(
    "sweep-logs", "Delete the log files in {folder} that are older than the practice keeps them ({count}).", _sweep
)

CHECKS = (
    Check("logs", "machine", "What happens is written down: the log folder can be written.", 8, _logs, (_SWEEP,)),
    Check("disk", "machine", "The disks that the connector writes to have room.", 5, _disk),
)
