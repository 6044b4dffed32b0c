"""Reading the log: lines of all areas in the order of time, filtered, and what is added meanwhile."""

import datetime as dt
import heapq
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from econnector.base.logs.content import drop_secrets, redact_values, to_line
from econnector.base.logs.files import day_of, log_files
from econnector.base.logs.levels import NUMBERS
from econnector.base.logs.outlets import sentence

__all__ = ["Line", "clean_line", "ends", "follow", "read", "since"]

_AGO = re.compile(r"(\d+)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LOOK = 0.5


class Line(msgspec.Struct, frozen=True):
    """One event."""

    at: dt.datetime
    """Aware."""
    area: str
    level: int
    fields: dict[str, Any]
    """As written; `event` is what happened."""

    def text(self) -> str:
        """Return it for a person: `2026-11-21 14:05:06  Error  Link  no link to HQ · code=hq-away`."""
        word = {"critical": "Error", "error": "Error", "warning": "Warning", "debug": "Verbose"}
        level = word.get(str(self.fields.get("level")), "Info")
        return f"{self.at.astimezone():%Y-%m-%d %H:%M:%S}  {level:7}  {self.area:13}  {sentence(self.fields)}"


class Wish(msgspec.Struct, frozen=True):
    """Which lines are wanted."""

    since: dt.datetime | None
    level: int
    reference: str

    def __call__(self, line: Line) -> bool:
        """Return whether this one is."""
        if line.level < self.level or (self.since is not None and line.at < self.since):
            return False
        return not self.reference or _plain(str(line.fields.get("reference", ""))) == self.reference


def clean_line(line: Line) -> str:
    """Return a line as it may leave the office: looked through once more, whoever wrote it."""
    fields = drop_secrets(None, "", {**line.fields, "area": line.area})
    return to_line(redact_values(None, "", fields))


def since(text: str, now: dt.datetime) -> dt.datetime:
    """Return the moment that `2h`, `30m`, `3d`, `2026-11-21` or `2026-11-21T14:00` means. Raises ValueError."""
    ago = _AGO.fullmatch(text.strip().lower())
    try:
        if ago:
            return now - dt.timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
        found = dt.datetime.fromisoformat(text.strip())
    except OverflowError:
        raise ValueError("so long ago is before all time") from None
    return found.astimezone() if found.tzinfo is None else found


def ends(folder: Path, area: str = "") -> dict[Path, int]:
    """Return the files as they are now, each with its size: where `read` shall stop and `follow` go on."""
    return {file: _size(file) for file in log_files(folder, area)}


def read(  # noqa: PLR0913 - what can be wished for
    folder: Path,
    *,
    since: dt.datetime | None = None,
    area: str = "",
    level: int = 0,
    reference: str = "",
    until: Mapping[Path, int] | None = None,
) -> Iterator[Line]:
    """Yield the lines of all areas, oldest first; what is no line of ours is passed over.

    `level` is the least, `reference` may be typed without its dash. `until` is what `ends` found; without it, all
    there is.
    """
    wish = Wish(since, level, _plain(reference))
    first = since.astimezone().date() if since else dt.date.min
    by_area: dict[str, list[Path]] = {}
    for file in log_files(folder, area) if until is None else until:
        if (day_of(file) or first) >= first:
            by_area.setdefault(file.parent.parent.name, []).append(file)
    streams = [_lines(files, until or {}) for files in by_area.values()]
    yield from filter(wish, heapq.merge(*streams, key=lambda line: line.at))


def follow(  # noqa: PLR0913 - as above
    folder: Path,
    *,
    area: str = "",
    level: int = 0,
    reference: str = "",
    start: Mapping[Path, int] | None = None,
    going: Callable[[], bool] = lambda: True,
) -> Iterator[Line]:
    """Yield every line that is added after `start` (what `ends` found; else from now on) while `going()` says so."""
    wish = Wish(None, level, _plain(reference))
    read_to = dict(ends(folder, area) if start is None else start)
    # Nothing is added to older days; the day before may still be written to at midnight.
    first = dt.datetime.now().astimezone().date() - dt.timedelta(days=1)
    while going():
        fresh: list[Line] = []
        for file in log_files(folder, area):
            if (day_of(file) or first) < first:
                continue
            lines, read_to[file] = _added(file, read_to.get(file, 0))
            fresh.extend(lines)
        yield from filter(wish, sorted(fresh, key=lambda line: line.at))
        time.sleep(_LOOK)


def _added(file: Path, start: int) -> tuple[list[Line], int]:
    """Return the whole lines behind `start` and where they end; half a line is read next time."""
    try:
        with file.open("rb") as stream:
            stream.seek(start)
            raw = stream.read()
    except OSError:
        return [], start
    whole = raw[: raw.rfind(b"\n") + 1]
    lines = (_line(each, file.parent.parent.name) for each in whole.splitlines())
    return [line for line in lines if line is not None], start + len(whole)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _lines(files: list[Path], until: Mapping[Path, int]) -> Iterator[Line]:
    for file in files:
        try:
            with file.open("rb") as stream:
                yield from _parsed(stream, file.parent.parent.name, until.get(file, sys.maxsize))
        except OSError:
            continue


def _parsed(stream: BinaryIO, area: str, left: int) -> Iterator[Line]:
    for raw in stream:
        left -= len(raw)
        if left < 0:
            return
        line = _line(raw, area)
        if line is not None:
            yield line


def _line(raw: bytes, area: str) -> Line | None:
    try:
        fields = msgspec.json.decode(raw, type=dict[str, Any])
        at = dt.datetime.fromisoformat(str(fields["timestamp"]).strip("'"))
    except (ValueError, KeyError, msgspec.DecodeError):
        return None
    if at.tzinfo is None:
        return None
    return Line(at, area, NUMBERS.get(str(fields.get("level")).strip("'"), NUMBERS["info"]), fields)


def _plain(reference: str) -> str:
    return "".join(letter for letter in reference.upper() if letter.isalnum())
