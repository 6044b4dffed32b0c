"""What a running connector leaves in its state file, for `econnector office status` and the doctor to read.

Another process reads it while the connector holds the file. It is fresh while the connector runs: written at every
change and every few seconds.
"""

import datetime as dt
import os
import sys
from pathlib import Path

import msgspec

from econnector.base.errors import Failure, StateLocked, failure_from

__all__ = ["FRESH_SECONDS", "KEEP_SECONDS", "NAME", "Running", "Trouble", "decode", "local", "ran_here", "trouble"]

NAME = "running"
"""Under which the state file's meta table keeps it."""
KEEP_SECONDS = 10.0
FRESH_SECONDS = 35.0
"""Older than this, the connector was killed, or its machine sleeps."""


class Trouble(msgspec.Struct):
    """A failure, as it is kept."""

    code: str
    reference: str
    facts: dict[str, str]
    since: str
    """ISO 8601, UTC."""

    def failure(self) -> Failure:
        """Return it as the failure it was."""
        return failure_from(self.code, self.reference, self.facts)


class Running(msgspec.Struct):
    """A connector and its two ends. Times are ISO 8601 in UTC, empty for never."""

    version: str = ""
    pid: int = 0
    machine: str = ""
    started: str = ""
    written: str = ""
    stopped: str = ""
    """When it stopped as asked; empty while it runs or after it was killed."""
    hq: str = ""
    """HQ's address."""
    office: str = ""
    """The office's name at HQ; empty before the first link."""
    link: str = "away"
    """`open`, `away`, `refused` (HQ says no) or `standby` (another machine is this office's connector)."""
    link_since: str = ""
    link_trouble: Trouble | None = None
    report_trouble: Trouble | None = None
    """Why HQ did not take the last heartbeat."""
    database: str = "away"
    """`open` or `away`."""
    database_since: str = ""
    database_version: str = ""
    program_version: str = ""
    database_trouble: Trouble | None = None
    heard: str = ""
    """When HQ last answered a heartbeat."""
    hq_version: str = ""
    standing: str = ""
    """Of the registration key, as HQ last said: active, disabled, ended."""
    others: list[str] = []
    """Machines that tried to be this office's connector, as HQ last said."""
    window: str = ""
    """Where a browser finds its window, empty while it is not served."""
    window_trouble: Trouble | None = None
    clock_ahead: float = 0.0
    """Seconds that this machine's clock is ahead of the database's."""
    awake: str = ""
    """`kept`, `off` (the setting says so) or `impossible`; empty before it was tried."""
    awake_by: str = ""
    """By what it is kept awake; else why it is not."""
    sleep_allowed: list[str] = []
    """When the power settings let this machine sleep, such as `it sleeps after 30 minutes without use`."""

    def alive(self, now: dt.datetime) -> bool:
        """Return whether the connector that wrote this still runs."""
        if self.stopped or not self.written:
            return False
        age = (now - dt.datetime.fromisoformat(self.written)).total_seconds()
        return abs(age) < FRESH_SECONDS and _exists(self.pid)


def _exists(pid: int) -> bool:
    if sys.platform == "win32":  # signal 0 would end the process there; the age must do
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def trouble(failure: Failure, now: dt.datetime) -> Trouble:
    """Return a failure as it is kept."""
    return Trouble(failure.code, failure.reference, failure.facts, now.isoformat(timespec="seconds"))


def local(text: str) -> str:
    """Return a kept time as people here read it, such as `2026-11-21 14:05`; what is no time stays as it is."""
    try:
        return f"{dt.datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return text


def ran_here(state_file: Path) -> bool:
    """Return whether there is a state file. Raises `StateLocked` where this account may not even look."""
    try:
        return state_file.exists()
    except OSError as error:
        raise StateLocked(path=state_file, reason=error.strerror or type(error).__name__) from None


def decode(text: str) -> Running:
    """Return what was kept; a text from another version that cannot be read says nothing."""
    try:
        return msgspec.json.decode(text, type=Running)
    except msgspec.DecodeError:
        return Running()
