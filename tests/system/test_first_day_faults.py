"""A first day in which everything goes wrong: each fault is found by the doctor under its name, and is well again."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from econnector.office.doctor import CHECKS
from tests.support.firstday import INSIDE
from tests.support.mariadb import DUMP
from tests.support.once import run_folder

_ALONE = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--fork", "--kill-child")
"""A network of its own, with rights over it and over nothing else: no account needs more to have one."""
WITHIN = 15.0
LEAST = 10
"""Faults that the day has at least."""


@cache
def namespaces() -> bool:
    """Whether the kernel lets this account have a network of its own."""
    try:
        return subprocess.run([*_ALONE, "ip", "link"], capture_output=True, check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def lived(folder: Path) -> list[dict[str, Any]]:
    """Live through the day in a process of its own; return what became of each fault."""
    inside = namespaces()
    words = [*(_ALONE if inside else ()), sys.executable, "-m", "tests.support.firstday", str(folder)]
    run_folder()  # what is dear to make is shared with it
    environment = os.environ | {INSIDE: "1" if inside else "0"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600, env=environment)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-6000:]}"
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not DUMP.exists() and os.environ.get("CI") != "true", reason="the real database is not here")
@pytest.mark.causes(row="hq-away: firewall", sees="doctor, again")
def test_whatever_breaks_on_the_first_day_is_found_by_its_name_and_is_well_again(tmp_path: Path) -> None:
    *faults, evening = lived(tmp_path)
    assert len(faults) >= LEAST
    assert evening == {"fault": "", "well again": True, "inside": namespaces()}
    for fault in faults:
        found, (check, words, code) = fault["found"], fault["wanted"]
        assert (found["check"], found["code"]) == (check, code), fault
        assert found["state"] in {"problem", "attention"}, fault
        assert words in found["text"], fault
        assert found["remedy"], fault
        assert fault["well again"], fault


def test_no_check_may_take_longer_than_a_person_waits() -> None:
    """They run side by side: the longest of them is how long all of them take."""
    assert max(check.limit for check in CHECKS) < WITHIN
