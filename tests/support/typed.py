"""Commands as they are typed, run in this process: an interpreter of their own would cost more than what they do."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from click.testing import CliRunner

from econnector.cli.main import main

__all__ = ["typed", "typed_aside"]

_TURN = threading.Lock()
"""Standard streams and environment are the process's: one command at a time has them."""


def typed(
    words: Sequence[str], environment: Mapping[str, str], *, answers: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `econnector` with `words` in exactly this `environment`; `answers` stand on its standard input."""
    if _loop_runs():
        return typed_aside([sys.executable, "-m", "econnector", *words], environment, answers=answers)
    with _TURN:
        others: dict[str, str | None] = {name: None for name in os.environ if name not in environment}
        done = CliRunner().invoke(main, list(words), input=answers, env=others | dict(environment))
    return subprocess.CompletedProcess(list(words), done.exit_code, done.stdout, done.stderr)


def typed_aside(
    command: Sequence[str], environment: Mapping[str, str], *, answers: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `command` in a process of its own."""
    return subprocess.run(
        command, input=answers, text=True, capture_output=True, timeout=230, env=environment, check=False
    )


def _loop_runs() -> bool:
    """Whether this thread is inside an event loop, as under Playwright: a command begins one of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
