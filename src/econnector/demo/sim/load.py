"""People who open a page, at a pace that does not wait for answers: a slow HQ gets no fewer of them."""

import asyncio
import random
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import httpx2

from econnector.demo.sim.fleet import Fleet
from econnector.demo.sim.vendor import name_of

__all__ = ["Load", "share"]

_PATIENCE: Final = 30.0
_MOST_AT_ONCE: Final = 2000
_GOOD: Final = 200


def share(times: list[float], part: float) -> float:
    """Return the time (ms) that this part of the pages stayed below; 0 for none."""
    if not times:
        return 0.0
    return round(1000 * sorted(times)[min(len(times) - 1, int(part * len(times)))], 1)


class Load:
    """Opens the sign-in page of one office after another: one call on its link each."""

    def __init__(self, url: str, fleet: Fleet, pace: float, *, ca: Path | None, seed: int) -> None:
        """`pace`: pages a second."""
        self._url, self._fleet, self._pace = url, fleet, pace
        self._dice = random.Random(seed)  # noqa: S311 - whom to visit
        secure = url.startswith("https:")
        context = ssl.create_default_context(cafile=ca) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        limits = httpx2.Limits(max_connections=_MOST_AT_ONCE, max_keepalive_connections=32)
        # Every visit is another person's: nobody's cookies are kept, of which there would soon be ten thousand.
        nobodys = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx2.AsyncClient(
            verify=context, limits=limits, timeout=_PATIENCE, trust_env=False, cookies=nobodys
        )
        self._visits: set[asyncio.Task[None]] = set()
        self.times: list[float] = []
        self.slow_times: list[float] = []
        self.lately: list[float] = []
        """Seconds, since somebody emptied it."""
        self.failed = self.away = 0

    @property
    def pages(self) -> int:
        """How many were answered well."""
        return len(self.times) + len(self.slow_times)

    async def run(self) -> None:
        """Visit until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self._pace > 0:
            due += self._dice.expovariate(self._pace)
            await asyncio.sleep(max(0.0, due - loop.time()))
            number = self._dice.randrange(self._fleet.many)
            task = asyncio.create_task(self._visit(number))
            self._visits.add(task)
            task.add_done_callback(self._visits.discard)

    async def _visit(self, number: int) -> None:
        loop, fleet = asyncio.get_running_loop(), self._fleet
        began, there = loop.time(), fleet.up.is_set() and number in fleet.online
        try:
            answer = await self._client.get(f"{self._url}/o/{name_of(number)}/portal/sign-in")
            status = answer.status_code
        except httpx2.HTTPError:
            status = 0
        if status == _GOOD:
            taken = loop.time() - began
            late = number >= fleet.many - fleet.slow
            (self.slow_times if late else self.times).append(taken)
            if not late:
                self.lately.append(taken)
        elif there and fleet.up.is_set() and number in fleet.online:
            self.failed += 1
        else:
            self.away += 1

    async def close(self) -> None:
        """Let go of all of them."""
        for task in self._visits:
            task.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)
        await self._client.aclose()
