"""What `Database.run` promises, on SQLite and on a real MariaDB alike."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, text

from econnector.base.errors import DatabaseAway, DatabaseBusy, Unexpected, VersionsDiffer
from econnector.storage.database import Database
from tests.support.mariadb import shared_server

SLOW = {
    "mysql": "SELECT SLEEP(30)",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n",
}


def empty(file: Path) -> str:
    """Make an empty SQLite file; return its URL."""
    file.touch()
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "mysql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return empty(tmp_path / "some.db")
    server = shared_server()
    return server.url(server.create_database())


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.run(execute, "CREATE TABLE note (id INTEGER PRIMARY KEY, words VARCHAR(40))")
    yield database
    await database.close()


def execute(connection: Connection, sql: str, **values: object) -> int:
    return connection.execute(text(sql), values).rowcount


def scalar(connection: Connection, sql: str) -> object:
    return connection.scalar(text(sql))


def slow(connection: Connection) -> object:
    return scalar(connection, SLOW["sqlite" if connection.dialect.name == "sqlite" else "mysql"])


async def test_it_returns_what_the_function_returns_and_raises_what_it_raises(database: Database) -> None:
    assert await database.run(scalar, "SELECT 6 * 7") == 42

    def fail(_: Connection) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await database.run(fail)


async def test_values_are_never_part_of_the_statement(database: Database) -> None:
    for number, hostile in enumerate(("'; DROP TABLE note; --", "%", "_", "\\", '"', "%s", ":x", "\0", "né")):

        def keep(connection: Connection, number: int = number, hostile: str = hostile) -> None:
            execute(connection, "INSERT INTO note VALUES (:id, :words)", id=number, words=hostile)

        await database.run(keep)

        def find(connection: Connection, hostile: str = hostile) -> object:
            return connection.scalar(text("SELECT COUNT(*) FROM note WHERE words = :words"), {"words": hostile})

        assert await database.run(find) == 1


@pytest.mark.causes("database-busy")
async def test_a_statement_over_its_limit_is_busy_and_the_next_call_works(url: str) -> None:
    database = Database(url, workers=1, statement_seconds=2.0)
    with pytest.raises(DatabaseBusy):
        await database.run(slow)
    assert await database.run(scalar, "SELECT 1") == 1
    await database.close()


async def test_a_call_over_its_time_is_busy_and_the_next_call_works(url: str) -> None:
    database = Database(url, workers=1)
    with pytest.raises(DatabaseBusy):
        await database.run(slow, within=0.2)
    assert await database.run(scalar, "SELECT 1") == 1
    await database.close()


async def test_a_cancelled_call_starts_no_further_statement(database: Database) -> None:
    def several(connection: Connection) -> None:
        with contextlib.suppress(Exception):
            slow(connection)
        execute(connection, "INSERT INTO note VALUES (1, 'too late')")

    task = asyncio.create_task(database.run(several))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await database.run(scalar, "SELECT COUNT(*) FROM note") == 0


async def test_waiting_for_a_free_connection_counts_as_time(url: str) -> None:
    database = Database(url, workers=1)
    first = asyncio.create_task(database.run(slow))
    await asyncio.sleep(0.1)
    with pytest.raises(DatabaseBusy, match="in use"):
        await database.run(scalar, "SELECT 1", within=0.1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await database.run(scalar, "SELECT 1") == 1
    await database.close()


async def test_a_missing_column_is_the_versions_failure_and_shows_no_sql(database: Database) -> None:
    with pytest.raises(VersionsDiffer) as caught:
        await database.run(scalar, "SELECT OnlinePassword FROM note WHERE words = 'Jane'")
    assert "OnlinePassword" in caught.value.office_text()
    assert "Jane" not in str(caught.value)
    with pytest.raises(VersionsDiffer, match="nosuch"):
        await database.run(scalar, "SELECT 1 FROM nosuch")


async def test_a_guard_sees_every_statement_first(url: str) -> None:
    seen = []

    def guard(sql: str) -> None:
        seen.append(sql)
        if "DROP" in sql:
            raise PermissionError("no")

    database = Database(url, guard=guard)
    await database.run(scalar, "SELECT 1")
    with pytest.raises(PermissionError):
        await database.run(execute, "DROP TABLE note")
    assert any("SELECT 1" in sql for sql in seen)
    await database.close()


async def test_closing_stops_what_runs(url: str) -> None:
    database = Database(url)
    task = asyncio.create_task(database.run(slow))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(60):
        await database.close()
    with pytest.raises(DatabaseBusy):
        await task


async def test_no_secret_and_no_value_is_in_any_text(url: str) -> None:
    database = Database(url, password=None)
    with pytest.raises(Unexpected) as caught:
        await database.run(scalar, "SELECT 'Jane Smith' FROM FROM")
    assert "Jane" not in repr(caught.value)
    assert caught.value.__cause__ is None
    await database.close()


@pytest.mark.parametrize("name", ["some.db", "a b?c#d%20é.db"])
async def test_a_sqlite_file_that_is_missing_is_away_and_is_not_made(tmp_path: Path, name: str) -> None:
    file = tmp_path / "practice" / name
    file.parent.mkdir(parents=True)
    database = Database(f"sqlite:///{quote(str(file))}" if "?" in name else f"sqlite:///{file}")
    with pytest.raises(DatabaseAway, match="there is no such file"):
        await database.run(scalar, "SELECT 1")
    assert not file.exists()
    empty(file)
    assert await database.run(scalar, "SELECT 1") == 1
    await database.close()


async def test_sqlite_functions_are_all_or_nothing(tmp_path: Path) -> None:
    database = Database(empty(tmp_path / "some.db"))
    await database.run(execute, "CREATE TABLE note (id INTEGER)")

    def half(connection: Connection) -> None:
        execute(connection, "INSERT INTO note VALUES (1)")
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(half)
    assert await database.run(scalar, "SELECT COUNT(*) FROM note") == 0
    await database.close()


async def test_two_programs_on_one_sqlite_file_wait_for_each_other(tmp_path: Path) -> None:
    databases = [Database(empty(tmp_path / "some.db")) for _ in range(2)]
    await databases[0].run(execute, "CREATE TABLE note (id INTEGER)")

    def add(connection: Connection) -> None:
        count = scalar(connection, "SELECT COUNT(*) FROM note")
        assert isinstance(count, int)
        execute(connection, "INSERT INTO note VALUES (:id)", id=count)

    await asyncio.gather(*(database.run(add) for database in databases * 50))
    assert await databases[0].run(scalar, "SELECT COUNT(DISTINCT id) FROM note") == 100
    for database in databases:
        await database.close()
