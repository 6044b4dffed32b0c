"""What the Service Manager asks of an operating system."""

import enum
from pathlib import Path
from typing import Protocol

import msgspec

__all__ = ["DEEDS", "START_SECONDS", "STOP_SECONDS", "Definition", "ServiceManager", "ServiceState"]

START_SECONDS = 7.0
"""How long a service may take to run, as in Open Dental's Service Manager."""
STOP_SECONDS = 20.0
"""How long it may take to stop: the connector leaves after nine seconds at the latest."""

DEEDS = {
    "installed": "install",
    "uninstalled": "uninstall",
    "started": "start",
    "stopped": "stop",
    "restarted": "restart",
}
"""What was to be done, by the word for when it is."""


class ServiceState(enum.Enum):
    """A service's state, in the words that Open Dental's Service Manager prints."""

    NOT_INSTALLED = "Not installed"
    STOPPED = "Installed, Stopped"
    RUNNING = "Installed, Running"


class Definition(msgspec.Struct, frozen=True):
    """A service to install."""

    name: str
    """Begins with `OpenDent`, no spaces."""
    settings: Path
    """The settings file that its connector runs with."""
    account: str = ""
    """The account it runs as; empty for the operating system's usual one."""
    log_on: str = ""
    """That account's password, which Windows wants; never kept by us."""

    def __repr__(self) -> str:
        return f"Definition({self.name!r}, {str(self.settings)!r}, {self.account!r})"


class ServiceManager(Protocol):
    """One operating system's services. Every function blocks: call it in a thread. Raises `ServiceFailure`s."""

    kind: str
    """`systemd`, `launchd`, `windows` or `supervised`."""
    at_boot: bool
    """Whether it starts the services with the machine."""
    boot_step: str
    """What a person does where it does not, in a sentence; empty where it does."""

    def install(self, definition: Definition) -> None:
        """Install the service, so that it starts with the machine; it is not started now."""

    def uninstall(self, name: str) -> None:
        """Stop and remove it."""

    def start(self, name: str) -> None:
        """Start it and wait until it runs; running already is success."""

    def stop(self, name: str) -> None:
        """Stop it and wait until it has stopped; stopped already is success."""

    def restart(self, name: str) -> None:
        """Stop it and start it again. It may be the connector itself that asks, and ends with the first half."""

    def state(self, name: str) -> ServiceState:
        """Return its state."""

    def names(self) -> list[str]:
        """Return every installed service whose name begins with `OpenDent`, ours or not."""

    def look(self, name: str) -> str:
        """Return where its last words can be read: a command or a file, for a person."""

    def last_words(self, name: str) -> str:
        """Return the last line that it said, or why it ended; empty when nobody knows."""

    def restarts(self, name: str) -> int:
        """Return how often it ended by itself since it was last told to start."""
