"""An office that sends mail: a practice with an account, the connector's state file, and a real mail server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from econnector.base.clock import SYSTEM, Clock
from econnector.mail.compose import new_message_id
from econnector.mail.letter import Letter
from econnector.office.mail.accounts import Accounts
from econnector.office.mail.postbox import Postbox
from econnector.office.mail.recording import Recorder
from econnector.office.mail.sender import Pace, Sender
from econnector.opendental.emailaddresses import encrypted
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from econnector.storage.state.outbox import Mail
from tests.office.connector import sqlite_practice
from tests.support.mailserver import MailServer, mail_server

HASTE = Pace(
    look=0.05, account_first=0.05, account_most=0.2, mail_first=0.05, mail_most=0.1, tidy=0.2, farewell=5.0
)  # fmt: skip


class Office:
    """The office's parts, put together as the connector does."""

    def __init__(self, folder: Path, url: str, state: Database, clock: Clock = SYSTEM, pace: Pace = HASTE) -> None:
        self.folder, self.state, self.clock = folder, state, clock
        self.database = Database(url, guard=guard)
        self.free = Database(url)
        self.postbox = Postbox(state, clock)
        self.schemas = Schemas()
        self.accounts = Accounts(self.database, self.schemas, live=0.0)  # what a test changes counts at once
        self.recorder = Recorder(state, self.database, self.schemas)
        self.sender = Sender(self.postbox, state, self.accounts, self.recorder, clock, pace)

    async def sql(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """Run a statement on the practice's database; return its rows."""

        def execute(connection: Connection) -> list[tuple[Any, ...]]:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

        return await self.free.run(execute)

    async def account(self, port: int, **values: object) -> None:
        """Make the practice's default account, or change it."""
        row: dict[str, object] = {
            "SMTPserver": "127.0.0.1",
            "EmailUsername": "front@smile.example",
            "EmailPassword": encrypted("secret words"),
            "ServerPort": port,
            "UseSSL": 0,
            "SenderAddress": "Smile Dental <front@smile.example>",
            "Pop3ServerIncoming": "",
            "ServerPortIncoming": 0,
            "UserNum": 0,
            "AccessToken": "",
            "RefreshToken": "",
            "DownloadInbox": 0,
            "QueryString": "",
            "AuthenticationType": 0,
        } | values
        await self.sql("DELETE FROM emailaddress")
        names = ", ".join(row)
        await self.sql(f"INSERT INTO emailaddress ({names}) VALUES ({', '.join(f':{name}' for name in row)})", **row)

    async def prefer(self, name: str, value: str) -> None:
        """Set a preference."""
        await self.sql("DELETE FROM preference WHERE PrefName = :name", name=name)
        await self.sql("INSERT INTO preference (PrefName, ValueString) VALUES (:name, :value)", name=name, value=value)

    @contextlib.asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Run the sender meanwhile."""
        task = asyncio.create_task(self.sender.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def until(self, wanted: Callable[[dict[str, int]], object], seconds: float = 90.0) -> dict[str, int]:
        """Wait until the outbox's counts are as wanted."""
        found: dict[str, int] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not wanted(found := await self.postbox.counts()):  # noqa: ASYNC110 - it is a file's
                    await asyncio.sleep(0.1)
                return found
        raise AssertionError(f"{found} {await self.postbox.list(5)}")

    async def mails(self, wanted: Callable[[list[Mail]], object], seconds: float = 90.0) -> list[Mail]:
        """Wait until the outbox's mails are as wanted."""
        found: list[Mail] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not wanted(found := await self.postbox.list()):  # noqa: ASYNC110 - it is a file's
                    await asyncio.sleep(0.03)
                return found
        raise AssertionError(found)

    async def close(self) -> None:
        await self.database.close()
        await self.free.close()


def letter(*to: str, **rest: Any) -> Letter:
    fields: dict[str, Any] = {"subject": "Your visit", "text": "Hello\n", "message_id": new_message_id()} | rest
    return Letter(to=list(to or ("jane@example.com",)), **fields)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    url = await sqlite_practice(tmp_path / "practice.sqlite")
    state = await open_state(tmp_path / "state" / "office.sqlite")
    made = Office(tmp_path, url, state)
    yield made
    await made.close()
    await state.close()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running
