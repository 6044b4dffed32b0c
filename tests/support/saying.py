"""What the code under test says to its log, whatever an earlier test of the process made of the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.testing import capture_logs

__all__ = ["said"]


@contextmanager
def said() -> Iterator[list[Any]]:
    """Yield the list of what is logged meanwhile, at every level."""
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        with capture_logs() as logs:
            yield logs
    finally:
        structlog.configure(**before)
