"""Sign-outs that the office has not heard of: said again until it has, and the session refused here meanwhile.

Kept in this node's memory only, for as long as an unused session lives in the office: after that it has ended by
itself. Several nodes change little: while the office is away the session is of no use at any of them, and once it is
back this node tells it within half a minute. If this node stops before that, the session lives until it has been unused
for its time, for somebody who copied the cookie before the sign-out took it out of the browser. The registry could keep
it longer, but then HQ's database would hold what opens a chart.
"""

import asyncio
import hashlib

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure
from econnector.base.tasks import Jitter
from econnector.eservices.portal.calls import SIGN_OUT, Token
from econnector.wire.call import Asker

__all__ = ["Leaving"]

_IDLE_SECONDS = 3600.0
_FIRST, _LONGEST = 2.0, 30.0
_MOST = 10_000


class Leaving:
    """The sign-outs of one site that are on their way."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        """Start with none."""
        self._clock = clock
        self._tasks: dict[bytes, asyncio.Task[None]] = {}

    def gone(self, token: str) -> bool:
        """Return whether the session of `token` was signed out here, though the office may not know yet."""
        return bool(self._tasks) and _digest(token) in self._tasks

    def tell(self, office: Asker, token: str, key: str | None) -> None:
        """Have `office` end the session of `token`, now or when it can be reached again."""
        name = _digest(token)
        if name in self._tasks or len(self._tasks) >= _MOST:
            return
        task = self._tasks[name] = asyncio.create_task(self._repeat(office, token, key))
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def _repeat(self, office: Asker, token: str, key: str | None) -> None:
        ends = self._clock.monotonic() + _IDLE_SECONDS
        pause = Jitter(_FIRST, _LONGEST)
        while self._clock.monotonic() < ends:
            await asyncio.sleep(pause.next())
            try:
                await office.ask(SIGN_OUT, Token(token), key=key)
            except Failure:
                continue
            return


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
