"""The office's and HQ's machines: a disk that can be filled, and clocks that can be moved."""

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

__all__ = ["INSIDE", "Clocks", "Disk"]

INSIDE = "SOAK_INSIDE"
"""The environment variable that says that this process has mounts to itself (`python -m tests.soak`)."""
_SIZE = "48m"
_LEAST = 4096
"""Bytes beyond which no file may grow, where there is no disk of its own."""
_PRELOAD = Path(__file__).with_name("preload")


class Disk:
    """The disk of the state file: a small one of its own where the system allows it, else a limit of the process."""

    def __init__(self, folder: Path, connector: Callable[[], int]) -> None:
        """`folder` is made, and the disk mounted there; `connector` tells the process that is limited without one."""
        self.folder, self._connector, self._limited = folder, connector, 0
        folder.mkdir(mode=0o700)
        self.own = os.environ.get(INSIDE) == "1" and _mounted(folder)
        self.way = f"tmpfs of {_SIZE}" if self.own else "RLIMIT_FSIZE (no mounts allowed here)"

    def full(self) -> None:
        """Leave not a byte."""
        if not self.own:
            self._limited = self._connector()
            _limit(self._limited, _LEAST)
            return
        with (self.folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            size = 1024 * 1024
            while True:
                try:
                    filler.write(b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC or size == 1:
                        raise
                    size //= 2

    def room(self) -> None:
        """Make room again."""
        if not self.own:
            _limit(self._limited, resource.RLIM_INFINITY)
        (self.folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the disk."""
        if self.own:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False, capture_output=True)


def _mounted(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "soak", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _limit(process: int, size: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))


class Clocks:
    """The wall clock of each process, moved by libfaketime; what counts from a process's start is left alone."""

    def __init__(self, folder: Path) -> None:
        """Every clock is right."""
        self._folder = folder
        self._library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)

    @property
    def there(self) -> bool:
        """Whether clocks can be moved here."""
        return self._library is not None

    def environment(self, name: str) -> dict[str, str]:
        """Return what a process needs so that its clock can be moved."""
        if self._library is None:
            return {}
        file = self._folder / f"clock-{name}"
        if not file.exists():
            self.set(name, 0)
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Its "fix" for waits by the monotonic clock turns every wait of a thread into milliseconds at full speed.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(_PRELOAD),
        }

    def set(self, name: str, seconds: int) -> None:
        """Let a process's clock show this many seconds more than the time; seen within a second."""
        file = self._folder / f"clock-{name}"
        new = file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(file)
