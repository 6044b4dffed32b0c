"""Which event loop a process runs on: uvloop where it exists (there is none on Windows), else asyncio's own."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["loop_factory"]


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what `asyncio.Runner` takes: uvloop's factory, or None for asyncio's own loop."""
    try:
        uvloop: Any = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
