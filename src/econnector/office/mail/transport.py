"""How a letter gets from the connector to the talk with a mail server: in a thread, or in a process of its own.

Either way `deliver` returns when the server has accepted the letter and raises `mail.smtp`'s failures otherwise.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import structlog

from econnector.base.errors import MailUncertain, failure_from
from econnector.mail.aside import aside
from econnector.mail.letter import Account, Letter
from econnector.mail.smtp import deliver
from econnector.office.mail.frames import HEAD, MOST_BYTES, Answer, Request, decode, encode

__all__ = ["ChildTransport", "ThreadTransport", "Transport"]

log = structlog.get_logger(__name__)

_MODULE = "econnector.office.mail.child"
_START_SECONDS, _GRACE_SECONDS = 20.0, 5.0
"""What a process may need besides the time for the mail: to start on a busy machine; to answer."""
_MOST_STARTS = 3
"""A mail that ends the process again and again must wait its turn like any other trouble."""
# What a Python process needs to run and to find certificates; no setting of ours and no password is among them.
_KEPT = (
    "PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP", "TMPDIR", "HOME", "USERPROFILE", "LANG",
    "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "VIRTUAL_ENV",
)  # fmt: skip


class Transport(Protocol):
    """A way to the mail server."""

    name: str

    async def deliver(self, account: Account, letter: Letter, seconds: float, total: float) -> None:
        """Send the letter: one try takes `seconds` at most, all of it `total`. Raises as `mail.smtp.deliver`."""

    async def close(self) -> None:
        """Let go of what it holds."""


class ThreadTransport:
    """In the connector itself."""

    name = "thread"

    async def deliver(self, account: Account, letter: Letter, seconds: float, total: float) -> None:
        """See `Transport`."""
        await aside(deliver, account, letter, min(seconds, total))

    async def close(self) -> None:
        """Nothing."""


class ChildTransport:
    """In a process without access to anything but what it is given; ended and started again when it hangs."""

    name = "process"

    def __init__(self) -> None:
        """Start nothing yet."""
        self._child: asyncio.subprocess.Process | None = None
        self._number = 0

    @property
    def pid(self) -> int:
        """The process's number; 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    async def deliver(self, account: Account, letter: Letter, seconds: float, total: float) -> None:
        """See `Transport`. A process that hangs or is killed is replaced, and the letter sent again."""
        loop = asyncio.get_running_loop()
        end = loop.time() + total
        for _ in range(_MOST_STARTS):
            left = end - loop.time()
            if left <= 0:
                break
            try:
                grace = _GRACE_SECONDS if self._child is not None else _START_SECONDS
                async with asyncio.timeout(min(seconds + grace, left)):
                    answer = await self._ask(account, letter, min(seconds, left))
            except TimeoutError:
                log.warning("the mail process hangs and is replaced", pid=self.pid)
                await self.close()
            except (OSError, EOFError, ValueError):
                log.warning("the mail process ended and is replaced", pid=self.pid)
                await self.close()
            except BaseException:  # nobody waits any more: what is still on its way must not arrive later
                await self.close()
                raise
            else:
                if answer.code:
                    raise failure_from(answer.code, answer.reference, answer.facts)
                return
        reason = "the process that sends mail ended or hung several times"
        raise MailUncertain(server=f"{account.host}:{account.port}", phase="process", reason=reason)

    async def _ask(self, account: Account, letter: Letter, seconds: float) -> Answer:
        child = self._child = self._child or await _start()
        given, said = child.stdin, child.stdout
        if given is None or said is None:
            raise EOFError
        self._number += 1
        try:
            given.write(encode(Request(self._number, account, letter, seconds)))
        except RuntimeError:  # uvloop's word for a pipe whose other end has died
            raise EOFError from None
        await given.drain()
        while True:
            (length,) = HEAD.unpack(await said.readexactly(HEAD.size))
            if length > MOST_BYTES:
                raise ValueError("longer than an answer can be")
            answer = decode(await said.readexactly(length), Answer)
            if answer.number == self._number:
                return answer

    async def close(self) -> None:
        """End the process, in the middle of whatever it does."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await child.wait()


async def _start() -> asyncio.subprocess.Process:
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    return await asyncio.create_subprocess_exec(
        _python(),
        "-P",  # the working folder is nobody's place to put modules
        "-m",
        _MODULE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A traceback could show what it was given.
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name.upper() in _KEPT},
        creationflags=flags,
    )


def _python() -> str:
    """Return the Python to start; a Windows service runs in a host program of its own."""
    if Path(sys.executable).stem.lower().startswith("python") and "service" not in Path(sys.executable).stem.lower():
        return sys.executable
    return str(Path(sys.exec_prefix) / ("python.exe" if sys.platform == "win32" else "bin/python"))
