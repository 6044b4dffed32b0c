"""A practice whose code systems are imported, in SQLite and in the real database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pymysql  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection, text

from econnector.office.codes.importer import Codes, Wanted
from econnector.office.desk import Who
from econnector.opendental import writes
from econnector.opendental.codesystems import SYSTEMS
from econnector.opendental.schema import NEEDED, Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from econnector.storage.state.code_imports import Progress
from tests.office.connector import sqlite_practice
from tests.support.mariadb import shared_server

ADA = Who(7, "Ada", may_setup=True, may_admin=True)


CODES = {"codesystem", "replicationserver", *(system.table.name for system in SYSTEMS if system.table is not None)}


class Practice:
    """One practice, and a person at its importer."""

    def __init__(self, database: Database, state: Database, folder: Path, url: str = "") -> None:
        self.database, self.state, self.folder, self.url = database, state, folder, url
        self.codes = Codes(database, state, Schemas(), "FRONT-DESK", folder)

    async def run(self, name: str, text: str | None = None, **more: Any) -> Progress:
        """Import `text` as a file, or what comes with eConnector."""
        file = None
        if text is not None:
            file = self.folder / f"{name}.txt"
            file.write_text(text, "utf-8")
        async with await self.codes.prepare(ADA, Wanted(name, file, accept_terms=True, **more)) as work:
            return await work.run()

    async def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return a table's rows in their order."""

        def read(connection: Any) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}")]

        return sorted(await self.database.run(read), key=str)

    async def version(self, name: str) -> str:
        """Return the version that Open Dental shows as imported."""
        (row,) = [row for row in await self.codes.listed() if row.system.name == name]
        return row.system.current


@pytest.fixture(params=["sqlite", pytest.param("24.3", marks=pytest.mark.shared)])
async def practice(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Practice]:
    if request.param == "sqlite":
        url = await sqlite_practice(tmp_path / "practice.sqlite")
    else:
        name = shared_server().open_dental("24.3", tables={*NEEDED, *CODES})
        url = shared_server().url(name)
    database, state = Database(url, guard=writes.guard), await open_state(tmp_path / "state.db")
    yield Practice(database, state, tmp_path, url)
    await state.close()
    await database.close()
    if request.param != "sqlite":
        shared_server().drop_database(name)


def codes_file(practice: Practice, lines: int) -> tuple[Path, list[tuple[str, str]]]:
    """Write a file in which every seventh line repeats an earlier code and every eleventh is bad; return its rows."""
    rows, lines_text = dict[str, str](), ""
    for number in range(1, lines + 1):
        code = str(1000 + (number // 2 if number % 7 == 0 else number))
        lines_text += "a line without a tab\n" if number % 11 == 0 else f"{code}\tO'Hara's \\ finding {number}\n"
        if number % 11:
            rows.setdefault(code, f"O'Hara's \\ finding {number}")
    file = practice.folder / "codes.txt"
    file.write_text(lines_text, "utf-8")
    return file, sorted(rows.items(), key=str)


@contextlib.contextmanager
def another_program(practice: Practice) -> Iterator[Any]:
    """Be another program at the same server."""
    place = practice.url.rpartition("@")[2]
    host, port = place.partition("/")[0].split(":")
    connection = pymysql.connect(
        host=host, port=int(port), user="root", database=place.partition("/")[2], autocommit=True
    )
    with connection:
        yield connection


async def until_waiting(practice: Practice, words: str, seconds: float = 0) -> None:
    """Wait until a statement with these words has been at work for some time."""

    values = {"words": f"%{words}%", "ms": seconds * 1000}

    def waiting(connection: Connection) -> object:
        found = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE :words AND db = DATABASE()"
        return connection.scalar(text(f"{found} AND id <> CONNECTION_ID() AND time_ms >= :ms"), values)

    async with asyncio.timeout(60):
        while not await practice.database.run(waiting):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)
