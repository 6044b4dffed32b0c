"""Small files that are whole or not there: what a power cut leaves is the old content or the new one."""

import os
import sys
import tempfile
from pathlib import Path

__all__ = ["read_text", "write_text"]


def write_text(file: Path, text: str, *, mode: int = 0o644, new: bool = False) -> None:
    """Write `text` to `file` in one step; with `new` only if there is none. Makes the folder.

    Raises FileExistsError with `new`, else OSError.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            if sys.platform != "win32":
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


def read_text(file: Path) -> str | None:
    """Return what `file` holds, None if there is none. Raises OSError."""
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return None
