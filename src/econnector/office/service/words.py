"""The last words of a program that ended, as one line that says why."""

import os
from pathlib import Path

__all__ = ["BEGINS", "last_line", "telling_line"]

BEGINS = "-- started"
"""How the line begins that stands before a connector's output."""
_TAIL = 8192
_LONGEST = 300


def last_line(file: Path) -> str:
    """Return the line near the end of `file` that says why a connector ended; empty when there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
            return telling_line(stream.read().decode("utf-8", "replace"))
    except OSError:
        return ""


def telling_line(text: str) -> str:
    """Return the last line with a cause (the command line marks them with ✗), else the last line."""
    latest = text.rpartition(BEGINS)
    lines = [line.strip() for line in latest[2].splitlines()[1 if latest[1] else 0 :] if line.strip()]
    causes = [line.removeprefix("✗").strip() for line in lines if line.startswith("✗")]
    return (causes or lines or [""])[-1][:_LONGEST].rstrip(".")  # it stands in the middle of a sentence
