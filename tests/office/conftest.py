"""Fixtures of the connector's tests: real databases, a real HQ, and real connector processes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.hq.running import RunningHq, running_hq
from tests.office.connector import Connector, sqlite_practice


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[RunningHq]:
    async with running_hq(tmp_path / "hq") as running:
        yield running


@pytest.fixture
async def practice(tmp_path: Path) -> str:
    """The URL of a practice in SQLite with nobody in it."""
    return await sqlite_practice(tmp_path / "practice.sqlite")


@pytest.fixture
def connector(tmp_path: Path) -> Iterator[Connector]:
    """A connector in a folder of its own, without settings yet."""
    made = Connector(tmp_path / "office")
    yield made
    made.close()
