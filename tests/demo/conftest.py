"""Fixtures of the tests on real servers, and a practice that is drawn once."""

import asyncio
import datetime as dt
import shutil
from pathlib import Path

import pytest

from econnector.demo.place import build
from tests.support.mariadb import open_dental_url
from tests.support.nats import nats_server
from tests.support.once import once

__all__ = ["nats_server", "open_dental_url"]

TODAY = dt.date(2026, 11, 21)


@pytest.fixture(scope="session")
def drawn() -> Path:
    """The folder of a practice as of `TODAY`: to be copied, never changed."""

    def draw(folder: Path) -> None:
        asyncio.run(build(folder, TODAY))

    return once("drawn", draw)


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    """A folder of its own that has the practice's files already, and no database."""
    shutil.copytree(drawn / "images", tmp_path / "practice" / "images")
    return tmp_path / "practice"


@pytest.fixture
def built(folder: Path, drawn: Path) -> Path:
    """A folder of its own with all of the practice."""
    for name in ("practice.sqlite", "office.toml"):
        shutil.copy(drawn / name, folder / name)
    return folder
