"""Blocking work beside the event loop that nothing waits for at the end: a mail server may take a minute to say no."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

__all__ = ["aside"]

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


async def aside(work: Callable[[*Ts], R], *given: *Ts) -> R:
    """Do `work` in a thread of its own; return what it returns, or raise what it raises.

    Not one of the loop's own threads: for those the end of the process waits. Work that is left behind goes on.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def tell(result: Callable[[], None]) -> None:
        if not done.done():  # else nobody waits any more
            result()

    def run() -> None:
        try:
            found = work(*given)
        except BaseException as error:  # noqa: BLE001 - the thread's only way to tell
            said = error
            _soon(loop, tell, lambda: done.set_exception(said))
        else:
            _soon(loop, tell, lambda: done.set_result(found))

    threading.Thread(target=run, name="mail", daemon=True).start()
    return await done


def _soon(loop: asyncio.AbstractEventLoop, f: Callable[[*Ts], None], *given: *Ts) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(f, *given)
