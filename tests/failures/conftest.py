"""A practice at work, on SQLite and on a MariaDB server that may be stopped."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from econnector.link import probe
from econnector.office.doctor import database
from tests.failures.world import World
from tests.hq.running import RunningHq, running_hq
from tests.office.connector import Connector
from tests.support.mariadb import MariaDb
from tests.support.practice import practice_database, practice_file, write_images


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a busy machine is slow at is not found here, and what broke is looked at again soon."""
    monkeypatch.setattr(database, "SLOW_SECONDS", 60.0)
    monkeypatch.setattr(probe, "STEP_SECONDS", 60.0)
    monkeypatch.setattr("econnector.office.practice.LOOK_SECONDS", 0.3)
    monkeypatch.setattr("econnector.office.practice.AGAIN_SECONDS", 0.5)


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[RunningHq]:
    async with running_hq(tmp_path / "hq") as running:
        yield running


@pytest.fixture
def connector(tmp_path: Path) -> Iterator[Connector]:
    """A connector in a folder of its own, without settings yet."""
    made = Connector(tmp_path / "office")
    yield made
    made.close()


@pytest.fixture
async def world(hq: RunningHq, connector: Connector, tmp_path: Path) -> AsyncIterator[World]:
    """A practice in SQLite; not enrolled yet."""
    write_images(tmp_path / "images")
    made = World(hq, connector, practice_file(tmp_path), tmp_path)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    """A server with the practice that tests stop and freeze; each leaves it running, with every right given back."""
    made = MariaDb()
    made.create_user("connector", "right")
    yield made
    made.close()


@pytest.fixture
async def served(hq: RunningHq, connector: Connector, tmp_path: Path, server: MariaDb) -> AsyncIterator[World]:
    """A practice on that server; its user has what the guide says."""
    name = server.copy_in(practice_database("24.3"))
    server.create_user("connector", "right", f"SELECT, INSERT, UPDATE, DELETE ON {name}.*")
    write_images(tmp_path / "images")
    made = World(hq, connector, server.url(name, "connector", "right"), tmp_path)
    yield made
    await made.close()
    server.drop_database(name)
