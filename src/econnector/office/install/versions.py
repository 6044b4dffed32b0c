"""Which version of eConnector this Python runs: a folder per version among its packages, and a file that says which.

The file is a `.pth`: Python reads it when it begins, whoever starts it. Without it,
the version that was installed in the first place runs. Changing it is one rename, so a power cut leaves the old version
or the new one, never a half; and what a version was, is never written over.
"""

import shutil
import sysconfig
from pathlib import Path

import msgspec

from econnector.base.errors import InstallRights
from econnector.office.service.accounts import current as account
from econnector.office.service.files import read_text, write_text

__all__ = ["choose", "chosen", "folder_of", "line_of", "sweep", "versions_folder"]

POINTER = "econnector-version.pth"
_KEPT = 3


def versions_folder() -> Path:
    """Return the folder with one folder per version: where every account that runs this Python can read it."""
    return Path(sysconfig.get_path("purelib")) / "econnector-versions"


def folder_of(version: str) -> Path:
    """Return where a version is unpacked."""
    return versions_folder() / version


def pointer() -> Path:
    """Return the file that says which version runs."""
    return Path(sysconfig.get_path("purelib")) / POINTER


def chosen() -> str:
    """Return the pointer's text, empty where the version that was installed first runs."""
    return read_text(pointer()) or ""


def choose(text: str) -> None:
    """Let Python begin with what `text` (of `chosen` or `line_of`) says from now on. Raises InstallRights."""
    try:
        if text:
            write_text(pointer(), text)
        else:
            pointer().unlink(missing_ok=True)
    except OSError as error:
        raise InstallRights(
            account=account(),
            missing=f"to write {pointer()} ({error.strerror or type(error).__name__})",
            how="Run it as the account that installed eConnector (as an administrator, or with sudo).",
        ) from None


def line_of(folder: Path) -> str:
    """Return the pointer's text for a version in `folder`; one that is gone changes nothing."""
    quoted = msgspec.json.encode(str(folder)).decode()
    return f"import os, sys; p = {quoted}; sys.path.insert(0, p) if os.path.isdir(p) else None\n"


def sweep(keep: set[str]) -> None:
    """Remove versions that neither run nor may be gone back to."""
    folders = sorted(folder for folder in versions_folder().glob("*") if folder.is_dir() and folder.name not in keep)
    for folder in folders[: max(len(folders) + len(keep) - _KEPT, 0)]:
        shutil.rmtree(folder, ignore_errors=True)
