"""Every main page in a real Chromium: by keyboard alone, on paper, and as pictures where SCREENSHOTS names a folder."""

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import chromium, overflows
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.realsite import RealSite, serve_practice

pytestmark = pytest.mark.browser

OPEN = ("/sign-in", "/forgot")
MAIN = ("/?person=12", "/appointments", "/messages", "/messages/new", "/account", "/statements", "/health", "/security")
MORE = (
    "/", "/messages/701", "/payments", "/health/plans/1204", "/documents", "/who-looked", "/change", "/family", "/help",
    "/nowhere",
)  # fmt: skip
PAPER = {
    "/account": ("Maria Delgado", "$142.25"),
    "/statements": ("Maria Delgado", "$131.25"),
    "/appointments": ("Maria Delgado", "2:30 PM"),
    "/health": ("Maria Delgado", "Lisinopril"),
    "/messages/701": ("Maria Delgado", "this is message 701."),
    "/?person=12": ("Luis Delgado", "Next visit"),
}
"""Whose name stands at the top, and something that must be read."""

FOCUSED = """() => {
    const node = document.activeElement;
    if (!node || node === document.body) return null;
    const shown = node.matches('.row-link') ? getComputedStyle(node, '::after') : getComputedStyle(node);
    const box = node.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 20) / 2);
    window.seen ??= new Map();
    if (!window.seen.has(node)) window.seen.set(node, window.seen.size);
    return {
        name: (node.getAttribute('aria-label') || node.innerText || node.id || node.name || '').trim(),
        number: window.seen.get(node),
        ring: shown.outlineStyle === 'solid' && parseFloat(shown.outlineWidth) >= 2,
        inView: box.height < innerHeight / 2 ? box.top >= 0 && box.bottom <= innerHeight
            : box.top < innerHeight && box.bottom > 0,
        covered: !(at && (node.contains(at) || at.contains(node) || at.closest('label')?.control === node)),
        later: !!(window.before && node.compareDocumentPosition(window.before) & Node.DOCUMENT_POSITION_FOLLOWING),
        before: (window.before = node, true),
    };
}"""
"""Tells of the element with the focus: what it is, and whether who only has a keyboard sees where they are."""
TARGETS = """nodes => nodes.filter(node => node.checkVisibility({ visibilityProperty: true }))
    .filter(node => !(node.closest('details:not([open])') && !node.closest('summary'))).length"""


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("pages")) as site:
        yield site


@pytest.fixture(scope="module")
def page(practice: RealSite) -> Iterator[Page]:
    """Yield a browser's window in which Maria is signed in."""
    with chromium() as browser:
        context = browser.new_context(locale="en-US", reduced_motion="reduce", service_workers="block")
        opened = context.new_page()
        opened.goto(f"{practice.base}/")
        opened.fill("#user_name", user_name(Cast.MARIA))
        opened.fill("#password", PASSWORD)
        opened.keyboard.press("Enter")
        opened.wait_for_url(f"{practice.base}/")
        yield opened


def walked(page: Page) -> list[str]:
    """Go through the page with the Tab key; return what is wrong on the way."""
    targets = page.locator("a[href], button, summary, select, textarea, input:not([type=hidden])").evaluate_all(TARGETS)
    wrong: list[str] = []
    names: list[str] = []
    for _ in range(targets + 1):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        if here is None or here["number"] < len(names):
            break
        names.append(here["name"])
        flaws = [
            *(["is not seen to have the focus"] if not here["ring"] else []),
            *(["is out of sight"] if not here["inView"] else []),
            *(["is covered"] if here["covered"] else []),
            *(["comes after what stands below it"] if here["later"] else []),
        ]
        wrong += [f"{here['name']}: {flaw}" for flaw in flaws]
    if not names or names[0] != "Skip to the content":
        wrong.append(f"begins with {names[:1]}, not with the way to the content")
    if len(names) != targets:
        wrong.append(f"reaches {len(names)} of {targets}")
    return wrong


def test_the_tab_key_leads_through_every_page_and_one_always_sees_where(practice: RealSite, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 400})  # where the least is in sight
    found = {}
    for path in MAIN:
        page.goto(practice.base + path)
        page.evaluate("() => document.activeElement.blur()")
        if wrong := walked(page):
            found[path] = wrong
    assert found == {}


def test_the_first_key_leads_to_the_content(practice: RealSite, page: Page) -> None:
    page.goto(f"{practice.base}/account")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("main a:focus")).to_have_count(1)


def test_paper_has_who_when_and_what_and_nothing_to_press(practice: RealSite, page: Page) -> None:
    for path, (person, text) in PAPER.items():
        page.goto(practice.base + path)
        page.emulate_media(media="print")
        header = page.locator(".print-header")
        expect(header).to_contain_text("Bright Smile Dental")
        expect(header).to_contain_text(person)
        expect(header.locator("time")).to_contain_text(re.compile(r"\b20\d\d, \d"))
        expect(page.locator("main")).to_contain_text(text)
        for gone in ("header", "nav", "footer", "button", ".button", ".banner", "dialog", ".skip"):
            assert not any(one.is_visible() for one in page.locator(gone).all()), f"{gone} on {path}"
        assert not overflows(page)
        if folder := os.environ.get("SCREENSHOTS"):
            page.pdf(path=f"{folder}/paper-{named(path)}.pdf", format="Letter")
        page.emulate_media(media="screen")


def named(path: str) -> str:
    return re.sub(r"\W+", "-", path).strip("-") or "home"


def test_every_page_fits_a_phone_a_tablet_and_a_desk(practice: RealSite, page: Page) -> None:
    for path in (*OPEN, *MAIN, *MORE):
        page.goto(practice.base + path)
        for width in (320, 768, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            assert not overflows(page), f"{path} must be scrolled sideways at {width} px"
            if folder := os.environ.get("SCREENSHOTS"):
                look(page, f"{folder}/{named(path)}-{width}")


def look(page: Page, name: str) -> None:
    """Keep pictures of the page as it stands, in both colour schemes."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=f"{name}-{scheme}.png", full_page=True)
