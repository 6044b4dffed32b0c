"""The pages of forgotten passwords, two-step sign-in, passkeys and sessions, over a real office, in real browsers."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from econnector.eservices.portal.office import portal_answers
from econnector.eservices.portal.web import routes
from econnector.link.loopback import DirectAsker
from econnector.office.mail.postbox import Postbox
from econnector.opendental import writes
from econnector.opendental.imagestore import ImageStore
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state.base import open_state
from econnector.web.door import Door
from econnector.wire.call import Asker
from tests.support.chromium import chromium, faults, overflows, with_authenticator
from tests.support.practice import PASSWORD, STRONG, Cast, fill, user_name
from tests.support.site import client, serve_app, token_in

PATH = "/o/practice/portal"


class Place:
    """A practice behind a running portal."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, ""
        self._url = f"sqlite:///{folder / 'practice.db'}"
        (folder / "practice.db").touch()
        # In a thread of its own: the browser's driver has a loop in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(self._fill())).result()
        self.sql("practice.db", "UPDATE patient SET Email='maria@example.com' WHERE PatNum=?", int(Cast.MARIA))
        self._opened: dict[str, Asker] = {}
        self._turn = asyncio.Lock()

    async def _fill(self) -> None:
        front_desk = Database(self._url)
        await front_desk.run(fill)
        await front_desk.close()

    def sql(self, file: str, text: str, *values: object) -> list[Any]:
        connection = sqlite3.connect(self.folder / file, timeout=60)
        try:
            with connection:
                return connection.execute(text, values).fetchall()
        finally:
            connection.close()

    async def find(self, _: Request) -> Door:
        async with self._turn:
            if not self._opened:
                database, state = Database(self._url, guard=writes.guard), await open_state(self.folder / "state.db")
                images = ImageStore(self.folder / "images")
                answers = portal_answers(database, state, Schemas(), images, beat=0.001, post=Postbox(state))
                self._opened["office"] = DirectAsker(answers)
        return Door("practice", PATH, "Bright Smile Dental", "5550100", self._opened["office"])

    @property
    def base(self) -> str:
        # A host name: passkeys do not exist for numbers.
        return self.root.replace("127.0.0.1", "localhost") + PATH

    def require(self, word: str) -> None:
        self.sql("state.db", "INSERT OR REPLACE INTO portal_policy VALUES ('two-step', ?)", word)

    def code(self) -> str:
        """Return the code in the newest mail; it is handed in after the answer."""
        for _ in range(3000):
            for (text,) in self.sql("state.db", "SELECT text FROM outbox ORDER BY id DESC"):
                if found := re.search(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b", text):
                    return found[0]
            time.sleep(0.01)
        raise AssertionError("no mail")


@contextmanager
def served(folder: Path) -> Iterator[Place]:
    place = Place(folder)
    with serve_app(Starlette(routes=[Mount(PATH, routes=routes(place.find))])) as place.root:
        yield place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture
def visitor(place: Place) -> Iterator[httpx2.Client]:
    with client(place.root + PATH) as found:
        yield found


def post(browser: httpx2.Client, path: str, page: httpx2.Response | None = None, **fields: str) -> httpx2.Response:
    shown = page or browser.get(path)
    return browser.post(path, data=fields | {"form_token": token_in(shown.text)})


def sign_in(browser: httpx2.Client, password: str = PASSWORD, person: Cast = Cast.MARIA) -> httpx2.Response:
    return post(browser, "/sign-in", user_name=user_name(person), password=password, next="/help")


def session_in(browser: httpx2.Client) -> str:
    return dict(browser.cookies).get("__Host-portal-practice", "")


def sign_in_at(page: Page, place: Place, password: str = PASSWORD) -> None:
    page.goto(f"{place.base}/sign-in")
    page.fill("#user_name", user_name(Cast.MARIA))
    page.fill("#password", password)
    page.click("main button[type=submit]")


def test_a_forgotten_password_without_script(place: Place, visitor: httpx2.Client) -> None:
    assert f'href="{PATH}/forgot"' in visitor.get("/sign-in").text
    known = post(visitor, "/forgot", user_name=user_name(Cast.MARIA))
    unknown = post(visitor, "/forgot", user_name="Nobody4711")

    def same(page: httpx2.Response, name: str) -> str:
        return re.sub(r'value="[^"]*"', "", page.text.replace(name, ""))

    assert same(known, user_name(Cast.MARIA)) == same(unknown, "Nobody4711")
    fields = {"user_name": user_name(Cast.MARIA), "code": place.code(), "password": STRONG, "repeat": STRONG}
    wrong = post(visitor, "/reset", known, **fields | {"code": "22222-22222"})
    assert wrong.status_code == 403
    assert "22222-22222" in wrong.text
    assert STRONG not in wrong.text
    weak = post(visitor, "/reset", known, **fields | {"password": "short", "repeat": "short"})
    assert weak.status_code == 422
    done = post(visitor, "/reset", known, **fields)
    assert (done.status_code, done.headers["location"]) == (303, f"{PATH}/sign-in?reset=1")
    assert post(visitor, "/reset", known, **fields).status_code in (303, 403)  # sent twice
    assert sign_in(visitor, STRONG).headers["location"] == f"{PATH}/help"


def test_forms_from_elsewhere_are_refused(place: Place) -> None:
    for path in ("/forgot", "/reset", "/second-step", "/security/app", "/security/off", "/security/sessions"):
        with client(place.root + PATH) as browser:
            fields = {"user_name": "x", "code": "123456", "password": STRONG, "repeat": STRONG, "form_token": "a.b"}
            assert browser.post(path, data=fields).status_code in (303, 403), path
            assert browser.get("/").headers["location"].startswith(f"{PATH}/sign-in")


def test_two_steps_without_script(visitor: httpx2.Client, place: Place) -> None:
    sign_in(visitor)
    assert session_in(visitor)
    scan = post(visitor, "/security/app")
    secret = re.search(r"secret=([A-Z2-7]{32})", scan.text)
    assert secret
    assert "<svg" in scan.text
    assert "style=" not in scan.text.split("<svg", 1)[1].split("</svg>", 1)[0]
    assert len(scan.text) < 30_000
    wrong = post(visitor, "/security/app", scan, code="000000")
    assert wrong.status_code == 422
    assert secret[1] in wrong.text  # the same picture: nothing to be scanned anew
    shown = post(visitor, "/security/app", wrong, code=pyotp.TOTP(secret[1]).now())
    codes = re.findall(r"<code>([0-9A-Z-]{11})</code>", shown.text)
    assert len(codes) == 10
    assert codes[0] not in visitor.get("/security").text
    with client(place.root + PATH) as other:
        waiting = sign_in(other)
        assert waiting.headers["location"] == f"{PATH}/second-step?next=%2Fhelp"
        assert session_in(other) == ""
        assert other.get("/").headers["location"].startswith(f"{PATH}/sign-in")
        page = other.get("/second-step?next=//evil.example")
        assert "evil" not in page.text
        refused = post(other, "/second-step", page, code="000000", next="/help")
        assert refused.status_code == 403
        done = post(other, "/second-step", refused, code=codes[0], next="/help")
        assert done.headers["location"] == f"{PATH}/help"
        assert "You are signed out after" in other.get("/help").text
        assert other.get("/second-step").headers["location"] == f"{PATH}/"
        # Signed out everywhere from the first browser.
        post(visitor, "/security/sessions", visitor.get("/security"))
        assert other.get("/").status_code == 303
    assert session_in(visitor) == ""


def test_a_cookie_from_before_signing_in_is_never_the_session(visitor: httpx2.Client) -> None:
    fixed = "__Host-portal-practice=attackers-fixed-token-1234; __Host-portalstep-practice=attackers-fixed-ticket-1234"
    form = {"user_name": user_name(Cast.MARIA), "password": PASSWORD}
    shown = visitor.get("/sign-in")
    before = f"{fixed}; __Host-portalform-practice={visitor.cookies['__Host-portalform-practice']}"
    done = visitor.post("/sign-in", data=form | {"form_token": token_in(shown.text)}, headers={"cookie": before})
    assert done.status_code == 303
    assert "attackers" not in session_in(visitor)
    assert visitor.get("/").status_code == 200


def test_where_it_is_required_nothing_else_opens(place: Place, visitor: httpx2.Client) -> None:
    sign_in(visitor)
    visitor.get("/")
    place.require("required")
    for path in ("/", "/change", "/statements"):
        assert visitor.get(path).headers["location"] == f"{PATH}/security"
    assert "Set up your second step to go on." in visitor.get("/security").text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    complaints: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield opened
    context.close()
    assert complaints == []


@pytest.mark.browser
def test_a_passkey_is_made_used_and_removed(place: Place, page: Page) -> None:
    kept = with_authenticator(page)
    sign_in_at(page, place)
    page.goto(f"{place.base}/security/passkey")
    page.fill("#name", "My laptop")
    page.click("main button[type=submit]")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    (credential,) = kept()
    assert credential["rpId"] == "localhost"
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My laptop")).to_be_visible()
    page.click("header form button")
    sign_in_at(page, place)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
    page.goto(f"{place.base}/security")
    expect(page.get_by_text("Last used")).to_be_visible()
    page.get_by_role("link", name="My laptop").click()
    page.click("main button[type=submit]")
    expect(page.get_by_text("Two-step sign-in is off.")).to_be_visible()


@pytest.mark.browser
def test_a_passkey_answer_counts_once_and_for_this_sign_in_only(place: Place, page: Page) -> None:
    with_authenticator(page)
    sign_in_at(page, place)
    page.goto(f"{place.base}/security/passkey")
    page.click("main button[type=submit]")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    page.click("header form button")
    sign_in_at(page, place)
    answered: list[str] = []
    page.on("request", lambda sent: answered.append(sent.post_data or "") if sent.method == "POST" else None)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")
    (stolen,) = [dict(httpx2.QueryParams(one))["passkey"] for one in answered if "passkey=" in one]
    # Somebody who knows the password replays what the passkey had signed.
    with client(place.root + PATH) as thief:
        sign_in(thief)
        refused = post(thief, "/second-step", passkey=stolen, next="/")
        assert refused.status_code == 403
        assert "The passkey was not accepted" in refused.text
        assert thief.get("/").headers["location"].startswith(f"{PATH}/sign-in")


def states(page: Page, place: Place) -> Iterator[str]:
    """Bring the page into every state of these subjects."""
    base = place.base
    page.goto(f"{base}/forgot")
    yield "forgot"
    page.fill("#user_name", "Nobody")
    page.click("main button[type=submit]")
    page.wait_for_selector("#code")
    yield "reset"
    page.click("main button[type=submit]")
    page.wait_for_selector(".alert")
    yield "reset with mistakes"
    sign_in_at(page, place)
    page.wait_for_selector("dialog", state="attached")
    for path in ("/security", "/security/app", "/security/passkey"):
        page.goto(base + path)
        yield path
    page.goto(f"{base}/security/app")
    page.click("main button[type=submit]")
    page.wait_for_selector("figure svg")
    secret = page.locator(".facts dd").inner_text().replace(" ", "")
    yield "scan"
    page.fill("#code", pyotp.TOTP(secret).now())
    page.click("main button[type=submit]")
    page.wait_for_selector("ol code")
    recovery = page.locator("ol code").first.inner_text()
    yield "recovery codes"
    for path in ("/security", "/security/off", "/security/codes"):
        page.goto(base + path)
        yield f"{path} when on"
    page.click("header form button")
    page.wait_for_url("**/sign-in*")
    sign_in_at(page, place)
    page.wait_for_selector("#code")
    yield "second step"
    page.fill("#code", "000000")
    page.click("main button[type=submit]")
    page.wait_for_selector(".alert")
    yield "second step refused"
    page.fill("#code", recovery)
    page.click("main button[type=submit]")
    page.wait_for_selector("dialog", state="attached")


@pytest.mark.browser
def test_axe_finds_nothing_and_nothing_is_cut_off(place: Place, browser: Browser) -> None:
    # axe is injected as a script, which our policy forbids; every other test runs under the policy.
    context = browser.new_context(locale="en-US", bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    found = {state: faults(page) for state in states(page, place)}
    context.close()
    assert {where: findings for where, findings in found.items() if findings} == {}
    assert len(found) == 13


@pytest.mark.browser
def test_spanish_pages_fit_a_small_phone(place: Place, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 400}, locale="es-MX")
    page = context.new_page()
    assert [state for state in states(page, place) if overflows(page)] == []
    context.close()
