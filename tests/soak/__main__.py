"""`make soak`: in mounts of its own where the kernel lets this account have them, so that a disk can be filled."""

import os
import subprocess
import sys

from tests.soak.machine import INSIDE

_ALONE = ("unshare", "--user", "--map-root-user", "--mount", "--fork", "--kill-child")


def _allowed() -> bool:
    try:
        done = subprocess.run([*_ALONE, "true"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Run the soak; more words go to pytest."""
    inside = _allowed()
    words = [sys.executable, "-m", "pytest", "-n", "0", "-m", "soak", "tests/soak", *sys.argv[1:]]
    environment = os.environ | {INSIDE: "1" if inside else "0"}
    return subprocess.run([*(_ALONE if inside else ()), *words], check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
