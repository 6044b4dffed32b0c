"""What only a server can do to us: go away, freeze, refuse, kill; on a real MariaDB."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from econnector.base.errors import DatabaseAway, DatabaseBusy, DatabaseDamaged, DatabaseRefused
from econnector.storage import mysql
from econnector.storage.database import Database
from tests.support.certificates import Authority
from tests.support.mariadb import MariaDb, shared_server


@pytest.fixture
def server() -> MariaDb:
    return shared_server()


@pytest.fixture
async def database(server: MariaDb) -> AsyncIterator[Database]:
    database = Database(server.url(server.create_database()), workers=2)
    yield database
    await database.close()


def scalar(connection: Connection, sql: str) -> object:
    return connection.scalar(text(sql))


def execute(connection: Connection, sql: str, **values: object) -> None:
    connection.execute(text(sql), values)


def running(server: MariaDb, words: str) -> int:
    rows = server.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s", f"{words}%")
    return int(rows[0][0])


async def until(count: int, server: MariaDb, words: str) -> None:
    async with asyncio.timeout(60):
        while running(server, words) != count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.02)


async def test_cancelling_the_task_kills_the_statement_on_the_server(database: Database, server: MariaDb) -> None:
    task = asyncio.create_task(database.run(scalar, "SELECT SLEEP(30), 'cancelled'"))
    await until(1, server, "SELECT SLEEP(30), 'cancelled'")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(0, server, "SELECT SLEEP(30), 'cancelled'")


async def test_running_out_of_time_kills_the_statement_on_the_server(database: Database, server: MariaDb) -> None:
    with pytest.raises(DatabaseBusy):
        await database.run(scalar, "SELECT SLEEP(30), 'late'", within=0.3)
    await until(0, server, "SELECT SLEEP(30), 'late'")


async def test_a_connection_whose_statement_was_killed_is_not_used_again(database: Database, server: MariaDb) -> None:
    def number(connection: Connection, seconds: float) -> object:
        own = scalar(connection, "SELECT CONNECTION_ID()")
        seen.append(own)
        scalar(connection, f"SELECT SLEEP({seconds})")
        return own

    seen: list[object] = []
    task = asyncio.create_task(database.run(number, 31.0))
    await until(1, server, "SELECT SLEEP(31.0)")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    after = await asyncio.gather(*(database.run(number, 0.05) for _ in range(4)))
    assert seen[0] not in after


async def test_a_hundred_cancelled_calls_leave_nothing_running_and_no_call_that_is_hit(server: MariaDb) -> None:
    database = Database(server.url(), workers=2, statement_seconds=60.0)

    async def one(number: int) -> object:
        if number % 2:
            with contextlib.suppress(DatabaseBusy):
                await database.run(scalar, "SELECT SLEEP(30), 'many'", within=0.02)
            return None
        return await database.run(scalar, f"SELECT {number}")

    results = await asyncio.gather(*(one(number) for number in range(100)))
    assert [r for r in results if r is not None] == list(range(0, 100, 2))
    await until(0, server, "SELECT SLEEP(30), 'many'")
    await database.close()


async def test_what_is_isolated_does_not_hang_on_how_the_server_is_set_up(server: MariaDb, database: Database) -> None:
    server.sql("SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED")
    try:
        assert await database.run(scalar, "SELECT @@SESSION.tx_isolation") == "REPEATABLE-READ"
    finally:
        server.sql("SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ")


async def test_the_session_is_open_dentals_and_limited(database: Database) -> None:
    assert await database.run(scalar, "SELECT @@SESSION.sql_mode") == ""
    assert await database.run(scalar, "SELECT @@SESSION.max_statement_time") == 10
    assert await database.run(scalar, "SELECT @@SESSION.character_set_client") in ("utf8mb3", "utf8", "utf8mb4")
    await database.run(
        execute, "CREATE TABLE a (id BIGINT AUTO_INCREMENT PRIMARY KEY, w VARCHAR(9) NOT NULL) ENGINE=MyISAM"
    )
    await database.run(execute, "INSERT INTO a () VALUES ()")
    assert await database.run(scalar, "SELECT w FROM a") == ""


@pytest.mark.parametrize(("charset", "kept"), [("utf8", "Hi \ufffd there"), ("utf8mb4", "Hi \U0001f600 there")])
async def test_characters_of_four_bytes_are_replaced_where_the_table_would_cut_them(
    server: MariaDb, charset: str, kept: str
) -> None:
    name = server.create_database()
    server.sql(f"CREATE TABLE note (words TEXT) ENGINE=MyISAM CHARACTER SET {charset}", database=name)
    database = Database(server.url(name))
    await database.run(lambda c: execute(c, "INSERT INTO note VALUES (:w)", w="Hi \U0001f600 there"))
    assert server.sql("SELECT words FROM note", database=name) == [(kept,)]
    assert await database.run(scalar, "SELECT words FROM note") == kept
    await database.close()


async def test_a_restarted_server_is_not_noticed_by_the_next_call(own_server: MariaDb) -> None:
    database = Database(own_server.url())
    await asyncio.gather(*(database.run(scalar, "SELECT 1") for _ in range(8)))
    await asyncio.to_thread(own_server.restart)
    assert await asyncio.gather(*(database.run(scalar, "SELECT 1") for _ in range(8))) == [1] * 8
    await database.close()


async def test_a_connection_is_asked_whether_it_lives_only_after_a_rest(
    database: Database, server: MariaDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pings(connection: Connection) -> int:
        return int(connection.execute(text("SHOW SESSION STATUS LIKE 'Com_admin_commands'")).one()[1])

    monkeypatch.setattr(mysql, "_FRESH_SECONDS", 3600.0)
    assert [await database.run(pings) for _ in range(3)] == [0, 0, 0]
    number = await database.run(scalar, "SELECT CONNECTION_ID()")
    server.sql(f"KILL {number}")
    assert await database.run(scalar, "SELECT CONNECTION_ID()") != number
    monkeypatch.setattr(mysql, "_FRESH_SECONDS", 0.0)
    assert await database.run(pings) == 1


async def test_a_server_that_is_down_is_away_and_comes_back_by_itself(own_server: MariaDb) -> None:
    database = Database(own_server.url())
    assert await database.run(scalar, "SELECT 1") == 1
    await asyncio.to_thread(own_server.kill)
    for _ in range(3):
        with pytest.raises(DatabaseAway, match=str(own_server.port)):
            await database.run(scalar, "SELECT 1")
    await asyncio.to_thread(own_server.start)
    assert await database.run(scalar, "SELECT 1") == 1
    await database.close()


async def test_a_server_killed_during_a_statement_is_away(own_server: MariaDb) -> None:
    database = Database(own_server.url())
    task = asyncio.create_task(database.run(scalar, "SELECT SLEEP(30), 'killed'"))
    await until(1, own_server, "SELECT SLEEP(30), 'killed'")
    await asyncio.to_thread(own_server.kill)
    with pytest.raises(DatabaseAway):
        await task
    await database.close()


async def test_a_frozen_server_ends_in_a_failure_in_time_and_works_after_the_thaw(own_server: MariaDb) -> None:
    database = Database(own_server.url(), workers=2)
    assert await database.run(scalar, "SELECT 1") == 1
    own_server.freeze()
    with pytest.raises((DatabaseBusy, DatabaseAway)):  # while it still says nothing
        await database.run(scalar, "SELECT 1", within=1.0)
    own_server.thaw()
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(DatabaseBusy, DatabaseAway):
                assert await database.run(scalar, "SELECT 1") == 1
                break
            await asyncio.sleep(0.1)
    await database.close()


async def test_closing_does_not_wait_for_a_frozen_server(own_server: MariaDb, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECT_SECONDS", "_PING_SECONDS", "_SIDE_SECONDS"):
        monkeypatch.setattr(mysql, name, 2)
    database = Database(own_server.url(), workers=3)
    await asyncio.gather(*(database.run(scalar, "SELECT SLEEP(0.05)") for _ in range(2)))
    tasks = [asyncio.create_task(database.run(scalar, "SELECT SLEEP(30), 'frozen'"))]
    await until(1, own_server, "SELECT SLEEP(30), 'frozen'")
    own_server.freeze()
    tasks += [asyncio.create_task(database.run(scalar, "SELECT 1")) for _ in range(2)]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(60):
        await database.close()
    for task in tasks:
        with pytest.raises((DatabaseAway, DatabaseBusy)):
            await task


async def test_wrong_password_and_unknown_database_are_refused_and_name_no_secret(server: MariaDb) -> None:
    server.create_user("clerk", "right", "SELECT ON mysql.help_topic")
    for url, words in (
        (server.url("mysql", "clerk", "wrong-secret"), "wrong user or password"),
        (server.url("nowhere"), "no such database"),
        (server.url("information_schema", "nobody", "wrong-secret"), "wrong user or password"),
    ):
        database = Database(url)
        with pytest.raises(DatabaseRefused) as caught:
            await database.run(scalar, "SELECT 1")
        assert words in caught.value.office_text()
        assert "wrong-secret" not in caught.value.office_text() + repr(caught.value)
        await database.close()


async def test_the_password_given_beside_the_url_counts(server: MariaDb) -> None:
    server.create_user("other", "p@ss/w:rd#%", "SELECT ON mysql.help_topic")
    database = Database(server.url("mysql", "other"), password="p@ss/w:rd#%")
    assert await database.run(scalar, "SELECT 1") == 1
    task = asyncio.create_task(database.run(scalar, "SELECT SLEEP(30), 'other'"))
    await until(1, server, "SELECT SLEEP(30), 'other'")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(0, server, "SELECT SLEEP(30), 'other'")
    await database.close()


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql"])
async def test_every_name_of_the_server_in_a_url_is_the_same_server(server: MariaDb, scheme: str) -> None:
    database = Database(server.url().replace("mysql", scheme, 1))
    assert await database.run(scalar, "SELECT 1") == 1
    assert database.dialect == "mysql"
    assert database.server == f"127.0.0.1:{server.port}"
    await database.close()


async def test_a_right_that_is_missing_is_refused(server: MariaDb) -> None:
    name = server.create_database()
    server.sql("CREATE TABLE a (id INT)", database=name)
    server.create_user("reader", "x", f"SELECT ON {name}.*")
    database = Database(server.url(name, "reader", "x"))
    with pytest.raises(DatabaseRefused, match="lacks a right"):
        await database.run(execute, "INSERT INTO a VALUES (1)")
    await database.close()


async def test_too_many_connections_are_busy(server: MariaDb) -> None:
    server.create_user("single", "x", "USAGE ON *.*")
    server.sql("ALTER USER single@'%%' WITH MAX_USER_CONNECTIONS 1".replace("%%", "%"))
    first, second = (Database(server.url("", "single", "x")) for _ in range(2))
    assert await first.run(scalar, "SELECT 1") == 1
    with pytest.raises(DatabaseBusy, match="connections"):
        await second.run(scalar, "SELECT 1")
    await first.close()
    await second.close()


@pytest.mark.causes("database-damaged")
async def test_a_damaged_table_is_told_apart(server: MariaDb) -> None:
    name = server.create_database()
    server.sql("CREATE TABLE a (id INT PRIMARY KEY, w VARCHAR(20)) ENGINE=MyISAM", database=name)
    server.sql("INSERT INTO a VALUES (1, 'x'), (2, 'y')", database=name)
    server.sql("FLUSH TABLES")
    (server.data / name / "a.MYI").write_bytes(b"\0" * 100)
    database = Database(server.url(name))
    with pytest.raises(DatabaseDamaged):
        await database.run(scalar, "SELECT COUNT(*) FROM a WHERE id = 1")
    await database.close()


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[MariaDb, Path]]:
    """A server with a certificate for `localhost`, and the PEM of the authority that signed it."""
    authority = Authority(tmp_path)
    made = authority.issue("localhost")
    server = MariaDb(f"--ssl-cert={made.certificate}", f"--ssl-key={made.key}", "--bind-address=*")
    yield server, authority.file
    server.close()


async def cipher(url: str, ca: Path | None) -> object:
    database = Database(url, ca=ca)
    try:
        return await database.run(lambda c: c.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1])
    finally:
        await database.close()


async def test_certificates_are_verified_with_a_ca_and_used_without(
    encrypted: tuple[MariaDb, Path], tmp_path: Path
) -> None:
    server, ca = encrypted
    by_name = server.url().replace("127.0.0.1", "localhost")
    assert await cipher(by_name, ca)
    assert await cipher(server.url(), None)
    with pytest.raises(DatabaseRefused, match="not trusted"):
        await cipher(server.url(), ca)  # the certificate is for another name
    with pytest.raises(DatabaseRefused, match="not trusted"):
        await cipher(by_name, Authority(tmp_path, "Stranger").file)


async def test_a_server_without_encryption_is_refused_when_a_ca_is_given(own_server: MariaDb, tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="not trusted"):
        await cipher(own_server.url(), Authority(tmp_path).file)
