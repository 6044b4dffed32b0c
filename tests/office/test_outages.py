"""What a running connector does when database or HQ go away, and that it needs no help when they come back."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql  # type: ignore[import-untyped]
import pytest

from econnector.base.errors import DatabaseAway, DatabaseRefused, HqAway
from econnector.eservices.portal.calls import PRACTICE, Nothing
from econnector.link.handshake import Limits
from econnector.office.app import Office
from econnector.office.running import Running
from econnector.office.status import find_failure
from tests.hq.running import RunningHq, running_hq
from tests.link.vendor import PATIENT
from tests.office.connector import Connector
from tests.office.test_office import QUICK, enrolled, until
from tests.support.mariadb import MariaDb

pytestmark = pytest.mark.shared
NAME = "practice"


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    """A server that these tests stop, kill and freeze; each leaves it running."""
    made = MariaDb()
    made.open_dental("21.1", NAME)
    yield made
    made.close()


def served(found: Running) -> bool:
    return found.link == "open" and found.database == "open" and bool(found.heard)


def history(server: MariaDb, severity: int) -> list[str]:
    rows = server.sql(f"SELECT Description FROM eservicesignal WHERE Severity = {severity}", database=NAME)
    return [row[0] for row in rows]


async def ask(hq: RunningHq, reference: str = "") -> Any:
    return await hq.hq.switchboard.office("smile").ask(PRACTICE, Nothing(), reference=reference)


@contextlib.contextmanager
def locked(server: MariaDb, table: str) -> Iterator[None]:
    """Keep everybody else out of a table."""
    connection = pymysql.connect(unix_socket=str(server.socket), user="root", database=NAME)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLES {table} WRITE")
        yield


async def started(connector: Connector, hq: RunningHq, url: str) -> Any:
    _, key = await hq.add("smile")
    connector.write(hq.link, url)
    await connector.enrol(key)
    return connector.start()


async def test_a_database_that_is_down_at_the_start_and_later_is_waited_for(
    connector: Connector, hq: RunningHq, server: MariaDb
) -> None:
    server.stop()
    process = await started(connector, hq, server.url(NAME))
    found = await connector.until(lambda found: found.link == "open" and found.database_trouble)
    assert found.database_trouble is not None
    assert found.database_trouble.code == DatabaseAway.code
    with pytest.raises(DatabaseAway):
        await ask(hq)

    status, known = await connector.ask("office", "failure", found.database_trouble.reference)
    assert (status, known[0]["call"], known[0]["code"]) == (0, "database", "database-away")

    server.start()
    await connector.until(served)
    assert (await ask(hq)).title

    server.kill()
    with pytest.raises(DatabaseAway) as caught:
        await ask(hq, "7F3K-22QX")
    assert "server" not in caught.value.facts, "what patients and HQ may not know stays in the office"
    await connector.until(lambda found: found.database == "away")
    status, told = await connector.ask("office", "status")
    assert (status, told["status"], told["database_trouble"]["code"]) == (2, "", "database-away")
    (met,) = await find_failure(connector.loaded(), "7f3k22qx")
    assert (met.code, met.call) == ("database-away", PRACTICE.name)
    assert str(server.port) in str(met.facts["server"])

    server.start()
    await connector.until(served)
    assert (await ask(hq)).title
    assert not history(server, 1), "an outage of seconds is not worth a row"
    assert await connector.stop(process) == 0


async def test_a_wrong_password_is_told_and_the_right_one_needs_no_restart(
    connector: Connector, hq: RunningHq, server: MariaDb
) -> None:
    server.create_user("connector", "right", f"ALL ON {NAME}.*")
    await started(connector, hq, server.url(NAME, "connector", "wrong"))
    found = await connector.until(lambda found: found.database_trouble)
    assert found.database_trouble is not None
    assert found.database_trouble.code == DatabaseRefused.code
    assert "wrong" not in connector.words().replace("wrong user or password", "")
    server.create_user("connector", "wrong", f"ALL ON {NAME}.*")
    await connector.until(served)


async def test_hq_away_is_waited_for_while_open_dental_sees_heartbeats(
    connector: Connector, hq: RunningHq, server: MariaDb, tmp_path: Path
) -> None:
    server.sql("DELETE FROM eservicesignal", database=NAME)
    _, key = await hq.add("smile")
    connector.write(hq.link, server.url(NAME))
    await connector.enrol(key)
    await hq.stop()
    connector.start()
    found = await connector.until(lambda found: found.database == "open" and found.link_trouble)
    assert found.link_trouble is not None
    assert found.link_trouble.code == HqAway.code
    async with asyncio.timeout(60):
        while len(history(server, 2)) != 2:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.1)

    async with running_hq(tmp_path / "hq", listen=hq.url.removeprefix("http://")) as again:
        await connector.until(served)
        assert (await ask(again)).title
        async with asyncio.timeout(60):
            while "outage" not in await again.kinds():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)


async def test_a_frozen_database_does_not_keep_the_connector_from_stopping(
    connector: Connector, hq: RunningHq, server: MariaDb
) -> None:
    process = await started(connector, hq, server.url(NAME))
    await connector.until(served)
    server.freeze()
    try:
        asked = asyncio.create_task(ask(hq))
        await asyncio.sleep(0.5)
        assert await connector.stop(process) == 0
        assert (await connector.running()).stopped
    finally:
        server.thaw()
        asked.cancel()
    await asyncio.wait({asked})


async def test_the_calls_in_flight_are_answered_before_it_stops(
    connector: Connector, hq: RunningHq, server: MariaDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In this process, where it can be given more time than seconds to answer and to stop.
    monkeypatch.setattr(PRACTICE, "limit", 60.0)
    await enrolled(connector, hq, server.url(NAME))
    stop, office = asyncio.Event(), Office(connector.loaded(), tempo=QUICK, limits=Limits(pace=PATIENT))
    running = asyncio.create_task(office.run(stop))
    await until(lambda: office.snapshot().link == "open" and office.snapshot().database == "open")
    with locked(server, "preference"):
        asked = asyncio.create_task(ask(hq))
        await until(lambda: waits(server))
        stop.set()
        await until(lambda: all(guest.link._leave is not None for guest in hq.hq.gateway._guests))
        assert not asked.done()
    assert (await asked).title
    await running
    assert (await connector.running()).stopped


def waits(server: MariaDb) -> bool:
    """Return whether somebody stands before a locked table."""
    return any("lock" in str(row[6]).lower() for row in server.sql("SHOW FULL PROCESSLIST"))
