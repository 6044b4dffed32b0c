"""Where this machine keeps what a program writes: one folder per account, or what the service manager gives."""

import os
import sys
from pathlib import Path

__all__ = ["data_folder", "settings_folder"]


def settings_folder() -> Path:
    """Return the folder where a settings file is looked for when none is named.

    `%PROGRAMDATA%/eConnector`, `/etc/econnector` for root, else `$XDG_CONFIG_HOME/econnector`.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "eConnector"
    if os.geteuid() == 0:
        return Path("/etc/econnector")
    return Path(os.environ.get("XDG_CONFIG_HOME") or _home() / ".config") / "econnector"


def data_folder() -> Path:
    """Return the folder for the state file and the logs where no setting names one.

    In this order: what systemd gives (`STATE_DIRECTORY`), else the platform's custom: `%PROGRAMDATA%/eConnector`,
    `~/Library/Application Support/eConnector` (root: `/Library/…`), `/var/lib/econnector` for root,
    `$XDG_STATE_HOME/econnector`. It is not made here.
    """
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "eConnector"
    if sys.platform == "darwin":
        return (Path("/") if os.geteuid() == 0 else _home()) / "Library" / "Application Support" / "eConnector"
    if os.geteuid() == 0:
        return Path("/var/lib/econnector")
    return Path(os.environ.get("XDG_STATE_HOME") or _home() / ".local" / "state") / "econnector"


def _home() -> Path:
    """Return the account's home folder; an account without one (as in some containers) has a folder it cannot write."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")
