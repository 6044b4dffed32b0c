"""The practice with one chart: SQLite, the real database of 21.1, and with all later columns."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import create_engine, text

from econnector.opendental.schema import NEEDED, Schema, inspect
from econnector.storage.database import Database
from tests.support.charts import TABLES, Chart, fill
from tests.support.mariadb import Version, practice_in, shared_server

R = TypeVar("R")
_REAL = [pytest.param(version, marks=pytest.mark.shared) for version in ("21.1", "24.3")]


class Somewhere:
    """The practice in one of its forms."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def run(self, work: Callable[[Chart], R]) -> R:
        """Do `work` in one connection."""
        return await self.database.run(lambda connection: work(Chart(connection, inspect(connection))))


def _with_a_chart(version: Version) -> Path:
    """Return the files of the real database with the chart in it."""
    server = shared_server()

    def write(name: str) -> None:
        engine = create_engine(server.url(name).replace("mysql", "mysql+pymysql", 1), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("SET SESSION sql_mode=''"))
            fill(Chart(connection, inspect(connection)))
        engine.dispose()

    return server.prepared(version, {*NEEDED, *TABLES}, "with-a-chart", write)


@pytest.fixture(params=["sqlite", *_REAL])
async def somewhere(
    request: pytest.FixtureRequest, tmp_path: Path, filled: tuple[Path, Schema]
) -> AsyncIterator[Somewhere]:
    """The practice in each of its forms."""
    with practice_in(request.param, tmp_path, filled[0], _with_a_chart) as url:
        database = Database(url, statement_seconds=60)
        yield Somewhere(database)
        await database.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, sqlite_practice: Path) -> tuple[Path, Schema]:
    """The practice on SQLite, to be copied, and what its database has."""
    path = Path(shutil.copy(sqlite_practice, tmp_path_factory.mktemp("filled") / "practice.db"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        schema = inspect(connection)
        fill(Chart(connection, schema))
    engine.dispose()
    return path, schema


@pytest.fixture
def chart(tmp_path: Path, filled: tuple[Path, Schema]) -> Iterator[Chart]:
    """The practice on SQLite."""
    path, schema = filled
    engine = create_engine(f"sqlite:///{shutil.copy(path, tmp_path / 'practice.db')}")
    with engine.connect() as connection:
        yield Chart(connection, schema)
    engine.dispose()
