"""Old log files go: at start, then daily, and when the practice changes how long they are kept (od-connector 9)."""

import asyncio
import datetime as dt
from pathlib import Path

import structlog

from econnector.base import logs
from econnector.base.clock import Clock
from econnector.office.practice import Practice

__all__ = ["LOOK_SECONDS", "LogSweep"]

log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
"""How often to see whether a day has begun or the preference has changed."""


class LogSweep:
    """Deletes log files that are older than the practice wants."""

    def __init__(self, folder: Path, days: int | None, practice: Practice, clock: Clock) -> None:
        """`days` is the setting that beats Open Dental's preference; None where there is none."""
        self._folder, self._days, self._practice, self._clock = folder, days, practice, clock
        self._done: tuple[dt.date, int] | None = None

    async def look(self) -> None:
        """Sweep if today's sweep is not done yet; while nobody knows how long files are kept, nothing goes."""
        await self._practice.looked.wait()
        facts, today = self._practice.facts, self._clock.now().astimezone().date()
        days = self._days if self._days is not None else facts.log_days if facts is not None else None
        if days is None or self._done == (today, days):
            return
        swept = await asyncio.to_thread(logs.sweep, self._folder, days, today)
        self._done = (today, days)
        _tell(swept, days)


def _tell(swept: logs.Swept, days: int) -> None:
    if not days:
        log.info("log files are kept for ever")
        return
    if swept.files:
        kilobytes = swept.size // 1024
        log.info("old log files were deleted", older_than_days=days, files=swept.files, kilobytes=kilobytes)
    else:
        log.info("no log file is old enough to be deleted", older_than_days=days)
    for area, files in swept.areas.items():
        log.debug("old log files of an area were deleted", area=area, files=files)
    if swept.kept:
        log.warning("old log files are in use or cannot be deleted; the next sweep tries again", files=swept.kept)
