"""The page Care summaries: for whom none can be made, what to enter where, and the list as a file."""

import csv
import io
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.office.settings import load_settings
from econnector.office.window.scene import Scene
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state.base import join_state
from tests.office.window.bare import PORT, Window, add_users
from tests.support.whole import built

HEAD = 1
PAGE, FILE = "/portal/summaries", "/portal/summaries/list.csv"


@pytest.fixture
async def window(tmp_path: Path) -> AsyncIterator[Window]:
    """The window over the demo's practice, whose patients have access."""
    url = f"sqlite:///{shutil.copy(built() / 'practice.sqlite', tmp_path / 'practice.sqlite')}"
    filling = Database(url)
    await add_users(filling)
    await filling.close()
    loaded = load_settings(None, {"database.url": url, "state": str(tmp_path / "office.sqlite")}, {})
    database, state = Database(url, guard=guard), await join_state(tmp_path / "office.sqlite")
    clock = ManualClock()
    scene = Scene(loaded, database, Schemas(), state, "127.0.0.1", PORT, inside=False, clock=clock)
    yield Window(scene, clock, url)
    await database.close()
    await state.close()


async def test_what_a_chart_lacks_is_named_with_where_to_enter_it(window: Window) -> None:
    await window.sql("UPDATE patient SET Birthdate='0001-01-01', LName='=O''Quill' WHERE PatNum=:head", head=HEAD)
    async with window.signed_in("Vera") as browser:
        page = (await browser.get(PAGE)).text
        assert "=O&#39;Quill" in page
        assert "Birth date of the patient: Family module, Edit Patient Information" in page
        rows = list(csv.reader(io.StringIO((await browser.get(FILE)).text.removeprefix("\ufeff"))))
        assert rows[0] == ["patient number", "patient", "missing"]
        mine = [row for row in rows if row[0] == str(HEAD)]
        assert [row[2].partition(":")[0] for row in mine] == ["Birth date of the patient"]
        assert mine[0][1].startswith("'=O'Quill"), "a table program must not take a name for a formula"
        one = (await browser.get(PAGE, params={"number": HEAD})).text
        assert "Birth date of the patient" in one


async def test_what_everybody_lacks_comes_first_and_leads_to_the_importer(window: Window) -> None:
    async with window.signed_in("Vera") as browser:
        assert "Nobody can open a care summary yet" not in (await browser.get(PAGE)).text
        await window.sql("DELETE FROM snomed")
        page = (await browser.get(PAGE)).text
        assert "Nobody can open a care summary yet" in page
        assert 'href="/codes/for-summaries"' in page
        assert ">0 of " in page


async def test_looking_writes_nothing(window: Window) -> None:
    async with window.signed_in() as browser:
        before = await window.audit()
        for path in (PAGE, FILE, f"{PAGE}?number={HEAD}"):
            assert (await browser.get(path)).status_code == 200
        assert await window.audit() == before


async def test_where_nobody_has_access_the_page_says_so(window: Window) -> None:
    await window.sql("DELETE FROM userweb")
    async with window.signed_in() as browser:
        assert "Nobody has access to the portal yet" in (await browser.get(PAGE)).text
