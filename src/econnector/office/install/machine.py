"""What this machine says about itself: its names and addresses, and what forbids an eConnector on it."""

import os
import platform
from pathlib import Path

import psutil

from econnector.base.errors import Failure
from econnector.base.settings import Loaded
from econnector.office.install.rules import Machine
from econnector.office.opendental_config import middle_tier_uri
from econnector.office.settings import Settings

__all__ = ["CLOUD_FILE", "cloud_file", "middle_tier_file", "this_machine"]

CLOUD_FILE = Path("C:/Scripts/RegKeyNum.txt")
"""Open Dental's cloud keeps the office's number there."""
_CONFIG = "FreeDentalConfig.xml"
_PROGRAMS = ("PROGRAMFILES(X86)", "PROGRAMFILES")


def this_machine(settings: Settings) -> Machine:
    """Return this machine, with every address that it has in its networks."""
    found = {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    return Machine(platform.node() or settings.machine_name, frozenset(found), settings.machine_name)


def cloud_file(file: Path = CLOUD_FILE) -> str:
    """Return the file that says this is Open Dental's cloud; empty if nothing does."""
    try:
        return str(file) if file.read_text("utf-8", "replace").strip() else ""
    except OSError:
        return ""


def middle_tier_file(loaded: Loaded[Settings], installed: tuple[Path, ...] | None = None) -> str:
    """Return the config file by which Open Dental on this machine uses a middle tier; empty if none does.

    Looked at: the one that the settings name, and those of the usual places of an installation.
    """
    named = loaded.value.open_dental_config
    places = _installed() if installed is None else installed
    return next((str(file) for file in (*([named] if named else []), *places) if _uses_middle_tier(file)), "")


def _installed() -> tuple[Path, ...]:
    folders = [os.environ[name] for name in _PROGRAMS if os.environ.get(name)]
    return tuple(Path(folder) / "Open Dental" / _CONFIG for folder in folders)


def _uses_middle_tier(file: Path) -> bool:
    try:
        return file.exists() and bool(middle_tier_uri(file))
    except (Failure, OSError):  # what cannot be read is told where it matters: when the database is looked for
        return False
