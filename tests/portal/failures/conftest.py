"""A small practice behind a portal whose link, files and database break when a test says so."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.storage.database import Database
from tests.support.linked import LinkedSite, serve_linked
from tests.support.practice import fill, portal_office, write_images
from tests.support.realsite import in_thread

__all__ = ["portal_office"]


@pytest.fixture(scope="session")
def practice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the practice in a SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("practice") / "practice.db"
    file.touch()

    async def made() -> None:
        front_desk = Database(f"sqlite:///{file}")
        await front_desk.run(fill)
        await front_desk.close()

    in_thread(made)
    return file


def _copied(practice_file: Path, folder: Path) -> str:
    for one in practice_file.parent.glob("practice.db*"):
        shutil.copy(one, folder)
    return f"sqlite:///{folder / 'practice.db'}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that every account of this computer may look into, unlike a test's own."""
    with tempfile.TemporaryDirectory(prefix="ecfailures-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def site(practice_file: Path, folder: Path) -> Iterator[LinkedSite]:
    """Return the portal of an office whose settings name the images folder."""
    write_images(folder / "images")
    with serve_linked(folder, _copied(practice_file, folder)) as served:
        yield served


@pytest.fixture
def unset(practice_file: Path, folder: Path) -> Iterator[LinkedSite]:
    """Return the portal of an office in which Open Dental's own preferences name the images folder."""
    write_images(folder / "images")
    with serve_linked(folder, _copied(practice_file, folder), setting=False) as served:
        served.sql("UPDATE preference SET ValueString = ? WHERE PrefName = 'DocPath'", str(served.images))
        yield served
