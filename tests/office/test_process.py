"""`econnector office run` as a process: what it leaves behind when it starts, dies, stops, and when others go away."""

import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from econnector.base.clock import SYSTEM
from econnector.office.running import Running
from econnector.office.status import look
from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.support.mariadb import shared_server

SIGNALS = "SELECT Severity, Description, IsProcessed, ServiceCode FROM eservicesignal ORDER BY EServiceSignalNum"
ANCHOR, ROLLING = (2, "Heartbeat Anchor", 1, 1), (2, "Heartbeat", 1, 1)
STOPPED = (5, "eConnector was stopped", 0, 1)
TIMES = "SELECT Description, SigDateTime FROM eservicesignal WHERE Severity = 2 ORDER BY EServiceSignalNum"


def served(found: Running) -> bool:
    return found.link == "open" and found.database == "open" and bool(found.heard)


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    return shared_server().sql(statement, database=url.rpartition("/")[2])


@pytest.fixture
def open_dental_url() -> Iterator[str]:
    """The real database; the rows are the same in every version."""
    name = shared_server().open_dental("21.1")
    url = shared_server().url(name)
    rows(url, "DELETE FROM eservicesignal")
    yield url
    shared_server().drop_database(name)


@pytest.mark.shared
async def test_the_rows_after_start_kill_restart_and_stop_are_those_of_open_dental(
    connector: Connector, hq: RunningHq, open_dental_url: str
) -> None:
    _, key = await hq.add("smile")
    connector.write(hq.link, open_dental_url)
    await connector.enrol(key)

    first = connector.start()
    await connector.until(served)
    assert rows(open_dental_url, SIGNALS) == [ANCHOR, ROLLING]
    (_, anchor), (_, rolling) = rows(open_dental_url, TIMES)
    assert (rolling - anchor).total_seconds() == 1

    first.kill()
    first.wait()
    killed = await connector.running()
    assert killed.stopped == ""
    assert not killed.alive(SYSTEM.now())
    second = connector.start()
    await connector.until(lambda found: served(found) and found.pid == second.pid)
    assert rows(open_dental_url, SIGNALS) == [ANCHOR, ROLLING]
    assert rows(open_dental_url, TIMES)[1][1] >= rolling

    assert await connector.stop(second) == 0
    assert rows(open_dental_url, SIGNALS) == [ANCHOR, ROLLING, STOPPED]
    stopped = await connector.running()
    assert stopped.stopped
    told = await look(connector.loaded())
    assert (told.verdict, told.status, told.alive, told.enrolled) == ("problem", "Critical", False, "smile")

    third = connector.start()
    await connector.until(lambda found: served(found) and found.pid == third.pid)
    gap = rows(open_dental_url, SIGNALS)[3]
    assert gap[0] == 4
    assert re.search(r"\b0:0\d\b", gap[1])
    assert rows(open_dental_url, SIGNALS) == [ANCHOR, ROLLING, STOPPED, gap, ANCHOR, ROLLING]
    assert rows(open_dental_url, "SELECT Type, Severity, FormToOpen FROM alertitem WHERE Type = 13") == [(13, 1, 9)]
    status, told = await connector.ask("office", "status")
    assert (status, told["status"], told["alive"], told["running"]["office"]) == (1, "Error", True, "smile")
    assert await connector.stop(third, signal.SIGINT) == 0
