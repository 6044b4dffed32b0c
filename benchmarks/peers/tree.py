"""A program under measurement with all that it started: sshd gives every connection a process group of its own."""

import contextlib
import pathlib
import signal
import subprocess

import psutil

from benchmarks.processes import Process

__all__ = ["Tree"]

_PATIENCE = 5.0
"""Seconds that a program has to end by itself."""


class Tree(Process):
    """A process and its descendants."""

    def __init__(self, *command: str, log: pathlib.Path, **environment: str) -> None:
        """Start it; what it prints goes to `log`."""
        super().__init__(*command, log=log, **environment)
        self._members: list[psutil.Process] = []

    def _all(self) -> list[psutil.Process]:
        """Return those that live now; a child whose parent has died is still known from an earlier look."""
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._child.pid)
            found = [root, *root.children(recursive=True)]
            self._members += [one for one in found if one not in self._members]
        return [one for one in self._members if one.is_running()]

    @property
    def tree_bytes(self) -> int:
        """Resident memory of all of them now."""
        total = 0
        for one in self._all():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
        return total

    def _signal(self, number: signal.Signals) -> None:
        for one in self._all():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(number)

    def freeze(self) -> None:
        """Stop all of them where they stand, as a machine that hangs does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End all of them as a power cut does."""
        self._signal(signal.SIGKILL)
        self._child.wait()

    def stop(self) -> None:
        """End all of them, kindly first."""
        self._signal(signal.SIGTERM)
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
        psutil.wait_procs(self._all(), timeout=_PATIENCE)
        self._signal(signal.SIGKILL)
        self._child.wait()
        self._log.close()
