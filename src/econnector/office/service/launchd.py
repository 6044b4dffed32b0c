"""Services of macOS: daemons as root, else agents of the account's own.

launchd knows a job only while it is loaded, so installed and stopped is a plist that is not loaded. Loading it starts
the connector (`RunAtLoad`), and so does the machine's next start.
"""

import os
import plistlib
import re
from pathlib import Path

from econnector.base.errors import ServiceManagerFailed, ServiceNotStarted, ServiceNotStopped, ServiceRights
from econnector.office.service.accounts import current
from econnector.office.service.command import environment, run_command
from econnector.office.service.contract import DEEDS, START_SECONDS, STOP_SECONDS, Definition, ServiceState
from econnector.office.service.files import write_text
from econnector.office.service.names import PREFIX
from econnector.office.service.programs import Run, Said, run
from econnector.office.service.waiting import until
from econnector.office.service.words import last_line

__all__ = ["Launchd", "plist_text"]

_RIGHTS = ("not privileged", "operation not permitted", "permission denied", "not permitted")
_GONE = ("could not find service", "no such process", "could not find specified service")


def plist_text(definition: Definition, output: Path, *, agent: bool) -> str:
    """Return the property list of one connector; `output` gets what it says outside its log."""
    plist: dict[str, object] = {
        "Label": definition.name,
        "ProgramArguments": run_command(definition.settings, quiet=True),
        "WorkingDirectory": str(definition.settings.parent),
        "EnvironmentVariables": environment({}),
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": 5,
        # The connector leaves within nine seconds of being told to.
        "ExitTimeOut": 20,
        "ProcessType": "Background",
        "StandardOutPath": str(output),
        "StandardErrorPath": str(output),
    }
    if definition.account and not agent:
        plist |= {"UserName": definition.account, "InitGroups": True}
    return plistlib.dumps(plist, sort_keys=False).decode()


class Launchd:
    """See `ServiceManager`."""

    kind = "launchd"

    def __init__(self, *, user: bool = False, folder: Path | None = None, runs: Run = run) -> None:
        """With `user`, agents of this account, which run while it is signed in; `folder` is where plists go."""
        library = Path.home() if user else Path("/")
        self.folder = folder or library / "Library" / ("LaunchAgents" if user else "LaunchDaemons")
        self._logs = library / "Library" / "Logs"
        self._user, self._runs = user, runs
        self.at_boot = not user
        self.boot_step = "It starts when this account signs in; to start with the machine: install with sudo." * user
        self._domain = f"gui/{os.getuid()}" if user and hasattr(os, "getuid") else "system"

    def install(self, definition: Definition) -> None:
        """Write the plist, and let it be loaded at the machine's next start."""
        text = plist_text(definition, self.output(definition.name), agent=self._user)
        try:
            write_text(self._file(definition.name), text)
        except OSError as error:
            right = f"to write {self._file(definition.name)} ({error.strerror or type(error).__name__})"
            raise self._no_rights(definition.name, "install", right) from None
        self._do(definition.name, "installed", "enable", self._target(definition.name))

    def uninstall(self, name: str) -> None:
        """Unload it and remove the plist."""
        self.stop(name)
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError as error:
            raise self._no_rights(name, "uninstall", f"to remove {self._file(name)} ({error.strerror})") from None

    def start(self, name: str) -> None:
        """Load it, which starts it; what is loaded and does not run is started."""
        loaded = self._print(name).status == 0
        words = ("kickstart", self._target(name)) if loaded else ("bootstrap", self._domain, str(self._file(name)))
        self._do(name, "started", *words)
        if not until(lambda: self.state(name) is ServiceState.RUNNING, START_SECONDS):
            raise ServiceNotStarted(
                name=name,
                seconds=f"{START_SECONDS:g}",
                reason=self.last_words(name) or "launchd does not say why",
                look=self.look(name),
                settings=self._settings(name),
            )

    def stop(self, name: str) -> None:
        """Unload it: told to stop only, launchd would start it again."""
        if self._print(name).status:
            return
        self._do(name, "stopped", "bootout", self._target(name))
        if not until(lambda: self.state(name) is ServiceState.STOPPED, STOP_SECONDS):
            raise ServiceNotStopped(
                name=name, seconds=f"{STOP_SECONDS:g}", reason="launchd lets it run", look=self.look(name)
            )

    def restart(self, name: str) -> None:
        """Stop it, then start it."""
        self.stop(name)
        self.start(name)

    def state(self, name: str) -> ServiceState:
        """Return its state: there is a plist, and launchd says that it runs."""
        if not self._file(name).exists():
            return ServiceState.NOT_INSTALLED
        running = re.search(r"^\s*state = running$", self._print(name).out, re.MULTILINE)
        return ServiceState.RUNNING if running else ServiceState.STOPPED

    def names(self) -> list[str]:
        """Return every plist whose name begins with OpenDent."""
        return sorted(file.stem for file in self.folder.glob(f"{PREFIX}*.plist"))

    def look(self, name: str) -> str:
        """Return the file with its output."""
        return f"the file {self.output(name)}, and `launchctl print {self._target(name)}`"

    def last_words(self, name: str) -> str:
        """Return the line of its output that says most."""
        return last_line(self.output(name))

    def restarts(self, name: str) -> int:
        """Return how often launchd started it again since it was loaded."""
        runs = re.search(r"^\s*runs = (\d+)$", self._print(name).out, re.MULTILINE)
        return max(0, int(runs[1]) - 1) if runs else 0

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.plist"

    def output(self, name: str) -> Path:
        """Return the file that gets what it says outside its log."""
        return self._logs / f"{name}.log"

    def _target(self, name: str) -> str:
        return f"{self._domain}/{name}"

    def _settings(self, name: str) -> str:
        try:
            words = plistlib.loads(self._file(name).read_bytes())["ProgramArguments"]
        except (OSError, ValueError, KeyError):
            return "FILE"
        return str(words[-1])

    def _print(self, name: str) -> Said:
        return self._runs(["/bin/launchctl", "print", self._target(name)])

    def _do(self, name: str, done: str, *words: str) -> None:
        said = self._runs(["/bin/launchctl", *words])
        complaint = f"{said.err} {said.out}".lower()
        if not said.status or (words[0] == "bootout" and any(word in complaint for word in _GONE)):
            return
        if any(word in complaint for word in _RIGHTS):
            raise self._no_rights(name, DEEDS.get(done, done), f"root's rights ({said.reason})")
        raise ServiceManagerFailed(
            name=name,
            done=done,
            program="launchd",
            reason=said.reason,
            manual=f"{self._by_hand(name, DEEDS.get(done, done))}.",
        )

    def _no_rights(self, name: str, action: str, right: str) -> ServiceRights:
        return ServiceRights(
            account=current(),
            action=action,
            name=name,
            right=right,
            how="Run it with sudo, as root.",
            manual=f"{self._by_hand(name, action)}.",
        )

    def _by_hand(self, name: str, action: str) -> str:
        load = f"`launchctl bootstrap {self._domain} {self._file(name)}`"
        unload = f"`launchctl bootout {self._target(name)}`"
        if action == "install":
            return f"write what `econnector service unit {name}` prints to {self._file(name)}, {load}"
        if action == "uninstall":
            return f"{unload}, remove {self._file(name)}"
        return load if action == "start" else unload
