"""A computer whose Open Dental uses a middle tier: refused with the reason, and asked for the database itself."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.office.connector import sqlite_practice
from tests.support.typed import typed

MIDDLE = "<ConnectionSettings><ServerConnection><URI>http://server/OpenDentalServer</URI></ServerConnection></ConnectionSettings>"


class Client:
    """A computer with Open Dental in its usual place, as a client of a middle tier."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "Open Dental" / "FreeDentalConfig.xml"
        self.settings = folder / "office.toml"
        self.config.parent.mkdir()
        self.config.write_text(MIDDLE)

    def write(self, database: str = "", more: str = "") -> None:
        """Write the connector's settings."""
        self.settings.write_text(
            f'state = "state/office.sqlite"\n{more}[hq]\nurl = "ws://127.0.0.1:1/link"\n[database]\n{database}'
        )
        self.settings.chmod(0o600)

    def says(self, *words: str, status: int) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")}
        places = {"PROGRAMFILES": str(self.folder), "ECONNECTOR_SERVICES": "supervised"}
        places["XDG_DATA_HOME"] = places["HOME"] = str(self.folder)
        done = typed([*words, "--settings", str(self.settings)], kept | places)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def asks(self, *words: str, status: int) -> Any:
        return json.loads(self.says(*words, "--json", status=status))


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


@pytest.mark.causes("install-middle-tier")
def test_it_is_refused_before_any_database_is_looked_for_and_the_remedy_asks_for_it(client: Client) -> None:
    client.write()
    said = client.asks("office", "install", "--yes", status=78)
    assert said["code"] == "install-middle-tier"
    assert str(client.config) in said["cause"]
    assert "needs the database itself" in said["cause"]
    assert any("econnector service configure" in step for step in said["remedy"])
    by_updater = client.says("office", "auto-install", status=3)
    assert by_updater.startswith("Not installed: Open Dental on this computer uses the middle tier")


def test_its_config_file_says_why_it_tells_no_database(client: Client) -> None:
    client.write(more=f"open_dental_config = '{client.config}'\n")
    said = client.asks("office", "install", "--yes", status=78)
    assert said["code"] == "setting-invalid"
    assert "uses a middle tier, and the eConnector needs the database itself: set database.host" in said["cause"]


def test_with_the_database_itself_in_the_settings_it_goes_on(client: Client, tmp_path: Path) -> None:
    url = asyncio.run(sqlite_practice(tmp_path / "practice.sqlite"))
    client.write(f'url = "{url}"\n', more=f"open_dental_config = '{client.config}'\n")
    said = client.asks("office", "install", "--yes", status=64)
    assert said["code"] == "question-unanswered", "the next thing that is missing, as on any computer"
