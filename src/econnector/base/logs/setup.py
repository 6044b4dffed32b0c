"""Putting the log together: what happens to an event on its way from the code to the files."""

import contextlib
import datetime as dt
import logging
import sys
import threading
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

from econnector.base.logs.areas import COMMANDS, area_of
from econnector.base.logs.content import describe, drop_secrets, frames, redact_values, to_line
from econnector.base.logs.files import Writer, sweep
from econnector.base.logs.levels import NUMBERS, Level, level_of
from econnector.base.logs.outlets import Journal, event_viewer
from econnector.base.places import data_folder

__all__ = ["bound", "catch_strays", "configure", "current_level", "default_folder", "keep_traceback", "set_level"]

_CHATTY = ("alembic", "asyncio", "httptools", "nats", "sqlalchemy", "uvicorn", "websockets")


class _Log:
    """What this process has: one log."""

    folder: Path | None = None
    writer: Writer | None = None
    level = NUMBERS["info"]


def default_folder() -> Path:
    """Return the folder for logs where none is set."""
    return data_folder() / "log"


def configure(  # noqa: PLR0913 - every place where events can go
    folder: Path | None,
    level: Level = "info",
    *,
    echo: TextIO | None = None,
    json: bool = False,
    journal: TextIO | None = None,
    journal_level: Level = "error",
    keep_days: int = 0,
) -> None:
    """Send what the software logs to `folder` (None: nowhere), and to `echo` for whoever watches.

    `echo` gets lines for a person, or with `json` the same objects as the files. `journal` is a stream that systemd
    reads; it gets what is at least `journal_level`. Whenever a day begins, files more than `keep_days` days old are
    deleted; 0 keeps all. The last call counts.
    """
    if _Log.writer is not None:
        _Log.writer.close()
    _Log.folder, _Log.writer = folder, Writer(folder) if folder else None
    viewer = event_viewer() if folder else None
    outlets: list[Any] = [
        _Files(_Log.writer, folder, keep_days) if _Log.writer and folder else None,
        Journal(journal, level_of(journal_level)) if journal else None,
        viewer,
    ]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _time,
            _named,
            frames,
            drop_secrets,
            redact_values,
            *(outlet for outlet in outlets if outlet is not None),
            _drop if echo is None else _json if json else structlog.dev.ConsoleRenderer(colors=echo.isatty()),
        ],
        logger_factory=lambda *names: _Named(echo, *names),
        cache_logger_on_first_use=False,
    )
    set_level(level)


def set_level(level: Level | int) -> None:
    """Write from now on what is at least `level`, without a restart."""
    number = level if isinstance(level, int) else level_of(level)
    _Log.level = number
    structlog.configure(
        **{**structlog.get_config(), "wrapper_class": structlog.make_filtering_bound_logger(number)},
    )
    _take_over(number)


def current_level() -> int:
    """Return the number of the level that is written now."""
    return _Log.level


def bound(**context: object) -> contextlib.AbstractContextManager[None]:
    """Add `context` (office, call, reference) to every event inside the with-block, in this task only."""
    return structlog.contextvars.bound_contextvars(**context)


def keep_traceback(reference: str, error: BaseException) -> str:
    """Write an unexpected exception's frames to the log under `reference`; return the file's path, or empty."""
    now = dt.datetime.now().astimezone()
    event = {
        "timestamp": now.isoformat(timespec="milliseconds"),
        "event": "unexpected",
        "level": "error",
        "reference": reference,
        "trace": list(describe(error)),
    }
    writer = _Log.writer or Writer(_Log.folder or default_folder())
    written = writer.write(COMMANDS, to_line(event), now.date())
    if writer is not _Log.writer:
        writer.close()
    return str(written) if written else ""


def catch_strays() -> None:
    """Let what Python itself would print, with an exception's text, go to the log without it.

    For processes that run unattended: faults in threads, in destructors, and in logging itself.
    """
    logging.raiseExceptions = False
    stray = structlog.get_logger(__name__)

    def fault(what: str, error: BaseException | None) -> None:
        stray.error(what, exc_info=error)

    def uncaught(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        fault("the process met a fault that nothing caught", error)

    threading.excepthook = lambda met: fault("a thread met a fault that nothing caught", met.exc_value)
    sys.unraisablehook = lambda met: fault("a fault could not be raised", met.exc_value)
    sys.excepthook = uncaught


class _Named:
    """Where rendered events end: a stream, under the name of the module that logs."""

    def __init__(self, echo: TextIO | None, name: str = "") -> None:
        self._echo, self.name = echo, name

    def msg(self, rendered: str) -> None:
        """Write one line; a closed stream must not stop the service."""
        if self._echo is not None:
            with contextlib.suppress(OSError, ValueError):
                print(rendered, file=self._echo, flush=True)

    debug = info = warning = error = critical = msg


class _Bridge(logging.Handler):
    """Takes what libraries log: the first line of the pattern, without its arguments, which may quote data."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass `record` on."""
        level = min(max(record.levelno, logging.DEBUG), logging.CRITICAL)
        pattern = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        first = pattern.partition("(" if record.name == "asyncio" else "\n")[0]
        structlog.get_logger(record.name).log(level // 10 * 10, first, exc_info=record.exc_info)


def _take_over(level: int) -> None:
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _Bridge)]:
        root.removeHandler(old)
    root.addHandler(_Bridge())
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


def _time(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["timestamp"] = dt.datetime.now().astimezone().isoformat(timespec="milliseconds")
    return event


def _named(logger: Any, _: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["logger"] = getattr(logger, "name", "")
    return event


def _json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return to_line(event)


def _drop(_: Any, __: str, ___: MutableMapping[str, Any]) -> str:
    raise structlog.DropEvent


class _Files:
    """A processor that appends each event to the file of its area and day."""

    def __init__(self, writer: Writer, folder: Path, keep_days: int) -> None:
        self._writer, self._folder, self._keep_days = writer, folder, keep_days
        self._day = dt.date.min

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        day = dt.datetime.now().astimezone().date()
        self._writer.write(area_of(str(event.get("logger", ""))), to_line(event), day)
        if day != self._day:
            self._day = day
            with contextlib.suppress(OSError):
                sweep(self._folder, self._keep_days, day)
        return event
