"""Services where the operating system has none (a container, for one): each connector has a process that keeps it up.

`folder` holds per service what is installed (`NAME.json`), who runs (`NAME.run`), the supervisor's lock and the
connector's last words (`NAME.out`). After a restart of the machine nothing runs, and what is left of the files says so:
a process is known by when it was born, not by its number.
"""

import subprocess
import sys
import time
from pathlib import Path

import msgspec

from econnector.base.errors import (
    ServiceExists,
    ServiceManagerFailed,
    ServiceMissing,
    ServiceNotStarted,
    ServiceNotStopped,
    ServiceRights,
)
from econnector.office.service.accounts import current, is_root
from econnector.office.service.command import environment
from econnector.office.service.contract import STOP_SECONDS, Definition, ServiceState
from econnector.office.service.files import write_text
from econnector.office.service.lock import held
from econnector.office.service.processes import Known, end, gone
from econnector.office.service.supervisor import Places, Run
from econnector.office.service.words import last_line

__all__ = ["Supervised"]

BIRTH_SECONDS = 30.0
"""How long the supervisor may take to appear: a new interpreter on a machine that is very busy."""
_TURN_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_MANUAL = "run `econnector office run --settings {settings}` and leave it running."


class Supervised:
    """See `ServiceManager`."""

    kind = "supervised"
    at_boot = False
    boot_step = "Let the machine run `econnector service start NAME` when it starts."

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first service is installed."""
        self._folder = folder

    def install(self, definition: Definition) -> None:
        """Write it down."""
        if definition.account and definition.account != current() and not is_root():
            raise self._no_rights(definition.name, "install", f"to run programs as {definition.account}")
        kept = msgspec.structs.replace(definition, log_on="")
        try:
            text = msgspec.json.encode(kept, enc_hook=str).decode()
            write_text(self._places(kept.name).definition, text, mode=0o600, new=True)
        except FileExistsError:
            raise ServiceExists(name=definition.name, whose="it is installed") from None
        except OSError as error:
            right = f"to write the folder {self._folder} ({error.strerror})"
            raise self._no_rights(definition.name, "install", right) from None

    def uninstall(self, name: str) -> None:
        """Stop it and remove what was written down."""
        self.stop(name)
        places = self._places(name)
        for file in (places.definition, places.run, places.stop, places.output):
            file.unlink(missing_ok=True)

    def start(self, name: str) -> None:
        """Start a supervisor unless one lives; return once the connector's process is there."""
        definition, places = self._definition(name), self._places(name)
        with held(places.definition.with_suffix(".turn"), _TURN_SECONDS):
            if self.state(name) is ServiceState.RUNNING and self._supervisor(places):
                return
            self._end(definition.name, places)
            self._spawn(definition, places)
            self._wait_for_birth(definition, places)

    def stop(self, name: str) -> None:
        """End the supervisor, which ends the connector; also a connector whose supervisor was killed."""
        definition, places = self._definition(name), self._places(name)
        with held(places.definition.with_suffix(".turn"), _TURN_SECONDS):
            self._end(definition.name, places)

    def restart(self, name: str) -> None:
        """Stop it, then start it."""
        self.stop(name)
        self.start(name)

    def state(self, name: str) -> ServiceState:
        """Return `RUNNING` while the connector's process lives."""
        places = self._places(name)
        if not places.definition.exists():
            return ServiceState.NOT_INSTALLED
        run = places.read_run()
        alive = run is not None and run.connector is not None and run.connector.alive()
        return ServiceState.RUNNING if alive else ServiceState.STOPPED

    def names(self) -> list[str]:
        """Return what is installed in the folder."""
        return sorted(self._definition(file.stem).name for file in self._folder.glob("opendent*.json"))

    def look(self, name: str) -> str:
        """Return the file with its output."""
        return f"the file {self._places(name).output}"

    def last_words(self, name: str) -> str:
        """Return its last line, or how it ended."""
        run = self._places(name).read_run()
        said = last_line(self._places(name).output)
        return " – ".join(part for part in (run.ended if run else "", said) if part)

    def restarts(self, name: str) -> int:
        """Return how often the connector ended by itself since it was started."""
        run = self._places(name).read_run()
        return run.restarts if run else 0

    def _places(self, name: str) -> Places:
        return Places(self._folder, name)

    def _definition(self, name: str) -> Definition:
        try:
            return self._places(name).read_definition()
        except FileNotFoundError:
            raise ServiceMissing(name=name, step="installed") from None
        except (OSError, msgspec.DecodeError) as error:
            reason = getattr(error, "strerror", None) or f"{self._places(name).definition} cannot be understood"
            raise self._failed(name, "looked at", reason) from None

    def _supervisor(self, places: Places) -> Known | None:
        run = places.read_run()
        return run.supervisor if run and run.supervisor.alive() else None

    def _end(self, name: str, places: Places) -> None:
        """End supervisor and connector, whichever of them lives."""
        run = places.read_run()
        if run is None:
            return
        try:
            if run.supervisor.alive():
                self._tell(run, places)
            if run.connector is not None and not end(run.connector, STOP_SECONDS):
                raise ServiceNotStopped(
                    name=name, seconds=f"{STOP_SECONDS:g}", reason="it does not end", look=self.look(name)
                )
        except PermissionError:
            raise self._no_rights(name, "stop", "to end another account's processes") from None
        places.run.unlink(missing_ok=True)

    def _tell(self, run: Run, places: Places) -> None:
        if sys.platform == "win32":
            places.stop.touch()
        elif run.supervisor.alive():
            end(run.supervisor, STOP_SECONDS)
        if not gone(run.supervisor, STOP_SECONDS):
            end(run.supervisor, 1.0)

    def _spawn(self, definition: Definition, places: Places) -> None:
        words = [sys.executable, "-m", "econnector.office.service.supervisor", str(self._folder), definition.name]
        new_console = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        try:
            with places.output.open("ab") as stream:
                # On Windows it stays, elsewhere it leaves at once and a process of its own goes on.
                spawned = subprocess.Popen(  # noqa: S603 - our own command
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    env=environment(),
                    cwd=self._folder,
                    creationflags=new_console,
                )
            if sys.platform != "win32":
                spawned.wait(BIRTH_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = getattr(error, "strerror", None) or "no answer"
            raise self._failed(definition.name, "started", reason) from None

    def _wait_for_birth(self, definition: Definition, places: Places) -> None:
        ends = time.monotonic() + BIRTH_SECONDS
        while time.monotonic() < ends:
            run = places.read_run()
            if run is not None and (run.connector is not None or run.restarts):
                return
            time.sleep(_PAUSE_SECONDS)
        raise ServiceNotStarted(
            name=definition.name,
            seconds=f"{BIRTH_SECONDS:g}",
            reason=last_line(places.output) or "its supervisor did not appear",
            look=self.look(definition.name),
            settings=definition.settings,
        )

    def _failed(self, name: str, done: str, reason: str) -> ServiceManagerFailed:
        return ServiceManagerFailed(
            name=name,
            done=done,
            program="eConnector's supervisor",
            reason=reason,
            manual=_MANUAL.format(settings="FILE"),
        )

    def _no_rights(self, name: str, action: str, right: str) -> ServiceRights:
        return ServiceRights(
            account=current(),
            action=action,
            name=name,
            right=right,
            how="Run it as the account that installed the service, or as root (sudo).",
            manual=_MANUAL.format(settings="FILE"),
        )
