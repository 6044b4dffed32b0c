"""A process that is remembered over restarts of the machine: its number alone soon belongs to another one."""

import sys
from pathlib import Path

import msgspec
import psutil

from econnector.office.service.waiting import until

__all__ = ["Known", "end", "gone", "this"]

_PAUSE_SECONDS = 0.05


class Known(msgspec.Struct, frozen=True):
    """A process and when it was born."""

    pid: int
    born: str
    """What no other process with this number shares; its form is the operating system's."""

    def alive(self) -> bool:
        """Return whether it still runs; what has ended and waits for its parent does not."""
        try:
            return psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE and _born(self.pid) == self.born
        except psutil.AccessDenied:
            return True
        except (psutil.Error, OSError):
            return False


def this(pid: int) -> Known:
    """Return the process with this number as it runs now. Raises ProcessLookupError."""
    try:
        return Known(pid, _born(pid))
    except (psutil.Error, OSError):
        raise ProcessLookupError(f"there is no process {pid}") from None


def end(known: Known, seconds: float) -> bool:
    """Tell a process to end, kill it after `seconds`; return whether it is gone. Raises PermissionError."""
    try:
        process = psutil.Process(known.pid)
        if known.alive():
            process.terminate()
        if not gone(known, seconds) and known.alive():
            process.kill()
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        raise PermissionError(f"process {known.pid} belongs to another account") from None
    return gone(known, seconds)


def gone(known: Known, seconds: float) -> bool:
    """Wait until a process has ended, for `seconds` at most; return whether it has."""
    return until(lambda: not known.alive(), seconds, _PAUSE_SECONDS)


def _born(pid: int) -> str:
    if sys.platform == "linux":
        # Ticks since the machine started, and which start that was: unlike a time of day, no clock correction moves it.
        ticks = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text('ascii').strip()}:{ticks}"
    return f"{psutil.Process(pid).create_time():.3f}"
