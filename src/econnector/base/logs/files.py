"""Log files on disk: `<area>/<yy-MM-dd>/<yy-MM-dd> (NNN).txt`, laid out as Open Dental's own (od-connector 8.7).

A file takes 1000 KB, then the next number is begun; of one area and day the newest 999 stay. Days are this machine's
own. Several processes may write: each line is one `write` at the end of the file, and all of them go on to the next
number when the file is full. Whoever writes holds a shared lock, so that `sweep` passes by a file that is in use; on
Windows the system itself refuses to delete one.
"""

import contextlib
import datetime as dt
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from econnector.base.logs.areas import folder_name

__all__ = ["FULL", "MOST", "Swept", "Writer", "day_of", "log_files", "sweep"]

FULL = 1000 * 1024
"""Bytes after which the next file is begun."""
MOST = 999
"""Files of one area and day."""
_DAY = "%y-%m-%d"
_NAME = re.compile(r"(\d\d-\d\d-\d\d) \((\d{3,})\)\.txt")


class Swept(msgspec.Struct):
    """What a sweep did."""

    files: int = 0
    size: int = 0
    """Bytes that went."""
    folders: int = 0
    kept: int = 0
    """Files that are old enough but in use, or could not be deleted; they go next time."""
    areas: dict[str, int] = {}
    """Files that went, by area."""


def day_of(file: Path) -> dt.date | None:
    """Return the day of a log file, or None where this software did not make it."""
    found = _NAME.fullmatch(file.name)
    if found is None or file.parent.name != found[1]:
        return None
    return _day(found[1])


def _day(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, _DAY).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def log_files(folder: Path, area: str = "") -> list[Path]:
    """Return the log files in `folder`, of all areas or one (in whatever case), oldest first in each area."""
    wanted = folder_name(area).lower() if area else ""
    found = [
        file
        for file in folder.glob("*/*/*.txt")
        if day_of(file) is not None and wanted in {"", file.parent.parent.name.lower()}
    ]
    return sorted(found, key=_order)


def _order(file: Path) -> tuple[str, str, int]:
    return file.parent.parent.name, file.parent.name, _number(file)


def _number(file: Path) -> int:
    found = _NAME.fullmatch(file.name)
    return int(found[2]) if found else 0


class _Open(NamedTuple):
    handle: int
    path: Path
    day: str
    number: int


class Writer:
    """Appends lines; thread-safe. What cannot be written is left out, never raised: a full disk stops no eService."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before the first line."""
        self._folder, self._lock = folder, threading.Lock()
        self._files: dict[str, _Open] = {}

    def write(self, area: str, line: str, day: dt.date) -> Path | None:
        """Append `line` to the area's file of that day; return the file, or None where that did not work."""
        raw = line.encode(errors="backslashreplace") + b"\n"
        with self._lock:
            try:
                file = self._file(folder_name(area), day.strftime(_DAY))
                os.write(file.handle, raw)
            except OSError:
                return None
            return file.path

    def close(self) -> None:
        """Let go of all files."""
        with self._lock:
            for area in list(self._files):
                self._drop(area)

    def _file(self, area: str, day: str) -> _Open:
        current = self._files.get(area)
        if current is not None and current.day == day:
            found = os.fstat(current.handle)
            if found.st_size < FULL and found.st_nlink:
                return current
        if current is None or current.day != day:
            self._drop_other_days(day)
        self._drop(area)
        self._files[area] = opened = self._next(area, day)
        return opened

    def _next(self, area: str, day: str) -> _Open:
        folder = self._folder / area / day
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        there = sorted((file for file in folder.iterdir() if _NAME.fullmatch(file.name)), key=_number)
        number = _number(there[-1]) if there else 1
        while True:
            opened = _open(folder / f"{day} ({number:03}).txt", day, number)
            if os.fstat(opened.handle).st_size < FULL:
                break
            os.close(opened.handle)
            number += 1
        for file in there[: max(len({*there, opened.path}) - MOST, 0)]:
            with contextlib.suppress(OSError):
                file.unlink()
        return opened

    def _drop(self, area: str) -> None:
        old = self._files.pop(area, None)
        if old is not None:
            os.close(old.handle)

    def _drop_other_days(self, day: str) -> None:
        for area in [area for area, each in self._files.items() if each.day != day]:
            self._drop(area)


def _open(path: Path, day: str, number: int) -> _Open:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    _hold(handle)
    return _Open(handle, path, day, number)


def sweep(folder: Path, days: int, today: dt.date) -> Swept:
    """Delete log files from more than `days` days before `today`, then the folders left empty; 0 keeps all.

    Only files that this software made go, judged by the day in their name: copying or restoring a file changes the
    times that the system keeps, never its name.
    """
    swept = Swept()
    if days <= 0:
        return swept
    first = today - dt.timedelta(days=min(days, 100 * 366))
    touched: dict[Path, None] = {}
    for file in log_files(folder):
        day = day_of(file)
        if day is None or day >= first:
            continue
        touched[file.parent] = None
        size = _delete(file)
        if size is None:
            swept.kept += 1
            continue
        swept.files, swept.size = swept.files + 1, swept.size + size
        swept.areas[file.parent.parent.name] = swept.areas.get(file.parent.parent.name, 0) + 1
    swept.folders = sum(_emptied(each) for each in [*touched, *_empty_days(folder, first)])
    return swept


def _empty_days(folder: Path, first: dt.date) -> Iterator[Path]:
    """Yield the folders of old days, as a sweep that was broken off may have left them empty."""
    for each in sorted(folder.glob("*/*")):
        day = _day(each.name)
        if day is not None and day < first:
            yield each


def _emptied(folder: Path) -> int:
    gone = 0
    for each in (folder, folder.parent):
        try:
            each.rmdir()  # refuses a folder with something in it
        except OSError:
            break
        gone += 1
    return gone


def _delete(file: Path) -> int | None:
    try:
        with _alone(file):
            size = file.stat().st_size
            file.unlink()
    except OSError:
        return None
    return size


if sys.platform == "win32":

    def _hold(handle: int) -> None:
        """Nothing to do: a file that is open cannot be deleted there."""

    @contextlib.contextmanager
    def _alone(_: Path) -> Iterator[None]:
        yield

else:
    import fcntl

    def _hold(handle: int) -> None:
        """Say that the file is in use, as long as it is open."""
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)

    @contextlib.contextmanager
    def _alone(file: Path) -> Iterator[None]:
        """Hold the file alone. Raises OSError when it is in use."""
        handle = os.open(file, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(handle)
