"""Services of Windows, through the Service Control Manager.

The service's program is `python.exe` itself with `windows_service.py`: pywin32's `pythonservice.exe` would have to be
copied beside Python's DLLs and does not find the packages of a virtual environment. Of such an environment the
underlying Python is taken, because the one in it starts a second process, which Windows does not take for the service.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from econnector.base.errors import (
    ServiceFailure,
    ServiceManagerFailed,
    ServiceMissing,
    ServiceNotStarted,
    ServiceNotStopped,
    ServiceRights,
)
from econnector.office.service.accounts import current
from econnector.office.service.contract import START_SECONDS, STOP_SECONDS, Definition, ServiceState
from econnector.office.service.folders import folders_of
from econnector.office.service.names import PREFIX
from econnector.office.service.waiting import until

__all__ = ["RESTARTS", "RefusedError", "Scm", "Windows", "binary", "by_hand", "with_everyone"]

RESTARTS = (5_000, 15_000, 60_000)
"""Milliseconds until Windows starts a failed service again: the first, the second and every later time."""
FORGET_SECONDS = 86_400
"""After so long without a failure, the next one counts as the first."""
EVERYONE = "(A;;RPWPCR;;;WD)"
"""Start, stop and user-defined control for everybody, as Open Dental grants it: an update stops and starts services."""
NO_RIGHTS, EXISTS, MISSING, RUNNING, NOT_ACTIVE, NOT_LOGGED_ON = 5, 1073, 1060, 1056, 1062, 1069
DELETED_SOON = 1072


class RefusedError(Exception):
    """Windows refused; `code` is its error number."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Scm(Protocol):
    """The few things asked of Windows, each one call; a test's recorder is one too. They raise RefusedError."""

    def create(self, name: str, binary: str, account: str, password: str) -> None:
        """Create a service of its own process that starts with the machine; an empty account is LocalSystem."""

    def describe(self, name: str, text: str) -> None:
        """Set its description."""

    def delay(self, name: str) -> None:
        """Let it start after what the machine starts first."""

    def restart_on_failure(self, name: str, pauses: Sequence[int], forget_seconds: int) -> None:
        """Let Windows start it again when it ends without having been told to, also with an exit status."""

    def security(self, name: str) -> str:
        """Return who may do what with it (SDDL)."""

    def secure(self, name: str, sddl: str) -> None:
        """Set who may do what with it."""

    def grant_log_on(self, account: str) -> None:
        """Give an account the right to log on as a service."""

    def let_read(self, account: str, file: Path) -> None:
        """Give an account the right to read a file."""

    def delete(self, name: str) -> None:
        """Remove it."""

    def start(self, name: str) -> None:
        """Start it; do not wait."""

    def stop(self, name: str) -> None:
        """Tell it to stop; do not wait."""

    def query(self, name: str) -> str:
        """Return `running`, `stopped`, another word on the way between them, or an empty text when there is none."""

    def names(self, prefix: str) -> list[str]:
        """Return the services whose name begins so."""

    def last_event(self, name: str) -> str:
        """Return what the event log last said about it, as one line."""


def binary(definition: Definition) -> str:
    """Return the command line of a service; no secret stands in it."""
    script = Path(__file__).with_name("windows_service.py")
    python = getattr(sys, "_base_executable", "") or sys.executable
    packages = [str(Path(part)) for part in sys.path if part.endswith(("site-packages", "src"))]
    words = [python, "-I", str(script), definition.name, str(definition.settings), *packages]
    return subprocess.list2cmdline(words)


def with_everyone(sddl: str) -> str:
    """Return the same rights and those of `EVERYONE`: before the part about auditing (`S:`), if there is one."""
    if EVERYONE in sddl:
        return sddl
    rights, mark, audit = sddl.partition("S:")
    return f"{rights}{EVERYONE}{mark}{audit}"


