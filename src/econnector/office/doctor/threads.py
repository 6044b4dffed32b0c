"""Threads that nothing waits for: a share whose server is gone may hold one for as long as the machine runs."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

__all__ = ["run"]

P = ParamSpec("P")
R = TypeVar("R")


def run(work: Coroutine[Any, Any, R]) -> R:
    """Do `work` as `asyncio.run` does, and end with it: whatever `asyncio.to_thread` left behind goes on by itself."""

    async def main() -> R:
        asyncio.get_running_loop().set_default_executor(_Loose())
        return await work

    return asyncio.run(main())


class _Loose(ThreadPoolExecutor):
    """Begins a thread for each piece of work; the loop takes no executor of another kind."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        done: Future[R] = Future()

        def do() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                found = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - the thread's only way to tell
                done.set_exception(error)
            else:
                done.set_result(found)

        threading.Thread(target=do, name="doctor", daemon=True).start()
        return done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nothing."""
