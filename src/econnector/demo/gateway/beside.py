"""The sandbox as a child of the demo: started with it, and gone when the demo is, however that ended."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

from econnector.base.errors import Unexpected

__all__ = ["sandbox"]

_UP_SECONDS = 60.0
_END_SECONDS = 10.0


@contextlib.asynccontextmanager
async def sandbox(folder: Path) -> AsyncIterator[Awaitable[str]]:
    """Run one while the block lasts; what is yielded becomes its address once it listens."""
    words = ["demo", "gateway", "--listen", "127.0.0.1:0", "--folder", str(folder), "--with-parent"]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "econnector", *words, stdin=pipe, stdout=pipe)
    address = asyncio.ensure_future(_address(child))
    try:
        yield address
    finally:
        address.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await address
        await _end(child)


async def _address(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None  # noqa: S101 - it is a pipe
    async with asyncio.timeout(_UP_SECONDS):
        line = (await child.stdout.readline()).decode().strip()
    if not line:
        raise Unexpected(kind="the sandbox processor did not start")
    return line


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.stdin is not None:
        child.stdin.close()  # it ends with its parent
    try:
        async with asyncio.timeout(_END_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
