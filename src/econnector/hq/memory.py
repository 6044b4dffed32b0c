"""HQ's memory: what is there for good is not looked at again, what is free goes back to the system."""

import asyncio
import ctypes
import gc
from collections.abc import Callable

from econnector.base.tasks import keep_running

__all__ = ["give_back", "settle", "tidy"]

_EVERY = 10.0
_MANY = 50
"""Links that came or went and are worth a look."""


def settle() -> None:
    """Once everything is loaded: spare the collector what never goes; with its first offices HQ then pauses less."""
    gc.collect()
    gc.freeze()


def give_back() -> bool:
    """Return free memory to the system, where the C library keeps it; say whether it could.

    A thousand TLS handshakes at a time leave glibc with 20 KiB per office that is free in pieces and stays resident.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False  # not glibc: other allocators do it by themselves
    trim(0)
    return True


async def tidy(links: Callable[[], int]) -> None:
    """Give memory back after many links came or went, for ever; `links` says how many there are."""
    before = 0

    async def once() -> None:
        nonlocal before
        now = links()
        if abs(now - before) >= _MANY:
            before = now
            gc.collect()  # what a handshake leaves behind refers to itself
            await asyncio.to_thread(give_back)

    await keep_running("memory", once, every=_EVERY)
