"""Home, appointments and health in a real Chromium: axe-core, 320 px, touch, keyboard, without script, on paper."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.chromium import chromium, cut_off, faults, overflows
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.realsite import serve_practice
from tests.support.site import PortalSite

pytestmark = pytest.mark.browser

PATHS = ("/", "/?person=12", "/appointments", "/appointments?person=12&notice=told", "/health", "/health/plans/601")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, site: PortalSite) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens a fresh browser window in which Ann is signed in."""
    contexts: list[BrowserContext] = []

    def opened(**options: object) -> Page:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.portal()}/")
        page.fill("#user_name", "ann4711")
        page.fill("#password", site.offices["smile-dental"].password)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site.portal()}/")
        return page

    yield opened
    for context in contexts:
        context.close()


def long_words(site: PortalSite) -> None:
    visits = site.offices["smile-dental"].visits
    visits.coming[0].provider = visits.coming[0].place = "Wolfeschlegelsteinhausenbergerdorff-" * 2
    visits.due[0].kind = visits.plans[0].heading = visits.lines[0].text = "Donaudampfschifffahrtsrechnung" * 2
    visits.lists["problems"].entries[0].name = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 2


def test_axe_finds_nothing_and_nothing_is_cut_off(site: PortalSite, open_page: Callable[..., Page]) -> None:
    # axe is injected as a script, which our policy forbids.
    page = open_page(bypass_csp=True, reduced_motion="reduce")
    found: dict[tuple[str, str], object] = {}
    for words, look in (("usual", faults), ("long", cut_off)):
        if words == "long":
            long_words(site)
        for path in PATHS:
            page.goto(site.portal() + path)
            found[words, path] = look(page)
    site.offices["smile-dental"].tokens.clear()
    assert {place: findings for place, findings in found.items() if findings} == {}


def test_spanish_fits_a_small_phone_and_targets_are_large_enough(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 320, "height": 900}, has_touch=True, locale="es-MX")
    measure = """nodes => nodes
        .filter(node => node.checkVisibility() && getComputedStyle(node).display !== 'inline')
        .map(node => [node.innerText, (node.closest('.row:has(.row-link)') || node).getBoundingClientRect()])
        .filter(([_, box]) => box.height < 43.5)
        .map(([text, box]) => [text, box.height])"""
    for path in PATHS:
        page.goto(site.portal() + path)
        assert not overflows(page), path
        small = page.locator("main :is(a, button, summary)").evaluate_all(measure)
        assert small == [], path


def test_a_visit_is_confirmed_by_keyboard_and_the_page_says_so(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    button = page.get_by_role("button", name="I'll be there: confirm Tue 24 Nov 2026, 2:30 PM")
    for _ in range(60):
        page.keyboard.press("Tab")
        if button.evaluate("node => node === document.activeElement"):
            break
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/appointments?notice=told")
    expect(page.locator("[role=status]")).to_contain_text("The office has been told that you're coming.")
    expect(page.get_by_text("You said you're coming")).to_be_visible()
    expect(page.get_by_role("button", name="I'll be there")).to_have_count(0)
    assert site.offices["smile-dental"].visits.confirmed == [501]


def test_without_script_a_visit_is_confirmed_for_a_child_and_saved_for_a_calendar(
    site: PortalSite, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(java_script_enabled=False)
    page.click("summary")
    page.click("details >> text=Tim Example")
    page.wait_for_url("**/?person=12")
    page.click("nav >> text=Appointments")
    page.wait_for_url("**/appointments?person=12")
    page.click("text=I'll be there")
    page.wait_for_url("**/appointments?notice=told&person=12")
    expect(page.locator(".banner-other")).to_contain_text("Tim Example")
    with page.expect_download() as started:
        page.click("text=Add to calendar >> nth=0")
    saved = tmp_path / "visit.ics"
    started.value.save_as(saved)
    assert started.value.suggested_filename == "appointment-2026-11-24.ics"
    assert saved.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    asked = [params.appointment for name, params, _ in site.offices["smile-dental"].asked if "confirm" in name]  # type: ignore[attr-defined]
    assert asked == [501]


def test_two_presses_of_a_button_are_one_confirmation(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(f"{site.portal()}/appointments")
    page.get_by_role("button", name="I'll be there").evaluate("button => { button.click(); button.click(); }")
    page.wait_for_url("**/appointments?notice=told")
    assert site.offices["smile-dental"].visits.confirmed == [501]


def test_a_session_lost_in_between_costs_one_more_press(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page, office = open_page(), site.offices["smile-dental"]
    page.goto(f"{site.portal()}/appointments")
    office.tokens.clear()
    page.get_by_role("button", name="I'll be there").click()
    expect(page.locator("[role=status]")).to_contain_text("what you typed is kept here")
    page.get_by_label("User name").fill("ann4711")
    page.get_by_label("Password", exact=True).fill(office.password)
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("You are signed in again")
    expect(page.locator("main")).to_contain_text("Tue 24 Nov 2026, 2:30 PM")
    page.get_by_role("button", name="I'll be there").click()
    page.wait_for_url("**/appointments?notice=told")
    assert office.visits.confirmed == [501]


def test_from_home_to_a_plan_and_back_and_onto_paper(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.click("nav >> text=Health")
    page.click("text=Proposed treatment")
    page.wait_for_url("**/health/plans/601")
    expect(page.locator("nav a[aria-current]")).to_have_text("Health")
    page.emulate_media(media="print")
    expect(page.locator(".print-header")).to_contain_text("Smile Dental")
    expect(page.locator("main")).to_contain_text("$415.00")
    expect(page.locator(".top")).to_be_hidden()
    page.emulate_media(media="screen")
    page.click("text=Back to health")
    page.wait_for_url(f"{site.portal()}/health")


def test_the_front_desk_sees_what_a_patient_confirmed(browser: Browser, tmp_path: Path) -> None:
    with serve_practice(tmp_path) as practice:
        context = browser.new_context(locale="en-US", viewport={"width": 320, "height": 900})
        page = context.new_page()
        page.goto(f"{practice.base}/")
        page.fill("#user_name", user_name(Cast.MARIA))
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{practice.base}/")
        expect(page.locator("#todo + .rows")).to_contain_text("Confirm your visit on")
        expect(page.locator("main")).to_contain_text("A check-up is due since")
        page.get_by_role("button", name="I'll be there").click()
        page.wait_for_url("**/appointments?notice=told")
        page.reload()
        expect(page.get_by_text("You said you're coming")).to_be_visible()
        ((words, form, visit),) = practice.sql("SELECT Description, FormToOpen, FKey FROM alertitem WHERE Type = 4")
        assert words.startswith("Maria Delgado confirmed the visit of ")
        assert (form, visit) == (5, 1001)
        assert practice.sql("SELECT Confirmed FROM appointment WHERE AptNum = 1001") == [(19,)]
        practice.sql("UPDATE appointment SET Confirmed = 21 WHERE AptNum = 1001")
        page.reload()
        expect(page.get_by_text("You said you're coming")).to_have_count(0)
        page.goto(f"{practice.base}/")
        expect(page.locator("main")).not_to_contain_text("Confirm your visit on")
        page.click("nav >> text=Health")
        expect(page.get_by_text("No known allergies")).to_be_visible()
        page.click("text=Proposed treatment")
        expect(page.locator("main")).to_contain_text("$229.99")
        assert not overflows(page)
        context.close()
