"""The suite as a whole: which tests run in one process, and the names of what failed for `scripts/suite.py`.

One process runs the tests of a file, or those of all files that share what takes long to set up.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer  # type: ignore[import-untyped]
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

__all__ = ["WINDOW", "pytest_terminal_summary", "pytest_xdist_make_scheduler", "scope"]

_FOLDER = "tests/office/window/"
WINDOW = frozenset(f"test_{name}.py" for name in ("contacts", "logs", "mail", "portal", "services", "status"))
"""Files of the window that use one office: HQ, a connector and a copy of the real database."""


def scope(nodeid: str) -> str:
    """Return the name of what runs in one process with this test."""
    file = nodeid.split("::", 1)[0]
    return _FOLDER if file.startswith(_FOLDER) and file.removeprefix(_FOLDER) in WINDOW else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadFileScheduling | None":
    """Distribute by `scope` where files were asked for."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - whoever runs one test needs none of it

    class Together(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return scope(nodeid)

    return Together(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Leave the names of what failed for `scripts/suite.py`."""
    if (listed := os.environ.get("LIST_FAILED_IN")) and not hasattr(config, "workerinput"):
        failed = [report.nodeid for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])]
        Path(listed).write_text(json.dumps(list(dict.fromkeys(failed))), encoding="utf-8")
