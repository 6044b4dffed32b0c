"""A file that one process holds at a time; the operating system lets go of it however the process ends."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Lock", "held"]

_PAUSE_SECONDS = 0.05


class Lock:
    """One process's hold on a file; `free` lets go."""

    def __init__(self, handle: int) -> None:
        """Use `Lock.take`."""
        self._handle = handle

    @classmethod
    def take(cls, file: Path) -> "Lock | None":
        """Return the hold, or None while another process (or another hold of this one) has it. Raises OSError."""
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            return None
        return cls(handle)

    def free(self) -> None:
        """Let go."""
        os.close(self._handle)


@contextlib.contextmanager
def held(file: Path, seconds: float) -> Iterator[bool]:
    """Hold `file` while the block lasts; false when it was not free within `seconds`. Raises OSError."""
    ends = time.monotonic() + seconds
    while (lock := Lock.take(file)) is None and time.monotonic() < ends:
        time.sleep(_PAUSE_SECONDS)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.free()


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
