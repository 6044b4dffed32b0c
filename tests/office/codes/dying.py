"""An import in a process of its own that is killed: `python -m tests.office.codes.dying URL STATE FILE POINT N BYTES`.

It dies like `kill -9` the N-th time that it comes to the point; at the point `nowhere` somebody else kills it.
A file of BYTES is large enough to be gathered.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from econnector.office.codes import batches, gathering
from econnector.office.codes.importer import Codes, Wanted
from econnector.opendental import coderows, gathered, writes
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import code_imports
from econnector.storage.state.base import open_state
from tests.office.codes.conftest import ADA

BATCH = 10
POINTS: dict[str, tuple[Any, str]] = {
    "new rows are there, the others are not": (coderows, "compared"),
    "the batch is there, its place is not kept": (code_imports, "keep"),
}
GATHERED: dict[str, tuple[Any, str]] = {
    "all is gathered, nothing is in the table": (gathered, "put"),
    "what was gathered is there, the others are not": (coderows, "compared"),
}


def _die_at(point: str, times: int) -> None:
    module, name = (POINTS | GATHERED)[point]
    original: Callable[..., Any] = getattr(module, name)
    left = iter(range(times - 1))

    def dying(*args: Any, **more: Any) -> Any:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **more)

    setattr(module, name, dying)


async def _run(url: str, state: Path, file: Path) -> None:
    batches.BATCH = BATCH
    gathering.LEAST_BYTES = int(sys.argv[6])
    database, kept = Database(url, guard=writes.guard), await open_state(state)
    codes = Codes(database, kept, Schemas(), "FRONT-DESK", state.parent)
    async with await codes.prepare(ADA, Wanted("SNOMEDCT", file, release="one", accept_terms=True)) as work:
        os.write(1, b"begun\n")
        await work.run()
    await kept.close()
    await database.close()


if __name__ == "__main__":
    if sys.argv[4] in POINTS | GATHERED:
        _die_at(sys.argv[4], int(sys.argv[5]))
    asyncio.run(_run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
