"""Blocking work beside the loop: its outcome, and an end that does not wait for it."""

import subprocess
import sys

import pytest

from econnector.mail.aside import aside

SCRIPT = """
import asyncio, threading
from econnector.mail.aside import aside

async def main():
    async with asyncio.timeout(0.05):
        await aside(threading.Event().wait)

asyncio.run(main())
"""


async def test_what_it_returns_and_raises_arrives() -> None:
    assert await aside(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await aside(divmod, 7, 0)


def test_the_end_of_the_process_does_not_wait_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == "TimeoutError"
