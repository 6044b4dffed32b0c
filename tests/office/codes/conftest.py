"""A practice whose code systems are imported, in SQLite and in the real database."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

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
