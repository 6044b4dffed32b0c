"""`econnector sim`: a small one, with everything that a large one has."""

import json
import subprocess
import sys
from typing import Any

from tests.demo.commands import environment


def simulate(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "econnector", "sim", "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=230, env=environment(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_offices_come_back_when_hq_was_killed_and_no_page_fails_without_a_reason() -> None:
    words = ("--offices", "12", "--calls-per-second", "20", "--seconds", "4", "--restart-every", "2", "--tls")
    told = simulate(*words, "--slow", "2", "--slow-seconds", "0.3")
    assert (told["offices"], told["failed"], told["heartbeats_late"]) == (12, 0, 0)
    assert told["pages"] > 10
    assert told["slow_p50"] >= 300
    (back,) = told["restarts"][:1]
    assert 0 <= back["half"] <= back["most"] <= back["all"]
    assert told["memory_mb"] > 0
