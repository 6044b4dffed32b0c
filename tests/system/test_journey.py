"""A patient's whole first visit in a real browser, through HQ, the link and the connector."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import axe_findings, chromium, overflows
from tests.support.whole import Whole

pytestmark = pytest.mark.browser

NEW_PASSWORD = "Seven Herons Over Maple 4"
WIDTHS = {320: 640, 1280: 900}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with Whole.running(tmp_path_factory.mktemp("whole")) as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def look(page: Page, name: str) -> None:
    """Check a page as it stands, at both widths; keep screenshots where SCREENSHOTS says."""
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        assert not overflows(page), f"{name} must be scrolled sideways at {width} px"
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
    assert axe_findings(page) == []


def sign_in(page: Page, whole: Whole, user_name: str, password: str) -> None:
    page.goto(whole.portal)
    page.get_by_label("User name").fill(user_name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, password: str) -> None:
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password once more", exact=True).fill(password)
    page.get_by_role("button", name="Save").click()


def test_a_first_visit_from_the_printed_sheet_to_signing_out(whole: Whole, browser: Browser) -> None:
    # axe is brought in by the test; everything else runs under the page's own rules.
    context = browser.new_context(bypass_csp=True, accept_downloads=True, locale="en-US")
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    page.goto(whole.portal)
    look(page, "1-sign-in")
    sign_in(page, whole, "samuel48213", "kT7mWx4d")  # the user name's case does not matter
    expect(page.get_by_role("heading", level=1)).to_contain_text("Choose")
    look(page, "2-change")
    page.goto(whole.portal)  # nothing else is shown before the change
    expect(page.get_by_role("heading", level=1)).to_contain_text("Choose")

    page.get_by_label("New user name").fill("samuel.oconnor")
    choose(page, "Short-1")
    expect(page.get_by_role("alert").first).to_contain_text("15 characters")
    look(page, "3-refused")
    choose(page, NEW_PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Samuel")
    look(page, "4-home")
    page.get_by_role("button", name="Sign out").first.click()
    page.goto(whole.portal)
    expect(page.get_by_label("User name")).to_be_visible()

    sign_in(page, whole, "samuel48213", "kT7mWx4d")
    expect(page.get_by_role("alert").first).to_contain_text("Login failed")
    look(page, "5-failed")
    sign_in(page, whole, "Samuel.OConnor", NEW_PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Samuel")
    assert [text for text in errors if "401" not in text and "422" not in text] == []
    context.close()


def test_a_mother_sees_her_child_and_downloads_a_statement(whole: Whole, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(bypass_csp=True, accept_downloads=True, locale="en-US")
    page = context.new_page()
    sign_in(page, whole, "elena.rivera", "Maple-Street-42")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Elena")
    look(page, "6-home-family")
    page.get_by_role("navigation").get_by_role("link", name="Account").first.click()
    page.get_by_role("main").get_by_role("link", name=re.compile("^Statements")).first.click()
    look(page, "7-statements")
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("Download")).first.click()
    file = tmp_path / "statement.pdf"
    waiting.value.save_as(file)
    assert file.read_bytes().startswith(b"%PDF-")
    assert any(file.read_bytes() == stored.read_bytes() for stored in whole.images.rglob("*.pdf"))

    page.goto(whole.portal)
    child = page.get_by_role("link", name=re.compile("Sofia|Mateo|Lucas|Rivera")).last
    child.click()
    expect(page.locator("[class*=banner]").first).to_be_visible()
    look(page, "8-child")
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out")
    page.go_back()  # to a page that was seen, with nothing of it left
    expect(page.get_by_label("User name")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("Rivera")
    context.close()


def test_the_portal_works_without_javascript(whole: Whole, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, whole, "tyler.rivera", "Kestrel-Avenue-7")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tyler")
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_label("User name")).to_be_visible()
    context.close()
