"""The portal's pages on a real server, with the office's real answers behind them, over a real practice.

The small practice of the tests in a SQLite file or in a copy of the real database; or any folder of a practice.
"""

import asyncio
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from econnector.base.clock import SYSTEM
from econnector.base.errors import Failure
from econnector.eservices.portal.office import portal_answers
from econnector.eservices.portal.office.cashier import Cashier
from econnector.eservices.portal.web import routes
from econnector.link.loopback import DirectAsker
from econnector.office.mail.postbox import Postbox
from econnector.opendental import writes
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import join_state, open_state
from econnector.storage.state.sealing import Seal
from econnector.web.door import Door
from econnector.wire.call import Asker, Call, Download
from tests.support.bank import Bank, BankTills
from tests.support.mariadb import Kind, shared_server
from tests.support.practice import PASSWORD, Cast, empty_state, in_thread, practice_url, user_name, write_images
from tests.support.site import client, serve_app, token_in

__all__ = ["Kind", "RealSite", "in_thread", "serve_folder", "serve_practice"]

T = TypeVar("T")

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)


@dataclass
class RealSite:
    """A running server, and the practice behind it."""

    base: str
    """The portal's address, without trailing slash."""
    folder: Path
    url: str
    """Of the practice's database."""
    failing: dict[str, Failure] = field(default_factory=dict)
    """Raised instead of asking these calls."""
    losing: dict[str, Failure] = field(default_factory=dict)
    """Raised once after these calls were answered."""

    @property
    def images(self) -> Path:
        """The images folder."""
        return self.folder / "images"

    @property
    def database(self) -> str:
        """The database's name on the shared server, where it is there."""
        return self.url.rpartition("/")[2]

    def sql(self, text: str, *values: object) -> list[Any]:
        """Read or change the practice's database as another program would; `?` stands for each value."""
        if not self.url.startswith("sqlite"):
            return shared_server().sql(text.replace("%", "%%").replace("?", "%s"), *values, database=self.database)
        return self._ask(Path(self.url.removeprefix("sqlite:///")), text, *values)

    def state(self, text: str, *values: object) -> list[Any]:
        """Read or change the connector's own state file."""
        return self._ask(self.folder / "state.db", text, *values)

    @staticmethod
    def _ask(file: Path, text: str, *values: object) -> list[Any]:
        connection = sqlite3.connect(file, timeout=60)
        try:
            with connection:
                return connection.execute(text, values).fetchall()
        finally:
            connection.close()

    def front_desk(self, do: Callable[[Database, Database], Awaitable[T]]) -> T:
        """Let somebody in the office do something: with the practice's database and the connector's state file."""

        async def done() -> T:
            database, state = Database(self.url), await join_state(self.folder / "state.db")
            try:
                return await do(database, state)
            finally:
                await database.close()
                await state.close()

        return in_thread(done)

    def mailed_code(self) -> str:
        """Return the code in the newest mail; it is handed in after the answer."""
        for _ in range(6000):
            for (text,) in self.state("SELECT text FROM outbox ORDER BY id DESC"):
                if found := re.search(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b", text):
                    return found[0]
            time.sleep(0.01)
        raise AssertionError("no mail")

    @contextmanager
    def signed_in(self, person: Cast = Cast.MARIA, **options: Any) -> Iterator[httpx2.Client]:
        """Yield a browser without a screen in which somebody is signed in."""
        with client(self.base, **options) as browser:
            form = {"user_name": user_name(person), "password": PASSWORD}
            answer = browser.post("/sign-in", data=form | {"form_token": token_in(browser.get("/sign-in").text)})
            assert answer.status_code == 303, answer.text
            yield browser


class _Causing:
    """Asks the office; causes what the site's fields say."""

    def __init__(self, site: RealSite, asker: Asker) -> None:
        self._site, self._asker = site, asker

    async def ask(self, call: Call[P, R], params: P, **options: Any) -> R:
        if call.name in self._site.failing:
            raise self._site.failing[call.name]
        answer = await self._asker.ask(call, params, **options)
        if call.name in self._site.losing:
            raise self._site.losing.pop(call.name)
        return answer

    async def download(self, call: Call[P, R], params: P, **options: Any) -> Download[R]:
        return await self._asker.download(call, params, **options)


@contextmanager
def serve_practice(folder: Path, kind: Kind = "sqlite") -> Iterator[RealSite]:
    """Serve the portal of the small practice, made in `folder`; `kind` other than SQLite: the real database."""
    write_images(folder / "images")
    empty_state(folder)
    with practice_url(kind, folder) as url, serve_folder(folder, url, "Bright Smile Dental") as site:
        yield site


@contextmanager
def serve_folder(folder: Path, url: str, title: str) -> Iterator[RealSite]:
    """Serve the portal of a practice that is there: its database at `url`, its images below `folder`."""
    site = RealSite("", folder, url)
    opened: dict[str, Asker] = {}
    turn = asyncio.Lock()

    async def find(_: Request) -> Door:
        async with turn:
            if "office" not in opened:
                database, state = Database(url, guard=writes.guard), await open_state(folder / "state.db")
                post, seal = Postbox(state), Seal(folder)
                tills = BankTills(Bank(SYSTEM))
                cashier = Cashier(database, state, Schemas(), SYSTEM, tills, post=post, seal=seal)
                answers = portal_answers(
                    database, state, Schemas(), ImageStore(folder / "images"),
                    beat=0.001, post=post, seal=seal, cashier=cashier,
                )  # fmt: skip
                opened["office"] = _Causing(site, DirectAsker(answers))
        return Door("practice", "/o/practice/portal", title, "5550100", opened["office"])

    with serve_app(Starlette(routes=[Mount("/o/practice/portal", routes=routes(find))])) as root:
        site.base = f"{root}/o/practice/portal"
        yield site
