"""Many rows at once arrive as they are: every kind of value, and more of them than fit into one statement."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection

from econnector.opendental import writes
from econnector.storage.database import Database
from tests.support.mariadb import shared_server

READ = "SELECT word, number, day, bytes FROM some ORDER BY place"
INSERT = "INSERT INTO some (word, number, day, bytes) VALUES (%s, %s, %s, %s)"
WORDS = (
    "plain",
    'O\'Hara "quoted"',
    "back\\slash\\",
    "a\nb\rc\x00d\x1ae",
    "%s 100 % %(x)s",
    "Zoë Ωmega",
    "'); DROP --",
    "",
)


@pytest.fixture(params=["utf8", "utf8mb4"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    server, name = shared_server(), shared_server().create_database()
    server.sql(
        "CREATE TABLE some (place bigint AUTO_INCREMENT PRIMARY KEY, word text, number bigint, day datetime,"
        f" bytes blob) CHARSET={request.param}",
        database=name,
    )
    database = Database(server.url(name), guard=None)
    yield database
    await database.close()
    server.drop_database(name)


def _insert(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    connection.exec_driver_sql(INSERT, rows)


def _read(connection: Connection) -> list[tuple[Any, ...]]:
    return [
        tuple(row) for row in connection.exec_driver_sql("SELECT word, number, day, bytes FROM some ORDER BY place")
    ]


async def test_values_of_every_kind_are_read_back_as_they_were_written(database: Database) -> None:
    moment = dt.datetime(2026, 7, 31, 13, 45)  # noqa: DTZ001 - a column has no zone
    rows: list[tuple[Any, ...]] = [(word, place, moment, b"\x00\xff'") for place, word in enumerate(WORDS)]
    rows += [(None, None, None, None), ("last", -(2**62), moment, b"")]
    await database.run(_insert, rows)
    assert await database.run(_read) == rows


async def test_more_rows_than_one_statement_takes_all_arrive_in_their_order(database: Database) -> None:
    rows = [(f"{number} " + "ü'" * 700, number, None, None) for number in range(2500)]
    await database.run(_insert, rows)
    assert await database.run(_read) == rows


async def test_what_a_column_of_three_bytes_cannot_hold_is_replaced_and_nothing_behind_it_is_cut(
    database: Database, request: pytest.FixtureRequest
) -> None:
    await database.run(_insert, [("a \U0001f9b7 tooth", 1, None, None), ("b", 2, None, None)])
    kept = "\U0001f9b7" if "utf8mb4" in request.node.name else "\ufffd"
    assert [row[0] for row in await database.run(_read)] == [f"a {kept} tooth", "b"]


async def test_the_guard_sees_the_statement_and_never_a_value() -> None:
    server, name = shared_server(), shared_server().create_database()
    server.sql("CREATE TABLE ucum (UcumNum bigint AUTO_INCREMENT PRIMARY KEY, UcumCode text)", database=name)
    shown: list[str] = []

    def guard(sql: str) -> None:
        shown.append(sql)
        writes.guard(sql)

    database = Database(server.url(name), guard=guard)
    statement = "INSERT INTO ucum (UcumCode) VALUES (%s)"
    await database.run(lambda connection: connection.exec_driver_sql(statement, [("a; b",), ("INTO c",)]))
    assert [sql for sql in shown if "ucum" in sql] == [statement]
    await database.close()
    server.drop_database(name)
