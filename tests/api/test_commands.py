"""`econnector office api-keys …` as somebody in the office types it, beside a connector that serves."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import ApiKeyRefused
from econnector.eservices.api import calls
from econnector.eservices.api.office import api_answers
from econnector.eservices.api.office.keys import REMEMBERED
from econnector.link.loopback import DirectAsker
from econnector.opendental import writes
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from tests.support.practice import practice_file
from tests.support.typed import typed


class Person:
    """Types commands, and asks the office as a program does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.url = folder, folder / "office.toml", practice_file(folder)
        self.clock = ManualClock()
        self.file.write_text(f'state = "office.sqlite"\n[database]\nurl = "{self.url}"\n')

    def types(self, *words: str, status: int = 0) -> str:
        done = typed(["office", "api-keys", *words, "--settings", str(self.file)], {"COLUMNS": "200"})
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def reads(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.types(*words, "--json", status=status))

    @asynccontextmanager
    async def served(self) -> AsyncIterator[DirectAsker]:
        """Answer as a running connector, which holds the state file, does."""
        database, state = Database(self.url, guard=writes.guard), await open_state(self.folder / "office.sqlite")
        try:
            yield DirectAsker(api_answers(database, state, Schemas(), ImageStore(self.folder), self.clock))
        finally:
            await state.close()
            await database.close()


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


@pytest.mark.causes("api-key-refused")
def test_a_key_is_made_used_listed_and_removed_beside_a_connector_that_runs(person: Person) -> None:
    async def day() -> None:
        async with person.served() as office:
            made = await asyncio.to_thread(person.reads, "add", "Bright Recall", "--right", "schedule")
            asked = calls.StatusAsked(made["key"])
            status = await office.ask(calls.STATUS, asked)
            assert (status.rights, made["rights"]) == (["schedule"], ["schedule"])
            (row,) = await asyncio.to_thread(person.reads, "list")
            assert (row["number"], row["name"], row["removed"]) == (made["number"], "Bright Recall", None)
            assert row["used"] == f"{status.serverDateTime[:10]}"
            said = await asyncio.to_thread(person.types, "remove", made["number"])
            assert f"✓ The key {made['number']} of Bright Recall is refused from now on" in said
            person.clock.advance(REMEMBERED)
            with pytest.raises(ApiKeyRefused):
                await office.ask(calls.STATUS, asked)

    asyncio.run(day())
    assert person.reads("list")[0]["removed"]


def test_the_key_is_shown_once_and_never_in_a_list(person: Person) -> None:
    assert "No program has a key" in person.types("list")
    said = person.types("add", " Bright   Recall ", "--right", "documents", "--right", "schedule")
    key = said.split()[0]
    assert key.startswith("eck_")
    assert "who has it may read schedule and documents" in " ".join(said.split())
    listed = person.types("list") + json.dumps(person.reads("list"))
    assert "Bright Recall" in listed
    assert key.split("_", 2)[2] not in listed
    assert "digest" not in listed
    assert person.reads("remove", key.split("_")[1]) == {"ok": True, "name": "Bright Recall"}
    assert "never" in person.types("list")


@pytest.mark.causes("value-rejected")
def test_what_cannot_be_is_said_with_its_exit_status(person: Person) -> None:
    refused = person.reads("remove", "k7m3q9tz", status=65)
    assert (refused["code"], refused["facts"]["field"]) == ("value-rejected", "number")
    assert person.reads("add", "", "--right", "schedule", status=65)["facts"]["field"] == "name"
    assert "--right" in person.types("add", "Lab", status=2)
    assert "'payments' is not one of" in person.types("add", "Lab", "--right", "payments", status=2)
    assert person.reads("list") == []
