"""Processes under measurement: started from real commands, read from /proc."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Self

__all__ = ["Process", "free_port", "measured", "wait_for_http", "wait_until"]

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A child process, with what it has used so far."""

    def __init__(self, *command: str, log: pathlib.Path, **environment: str) -> None:
        """Start it; what it prints goes to `log`."""
        self._log = log.open("wb")
        self._child = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child.poll() is None

    @property
    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = pathlib.Path(f"/proc/{self._child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def resident_bytes(self) -> int:
        """Memory now."""
        return int(pathlib.Path(f"/proc/{self._child.pid}/statm").read_text().split()[1]) * _PAGE

    def stop(self) -> None:
        """End it, kindly first."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGTERM)
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        self._log.close()

    def kill(self) -> None:
        """End it as a power cut does."""
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def wait_until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until `what()`. Raises `TimeoutError`."""
    ends = time.perf_counter() + seconds
    while not what():
        if time.perf_counter() > ends:
            raise TimeoutError(f"what was waited for did not come in {seconds:g} s")
        time.sleep(0.02)


def wait_for_http(url: str, seconds: float = 30.0) -> float:
    """Wait until `url` answers 200; return how long it took."""
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            if answer.status == 200:
                return time.perf_counter() - began
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer 200 in {seconds:g} s")


@contextlib.contextmanager
def measured(*processes: Process) -> Iterator[list[float]]:
    """Yield a list that holds each process's CPU seconds of the block once it is over."""
    before = [process.cpu_seconds for process in processes]
    used: list[float] = []
    yield used
    used += [process.cpu_seconds - was for process, was in zip(processes, before, strict=True)]
