"""`econnector demo` in a process of its own, and what it reports."""

import json
import os
import subprocess
import sys
from typing import Any

__all__ = ["demo", "environment", "report"]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR_")}
    return kept | {"PYTHONUTF8": "1"} | more


def demo(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::ResourceWarning", "-m", "econnector", "demo", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=230, env=environment(**variables), check=False
    )


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 1, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(lines[0])
    return said
