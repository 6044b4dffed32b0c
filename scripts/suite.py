"""Runs the whole test suite: every test beside others, then what failed once more, alone.

A test that fails beside others and passes alone is no proof that the software is broken, and none that it is whole: it
is named at the end, to be mended. More than a handful of failures are believed at once.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FEW = 5
FAILED = 1
"""pytest's exit status for "some tests failed"; any other is no matter of single tests."""


def main(args: list[str]) -> int:
    """Run pytest with `args` beside what this file adds; return the exit status."""
    pytest = [sys.executable, "-m", "pytest"]
    # With it every process that a test starts would compile the whole project anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "failed.json"
        status = subprocess.call([*pytest, *args], env=os.environ | {"LIST_FAILED_IN": str(listed)})
        failed = json.loads(listed.read_bytes()) if listed.exists() else []
    if status != FAILED or not 0 < len(failed) <= FEW:
        return status
    print(f"\nOnce more, alone: {len(failed)} of them.\n", flush=True)
    status = subprocess.call([*pytest, *failed])
    if status == 0:
        print("\nUNSTEADY: failed beside other tests and passed alone. Mend them:")
        print("\n".join(f"  {name}" for name in failed))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
