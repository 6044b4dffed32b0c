"""The process that keeps a connector running where the operating system has no services: started by `supervised.py`.

It runs the connector as its child, writes down both processes, and starts the child again when it ends without having
been told to. SIGTERM, or the file `NAME.stop`, ends both in order. It knows nothing of Open Dental and imports little.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import msgspec

from econnector.office.service.command import run_command, user_of
from econnector.office.service.contract import Definition
from econnector.office.service.files import write_text
from econnector.office.service.lock import Lock
from econnector.office.service.processes import Known, this
from econnector.office.service.words import BEGINS

__all__ = ["Places", "Run", "Supervisor", "main"]

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0
"""A connector that ran this long has started well: the next pause is the first one again."""
LEAVE_SECONDS = 15.0
_TICK_SECONDS = 0.1
_LARGEST_OUTPUT = 1 << 20


class Run(msgspec.Struct):
    """What the supervisor writes down while it lives."""

    supervisor: Known
    connector: Known | None = None
    restarts: int = 0
    """How often the connector ended by itself."""
    ended: str = ""
    """How it last did."""


class Places:
    """The files of one supervised service in its folder."""

    def __init__(self, folder: Path, name: str) -> None:
        """Capitals make no difference."""
        stem = name.casefold()
        self.definition, self.run = folder / f"{stem}.json", folder / f"{stem}.run"
        self.lock, self.stop, self.output = folder / f"{stem}.lock", folder / f"{stem}.stop", folder / f"{stem}.out"

    def read_definition(self) -> Definition:
        """Return what was installed. Raises OSError, msgspec.DecodeError."""
        content = self.definition.read_bytes()
        return msgspec.json.decode(content, type=Definition, dec_hook=lambda _, value: Path(value))

    def read_run(self) -> Run | None:
        """Return what the supervisor wrote down; None without one, or when it cannot be understood."""
        try:
            return msgspec.json.decode(self.run.read_bytes(), type=Run)
        except (OSError, msgspec.DecodeError):
            return None


class Supervisor:
    """Keeps one connector running."""

    def __init__(self, places: Places, definition: Definition) -> None:
        """Nothing runs before `run`."""
        self._places, self._definition = places, definition
        self._told = False
        self._run = Run(this(os.getpid()))

    def run(self) -> None:
        """Run until told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        pause = FIRST_PAUSE
        while not self._stopping():
            began = time.monotonic()
            self._live()
            pause = FIRST_PAUSE if time.monotonic() - began > STEADY_SECONDS else pause
            self._wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        self._places.run.unlink(missing_ok=True)
        self._places.stop.unlink(missing_ok=True)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._told = True

    def _stopping(self) -> bool:
        return self._told or self._places.stop.exists()

    def _live(self) -> None:
        """Run the connector once, to its end."""
        try:
            child = self._start()
        except (OSError, KeyError, subprocess.SubprocessError) as error:
            self._note(f"cannot be started: {getattr(error, 'strerror', None) or error}")
            return
        with contextlib.suppress(OSError):  # it may have ended by now, which is seen below
            self._run.connector = this(child.pid)
        self._keep()
        while child.poll() is None and not self._stopping():
            time.sleep(_TICK_SECONDS)
        if child.poll() is None:
            _leave(child)
        else:
            self._note(_how(child.returncode))

    def _start(self) -> "subprocess.Popen[bytes]":
        definition, output = self._definition, self._places.output
        if output.exists() and output.stat().st_size > _LARGEST_OUTPUT:
            output.replace(output.with_suffix(".out.1"))
        with output.open("ab") as stream:
            stream.write(f"{BEGINS} {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n".encode())
            stream.flush()
            return subprocess.Popen(  # type: ignore[call-overload,no-any-return] # noqa: S603 - our own command
                run_command(definition.settings, quiet=True),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=definition.settings.parent,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                **user_of(definition.account),
            )

    def _note(self, how: str) -> None:
        self._run.connector, self._run.ended = None, how
        self._run.restarts += 1
        self._keep()

    def _keep(self) -> None:
        try:
            write_text(self._places.run, msgspec.json.encode(self._run).decode(), mode=0o600)
        except OSError:
            return  # a full disk stops no connector; the next change is written again

    def _wait(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not self._stopping():
            time.sleep(_TICK_SECONDS)


def _leave(child: "subprocess.Popen[bytes]") -> None:
    child.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
    try:
        child.wait(LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _how(status: int) -> str:
    if status < 0:
        try:
            return f"killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"killed by signal {-status}"
    return f"ended with exit status {status}"


def main(folder: str, name: str) -> None:
    """Leave the shell behind, then supervise the service `name` of `folder`; nothing if somebody does already."""
    if sys.platform != "win32":
        if os.fork():
            os._exit(0)
        os.setsid()
    places = Places(Path(folder), name)
    lock = Lock.take(places.lock)
    if lock is None:
        return
    places.stop.unlink(missing_ok=True)
    Supervisor(places, places.read_definition()).run()
    lock.free()


if __name__ == "__main__":
    main(*sys.argv[1:])
