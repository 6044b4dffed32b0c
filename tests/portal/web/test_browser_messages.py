"""Web mail in a real Chromium, on the office's real answers: with and without script, axe-core, 320 px."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.support.chromium import chromium, faults, overflows
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.realsite import RealSite, serve_practice

pytestmark = pytest.mark.browser

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0" + b"\0" * 200
LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente" * 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RealSite]:
    with serve_practice(tmp_path) as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, site: RealSite) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens a browser window in which Maria is signed in."""
    contexts: list[BrowserContext] = []

    def opened(**options: object) -> Page:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.base}/")
        page.fill("#user_name", user_name(Cast.MARIA))
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/portal/$"))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("script", [True, False])
def test_read_answer_add_files_and_see_it_sent(site: RealSite, open_page: Callable[..., Page], *, script: bool) -> None:
    page = open_page(java_script_enabled=script, viewport={"width": 320, "height": 800})
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Messages").click()
    expect(page.get_by_role("navigation", name="Boxes").get_by_text("1 new")).to_be_visible()
    page.get_by_role("link", name="RE: Sore tooth").click()
    expect(page.get_by_text("this is message 701.")).to_be_visible()
    page.get_by_role("link", name="Reply").click()
    expect(page.get_by_label("Subject")).to_have_value("RE: Sore tooth")
    expect(page.get_by_label("To")).to_have_value("951")
    page.get_by_label("Message", exact=True).fill("Thank you.\nIt is better.")
    files: list[FilePayload] = [
        {"name": "tooth.png", "mimeType": "image/png", "buffer": PNG},
        {"name": "bad.zip", "mimeType": "application/zip", "buffer": b"PK\3\4" + PNG},
    ]
    page.get_by_label("Files").set_input_files(files)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert").first).to_contain_text("bad.zip: Only pictures")
    expect(page.get_by_label("Message", exact=True)).to_have_value("Thank you.\nIt is better.")
    expect(page.get_by_text("Leave out tooth.png")).to_be_visible()
    page.get_by_role("button", name="Send").dblclick()
    expect(page.get_by_text("Your message is in the office")).to_be_visible()
    expect(page.get_by_text("tooth.png")).to_be_visible()
    page.reload()
    page.goto(f"{site.base}/messages?box=sent")
    expect(page.get_by_text("Not read yet").first).to_be_visible()
    count = "SELECT COUNT(*) FROM emailmessage WHERE MsgType = 'WebMail' AND EmailMessageNum > 722"
    assert site.sql(count) == [(1,)]


def states(page: Page, site: RealSite) -> Iterator[str]:
    """Bring the page into every state that a patient can see of web mail."""
    person = f"person={int(Cast.LUIS)}"
    paths = ["", "?box=sent", f"?{person}", "/701", "/700", "/new", "/new?reply=702", f"/new?{person}"]
    for path in paths:
        page.goto(f"{site.base}/messages{path}")
        yield f"/messages{path}"
    page.goto(f"{site.base}/messages/new")
    page.get_by_label("Message", exact=True).fill("x")
    page.get_by_label("Files").set_input_files({"name": "tooth.png", "mimeType": "image/png", "buffer": PNG})
    page.get_by_role("button", name="Send").click()
    page.wait_for_selector(".alert")
    yield "mistakes, a file added"
    site.sql("UPDATE emailmessage SET Subject = ?, BodyText = ?, FromAddress = ?", LONG, LONG, LONG)
    site.sql("UPDATE emailattach SET DisplayedFileName = ?", LONG)
    for path in ("", "/701"):
        page.goto(f"{site.base}/messages{path}")
        yield f"/messages{path} with long words"
    site.sql("UPDATE emailmessage SET SentOrReceived = 1")
    site.sql("UPDATE userod SET IsHidden = 1")
    for path in ("", "?box=sent", "/new"):
        page.goto(f"{site.base}/messages{path}")
        yield f"/messages{path} with nothing"


def test_axe_finds_nothing_and_nothing_is_cut_off(site: RealSite, open_page: Callable[..., Page]) -> None:
    page = open_page(bypass_csp=True, reduced_motion="reduce")
    found = {state: faults(page) for state in states(page, site)}
    assert {place: findings for place, findings in found.items() if findings} == {}


def test_spanish_fits_a_small_phone(site: RealSite, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 320, "height": 700}, locale="es-MX")
    for path in ("", "?box=sent", "/701", "/new"):
        page.goto(f"{site.base}/messages{path}")
        assert page.get_attribute("html", "lang") == "es-MX"
        assert not overflows(page), path
