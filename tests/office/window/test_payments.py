"""Online payments in the window and at the command line: what there is, and how it gets into the books."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from econnector.base.clock import ManualClock
from econnector.cli.main import main
from econnector.office.settings import load_settings
from econnector.office.window.scene import Scene
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state import payments
from econnector.storage.state.base import join_state
from econnector.storage.state.payments import Attempt
from tests.office.window.bare import PORT, Window, add_users, post
from tests.support.whole import built

PAGE = "/portal/payments"
HEAD = 1
BEGUN = Attempt(
    number="4000000001", key="k", draft="d", content="c", login=1, payer=HEAD, holder=HEAD, clinic=0, cents=12_345,
    processor="xweb", pay_type=71, source=2, state="open", page=b"sealed", mail="m", begun=1_700_000_000.0,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(built() / "practice.sqlite", tmp_path / "practice.sqlite")
    return tmp_path


@pytest.fixture
async def window(folder: Path) -> AsyncIterator[Window]:
    url = f"sqlite:///{folder / 'practice.sqlite'}"
    filling = Database(url)
    await add_users(filling)
    await filling.close()
    loaded = load_settings(None, {"database.url": url, "state": str(folder / "office.sqlite")}, {})
    database, state = Database(url, guard=guard), await join_state(folder / "office.sqlite")
    await state.run(payments.plan, BEGUN)
    scene = Scene(loaded, database, Schemas(), state, "127.0.0.1", PORT, inside=False, clock=ManualClock())
    yield Window(scene, scene.clock, url)  # type: ignore[arg-type]
    await database.close()
    await state.close()


async def test_staff_see_what_was_begun_and_how_it_gets_into_the_books(window: Window) -> None:
    async with window.signed_in("Vera") as browser:
        page = (await browser.get(PAGE)).text
        assert "4000000001" in page
        assert "$123.45" in page
        assert "On the processor&#39;s page" in page
        assert "only Open Dental can make the seal" in page
        assert "sealed</" not in page
        answer = await post(browser, f"{PAGE}/choose", PAGE, mode="pending")
        assert answer.status_code == 403
    assert await window.scene.state.run(payments.mode) == "ledger"


async def test_what_this_version_seals_is_never_posted_at_once(window: Window) -> None:
    async with window.signed_in("Ada") as browser:
        answer = await post(browser, f"{PAGE}/choose", PAGE, mode="ledger")
        assert answer.status_code == 422
        assert "only Open Dental can make the seal" in answer.text
        await post(browser, f"{PAGE}/choose", PAGE, mode="pending")
        assert await window.scene.state.run(payments.mode) == "pending"
        assert "It was so already." in (await followed(browser, mode="pending"))
    assert any("online payments wait for staff" in str(row[2]) for row in await window.audit())


async def followed(browser: httpx2.AsyncClient, **fields: str) -> str:
    await post(browser, f"{PAGE}/choose", PAGE, **fields)
    return str((await browser.get(PAGE)).text)


async def test_a_number_that_there_is_not_is_said_so(window: Window) -> None:
    async with window.signed_in("Ada") as browser:
        await post(browser, f"{PAGE}/ask", PAGE, number="1111111111")
        assert "There is no online payment with this number." in (await browser.get(PAGE)).text


def test_the_same_is_typed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    file = folder / "office.toml"
    file.write_text(f'state = "office.sqlite"\n[database]\nurl = "sqlite:///{folder / "practice.sqlite"}"\n')

    def types(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["office", "payments", *words, "--settings", str(file)])
        assert done.exit_code == status, done.output
        return done.output

    listed = json.loads(types("list", "--json"))
    assert (listed["rows"], listed["chosen"], listed["here"]) == ([], "ledger", "pending")
    assert "Nothing was paid online yet." in types("list")
    assert "only Open Dental can make the seal" in types("post", "ledger", status=65)
    assert "holds from the next payment on" in types("post", "pending")
    assert json.loads(types("post", "pending", "--json")) == {"ok": True, "changed": False, "mode": "pending"}
    assert "no online payment with this number" in types("look", "1111111111", status=65)
    with sqlite3.connect(folder / "practice.sqlite") as practice:
        texts = [text for (text,) in practice.execute("SELECT LogText FROM securitylog WHERE PermType = 91")]
    assert any("online payments wait for staff. (command line" in text for text in texts)
