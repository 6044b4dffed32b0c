"""The window's app over a practice in SQLite, without a server and without a browser."""

import contextlib
import dataclasses
import re
from collections.abc import AsyncIterator

import httpx2
from sqlalchemy import Connection, text

from econnector.base.clock import ManualClock
from econnector.office.window.app import create_app
from econnector.office.window.scene import Scene
from econnector.opendental import passwords
from econnector.opendental.writes import guard
from econnector.storage.database import Database

PORT = 30790
HOME = f"http://127.0.0.1:{PORT}"
PASSWORD = "Molar-42"
USERS = {"Ada": (91, 24), "Frank": (91,), "Vera": ()}


class Window:
    """The app over a practice in SQLite, without a server."""

    def __init__(self, scene: Scene, clock: ManualClock, url: str) -> None:
        self.scene, self.clock, self.url, self.app = scene, clock, url, create_app(scene)

    def away(self) -> "Window":
        """Return the same window while its database server is switched off."""
        nobody = Database("mysql://root@127.0.0.1:1/opendental", guard=guard)
        return Window(dataclasses.replace(self.scene, database=nobody), self.clock, self.url)

    def browser(self) -> httpx2.AsyncClient:
        """Return a browser that nobody has used yet."""
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=HOME)

    @contextlib.asynccontextmanager
    async def signed_in(self, name: str = "Ada") -> AsyncIterator[httpx2.AsyncClient]:
        async with self.browser() as browser:
            answer = await sign_in(browser, name)
            assert answer.status_code == 303, answer.text
            yield browser

    async def sql(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Ask or change the practice's database as another program does."""

        def run(connection: Connection) -> list[tuple[object, ...]]:
            found = connection.execute(text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

        other = Database(self.url)
        try:
            return await other.run(run)
        finally:
            await other.close()

    async def audit(self) -> list[tuple[object, ...]]:
        """Return who did what, oldest first; a row without its hash is not among them."""
        return await self.sql(
            "SELECT UserNum, PermType, LogText FROM securitylog INNER JOIN securityloghash USING (SecurityLogNum)"
            " ORDER BY LogDateTime"
        )


def token_in(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


async def post(browser: httpx2.AsyncClient, path: str, seen: str = "/", **fields: str) -> httpx2.Response:
    """Send a form as the page at `seen` would."""
    token = token_in((await browser.get(seen)).text)
    return await browser.post(path, data={"form_token": token, **fields})


async def sign_in(browser: httpx2.AsyncClient, name: str, password: str = PASSWORD, back: str = "/") -> httpx2.Response:
    return await post(browser, "/sign-in", "/sign-in", user_name=name, password=password, next=back)


async def add_users(database: Database) -> None:
    def add(connection: Connection) -> None:
        def insert(table: str, **row: object) -> None:
            names = ", ".join(row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES (:{', :'.join(row)})"), row)

        for number, (name, permissions) in enumerate(USERS.items(), 501):
            insert("userod", UserNum=number, UserName=name, Password=passwords.make(PASSWORD))
            insert("usergroupattach", UserNum=number, UserGroupNum=number)
            for permission in permissions:
                insert("grouppermission", UserGroupNum=number, PermType=permission, FKey=0)

    await database.run(add)
