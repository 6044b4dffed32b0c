"""A practice at work whole, in this process: HQ, its connector and a patient who is signed in; things break in it.

What the patient reads, what the office finds under the page's reference, what the doctor finds, and that the same page
comes again: `World` has a word for each.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx2

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import CATALOGUE
from econnector.office.app import Office
from econnector.office.doctor.check import Finding, examine
from econnector.office.doctor.scene import Scene
from econnector.office.status import find_failure
from econnector.storage.state.failures import Met
from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.office.test_doctor import PATIENT_CHECKS
from tests.office.test_office import live, until
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.site import token_in

__all__ = ["World", "examined"]

# Browsers send secure cookies to loopback without TLS; Python's jar must be told.
_TRUSTS_LOOPBACK = DefaultCookiePolicy(secure_protocols=("https", "http"))


async def examined(connector: Connector, *checks: str, clock: Clock = SYSTEM) -> dict[str, Finding]:
    """Return what `econnector doctor` finds in these checks."""
    scene = Scene(connector.file, clock=clock)
    try:
        chosen = [check for check in PATIENT_CHECKS if check.id in checks]
        assert len(chosen) == len(checks)
        return {finding.check: finding for finding in await examine(scene, chosen)}
    finally:
        await scene.close()


class World:
    """One office and one patient of it."""

    def __init__(self, hq: RunningHq, connector: Connector, database: str, folder: Path) -> None:
        self.hq, self.connector, self.database, self.folder = hq, connector, database, folder
        self.browser = hq.client(cookies=CookieJar(_TRUSTS_LOOPBACK))

    async def enrol(self, more: str = "") -> None:
        """Add the office at HQ, and enrol this machine as it."""
        _, key = await self.hq.add("smile", phone="555-0100")
        self.connector.write(self.hq.link, self.database, more=f'[images]\nroot = "{self.folder / "images"}"\n{more}')
        await self.connector.enrol(key)

    @contextlib.asynccontextmanager
    async def working(self, **options: Any) -> AsyncIterator[Office]:
        """Run the connector until the block ends."""
        async with live(self.connector, **options) as office:
            await until(lambda: office.snapshot().link == "open" and office.snapshot().database == "open")
            yield office

    async def sign_in(self, path: str = "/o/smile/portal") -> None:
        """Let Maria in."""
        await self.until_it_works(f"{path}/sign-in")
        token = token_in((await self.browser.get(f"{path}/sign-in")).text)
        typed = {"user_name": user_name(Cast.MARIA), "password": PASSWORD, "form_token": token}
        assert (await self.browser.post(f"{path}/sign-in", data=typed)).status_code == 303

    async def refused(self, code: str, path: str = "/o/smile/portal/") -> httpx2.Response:
        """Open a page until it is this failure's: kind, with its code and reference, without inside detail."""
        answer = await self._opened(path, lambda answer: _names(answer, code))
        assert answer.status_code == CATALOGUE[code].http
        assert answer.headers["x-reference"] in answer.text
        for inside in ("Traceback", "SELECT", "127.0.0.1", "mysql", str(self.folder), "FRONT-DESK"):
            assert inside not in answer.text, inside
        return answer

    async def until_it_works(self, path: str = "/o/smile/portal/") -> None:
        """Open the same page until it comes."""
        await self._opened(path, lambda answer: answer.status_code == 200)

    async def _opened(self, path: str, wanted: Callable[[httpx2.Response], bool]) -> httpx2.Response:
        answer = await self.browser.get(path)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while not wanted(answer):
                    await asyncio.sleep(0.05)
                    answer = await self.browser.get(path)
        assert wanted(answer), (answer.status_code, answer.text[-3000:])
        return answer

    async def noted(self, page: httpx2.Response) -> Met:
        """Return the office's history under the page's reference."""
        reference = page.headers["x-reference"]
        found: list[Met] = await until(lambda: find_failure(self.connector.loaded(), reference))
        return found[0]

    async def finding(self, check: str, **options: Any) -> Finding:
        """Return what the doctor finds."""
        return (await examined(self.connector, check, **options))[check]

    async def finds(self, check: str, state: str) -> Finding:
        """Return what the doctor finds once it is so: it reads what a connector leaves word of every few seconds."""
        async with asyncio.timeout(60):
            while (found := await self.finding(check)).state != state:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.1)
        return found

    async def close(self) -> None:
        """Close the browser."""
        await self.browser.aclose()


def _names(answer: httpx2.Response, code: str) -> bool:
    """Whether the page tells of this failure; what people search for is on it."""
    return answer.status_code >= 400 and re.search(rf"\b{re.escape(code)}\b", answer.text) is not None
