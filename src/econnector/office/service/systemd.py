"""Services of systemd: system units as root, else units of the account's own."""

import os
from pathlib import Path

from econnector.base.errors import (
    ServiceFailure,
    ServiceManagerFailed,
    ServiceNotStarted,
    ServiceNotStopped,
    ServiceRights,
)
from econnector.office.service.accounts import current
from econnector.office.service.contract import DEEDS, START_SECONDS, STOP_SECONDS, Definition, ServiceState
from econnector.office.service.files import read_text, write_text
from econnector.office.service.folders import folders_of
from econnector.office.service.names import PREFIX
from econnector.office.service.programs import Run, Said, run
from econnector.office.service.unit import unit_text
from econnector.office.service.waiting import until
from econnector.office.service.words import telling_line

__all__ = ["Systemd"]

SYSTEM_FOLDER = Path("/etc/systemd/system")
_RIGHTS = ("access denied", "authentication", "permission denied", "operation not permitted", "read-only file system")
LINGER = Path("/var/lib/systemd/linger")
"""One file per account whose units start with the machine; those of others start when the account signs in."""
_LINGERS = (
    "It starts when this account signs in; to start with the machine: `loginctl enable-linger`, or install as root."
)
_WORDS = 40


class Systemd:
    """See `ServiceManager`."""

    kind = "systemd"

    def __init__(self, *, user: bool = False, folder: Path | None = None, runs: Run = run) -> None:
        """With `user`, units of this account's own; `folder` is where units are written."""
        self._user, self._runs = user, runs
        self.at_boot = not user or Path(LINGER, current()).exists()
        self.boot_step = "" if self.at_boot else _LINGERS
        self.folder = folder or (Path.home() / ".config" / "systemd" / "user" if user else SYSTEM_FOLDER)

    def install(self, definition: Definition) -> None:
        """Write the unit and enable it; undone if systemd does not take it."""
        file, name = self._file(definition.name), definition.name
        text = unit_text(definition, folders_of(definition), user=self._user)
        before = None
        try:
            before = read_text(file)
            if before != text:  # what is renewed is mostly the same, and the window may not write here
                write_text(file, text)
        except OSError as error:
            right = f"to write {file} ({error.strerror or type(error).__name__})"
            raise self._no_rights(name, "install", right) from None
        try:
            self._do(name, "installed", "daemon-reload")
            self._do(name, "installed", "enable", file.name)
        except ServiceFailure:
            if before is None:
                file.unlink(missing_ok=True)
            elif before != text:
                write_text(file, before)
            self._say("daemon-reload")
            raise

    def uninstall(self, name: str) -> None:
        """Stop and disable it, remove the unit; nothing is done where the unit could not be removed."""
        file = self._file(name)
        if file.exists() and not os.access(self.folder, os.W_OK):
            raise self._no_rights(name, "uninstall", f"to remove {file}")
        self.stop(name)
        self._do(name, "uninstalled", "disable", file.name)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise self._no_rights(name, "uninstall", f"to remove {file} ({error.strerror})") from None
        self._do(name, "uninstalled", "daemon-reload")
        self._say("reset-failed", file.name)

    def start(self, name: str) -> None:
        """Start it and wait until systemd says that it is active."""
        self._say("reset-failed", self._unit(name))
        self._do(name, "started", "start", self._unit(name))
        self._wait_until_active(name)

    def restart(self, name: str) -> None:
        """Let systemd do both, in one job: it goes on when whoever asked ends with the service."""
        self._say("reset-failed", self._unit(name))
        self._do(name, "restarted", "restart", self._unit(name))
        self._wait_until_active(name)

    def _wait_until_active(self, name: str) -> None:
        if not until(lambda: self.state(name) is ServiceState.RUNNING, START_SECONDS):
            raise ServiceNotStarted(
                name=name,
                seconds=f"{START_SECONDS:g}",
                reason=self.last_words(name) or "systemd does not say why",
                look=self.look(name),
                settings=self._settings(name),
            )

    def stop(self, name: str) -> None:
        """Stop it and wait."""
        self._do(name, "stopped", "stop", self._unit(name))
        if self.state(name) is ServiceState.RUNNING:
            raise ServiceNotStopped(
                name=name, seconds=f"{STOP_SECONDS:g}", reason="systemd lets it run", look=self.look(name)
            )

    def state(self, name: str) -> ServiceState:
        """Return its state: active is running, everything else of an installed one is stopped."""
        facts = self._facts(name, "LoadState", "ActiveState", "SubState")
        if facts.get("LoadState", "not-found") == "not-found":
            return ServiceState.STOPPED if self._file(name).exists() else ServiceState.NOT_INSTALLED
        running = (facts.get("ActiveState"), facts.get("SubState")) == ("active", "running")
        return ServiceState.RUNNING if running else ServiceState.STOPPED

    def names(self) -> list[str]:
        """Return every unit whose name begins with OpenDent."""
        words = ("list-unit-files", "--type=service", "--no-legend", "--plain", f"{PREFIX}*.service")
        said = self._say(*words)
        if said.status and said.out == "" and said.err:
            raise self._failed("", "listed", said.reason)
        units = [line.split()[0] for line in said.out.splitlines() if line.strip()]
        return sorted(unit.removesuffix(".service") for unit in units)

    def look(self, name: str) -> str:
        """Return the command that shows its journal."""
        return f"`journalctl {'--user-unit' if self._user else '--unit'} {self._unit(name)}`"

    def last_words(self, name: str) -> str:
        """Return the line of its journal that says most."""
        which = "--user-unit" if self._user else "--unit"
        words = ["journalctl", which, self._unit(name), "--output=cat", "--no-pager", "--quiet", f"--lines={_WORDS}"]
        return telling_line(self._runs(words).out)

    def restarts(self, name: str) -> int:
        """Return systemd's own count; it begins anew at `start`."""
        count = self._facts(name, "NRestarts").get("NRestarts", "")
        return int(count) if count.isdigit() else 0

    def _unit(self, name: str) -> str:
        return f"{name}.service"

    def _file(self, name: str) -> Path:
        return self.folder / self._unit(name)

    def _settings(self, name: str) -> str:
        """Return the settings file that the unit names, for words."""
        try:
            lines = self._file(name).read_text("utf-8").splitlines()
        except OSError:
            return "FILE"
        return next((line.partition("--settings ")[2].strip('"') for line in lines if "--settings " in line), "FILE")

    def _say(self, *words: str) -> Said:
        return self._runs(["systemctl", *(["--user"] if self._user else []), "--no-ask-password", *words])

    def _do(self, name: str, done: str, *words: str) -> None:
        said = self._say(*words)
        if not said.status:
            return
        if any(word in said.err.lower() for word in _RIGHTS):
            raise self._no_rights(name, DEEDS.get(done, done), f"systemd's permission ({said.reason})")
        raise self._failed(name, done, said.reason)

    def _facts(self, name: str, *wanted: str) -> dict[str, str]:
        said = self._say("show", self._unit(name), f"--property={','.join(wanted)}")
        if said.status:
            raise self._failed(name, "looked at", said.reason)
        return {key: value for key, _, value in (line.partition("=") for line in said.out.splitlines())}

    def _no_rights(self, name: str, action: str, right: str) -> ServiceRights:
        return ServiceRights(
            account=current(),
            action=action,
            name=name,
            right=right,
            how=f"In a terminal of this machine, as root: `sudo econnector service {action} {name}`; a running service "
            "(and its window) may not change the system.",
            manual=f"{self._by_hand(name, action)}.",
        )

    def _failed(self, name: str, done: str, reason: str) -> ServiceManagerFailed:
        return ServiceManagerFailed(
            name=name,
            done=done,
            program="systemd",
            reason=reason,
            manual=f"{self._by_hand(name, DEEDS.get(done, done))}.",
        )

    def _by_hand(self, name: str, action: str) -> str:
        control, unit = f"systemctl{' --user' if self._user else ''}", self._unit(name)
        if action == "install":
            write = f"write what `econnector service unit {name}` prints to {self._file(name)}"
            return f"{write}, `{control} daemon-reload`, `{control} enable --now {unit}`"
        if action == "uninstall":
            return f"`{control} disable --now {unit}`, remove {self._file(name)}, `{control} daemon-reload`"
        return f"`{control} {action if action in DEEDS.values() else 'status'} {unit}`"
