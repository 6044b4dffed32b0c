"""Practices to test on: SQLite, the real database of 21.1.9, and the real one with all later columns."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

import pytest
from sqlalchemy import Connection, create_engine, text

from econnector.opendental import schema, writes
from econnector.opendental.schema import Schema
from econnector.opendental.tables.making import create_all
from econnector.storage.database import Database
from tests.support.mariadb import Version, open_dental_url, own_server, practice_in, shared_server
from tests.support.practice import portal_office, portal_office_sqlite

__all__ = ["Practice", "open_dental_url", "own_server", "portal_office", "portal_office_sqlite", "practice"]

_EMPTIED = ("alertitem", "alertread", "eservicesignal", "signalod", "securitylog", "securityloghash", "updatehistory")

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


@dataclass
class Practice:
    """A practice's database as the connector has it (guarded), and as the test sets it up."""

    guarded: Database
    free: Database
    schema: Schema

    async def run(self, f: Callable[[Connection, Schema, *Ts], R], *args: *Ts) -> R:
        """Run a function that needs the schema, as the connector would."""
        return await self.guarded.run(lambda connection: f(connection, self.schema, *args))

    async def sql(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """Run a statement of the test's own; return its rows."""

        def execute(connection: Connection) -> list[tuple[Any, ...]]:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

        return await self.free.run(execute)

    async def inspect(self) -> None:
        """Read the schema again."""
        self.schema = await self.guarded.run(schema.inspect)

    async def shift(self, table: str, column: str, seconds: int, where: str = "1=1") -> None:
        """Move the times in a column by some seconds, as if that long had passed."""
        sqlite = f"datetime({column}, '{seconds} seconds')"
        moved = sqlite if self.free.dialect == "sqlite" else f"{column} + INTERVAL {seconds} SECOND"
        await self.sql(f"UPDATE {table} SET {column} = {moved} WHERE {where}")


@pytest.fixture(scope="session")
def sqlite_practice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice on SQLite without a row, made once and copied for every test."""
    path = tmp_path_factory.mktemp("practice") / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        create_all(connection, "24.3.10.0")
        set_up = "INSERT INTO preference (PrefName, ValueString) VALUES ('DataBaseVersion', '24.3.10.0')"
        connection.execute(text(set_up))
    engine.dispose()
    return path


_USED = ("emailaddress", "emailmessage", "payment", "paysplit", "replicationserver")
_REAL = [pytest.param(version, marks=pytest.mark.shared) for version in ("21.1", "24.3")]


def _without_rows(version: Version) -> Path:
    """Return the files of the real database without the rows that it has of its own in what the tests look at."""
    server = shared_server()

    def empty(name: str) -> None:
        for table in _EMPTIED:
            server.sql(f"TRUNCATE {table}", database=name)

    return server.prepared(version, {*schema.NEEDED, *_USED}, "without-rows", empty)


@pytest.fixture(params=["sqlite", *_REAL])
async def practice(request: pytest.FixtureRequest, tmp_path: Path, sqlite_practice: Path) -> AsyncIterator[Practice]:
    """A practice in each of its forms."""
    with practice_in(request.param, tmp_path, sqlite_practice, _without_rows) as url:
        free, guarded = Database(url), Database(url, guard=writes.guard)
        yield Practice(guarded, free, await guarded.run(schema.inspect))
        await guarded.close()
        await free.close()
