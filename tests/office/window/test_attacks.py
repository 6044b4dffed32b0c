"""The window under attack: hostile text in every row it shows, forms of other sites, and hands that may only look.

Pages come from the modules' tables, columns from the tables' metadata and the state file's own: what is added is
attacked by itself.
"""

import csv
import io
import json
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from econnector.base.clock import ManualClock
from econnector.office.settings import load_settings
from econnector.office.window.app import MODULES
from econnector.office.window.frame import Page
from econnector.office.window.scene import Scene
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import guard
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from tests.office.window.bare import PORT, Window, add_users, token_in
from tests.support.attacking import HOSTILE, Form, Walk, complaints
from tests.support.hostile import poison
from tests.support.practice import fill

PAGES: list[Page] = [page for module in MODULES for page in module.PAGES]
GETS = [page for page in PAGES if page.method == "GET"]
POSTS = [page for page in PAGES if page.method == "POST"]
MEANT = {
    "outbox": {"state": "failed", "noted": "", "note_at": "", "message_id": "<a@b.example>", "kind": ""},
    "portal_try": {"outcome": "refused"},
    "contact": {"language": "en"},
    "failure": {"at": "2026-01-02T03:04:05"},
    "outage": {"kind": "link", "began": "2026-01-02T03:04:05", "ended": "2026-01-02T04:04:05"},
    "portal_session": {"token_hash": "x", "number": "y", "password": "z", "before": ""},
    "portal_passkey": {"number": "n"},
}
"""Rows of the connector's own file that are shown: what in them carries a meaning."""


