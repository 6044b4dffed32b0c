"""Where events go besides the files: whoever watches, the journal, the Event Viewer."""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

from econnector.base.logs.content import to_line
from econnector.base.logs.levels import NUMBERS

__all__ = ["SOURCE", "EventViewer", "Journal", "event_viewer", "sentence", "under_journal"]

SOURCE = "OpenDentWeb"
"""Under this source people look for the eConnector in the Event Viewer."""
_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
_LEFT_OUT = frozenset({"event", "level", "timestamp", "logger", "trace"})
_LONGEST = 30_000


def sentence(event: Mapping[str, Any]) -> str:
    """Return an event as one line for a person: `no link to HQ · Link · code=hq-away`, control characters removed."""
    facts = [f"{name}={value}" for name, value in event.items() if name not in _LEFT_OUT]
    text = " · ".join([str(event.get("event", "")), *facts])
    return "".join(letter if letter.isprintable() else " " for letter in text)


class Journal:
    """A processor that writes to a stream that systemd reads: the priority first, as sd-daemon(3) has it."""

    def __init__(self, stream: TextIO, least: int) -> None:
        """Only events of level `least` and above."""
        self._stream, self._least = stream, least

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Write one line; a closed stream must not stop the service."""
        level = str(event.get("level", "info"))
        if NUMBERS.get(level, 20) >= self._least:
            lines = [sentence(event), *(f"{each}" for each in event.get("trace", ()))]
            with contextlib.suppress(OSError, ValueError):
                for line in lines:
                    print(f"<{_PRIORITIES.get(level, 6)}>{line}", file=self._stream, flush=True)
        return event


def under_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether systemd's journal reads `stream`: `JOURNAL_STREAM` names its device and inode."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM", "") == f"{found.st_dev}:{found.st_ino}"


class EventViewer:
    """A processor that hands errors to the Windows Event Viewer."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """`report` writes one text under the source."""
        self._report = report

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Report an error; that it cannot be reported must not stop the service."""
        if NUMBERS.get(str(event.get("level")), 0) >= NUMBERS["error"]:
            with contextlib.suppress(Exception):
                self._report(f"{sentence(event)}\r\n\r\n{to_line(event)}"[:_LONGEST])
        return event


def event_viewer() -> EventViewer | None:
    """Return where errors go on Windows with pywin32; None elsewhere."""
    if sys.platform == "win32":
        try:
            import win32evtlog  # noqa: PLC0415 - an extra, and Windows only
            import win32evtlogutil  # noqa: PLC0415 - as above
        except ImportError:
            return None
        with contextlib.suppress(Exception):  # without the right to register it, the text stands there all the same
            win32evtlogutil.AddSourceToRegistry(SOURCE, None, "Application")
        kind = win32evtlog.EVENTLOG_ERROR_TYPE
        return EventViewer(lambda text: win32evtlogutil.ReportEvent(SOURCE, 1, eventType=kind, strings=[text]))
    return None
