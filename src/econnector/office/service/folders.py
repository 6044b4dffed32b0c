"""Where a service's connector writes, and where its password is: what an operating system has to open for it."""

import contextlib
import os
import sys
from pathlib import Path

import msgspec

from econnector.base import logs
from econnector.base.errors import Failure
from econnector.base.places import data_folder
from econnector.office.service.accounts import is_root
from econnector.office.service.command import user_of
from econnector.office.service.contract import Definition
from econnector.office.settings import load_settings

__all__ = ["Folders", "folders_of", "hand_over"]


class Folders(msgspec.Struct, frozen=True):
    """What a connector writes, and the file with its password, if there is one."""

    state: Path
    log: Path
    password: Path | None
    state_name: str = "office.sqlite"
    """What the files in `state` begin with that are the connector's."""


_SYSTEMS = frozenset(
    Path(each)
    for each in (
        *("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/proc", "/root", "/run"),
        *("/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/var", "/var/lib", "/var/log", "/var/tmp"),  # noqa: S108
        *(
            "/Applications",
            "/Library",
            "/Library/Application Support",
            "/Library/Logs",
            "/System",
            "/Users",
            "/private",
        ),
    )
)
"""Never given away, whatever the settings say: others live there too."""


def folders_of(definition: Definition) -> Folders:
    """Return what a service's settings say; the usual places where they cannot be read."""
    try:
        settings = load_settings(definition.settings, environment={}).value
    except Failure:
        return Folders(state=data_folder(), log=data_folder() / "log", password=None)
    file = settings.state_file
    return Folders(file.parent, settings.log_folder, settings.database.password_file, file.name)


def hand_over(account: str, settings: Path, folders: Folders) -> None:
    """Give what the connector writes, and its password's file, to the account that it will run as.

    Only root can; on Windows the Service Manager gives the rights. A folder that holds the settings too stays root's.
    What cannot be given, or is others' too, is left as it is: the check of the account says so.
    """
    if not account or not is_root() or sys.platform == "win32":
        return
    entry = user_of(account)
    user, group = int(str(entry["user"])), int(str(entry["group"]))
    for folder, ours in ((folders.state, lambda at: at.glob(f"{folders.state_name}*")), (folders.log, _logged)):
        if settings.is_relative_to(folder) or folder in _SYSTEMS:
            continue
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for place in (folder, *ours(folder)):
                os.chown(place, user, group, follow_symlinks=False)
    if folders.password is not None:
        with contextlib.suppress(OSError):
            os.chown(folders.password, user, group, follow_symlinks=False)
            for folder in (folders.password.parent, folders.password.parent.parent):
                if folder.is_relative_to(settings.parent / "secrets"):  # ours; who chose another place opens it
                    folder.chmod(folder.stat().st_mode | 0o011)  # to pass through, not to list


def _logged(folder: Path) -> set[Path]:
    """Return our own log files and the folders that they are in."""
    return {place for file in logs.log_files(folder) for place in (file, file.parent, file.parent.parent)}
