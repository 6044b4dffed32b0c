"""Small files that are whole or not there: what a power cut leaves is the old content or the new one."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

__all__ = ["read_text", "write_text"]


def write_text(file: Path, text: str, *, mode: int = 0o644, new: bool = False) -> None:
    """Write `text` to `file` in one step; with `new` only if there is none. Makes the folder; a file keeps its owner.

    Raises FileExistsError with `new`, else OSError.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            if sys.platform != "win32":
                _keep_owner(stream.fileno(), file)
                os.fchmod(stream.fileno(), mode)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            os.link(name, file)
        else:
            Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)


def _keep_owner(handle: int, file: Path) -> None:
    """Let what root writes belong to whom it belonged before: a service reads its settings as its own account."""
    if sys.platform != "win32" and os.geteuid() == 0:
        with contextlib.suppress(FileNotFoundError):
            before = file.stat()
            os.fchown(handle, before.st_uid, before.st_gid)


def read_text(file: Path) -> str | None:
    """Return what `file` holds, None if there is none. Raises OSError."""
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return None