@pytest.fixture(scope="module")
async def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice of hostile texts, made once."""
    file = tmp_path_factory.mktemp("hostile") / "practice.sqlite"
    file.touch()
    front_desk = Database(f"sqlite:///{file}")
    await front_desk.run(fill)
    await add_users(front_desk)
    await front_desk.close()
    _history(file)
    poison(file, HOSTILE)
    return file


@pytest.fixture
async def window(tmp_path: Path, hostile: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Window]:
    """The window of a practice that has a hostile text in everything it shows."""
    monkeypatch.setenv("ECONNECTOR_SERVICE_MANAGER", "supervised")
    monkeypatch.setenv("ECONNECTOR_SERVICE_FOLDER", str(tmp_path / "services"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "data"))
    file, clock = shutil.copy(hostile, tmp_path / "practice.sqlite"), ManualClock()
    _log(tmp_path / "log" / "General" / f"{clock.now():%y-%m-%d}", clock)
    settings = {"database.url": f"sqlite:///{file}", "state": str(tmp_path / "office.sqlite")}
    loaded = load_settings(None, {**settings, "log.folder": str(tmp_path / "log")}, {})
    database, state = Database(settings["database.url"], guard=guard), await open_state(tmp_path / "office.sqlite")
    _rows(tmp_path / "office.sqlite", clock.now().timestamp())
    scene = Scene(loaded, database, Schemas(), state, "127.0.0.1", PORT, inside=False, clock=clock)
    yield Window(scene, clock, settings["database.url"])
    await database.close()
    await state.close()


def _history(file: Path) -> None:
    with sqlite3.connect(file) as practice:
        for severity in (2, 3, 4):
            practice.execute(
                "INSERT INTO eservicesignal (ServiceCode, ReasonCategory, ReasonCode, Severity, Description, Tag, "
                "SigDateTime, IsProcessed) VALUES (1, 0, 0, ?, 'x', '', datetime('now', 'localtime'), 0)",
                (severity,),
            )
    practice.close()


def _log(folder: Path, clock: ManualClock) -> None:
    folder.mkdir(parents=True)
    line = {"timestamp": clock.now().isoformat(), "level": "error", "event": HOSTILE, "reference": HOSTILE}
    (folder / f"{folder.name} (001).txt").write_text(json.dumps({**line, HOSTILE: HOSTILE}) + "\n")


def _rows(file: Path, now: float) -> None:
    """Add a row to every table that is shown: text is hostile, numbers are one, moments are now."""
    with sqlite3.connect(file, timeout=60) as state:
        for table, meant in MEANT.items():
            columns = [(row[1], row[2]) for row in state.execute(f"PRAGMA table_info({table})")]
            values: dict[str, object] = {name: 1 if "INT" in kind else now for name, kind in columns}
            values |= {name: HOSTILE for name, kind in columns if "CHAR" in kind or "TEXT" in kind}
            values |= {"patient": 11, "login": 1011, "facts": json.dumps({"why": HOSTILE}).encode(), **meant}
            values = {name: values[name] for name, _ in columns}
            marks = ", ".join("?" * len(values))
            quoted = ", ".join(f'"{name}"' for name in values)
            state.execute(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", list(values.values()))
    state.close()


async def walked(browser: httpx2.AsyncClient) -> Walk:
    async def get(path: str) -> httpx2.Response:
        return await browser.get(path)

    seeds = [re.sub(r"\{.*?\}", "nobodys", page.path) for page in GETS]
    patients = [f"{page.path}?number=11&patient=11" for page in GETS if page.path.startswith("/portal")]
    routes = [(page.path, page.method) for page in PAGES]
    return await Walk(get, "", routes).go(*seeds, *patients, "/logs?span=all&least=all", "/?show=all&find=Zed")


async def test_no_text_of_practice_connector_or_log_becomes_a_part_of_a_page(window: Window) -> None:
    async with window.signed_in() as browser:
        walk = await walked(browser)
        found = {path: wrong for path, answer in walk.answers.items() if (wrong := complaints(answer, ""))}
        assert found == {}
        assert {page.path for page in GETS} == walk.reached
        assert not [path for path, answer in walk.answers.items() if answer.status_code == 500]
        shown = {path.partition("?")[0] for path, answer in walk.answers.items() if "zq&lt;zqx" in answer.text}
        assert {"/", "/live", "/portal/patient", "/portal/sign-ins", "/mail", "/contacts", "/logs"} <= shown
        # What is typed comes back as it was typed; whoever is found has a hostile name.
        for action, form in walk.forms.items():
            if action not in {"/sign-out", "/logs/bundle", "/start"}:
                for text in (HOSTILE, "11"):
                    fields = {name: text if name in form.typed else value for name, value in form.fields.items()}
                    answer = await browser.post(action, data=fields)
                    assert answer.status_code < 500, action
                    assert complaints(answer, "") == [], action


async def test_no_cell_of_a_file_is_a_formula(window: Window, tmp_path: Path) -> None:
    begins = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
    async with window.signed_in() as browser:
        for formula in (*(f"{sign}1" for sign in begins), " =1"):
            with sqlite3.connect(tmp_path / "office.sqlite", timeout=60) as state:
                state.execute("UPDATE portal_try SET name=?, agent=?, reason=?, address=?", [formula] * 4)
            state.close()
            with sqlite3.connect(tmp_path / "practice.sqlite", timeout=60) as practice:
                practice.execute("UPDATE eservicesignal SET Description=?", [formula])
            practice.close()
            for path in ("/history.csv", "/portal/sign-ins/export"):
                answer = await browser.get(path)
                assert answer.headers["content-disposition"].startswith("attachment; filename=")
                rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
                assert len(rows) > 1
                assert [cell for row in rows for cell in row if cell.lstrip(" ").startswith(begins)] == []


def content(file: Path) -> dict[str, list[object]]:
    """Return the rows of every table but the window's own sessions."""
    with sqlite3.connect(file, timeout=60) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        found = {name: sorted(database.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}
    database.close()
    return {name: rows for name, rows in found.items() if name != "window_session"}


async def test_a_form_that_is_not_of_this_session_changes_nothing(window: Window, tmp_path: Path) -> None:
    async with window.signed_in() as ada, window.signed_in("Frank") as frank, window.browser() as nobody:
        forms = (await walked(ada)).forms
        tokens = ["", "A" * 16 + "." + "0" * 64, token_in((await frank.get("/")).text)]
        tokens.append(token_in((await nobody.get("/sign-in")).text))
        before = content(tmp_path / "practice.sqlite"), content(tmp_path / "office.sqlite")
        for page in POSTS:
            path = re.sub(r"\{.*?\}", "nobodys", page.path)
            form = forms.get(path, Form(path, "post", {"number": "11", "address": "a@b.example", "id": "1"}))
            for token in tokens:
                answer = await ada.post(path, data={**form.fields, "form_token": token})
                assert answer.status_code == 403, (path, token)
            for token in tokens[:2]:
                answer = await nobody.post(path, data={**form.fields, "form_token": token})
                assert answer.status_code in {303, 403}, (path, token)
            right = {**form.fields, "form_token": token_in((await ada.get("/mail")).text)}
            for site in ("cross-site", "same-site"):
                answer = await ada.post(path, data=right, headers={"sec-fetch-site": site})
                assert answer.status_code == 403, (path, site)
            answer = await ada.post(path, data=right, headers={"host": "localhost.evil.example"})
            assert answer.status_code in {400, 403, 404, 421}, path
            assert "evil.example" not in answer.text
        assert (await ada.get("/mail")).status_code == 200
    assert before == (content(tmp_path / "practice.sqlite"), content(tmp_path / "office.sqlite"))


async def test_who_may_only_look_changes_nothing_and_looking_changes_nothing(window: Window, tmp_path: Path) -> None:
    for name, lacks in (("Vera", {"setup", "admin"}), ("Frank", {"admin"})):
        async with window.signed_in(name) as browser:
            before = content(tmp_path / "practice.sqlite"), content(tmp_path / "office.sqlite")
            token = token_in((await browser.get("/mail")).text)
            if name == "Vera":
                await walked(browser)
            for page in POSTS:
                if page.needs in lacks:
                    path = re.sub(r"\{.*?\}", "nobodys", page.path)
                    answer = await browser.post(path, data={"form_token": token, "number": "11", "id": "1"})
                    assert answer.status_code == 403, (name, path)
            assert before == (content(tmp_path / "practice.sqlite"), content(tmp_path / "office.sqlite"))


def test_whatever_changes_something_needs_a_permission() -> None:
    """A page that is sent to and needs none is named here, or somebody who may only look could use it."""
    free = {page.path for page in POSTS if page.needs not in {"setup", "admin"}}
    assert free == {"/start", "/doctor", "/portal/find", "/sign-in", "/stay", "/sign-out"}  # the doctor only looks


async def test_every_answer_is_protected_and_no_session_is_taken_over(window: Window) -> None:
    fixed = f"window-{PORT}=" + "A" * 43
    async with window.browser() as browser:
        planted = await browser.get("/contacts", headers={"cookie": fixed})
        assert planted.status_code == 303
        assert (await browser.get("/nothing", headers={"cookie": fixed})).status_code == 404
    async with window.signed_in() as browser:
        assert fixed.partition("=")[2] not in dict(browser.cookies).values()
        for path in [*(re.sub(r"\{.*?\}", "nobodys", page.path) for page in GETS), "/nothing", "/static/x/y"]:
            answer = await browser.get(path)
            assert "default-src 'none'" in answer.headers["content-security-policy"], path
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
