"""Registries for HQ's tests, on each of the three kinds of database, migrated as HQ does it."""

import contextlib
import datetime as dt
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from econnector.hq.registry import migrate
from econnector.hq.registry.database import Registry
from econnector.hq.registry.tables import metadata
from tests.hq.registries import lay_registry
from tests.support.mariadb import shared_server

POSTGRES = "postgresql://postgres@127.0.0.1:5432"
NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
KINDS = ("sqlite", "postgresql", "mariadb")


@contextlib.contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'registry.db'}"


@contextlib.contextmanager
def _postgresql(_: Path) -> Iterator[str]:
    server = sa.create_engine(
        POSTGRES.replace("postgresql", "postgresql+psycopg") + "/test",
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": 3},
    )
    name = f"hq_{secrets.token_hex(6)}"
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    except sa.exc.OperationalError:
        pytest.skip("there is no PostgreSQL server on 127.0.0.1:5432 that trusts the user postgres")
    yield f"{POSTGRES}/{name}"
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.dispose()


@contextlib.contextmanager
def _mariadb(_: Path) -> Iterator[str]:
    server = shared_server()
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


_MAKERS = {"sqlite": _sqlite, "postgresql": _postgresql, "mariadb": _mariadb}


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    with _MAKERS[request.param](tmp_path) as url:
        yield url


@pytest.fixture(scope="session", params=KINDS)
def kept_registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One migrated registry of each kind for the whole run."""
    with _MAKERS[request.param](tmp_path_factory.mktemp("registry")) as url:
        yield from _open(url)


@pytest.fixture
def registry(kept_registry: Registry) -> Registry:
    """A registry of each kind without offices."""
    with kept_registry.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name != "secrets":
                connection.execute(table.delete())
    return kept_registry


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture
def sqlite_registry(tmp_path: Path, sqlite_url: str) -> Iterator[Registry]:
    lay_registry(tmp_path)
    yield from _open(sqlite_url)


def _open(url: str) -> Iterator[Registry]:
    registry = Registry(url)
    migrate.upgrade(registry)
    yield registry
    registry.engine.dispose()
