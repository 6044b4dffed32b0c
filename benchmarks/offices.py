"""Many offices in one process, each with a link of its own. As a process: python -m benchmarks.offices URL KEYS"""

import asyncio
import logging
import sys
from pathlib import Path

import structlog

from econnector.link.calls import ECHO, Echo
from econnector.link.dial import Dialler
from econnector.link.identity import Identity, Install
from econnector.link.state import Status
from econnector.wire.call import Answers, Asked


async def serve(url: str, keys: list[str]) -> None:
    """Connect one office per registration key, and stay; print how many are connected whenever that changes."""
    answers = Answers()

    @answers.to(ECHO)
    async def _echo(_: Asked, params: Echo) -> Echo:
        return params

    diallers = []
    for number, key in enumerate(keys):
        install = Install(f"{number:032x}", f"MACHINE-{number}", "0.1.0")
        diallers.append(Dialler(url, Identity.make(), install, answers, registration_key=key, proxy=False))
    tasks = [asyncio.create_task(dialler.run()) for dialler in diallers]
    said = -1
    while not any(task.done() for task in tasks):
        count = sum(dialler.state.status is Status.ONLINE for dialler in diallers)
        if count != said:
            said = count
            print(said, flush=True)
        await asyncio.sleep(0.1)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]).read_text().split()))
