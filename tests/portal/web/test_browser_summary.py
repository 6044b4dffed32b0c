"""The care summary in a real Chromium: axe-core, a small phone in Spanish, without script, on paper."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.chromium import chromium, faults, overflows
from tests.support.site import PortalSite

pytestmark = pytest.mark.browser

PAGES = (
    *("/health/summary?person=12&first=2024-01-01&last=2024-12-31", "/health/summary?first=x"),
    *("/health/summary/section/procedures?page=2", "/health/summary/history"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, site: PortalSite) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens a fresh browser window in which Ann is signed in."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(**options: object) -> Page:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{site.portal()}/health/summary")
        page.fill("#user_name", "ann4711")
        page.fill("#password", site.offices["smile-dental"].password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/health/summary")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def test_axe_finds_nothing_and_nothing_is_cut_off(site: PortalSite, open_page: Callable[..., Page]) -> None:
    # axe is injected as a script, which our policy forbids; every other test runs under the policy.
    page, summaries = open_page(bypass_csp=True, reduced_motion="reduce"), site.offices["smile-dental"].summaries
    summaries.more = True
    summaries.sections[0].rows[0] = ["Donaudampfschifffahrtsrechnungsabteilung" * 2, "Wolfeschlegelsteinhausen-" * 5]
    summaries.deeds[1].who_name = summaries.deeds[1].detail = "Wolfeschlegelsteinhausenbergerdorff-" * 2
    found = {}
    for path in PAGES:
        page.goto(site.portal() + path)
        found[path] = faults(page)
    assert {place: findings for place, findings in found.items() if findings} == {}


def test_spanish_fits_a_small_phone(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 320, "height": 400}, device_scale_factor=2, locale="es-MX")
    wide = []
    for path in PAGES:
        page.goto(site.portal() + path)
        wide += [path] if overflows(page) else []
    assert wide == []
    expect(page.locator("html")).to_have_attribute("lang", "es-MX")


def test_a_period_is_chosen_without_script(open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    expect(page.get_by_role("button", name="Print")).to_have_count(0)
    page.get_by_label("From").fill("2024-01-01")
    page.get_by_role("button", name="Show this period").click()
    page.wait_for_url("**/health/summary?first=2024-01-01&last=")
    expect(page.locator("main")).to_contain_text("From Mon 1 Jan 2024")
    page.get_by_role("link", name="Show everything").click()
    page.wait_for_url("**/health/summary")


def test_on_paper_is_the_summary_and_nothing_to_press(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.evaluate("() => { window.print = () => { document.title = 'printed'; }; }")
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.emulate_media(media="print")
    for words in ("Ann Example", "Latex", "No medications are recorded.", "Here are 3 of 250."):
        expect(page.locator("main")).to_contain_text(words)
    for hidden in ("Contents", "Choose a period", "Save or print"):
        expect(page.get_by_text(hidden, exact=True)).to_be_hidden()
    assert all(not button.is_visible() for button in page.locator("main .button").all())
    assert page.pdf().startswith(b"%PDF")
