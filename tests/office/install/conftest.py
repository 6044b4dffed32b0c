"""Fixtures of the installation's tests: a real HQ, the real database, a machine on which nothing ever ran."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fresh import FreshMachine, Vendor
from tests.support.mariadb import shared_server


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    hq = Vendor(tmp_path_factory.mktemp("hq"))
    try:
        yield hq.start()
    finally:
        hq.close()


@pytest.fixture
def database() -> Iterator[str]:
    """A copy of the real database."""
    server = shared_server()
    name = server.open_dental("24.3")
    yield name
    server.drop_database(name)


@pytest.fixture
def machine(tmp_path: Path, database: str) -> Iterator[FreshMachine]:
    fresh = FreshMachine(tmp_path / "office", shared_server(), database)
    try:
        yield fresh
    finally:
        fresh.close()
