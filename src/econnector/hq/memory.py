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
    """Spare the collector what stays: everything that was loaded, and the links that stand.

    A collection looks at all that is alive, and with ten thousand links HQ would stand still for half a second at any
    time. What was spared before is looked at once more: links that have ended leave what refers to itself.
    """
    gc.unfreeze()
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
    """Give memory back after many links came or went, for ever; `links` says how many there are.

    Not while they still come: a node that takes thousands in has something better to do than to stand still.
    """
    tidied = before = 0

    async def once() -> None:
        nonlocal tidied, before
        now, lately = links(), before
        before = now
        if abs(now - tidied) >= _MANY > abs(now - lately):
            tidied = now
            settle()
            await asyncio.to_thread(give_back)

    await keep_running("memory", once, every=_EVERY)
