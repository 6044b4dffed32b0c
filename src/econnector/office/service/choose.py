"""Which Service Manager this machine has."""

import os
import shutil
import sys
from pathlib import Path

from econnector.base.errors import SettingInvalid
from econnector.base.places import data_folder, settings_folder
from econnector.office.service.accounts import is_root
from econnector.office.service.contract import ServiceManager

__all__ = ["FOLDER", "KINDS", "MANAGER", "choose", "kind_here", "services_folder"]

MANAGER = "ECONNECTOR_SERVICE_MANAGER"
"""The environment variable that says which one to use, instead of the machine's own."""
FOLDER = "ECONNECTOR_SERVICE_FOLDER"
"""The environment variable that says where the book of services is."""
KINDS = ("systemd", "launchd", "windows", "supervised")
_BOOTED = Path("/run/systemd/system")


def services_folder() -> Path:
    """Return the folder with one file per service."""
    given = os.environ.get(FOLDER)
    return Path(given).absolute() if given else settings_folder() / "services"


def kind_here() -> str:
    """Return the kind of Service Manager that this machine has. Raises SettingInvalid for a wrong variable."""
    wanted = os.environ.get(MANAGER, "")
    if wanted and wanted not in KINDS:
        raise SettingInvalid(
            name=MANAGER, place="the environment", why=f"it must be one of {', '.join(KINDS)}, or empty"
        )
    if wanted:
        return wanted
    if sys.platform == "win32":
        return "windows"
    if sys.platform == "darwin":
        return "launchd"
    return "systemd" if _has_systemd() else "supervised"


def _has_systemd() -> bool:
    """Return whether systemd runs here, for this account: a container has its programs, and nobody to talk to."""
    if not _BOOTED.is_dir() or not shutil.which("systemctl"):
        return False
    return is_root() or Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent", "systemd").is_dir()


def choose(folder: Path | None = None) -> ServiceManager:
    """Return this machine's Service Manager; `folder` is the book's, where it is not the usual one."""
    kind = kind_here()
    if kind == "systemd":
        from econnector.office.service.systemd import Systemd  # noqa: PLC0415 - one of four is needed

        return Systemd(user=not is_root())
    if kind == "launchd":
        from econnector.office.service.launchd import Launchd  # noqa: PLC0415 - as above

        return Launchd(user=not is_root())
    if kind == "windows":
        from econnector.office.service.windows import Windows  # noqa: PLC0415 - as above

        return Windows()
    from econnector.office.service.supervised import Supervised  # noqa: PLC0415 - as above

    own = folder is not None or FOLDER in os.environ
    return Supervised((folder or services_folder()) / "run" if own else data_folder() / "services")
