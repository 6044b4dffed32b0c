"""Family and privacy in a real Chromium, on the office's real answers: a person closes a topic, the family sees it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from econnector.base.errors import AnswerLost
from tests.support.chromium import chromium, faults
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import token_in

pytestmark = pytest.mark.browser


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
    """Yield a function that opens a browser window in which somebody is signed in."""
    contexts: list[BrowserContext] = []

    def opened(person: Cast, **options: object) -> Page:
        context = browser.new_context(**{"locale": "en-US", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.base}/")
        page.fill("#user_name", user_name(person))
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/portal/$"))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("script", [True, False])
def test_who_closes_a_topic_is_gone_from_it_at_the_next_click(
    site: RealSite, open_page: Callable[..., Page], *, script: bool
) -> None:
    luis = open_page(Cast.LUIS, java_script_enabled=script)
    maria = open_page(Cast.MARIA, java_script_enabled=script)
    maria.goto(f"{site.base}/statements?person={int(Cast.LUIS)}")
    expect(maria.get_by_role("heading", level=1)).to_contain_text("Luis")
    luis.get_by_role("link", name="Family and privacy").click()
    expect(luis.get_by_role("heading", name="Maria Delgado")).to_be_visible()
    luis.get_by_label("Account and statements").uncheck()
    luis.get_by_role("button", name="Save").click()
    expect(luis.get_by_text("Saved. It holds from now on.")).to_be_visible()
    expect(luis.get_by_label("Account and statements")).not_to_be_checked()
    maria.reload()
    expect(maria.get_by_role("heading", level=1)).to_have_text("This page is not yours to see")
    maria.goto(f"{site.base}/?person={int(Cast.LUIS)}")
    assert maria.locator("nav.tabs").get_by_role("link", name="Account").count() == 0


def test_axe_finds_nothing_and_nothing_is_cut_off(site: RealSite, open_page: Callable[..., Page]) -> None:
    page = open_page(Cast.LUIS, bypass_csp=True, reduced_motion="reduce")
    page.goto(f"{site.base}/family")
    assert faults(page) == []
    assert len(page.content()) < 30_000


def test_what_was_chosen_stays_when_the_session_or_the_answer_is_lost(site: RealSite) -> None:
    with site.signed_in(Cast.LUIS) as browser:
        page = browser.get("/family").text
        form = {"form_token": token_in(page), "viewer": str(int(Cast.MARIA)), "name": "Maria Delgado"}
        form |= {"relation": "family", "topics": "account health", "health": "1"}
        site.losing["portal.set-privacy"] = AnswerLost()
        lost = browser.post("/family", data=form)
        assert lost.status_code == AnswerLost.http
        assert re.search(r'name="health" value="1" checked', lost.text)
        assert not re.search(r'name="account" value="1" checked', lost.text)
        again = browser.post("/family", data=form)
        assert again.status_code == 303
        browser.cookies.clear()
        ended = browser.post("/family", data=form)
        assert ended.status_code == 401
        assert re.search(r'type="hidden" name="health" value="1"', ended.text)


def test_the_page_speaks_spanish_and_a_stranger_cannot_be_named(site: RealSite) -> None:
    with site.signed_in(Cast.LUIS, headers={"accept-language": "es"}) as browser:
        page = browser.get("/family").text
        assert "Familia y privacidad" in page
        assert '<html lang="es' in page
        form = {"form_token": token_in(page), "viewer": str(int(Cast.GRETA)), "topics": "account"}
        assert browser.post("/family", data=form).status_code == 404
