"""Waiting for what another program does."""

import time
from collections.abc import Callable

__all__ = ["until"]


def until(met: Callable[[], bool], seconds: float, pause: float = 0.2) -> bool:
    """Ask every `pause` seconds whether it is so, for `seconds` at most; return whether it was."""
    ends = time.monotonic() + seconds
    while not met():
        if time.monotonic() >= ends:
            return False
        time.sleep(pause)
    return True
