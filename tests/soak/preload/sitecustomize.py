"""Read by every process whose clock the soak can move, before anything else.

libfaketime 0.9.10 refuses `clock_nanosleep` until a moment, which is what `time.sleep` is made of; waiting for nothing
takes as long.
"""

import select
import time


def _sleep(seconds: float, /) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep  # type: ignore[assignment]
