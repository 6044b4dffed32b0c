"""Asking the operating system not to sleep, for as long as this process lives and not a moment longer.

What holds the machine awake must end with the connector, also when that is killed: systemd's and macOS's way is a
child process that ends when our end of its standard input closes or our process is gone; Windows forgets a thread's
wish with the thread.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from typing import Protocol

__all__ = ["Child", "Holder", "Nothing", "holder", "inhibit_command"]

_WHO = "eConnector"
_WHY = "Patients reach the practice through this computer"
_START_SECONDS = 0.5
_END_SECONDS = 2.0


class Holder(Protocol):
    """One way of keeping the machine awake. Blocking; used from one thread at a time."""

    @property
    def name(self) -> str:
        """What people read: `systemd-inhibit`, `caffeinate`, `Windows`; empty where there is no way."""

    def hold(self) -> str:
        """Begin, or see that it still holds; return why not, or an empty text. Never raises."""

    def release(self) -> None:
        """Let the machine sleep again."""


class Nothing:
    """Where nothing can be done."""

    name = ""

    def __init__(self, why: str) -> None:
        """Remember why."""
        self._why = why

    def hold(self) -> str:
        """Return why not."""
        return self._why

    def release(self) -> None:
        """Nothing to do."""


class Child:
    """A child process that holds the machine awake while it runs."""

    def __init__(self, name: str, command: list[str]) -> None:
        """`command` ends by itself when its standard input is closed, or when our process is gone."""
        self.name, self._command = name, command
        self._process: subprocess.Popen[bytes] | None = None

    def hold(self) -> str:
        """Start the child unless it runs."""
        process = self._process
        if process is not None:
            if process.poll() is None:
                return ""
            self._close(process)
            self._process = None
            return f"{self.name} ended with status {process.returncode}"
        try:
            # Our end of the pipe is the only one: it closes when this process ends, however it ends. A session of its
            # own, so that Ctrl-C reaches the connector first.
            self._process = subprocess.Popen(  # noqa: S603 - our own words, no shell
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                close_fds=True,
            )
        except OSError as error:
            return f"{self.name} cannot be started: {error.strerror or type(error).__name__}"
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that has nobody to ask ends at once
            self._process.wait(_START_SECONDS)
            return self.hold()
        return ""

    def release(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        if process is None:
            return
        self._close(process)
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS / 2)
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS / 2)
        if process.poll() is None:
            process.kill()
            process.wait()

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()


def inhibit_command(program: str, cat: str) -> list[str]:
    """Return systemd's command: it holds the lock while `cat` reads from us."""
    return [program, "--what=sleep:idle", f"--who={_WHO}", f"--why={_WHY}", "--mode=block", cat]


def caffeinate_command(program: str, pid: int) -> list[str]:
    """Return macOS's command: no idle sleep while our process lives."""
    return [program, "-i", "-w", str(pid)]


def holder(platform: str = sys.platform) -> Holder:
    """Return this platform's way."""
    if platform == "win32":
        return _windows()
    if platform == "darwin":
        program = shutil.which("caffeinate")
        missing = "caffeinate is not there"
        return Child("caffeinate", caffeinate_command(program, os.getpid())) if program else Nothing(missing)
    program, cat = shutil.which("systemd-inhibit"), shutil.which("cat")
    if platform.startswith("linux") and program and cat:
        return Child("systemd-inhibit", inhibit_command(program, cat))
    return Nothing("this system has no systemd-inhibit")


if sys.platform == "win32":
    import ctypes

    _CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001

    class _Windows:
        """A thread that has asked; Windows takes the wish back when it ends."""

        name = "Windows"

        def __init__(self) -> None:
            self._end = threading.Event()
            self._asked = threading.Event()
            self._thread: threading.Thread | None = None
            self._refused = False

        def hold(self) -> str:
            if self._thread is None or not self._thread.is_alive():
                self._end.clear()
                self._asked.clear()
                self._thread = threading.Thread(target=self._run, name="awake", daemon=True)
                self._thread.start()
            self._asked.wait(_END_SECONDS)
            return "Windows refuses to be kept awake" if self._refused else ""

        def _run(self) -> None:
            state = ctypes.windll.kernel32.SetThreadExecutionState
            self._refused = not state(_CONTINUOUS | _SYSTEM_REQUIRED)
            self._asked.set()
            self._end.wait()
            state(_CONTINUOUS)

        def release(self) -> None:
            self._end.set()
            if self._thread is not None:
                self._thread.join(_END_SECONDS)
            self._thread = None

    def _windows() -> Holder:
        return _Windows()

else:

    def _windows() -> Holder:
        return Nothing("this is no Windows")
