"""How a service runs the connector: the words, the environment and the folder, the same for every operating system."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from econnector.base.places import data_folder

__all__ = ["environment", "run_command", "user_of"]


def run_command(settings: Path, *, quiet: bool = False) -> list[str]:
    """Return the command that runs a connector; no secret stands in it."""
    return [sys.executable, "-m", "econnector", "office", "run", *(["--quiet"] if quiet else []), *_file(settings)]


def _file(settings: Path) -> list[str]:
    return ["--settings", str(settings)]


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a connector that a service runs.

    A service has what its settings file says and nothing from the shell that started it; where no setting names the
    state file, it is the one that commands of this account use.
    """
    source = os.environ if given is None else given
    kept = {name: value for name, value in source.items() if _passes(name.upper())}
    kept.pop("CREDENTIALS_DIRECTORY", None)
    return kept | {"STATE_DIRECTORY": str(data_folder())}


def _passes(name: str) -> bool:
    # Which Service Manager and which book of services this machine has is the same for everybody on it.
    return not name.startswith("ECONNECTOR") or name.startswith("ECONNECTOR_SERVICE_")


def user_of(account: str) -> dict[str, object]:
    """Return what `subprocess` takes to run a program as `account`; nothing for an empty one. Raises KeyError."""
    if not account or sys.platform == "win32":
        return {}
    import grp  # noqa: PLC0415 - not on Windows
    import pwd  # noqa: PLC0415 - as above

    entry = pwd.getpwnam(account)
    groups = [group.gr_gid for group in grp.getgrall() if account in group.gr_mem]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}