class Windows:
    """See `ServiceManager`."""

    kind = "windows"
    at_boot = True
    boot_step = ""

    def __init__(self, scm: Scm | None = None) -> None:
        """`scm` is Windows itself unless a test says otherwise."""
        self._scm = scm or _real()

    def install(self, definition: Definition) -> None:
        """Create the service with everything that belongs to it, or nothing."""
        name, account = definition.name, _account(definition.account)
        try:
            if account:
                self._scm.grant_log_on(account)
                for file in (definition.settings, folders_of(definition).password):
                    if file is not None:
                        self._scm.let_read(account, file)
            self._scm.create(name, binary(definition), account, definition.log_on)
        except RefusedError as error:
            raise self._failure(name, "install", "installed", error) from None
        try:
            self._furnish(name)
        except RefusedError as error:
            self._scm.delete(name)
            raise self._failure(name, "install", "installed", error) from None

    def _furnish(self, name: str) -> None:
        self._scm.describe(name, "The bridge between this practice's Open Dental database and the web (eConnector).")
        self._scm.delay(name)
        self._scm.restart_on_failure(name, RESTARTS, FORGET_SECONDS)
        self._scm.secure(name, with_everyone(self._scm.security(name)))

    def uninstall(self, name: str) -> None:
        """Stop and delete it."""
        self.stop(name)
        self._do(name, "uninstall", "uninstalled", self._scm.delete)

    def start(self, name: str) -> None:
        """Start it and wait until Windows says that it runs."""
        if self._query(name) != "running":
            self._do(name, "start", "started", self._scm.start)
        if not until(lambda: self._query(name) == "running", START_SECONDS):
            raise ServiceNotStarted(
                name=name,
                seconds=f"{START_SECONDS:g}",
                reason=self.last_words(name) or "Windows does not say why",
                look=self.look(name),
                settings="FILE",
            )

    def stop(self, name: str) -> None:
        """Stop it and wait until it has."""
        if self._query(name) not in {"stopped", "stopping", ""}:
            self._do(name, "stop", "stopped", self._scm.stop)
        if not until(lambda: self._query(name) == "stopped", STOP_SECONDS):
            raise ServiceNotStopped(
                name=name, seconds=f"{STOP_SECONDS:g}", reason="Windows still sees it", look=self.look(name)
            )

    def restart(self, name: str) -> None:
        """Stop it, then start it."""
        self.stop(name)
        self.start(name)

    def state(self, name: str) -> ServiceState:
        """Return its state; on the way between two it is stopped, as in Open Dental."""
        word = self._query(name)
        if not word:
            return ServiceState.NOT_INSTALLED
        return ServiceState.RUNNING if word == "running" else ServiceState.STOPPED

    def names(self) -> list[str]:
        """Return every service whose name begins with OpenDent."""
        try:
            return sorted(self._scm.names(PREFIX))
        except RefusedError as error:
            raise self._failure("", "list", "listed", error) from None

    def look(self, name: str) -> str:
        """Return where Windows keeps what it said."""
        return f"Event Viewer, Windows Logs, Application, source {name}"

    def last_words(self, name: str) -> str:
        """Return what the event log last said about it."""
        try:
            return self._scm.last_event(name)
        except RefusedError:
            return ""

    def restarts(self, name: str) -> int:
        """Return 0: one that ended is seen as stopped, for five seconds at least."""
        del name
        return 0

    def _query(self, name: str) -> str:
        try:
            return self._scm.query(name)
        except RefusedError as error:
            raise self._failure(name, "look at", "looked at", error) from None

    def _do(self, name: str, action: str, done: str, call: Callable[[str], None]) -> None:
        try:
            call(name)
        except RefusedError as error:
            if error.code not in {RUNNING, NOT_ACTIVE}:
                raise self._failure(name, action, done, error) from None

    def _failure(self, name: str, action: str, done: str, error: RefusedError) -> ServiceFailure:
        if error.code == NO_RIGHTS:
            return ServiceRights(
                account=current(),
                action=action,
                name=name,
                right="administrator's rights",
                how="Right-click the command prompt or PowerShell, choose Run as administrator, then try again.",
                manual=by_hand(name, action),
            )
        if error.code == MISSING:
            return ServiceMissing(name=name, step="installed")
        reason = _EXPLAINED.get(error.code, error.reason)
        return ServiceManagerFailed(
            name=name, done=done, program="Windows", reason=reason, manual=by_hand(name, action)
        )


def by_hand(name: str, action: str) -> str:
    """Return how a person does it without us."""
    create = (
        f'`sc create {name} binPath= "…" start= delayed-auto` with the program that `econnector service unit {name}` '
        f"prints, then `sc start {name}`"
    )
    words = {
        "install": create,
        "uninstall": f"`sc stop {name}`, then `sc delete {name}`",
        "start": f"`sc start {name}`",
        "stop": f"`sc stop {name}`",
    }
    return f"as an administrator, {words.get(action, f'`sc query {name}`')}."


_EXPLAINED = {
    EXISTS: "a service with this name is there already",
    NOT_LOGGED_ON: "the account or its password is wrong, or it may not log on as a service",
    DELETED_SOON: "it was deleted and is still in use: close Services and Event Viewer, or restart the machine",
    1053: "it did not answer in time",
    1057: "there is no such account, or its password is wrong",
    1385: "the account may not log on as a service",
}


def _account(account: str) -> str:
    """Return an account as Windows wants it: one of this machine needs its dot."""
    return account if not account or "\\" in account or "@" in account else f".\\{account}"


def _real() -> Scm:
    if sys.platform == "win32":
        from econnector.office.service.windows_scm import WindowsScm  # noqa: PLC0415 - on Windows only

        return WindowsScm()
    raise ServiceManagerFailed(
        name="", done="looked at", program="Windows", reason="this machine is none", manual="choose another manager."
    )
