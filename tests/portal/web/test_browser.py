"""The portal in a real Chromium: axe-core, 320 px, keyboard alone, without script, dark."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from econnector.base.errors import OfficeUnreachable
from tests.support.chromium import chromium, faults, overflows, with_viewer
from tests.support.site import PDF, PortalSite, SmallOffice

pytestmark = pytest.mark.browser

HOUR = 3_600_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens a fresh browser window; what it logs as an error fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(**options: object) -> Page:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, site: PortalSite, password: str | None = None) -> None:
    page.goto(f"{site.portal()}/")
    page.fill("#user_name", "ann4711")
    page.fill("#password", password or site.offices["smile-dental"].password)
    page.keyboard.press("Enter")
    page.wait_for_function("() => !location.pathname.endsWith('/sign-in') || document.querySelector('.alert')")
    page.wait_for_load_state()


def states(page: Page, site: PortalSite) -> Iterator[str]:
    """Bring the page into every state that a patient can see, one after the other."""
    office, base = site.offices["smile-dental"], site.portal()
    page.goto(f"{base}/sign-in?signed-out=1")
    yield "sign-in"
    page.click("button[type=submit]")
    page.wait_for_selector(".alert")
    yield "sign-in with mistakes"
    sign_in(page, site, "wrong")
    yield "login failed"
    sign_in(page, site)
    yield "home"
    page.click("summary")
    yield "home, family open"
    for path in ("/?person=13", "/statements", "/statements?person=12", "/help", "/change", "/kit", "/nowhere"):
        page.goto(base + path)
        yield path
    office.tim.name, office.titles = "Wolfeschlegelsteinhausenbergerdorff-" * 2, ("Donaudampfschifffahrtsrechnung" * 2,)
    office.title = "Centre for Otorhinolaryngological and Maxillofacial Dentistry"
    for path in ("/?person=12", "/statements?person=12"):
        page.goto(base + path)
        yield f"{path} with long names"
    office.titles, office.balance_cents = (), 0
    page.goto(f"{base}/statements")
    yield "no statements"
    page.goto(f"{base}/")
    yield "home without statements"
    office.failing = OfficeUnreachable(last_seen="2026-11-24T14:05")
    page.goto(f"{base}/")
    yield "office away"
    office.failing = None
    office.tokens = dict.fromkeys(office.tokens, True)
    page.goto(f"{base}/")
    yield "first change"
    page.click("button.button-main")
    page.wait_for_selector(".alert")
    yield "first change with mistakes"


def test_axe_finds_nothing_and_nothing_is_cut_off(site: PortalSite, open_page: Callable[..., Page]) -> None:
    # axe is injected as a script, which our policy forbids; every other test runs under the policy.
    page = open_page(bypass_csp=True, reduced_motion="reduce")
    found = {state: faults(page) for state in states(page, site)}
    assert len(found) == 19
    assert {place: findings for place, findings in found.items() if findings} == {}


def test_spanish_pages_fit_a_small_phone_and_a_window_at_twice_the_size(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    # 200 % zoom of a 640 px window is a 320 px window with twice the pixels.
    page = open_page(viewport={"width": 320, "height": 400}, device_scale_factor=2, locale="es-MX")
    assert [state for state in states(page, site) if overflows(page)] == []


def test_everything_that_is_touched_is_large_enough(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 320, "height": 900}, has_touch=True)
    sign_in(page, site)
    measure = """nodes => nodes
        .filter(node => node.checkVisibility() && getComputedStyle(node).display !== 'inline')
        .map(node => [node.innerText, (node.closest('.row:has(.row-link)') || node).getBoundingClientRect()])
        .filter(([_, box]) => box.bottom > 0 && box.height < 43.5)
        .map(([text, box]) => [text, box.height])"""
    small = {}
    for path in ("/", "/statements", "/help", "/change"):
        page.goto(site.portal() + path)
        small[path] = page.locator("a, button, summary, input:not([type=hidden])").evaluate_all(measure)
    assert small == {path: [] for path in small}


def test_a_keyboard_is_enough_to_sign_in_choose_a_person_and_sign_out(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{site.portal()}/")

    def tab_to(text: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "() => [document.activeElement.id, document.activeElement.innerText, "
                "getComputedStyle(document.activeElement).outlineStyle, "
                "getComputedStyle(document.activeElement, '::after').outlineStyle].join('|')"
            )
            if text in focused:
                assert "solid" in focused, f"focus on {text} cannot be seen"
                return
        raise AssertionError(f"cannot reach {text} with the Tab key")

    tab_to("Skip to the content")
    tab_to("user_name")
    page.keyboard.type("ann4711")
    tab_to("password")
    page.keyboard.type(site.offices["smile-dental"].password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.portal()}/")
    tab_to("Ann")
    page.keyboard.press("Enter")
    tab_to("Tim Example")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?person=12")
    expect(page.locator(".banner-other")).to_contain_text("Tim Example")
    tab_to("Sign out")
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("You are signed out")


def test_the_summary_of_mistakes_has_the_focus_and_leads_to_the_field(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(f"{site.portal()}/sign-in")
    page.click("button[type=submit]")
    expect(page.locator(".alert")).to_be_focused()
    page.click("text=Enter your password.")
    expect(page.locator("#password")).to_be_focused()


def test_everything_works_without_script(site: PortalSite, open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.portal()}/statements?person=12")
    page.fill("#user_name", "ann4711")
    page.fill("#password", site.offices["smile-dental"].password)
    expect(page.locator(".show-password")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/statements?person=12")
    with page.expect_download() as started:
        page.click("text=Download >> nth=0")
    saved = tmp_path / "statement.pdf"
    started.value.save_as(saved)
    assert saved.read_bytes() == PDF
    page.click("summary")
    page.click("details >> text=Ann Example")
    page.wait_for_url("**/statements")
    page.click("text=Your sign-in")
    page.click("text=Change your sign-in")
    page.fill("#user_name", "ann.example")
    page.fill("#current", site.offices["smile-dental"].password)
    page.click("text=Save")
    expect(page.locator("[role=status]")).to_contain_text("Your sign-in is changed")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in?signed-out=1")


def test_a_statement_opens_in_a_new_tab_under_its_own_policy(site: PortalSite, browser: Browser) -> None:
    with with_viewer(browser) as whole:
        page = whole.new_page()
        sign_in(page, site)
        page.goto(f"{site.portal()}/statements")
        with page.context.expect_page() as opened:
            page.click("text=Open >> nth=0")
        expect(opened.value).to_have_url(f"{site.portal()}/statements/900")
        assert opened.value.evaluate("() => document.contentType") == "application/pdf"


def test_a_password_can_be_shown(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(f"{site.portal()}/sign-in")
    page.fill("#password", "is it right?")
    page.get_by_role("button", name="Show password").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_a_form_is_sent_once_however_often_its_button_is_pressed(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page, office = open_page(), site.offices["smile-dental"]
    page.goto(f"{site.portal()}/sign-in")
    page.fill("#user_name", "ann4711")
    page.fill("#password", office.password)
    page.locator("button[type=submit]").evaluate("button => { button.click(); button.click(); }")
    page.wait_for_url(f"{site.portal()}/")
    assert [name for name, _, _ in office.asked].count("portal.sign-in") == 1


def test_a_form_that_nobody_answers_can_be_sent_again(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page, office = open_page(), site.offices["smile-dental"]
    page.clock.install()
    page.goto(f"{site.portal()}/sign-in")
    page.fill("#user_name", "ann4711")
    page.fill("#password", office.password)
    page.evaluate("() => addEventListener('submit', event => event.preventDefault())")  # as if the line hung
    page.click("button[type=submit]")
    expect(page.locator("button[type=submit]")).to_have_text("One moment …")
    page.clock.fast_forward(21_000)
    expect(page.locator("button[type=submit]")).to_have_text("Sign in")


def test_when_the_session_is_gone_staying_says_so_at_once(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, site)
    page.clock.install()
    page.goto(f"{site.portal()}/change")
    page.fill("#user_name", "half typed")
    page.clock.fast_forward(HOUR - 55_000)
    site.offices["smile-dental"].tokens.clear()
    with page.expect_response("**/stay"):
        page.get_by_role("button", name="Stay signed in").click()
    page.clock.run_for(2_000)
    expect(page.locator("dialog")).to_contain_text("You were signed out")


def test_without_a_connection_nothing_is_sent_and_nothing_typed_is_lost(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page, office = open_page(), site.offices["smile-dental"]
    page.goto(f"{site.portal()}/sign-in")
    page.fill("#user_name", "ann4711")
    page.fill("#password", office.password)
    page.context.set_offline(True)
    page.click("button[type=submit]")
    expect(page.locator("[data-offline]")).to_contain_text("You are offline, so nothing was sent.")
    page.context.set_offline(False)
    page.click("button[type=submit]")
    page.wait_for_url(f"{site.portal()}/")


def test_before_the_session_ends_one_key_is_enough_to_stay(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, site)
    page.clock.install()
    page.goto(f"{site.portal()}/change")
    page.fill("#user_name", "half typed")
    for _ in range(2):
        page.clock.fast_forward(HOUR - 55_000)
        expect(page.locator("dialog")).to_be_visible()
        expect(page.locator("dialog")).to_contain_text("seconds. What you typed stays on the page.")
        expect(page.get_by_role("button", name="Stay signed in")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("dialog")).to_be_hidden()
    assert page.input_value("#user_name") == "half typed"


def test_when_the_session_has_ended_what_was_typed_is_covered_and_kept(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    sign_in(page, site)
    page.clock.install()
    page.goto(f"{site.portal()}/change")
    page.fill("#user_name", "half typed")
    page.clock.fast_forward(2 * HOUR)
    expect(page.locator("dialog")).to_contain_text("You were signed out")
    page.click("text=Back to the page")
    assert page.input_value("#user_name") == "half typed"


def test_when_nothing_was_typed_the_page_leaves_the_screen(site: PortalSite, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, site)
    page.clock.install()
    page.goto(f"{site.portal()}/statements?person=12")
    page.clock.fast_forward(2 * HOUR)
    page.wait_for_url("**/sign-in?ended=1&next=/statements%3Fperson%3D12")
    expect(page.locator("[role=status]")).to_contain_text("For your safety you were signed out")


def test_paper_has_the_practice_and_the_figures_and_no_buttons(
    site: PortalSite, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    sign_in(page, site)
    page.goto(f"{site.portal()}/statements")
    page.emulate_media(media="print")
    expect(page.locator(".print-header")).to_contain_text("Smile Dental")
    expect(page.locator("main")).to_contain_text("$123.45")
    for gone in (".top", ".foot", "td.doing"):
        expect(page.locator(gone).first).to_be_hidden()
    assert page.pdf().startswith(b"%PDF")


def test_names_full_of_code_stay_names(site: PortalSite, open_page: Callable[..., Page]) -> None:
    office: SmallOffice = site.offices["smile-dental"]
    office.tim.name = office.title = "<img src=x onerror=\"document.title='run'\">"
    office.titles = ("</title><script>document.title='run'</script>",)
    page = open_page()
    sign_in(page, site)
    for path in ("/?person=12", "/statements?person=12"):
        page.goto(site.portal() + path)
        assert page.title() != "run"
        expect(page.locator(".banner-other")).to_contain_text("<img src=x")
