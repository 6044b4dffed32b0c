"""Forms that another site sends, and pages that change something by being looked at: every route, found by itself."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from econnector.eservices.portal.web import SUBJECTS
from tests.support.attacking import Form, Walk
from tests.support.practice import Cast
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client, token_in

ROUTES = [(path, method) for subject in SUBJECTS for path, _, method in subject.PAGES]
POSTS = [path for path, method in ROUTES if method == "POST"]
BASE = "/o/practice/portal"
EVIL = {"origin": "https://evil.example", "referer": "https://evil.example/win"}
LOOKED = {"securitylog", "securityloghash", "ehrmeasureevent", "eservicelog", "portal_session"}
"""Tables that say who looked at what, and when."""
READ_MARKS = {"emailmessage": "SentOrReceived"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("forms")) as found:
        yield found


@pytest.fixture(scope="module")
def luis(site: RealSite) -> Iterator[httpx2.Client]:
    with site.signed_in(Cast.LUIS) as found:
        yield found


def content(file: Path) -> dict[str, list[Any]]:
    """Return the rows of every table, without when a session was last used."""
    connection = sqlite3.connect(file, timeout=60)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        found = {}
        for name in names:
            skipped = {"used"} if name == "portal_session" else {READ_MARKS.get(name, "")}
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})") if row[1] not in skipped]
            quoted = ", ".join(f'"{column}"' for column in columns)
            found[name] = sorted(connection.execute(f"SELECT {quoted} FROM {name}").fetchall(), key=repr)
        return found
    finally:
        connection.close()


def everything(site: RealSite) -> dict[str, list[Any]]:
    """Return what the practice and the connector know."""
    return content(site.folder / "practice.db") | content(site.folder / "state.db")


def differing(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


async def walked(browser: httpx2.Client) -> Walk:
    async def get(path: str) -> httpx2.Response:
        return browser.get(str(browser.base_url).split("/o/", maxsplit=1)[0] + path)

    return await Walk(get, BASE, ROUTES).go(*(BASE + path for path, way in ROUTES if way == "GET" and "{" not in path))


@pytest.fixture(scope="module")
async def forms(luis: httpx2.Client) -> dict[str, Form]:
    """Return a form for every route that one can be sent to: one of a page, or an empty one."""
    shown = (await walked(luis)).forms
    found = {}
    for path in POSTS:
        pattern = re.compile(re.escape(BASE) + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + r"(\?.*)?")
        empty = Form(BASE + re.sub(r"\{\w+\}", "1001", path), "post", {})
        found[path] = next((form for action, form in shown.items() if pattern.fullmatch(action)), empty)
    return found


@pytest.fixture(scope="module")
def strangers(site: RealSite) -> dict[str, str]:
    """Return form tokens that are none of Luis's: made up, of nobody, of somebody else, of a session that ended."""
    with client(site.base) as nobody, site.signed_in(Cast.GRETA) as greta, site.signed_in(Cast.LUIS) as before:
        tokens = {
            "none": "",
            "made up": "AAAAAAAAAAAAAAAA." + "0" * 64,
            "nobody's": token_in(nobody.get("/sign-in").text),
            "somebody else's": token_in(greta.get("/family").text),
            "an old one": token_in(before.get("/family").text),
        }
        before.post("/sign-out", data={"form_token": tokens["an old one"]})
    return tokens


def refused(answer: httpx2.Response, kind: str) -> None:
    """Assert that the answer says nothing was done."""
    assert answer.status_code in {303, 401, 403}, (kind, answer.status_code)
    if answer.status_code == 303:  # to where nothing is done
        assert re.fullmatch(rf"{BASE}/(sign-in.*|\?notice=other)?", answer.headers["location"]), kind


async def test_every_page_with_a_form_is_found(forms: dict[str, Form]) -> None:
    real = {path for path, form in forms.items() if "form_token" in form.fields}
    assert {"/family", "/change", "/messages/new", "/sign-out", "/sign-in", "/forgot", "/security/app"} <= real


@pytest.mark.parametrize("path", POSTS)
async def test_a_form_that_is_not_of_this_session_is_refused_and_changes_nothing(
    site: RealSite, luis: httpx2.Client, forms: dict[str, Form], strangers: dict[str, str], path: str
) -> None:
    form, root = forms[path], site.base.removesuffix(BASE)
    before = everything(site)
    for kind, token in strangers.items():
        fields = {**form.fields, "form_token": token}
        answer = luis.post(root + form.action, data=fields, headers=EVIL)
        refused(answer, kind)
        assert "__Host-portal-practice" not in answer.headers.get("set-cookie", ""), (
            "the session is neither changed nor lost"
        )
        with client(site.base) as nobody:
            refused(nobody.post(root + form.action, data=fields, headers=EVIL), kind)
    for fetched in ("cross-site", "same-site"):
        answer = luis.post(root + form.action, data=form.fields, headers={**EVIL, "sec-fetch-site": fetched})
        assert answer.status_code == 403, fetched
    assert differing(before, everything(site)) == set()
    assert luis.get("/").status_code == 200


async def test_the_same_forms_with_their_own_token_do_something(
    site: RealSite, luis: httpx2.Client, forms: dict[str, Form]
) -> None:
    """Or nothing was proved above."""
    root, before = site.base.removesuffix(BASE), everything(site)
    form = forms["/family"]
    closed = {name: value for name, value in form.fields.items() if name != "account"}
    assert luis.post(root + form.action, data=closed).headers["location"].endswith("notice=saved")
    letter = forms["/messages/new"]
    typed = {**letter.fields, "subject": "Hello", "text": "A question"}
    assert "notice=sent" in luis.post(root + letter.action, data=typed).headers["location"]
    assert {"portal_consent", "emailmessage"} <= differing(before, everything(site))


async def test_looking_at_every_page_changes_nothing_but_who_looked(site: RealSite, luis: httpx2.Client) -> None:
    before = everything(site)
    await walked(luis)
    assert differing(before, everything(site)) <= LOOKED


@pytest.mark.parametrize("way", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "POST", "GET"])
async def test_no_other_way_of_asking_is_a_back_door(site: RealSite, luis: httpx2.Client, way: str) -> None:
    before = everything(site)
    for path in {path for path, _ in ROUTES} - {path for path, method in ROUTES if method == way}:
        there = re.sub(r"\{\w+\}", "1001", path)
        matched_by_another = way == "GET" and any(
            method == "GET" and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", other), there) for other, method in ROUTES
        )
        answer = luis.request(way, there, headers={"x-http-method-override": "POST"})
        assert answer.status_code in ({200, 404} if matched_by_another else {405}), (path, answer.status_code)
    assert differing(before, everything(site)) <= LOOKED
