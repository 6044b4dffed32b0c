"""Programs of the operating system: called by argument list, with a time limit, in English."""

import os
import subprocess
from collections.abc import Callable, Sequence

import msgspec

__all__ = ["Run", "Said", "run"]

SECONDS = 30.0
MISSING = 127
"""Exit status where there is no such program, as a shell has it."""


class Said(msgspec.Struct, frozen=True):
    """How a program ended and what it said."""

    status: int
    out: str = ""
    err: str = ""

    @property
    def reason(self) -> str:
        """Its last line of complaint, for a person."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[-1].rstrip(".") if lines else f"exit status {self.status}"


Run = Callable[[Sequence[str]], Said]
"""Runs a program; tests put a recorder in its place."""


def run(words: Sequence[str]) -> Said:
    """Run a program to its end; never raises."""
    try:
        done = subprocess.run(  # noqa: S603 - by argument list
            list(words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=os.environ | {"LC_ALL": "C", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""},
        )
    except FileNotFoundError:
        return Said(MISSING, "", f"{words[0]} is not installed")
    except subprocess.TimeoutExpired:
        return Said(MISSING + 1, "", f"no answer within {SECONDS:g} seconds")
    except OSError as error:
        return Said(MISSING + 1, "", error.strerror or type(error).__name__)
    return Said(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
