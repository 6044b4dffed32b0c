"""The connector as a process: signals in, exit status out, on Linux, macOS and Windows."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import structlog

from econnector.base import logs
from econnector.base.loops import loop_factory
from econnector.base.settings import Loaded
from econnector.office.app import Office
from econnector.office.settings import Settings

__all__ = ["run", "serve"]

log = structlog.get_logger(__name__)

STOP_SECONDS = 9.0
"""Service managers kill after ten seconds; a thread that waits for a frozen server must not make them."""


def run(loaded: Loaded[Settings], *, quiet: bool = False) -> None:
    """Run the connector until this process is told to stop (SIGTERM, SIGINT, Ctrl-C, Ctrl-Break).

    Raises what `Office` and `Office.run` raise. A second signal ends the process at once.
    """
    _begin_log(loaded.value, quiet=quiet)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_main(loaded))


def serve(loaded: Loaded[Settings], begun: Callable[[Callable[[], None]], None]) -> None:
    """Run the connector until it is told to stop by a function, which `begun` gets; any thread may call that.

    For a service that is not told by signals. Raises what `run` raises.
    """
    _begin_log(loaded.value, quiet=True)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(loaded, begun))


async def _serve(loaded: Loaded[Settings], begun: Callable[[Callable[[], None]], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        _exit_in_any_case()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(told)

    begun(tell)
    await Office(loaded).run(stop)


def _begin_log(settings: Settings, *, quiet: bool) -> None:
    """Log to files and to whoever watches; the journal gets errors in any case."""
    journal = sys.stderr if logs.under_journal(sys.stderr) else None
    logs.configure(
        settings.log_folder,
        settings.log.level,
        echo=None if quiet or journal else sys.stderr,
        journal=journal,
        journal_level="error" if quiet else "debug",
    )
    logs.catch_strays()


async def _main(loaded: Loaded[Settings]) -> None:
    stop = asyncio.Event()
    office = Office(loaded)
    _on_signals(asyncio.get_running_loop(), stop)
    await office.run(stop)


def _on_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def told() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()
        _exit_in_any_case()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(told)

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            _listen(loop, number, told, on_signal)


def _listen(
    loop: asyncio.AbstractEventLoop,
    number: signal.Signals,
    told: Callable[[], None],
    on_signal: Callable[[int, FrameType | None], None],
) -> None:
    try:
        loop.add_signal_handler(number, told)
    except NotImplementedError:  # Windows: the handler runs in the main thread, between two steps of the loop
        signal.signal(number, on_signal)


def _exit_in_any_case() -> None:
    """End the process when stopping in order takes too long; everything that matters was written by then."""

    def end() -> None:
        log.warning("stopping took too long; leaving now", seconds=STOP_SECONDS)
        os._exit(0)

    timer = threading.Timer(STOP_SECONDS, end)
    timer.daemon = True
    timer.start()
