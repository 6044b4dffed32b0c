"""Account, payments, documents and who looked in a real Chromium: one journey, axe-core, 320 px, paper, no script."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from econnector.eservices.portal import calls
from tests.support.chromium import chromium, faults, overflows
from tests.support.site import PortalSite

pytestmark = pytest.mark.browser

PAGES = ("/account", "/payments", "/documents", "/who-looked", "/statements")


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
        page.goto(f"{site.portal()}/account")
        page.fill("#user_name", "ann4711")
        page.fill("#password", site.offices["smile-dental"].password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/account")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def test_axe_finds_nothing_and_nothing_is_cut_off(site: PortalSite, open_page: Callable[..., Page]) -> None:
    # axe is injected as a script, which our policy forbids; every other test runs under the policy.
    page, papers = open_page(bypass_csp=True, reduced_motion="reduce"), site.offices["smile-dental"].papers
    papers.more = True
    papers.documents[0].title = "Donaudampfschifffahrtsrechnungsabteilung" * 2
    papers.looks[2].who_name = "Wolfeschlegelsteinhausenbergerdorff-" * 2
    papers.others[0].holder_name = papers.made[0].kind = "Wolfeschlegelsteinhausenbergerdorff-" * 2
    found = {}
    till = site.offices["smile-dental"].till
    till.open, till.cards = True, [calls.KeptCard(31, "XXXXXXXXXXXX4242", "2028-04")]
    for state in ("pending", "paid"):
        till.begun[state] = calls.OnlinePayment("4000000001", state, 12345, "2026-11-21T10:00:00", paid_cents=12345)
    till.begun["4000000001"] = till.begun["paid"]
    paying = ("/pay", "/pay/4000000001")
    for path in (*PAGES, *paying, "/account?person=13", "/who-looked?person=12", "/documents?page=2"):
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


def test_from_the_account_to_every_paper_and_back(
    site: PortalSite, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(java_script_enabled=False)
    expect(page.locator("main")).to_contain_text("$123.45")
    page.click("main >> text=Statements >> nth=-1")
    page.wait_for_url("**/statements")
    with page.expect_download() as started:
        page.click("text=Download all (zip)")
    saved = tmp_path / started.value.suggested_filename
    started.value.save_as(saved)
    assert saved.name == "Statements 2026-11-21.zip"
    with zipfile.ZipFile(saved) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["2026-11-18 Statement.pdf"]
    page.click("text=Back to the account")
    page.click("main >> text=Payments and receipts")
    page.wait_for_url("**/payments")
    expect(page.locator("main")).to_contain_text("On its way")
    page.click("summary")
    page.click("details >> text=Tim Example")
    page.wait_for_url("**/payments?person=12")
    expect(page.locator(".banner-other")).to_contain_text("Tim Example")
    page.click("nav.tabs >> text=Account")
    page.wait_for_url("**/account?person=12")
    page.click("text=Images and documents")
    page.wait_for_url("**/documents?person=12")
    with page.context.expect_page() as opened:
        page.click("text=Open >> nth=0")
    expect(opened.value).to_have_url(f"{site.portal()}/documents/803")
    page.click("nav.tabs >> text=Help")
    page.click("text=Who looked")
    page.wait_for_url("**/who-looked?person=12")
    expect(page.locator("main")).to_contain_text("Looked at the list of statements")


def test_on_paper_are_the_practice_the_person_and_the_figures(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    for path, figure in (("/account", "$183.45"), ("/statements", "$98.00"), ("/payments", "$75.50")):
        page.goto(site.portal() + path)
        page.emulate_media(media="print")
        expect(page.locator(".print-header")).to_contain_text("Smile Dental")
        expect(page.locator(".print-header")).to_contain_text("Ann Example")
        expect(page.locator("main")).to_contain_text(figure)
        expect(page.locator(".top")).to_be_hidden()
        assert all(not button.is_visible() for button in page.locator("main .button").all())
        assert page.pdf().startswith(b"%PDF")
