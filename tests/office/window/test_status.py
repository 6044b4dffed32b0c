"""The first page in a real Chromium, over a real connector and the real database: every control, every right."""

import csv
import io
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.office.window.conftest import Opener, WindowOffice, shots, sign_in
from tests.support.chromium import faults

pytestmark = [pytest.mark.browser, pytest.mark.shared, pytest.mark.timeout(300)]  # the first one starts everything

PATIENCE = 30_000
"""Milliseconds for what the page finds out by itself."""
LOOKS_AGAIN = 11_000
"""Milliseconds after which it has looked again: it does so every ten seconds."""


def note(page: Page) -> str:
    return page.locator(".banner-text").first.inner_text()


def word(page: Page) -> str:
    return page.locator(".stand-word > span").inner_text()


# -- every control ----------------------------------------------------------------------------------------------------


def test_an_error_is_seen_read_and_acknowledged(office: WindowOffice, open_page: Opener) -> None:
    office.row(4, "The backup failed", ago="1 HOUR", processed=False)
    page = open_page()
    sign_in(page, office, "Frank")
    assert word(page) == "Error"
    expect(page.locator(".stand-why")).to_contain_text("The backup failed")
    waiting = page.get_by_role("row").filter(has_text="The backup failed")
    expect(waiting).to_contain_text("Not acknowledged")
    expect(waiting.locator("svg")).to_have_count(2)  # never colour alone
    page.get_by_role("button", name="Ack").click()
    assert note(page).startswith("1 error is acknowledged.")
    assert word(page) == "Working"
    expect(page.get_by_role("row").filter(has_text="The backup failed")).not_to_contain_text("Not acknowledged")
    assert office.sql("SELECT COUNT(*) FROM eservicesignal WHERE Severity=4 AND IsProcessed=0") == [(0,)]
    assert office.audit()[0].startswith("502 91 ")
    page.get_by_role("button", name="Ack").click()
    assert note(page) == "There was no error to acknowledge."


def test_stop_monitoring_says_what_will_happen_and_to_whom_before_it_does(
    office: WindowOffice, open_page: Opener
) -> None:
    page = open_page()
    sign_in(page, office)
    page.get_by_role("link", name="Stop Monitoring").click()
    for said in ("every workstation", "up to one minute", "Patients are not affected", "Ada did it"):
        expect(page.get_by_role("main")).to_contain_text(said)
    page.get_by_role("link", name="Cancel").click()
    assert word(page) == "Working"
    page.get_by_role("link", name="Stop Monitoring").click()
    page.get_by_role("button", name="Stop Monitoring").click()
    assert "up to one minute" in note(page)
    assert word(page) == "NotEnabled"
    assert office.audit()[0].startswith("501 24 ")


def test_the_settings_are_real_preferences_and_seen_at_once(office: WindowOffice, open_page: Opener) -> None:
    page = open_page()
    sign_in(page, office, "Frank")
    signals = office.sql("SELECT COUNT(*) FROM signalod")[0][0]
    listener = page.get_by_label("Enable eServices Listener")
    mail = page.get_by_label("Send emails with a different process")
    days = page.get_by_label("Delete logs older than")
    expect(listener).to_be_checked()
    expect(mail).not_to_be_checked()
    expect(days).to_have_value("30")
    expect(page.get_by_text("only when sending large volumes of email times out")).to_be_visible()
    listener.uncheck()
    mail.check()
    days.fill("7")
    page.get_by_role("button", name="Save").click()
    assert note(page) == "Saved. The other Open Dental workstations are told."
    expect(listener).not_to_be_checked()
    expect(mail).to_be_checked()
    expect(days).to_have_value("7")
    names = ("EServiceListenerEnabled", "SendEmailsInDiffProcess", "EConnectorCleanupLoggerIntervalDays")
    assert [office.preference(name) for name in names] == ["0", "1", "7"]
    assert office.sql("SELECT COUNT(*) FROM signalod")[0][0] > signals  # type: ignore[operator]
    assert "502 91 " in office.audit()[0]
    page.get_by_role("button", name="Save").click()
    assert note(page) == "Nothing was changed, so nothing was saved."
    days.fill("")
    page.get_by_role("button", name="Save").click()
    expect(days).to_have_value("0")


def test_a_number_that_cannot_be_used_is_kept_with_a_word_about_it(office: WindowOffice, open_page: Opener) -> None:
    page = open_page()
    sign_in(page, office)
    days = page.get_by_label("Delete logs older than")
    for typed in ("-1", "36501", "ten", "1e3", "7.5", "٣"):
        days.fill(typed)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("from 0 to 36500")
        expect(days).to_have_value(typed)
        expect(days).to_have_attribute("aria-invalid", "true")
    page.get_by_role("alert").get_by_role("link").click()
    expect(days).to_be_focused()
    assert office.preference("EConnectorCleanupLoggerIntervalDays") == "30"
    days.fill("36500")
    page.get_by_role("button", name="Save").click()
    assert note(page).startswith("Saved.")


def test_the_history_is_filtered_searched_and_taken_to_a_spreadsheet(office: WindowOffice, open_page: Opener) -> None:
    for day in range(25):
        office.row(2, f"Run {day}", ago=f"{day} DAY")
    office.row(4, "=HYPERLINK(evil)", ago="2 DAY", processed=False)
    office.row(5, "eConnector was stopped", ago="3 DAY", processed=False)
    page = open_page(accept_downloads=True)
    sign_in(page, office)
    rows = page.get_by_role("table", name="History").get_by_role("row")
    expect(rows).to_have_count(21)
    page.get_by_role("link", name="Show all 29").click()
    expect(rows).to_have_count(30)
    page.get_by_role("link", name="Not acknowledged 1").click()
    expect(rows).to_have_count(2)
    page.get_by_role("link", name="Errors 2").click()
    expect(rows).to_have_count(3)
    page.get_by_label("Filter the details").fill("STOPPED")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    found = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert [row[2] for row in found] == ["Details", "eConnector was stopped"]
    page.get_by_label("Filter the details").fill("")
    page.get_by_role("button", name="Filter").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert "\n2" in (text := Path(download.value.path()).read_text("utf-8-sig"))
    assert "'=HYPERLINK" in text, "a spreadsheet must not run what a row says"
    page.get_by_label("Filter the details").fill("no such words")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No row matches")).to_be_visible()


def test_start_stays_possible_for_everyone_and_tells_when_it_runs_already(
    office: WindowOffice, open_page: Opener
) -> None:
    page = open_page()
    page.goto(office.address)
    assert word(page) == "Working"
    page.get_by_role("button", name="Start").click()
    assert "already started" in note(page)
    sign_in(page, office, "Vera")
    page.get_by_role("button", name="Start").click()
    assert "already started" in note(page)


def test_the_page_looks_again_by_itself_and_leaves_the_keyboard_where_it_is(
    office: WindowOffice, open_page: Opener
) -> None:
    page, stranger = open_page(), open_page()
    for each in (page, stranger):
        each.clock.install()  # the ten seconds until it looks again pass at once
    sign_in(page, office)
    stranger.goto(office.address)
    page.locator("#do-ack").focus()
    page.get_by_label("Delete logs older than").evaluate("input => input.value = '99'")
    office.row(4, "Something new", ago="30 SECOND", processed=False)
    for each in (page, stranger):
        each.clock.fast_forward(LOOKS_AGAIN)
    expect(page.locator(".stand-word")).to_contain_text("Error", timeout=PATIENCE)
    expect(page.get_by_role("table", name="History")).to_contain_text("Something new")
    expect(page).to_have_title(re.compile("^Error"))
    expect(page.locator("#do-ack")).to_be_focused()
    expect(page.get_by_label("Delete logs older than")).to_have_value("99")
    expect(stranger.locator(".stand-word")).to_contain_text("Error", timeout=PATIENCE)
    page.get_by_role("button", name="Ack").click()
    assert word(page) == "Working"


# -- who may what -----------------------------------------------------------------------------------------------------


def test_without_the_permission_everything_is_seen_and_nothing_can_be_changed(
    office: WindowOffice, open_page: Opener
) -> None:
    office.row(4, "Look at me", processed=False)
    page = open_page()
    sign_in(page, office, "Vera")
    expect(page.get_by_text("View only.")).to_be_visible()
    expect(page.get_by_text("lacks the permission eServices Setup")).to_be_visible()
    expect(page.get_by_role("table", name="History")).to_contain_text("Look at me")
    expect(page.get_by_role("button", name="Ack")).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    for label in ("Enable eServices Listener", "Send emails with a different process", "Delete logs older than"):
        expect(page.get_by_label(label)).to_be_disabled()
    page.get_by_role("link", name="Stop Monitoring").click()
    expect(page.get_by_role("button", name="Stop Monitoring")).to_be_disabled()
    expect(page.get_by_text("Needs the Open Dental permission Security Admin.")).to_be_visible()


def test_setup_alone_does_not_stop_monitoring(office: WindowOffice, open_page: Opener) -> None:
    page = open_page()
    sign_in(page, office, "Frank")
    expect(page.get_by_text("View only.")).to_have_count(0)
    page.get_by_role("link", name="Stop Monitoring").click()
    expect(page.get_by_role("button", name="Stop Monitoring")).to_be_disabled()


def test_a_session_warns_before_it_ends_and_goes_on_when_somebody_is_there(
    office: WindowOffice, open_page: Opener
) -> None:
    page = open_page()
    page.clock.install()
    sign_in(page, office)
    page.clock.fast_forward(29 * 60_000 + 10_000)
    expect(page.get_by_role("dialog")).to_contain_text("you will be signed out in")
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.context.clear_cookies()
    page.clock.fast_forward(31 * 60_000)
    expect(page).to_have_url(re.compile(r"/sign-in"), timeout=PATIENCE)


# -- everybody can use it ---------------------------------------------------------------------------------------------


def test_everything_works_without_javascript(office: WindowOffice, open_page: Opener) -> None:
    office.row(4, "No script", ago="30 SECOND", processed=False)
    page = open_page(java_script_enabled=False)
    sign_in(page, office)
    page.get_by_role("button", name="Ack").click()
    assert note(page).startswith("1 error is acknowledged.")
    page.get_by_role("link", name="Refresh").click()
    assert word(page) == "Working"
    page.get_by_label("Delete logs older than").fill("14")
    page.get_by_role("button", name="Save").click()
    assert note(page).startswith("Saved.")
    page.get_by_label("Filter the details").fill("No script")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("table", name="History").get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Stop Monitoring").click()
    page.get_by_role("button", name="Stop Monitoring").click()
    assert word(page) == "NotEnabled"
    page.get_by_role("button", name="Sign out").click()
    assert note(page) == "You are signed out."


def test_the_keyboard_alone_is_enough(office: WindowOffice, open_page: Opener) -> None:
    office.row(4, "By keyboard", ago="30 SECOND", processed=False)
    page = open_page()
    page.goto(f"{office.address}sign-in")
    page.get_by_label("User name").focus()
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.type("Molar-42")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Ack")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ack")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".banner-text").first).to_contain_text("acknowledged")


STATES = ("anonymous", "sign-in", "wrong", "home", "error", "bad-number", "stop", "missing", "view-only")


def bring(page: Page, office: WindowOffice, state: str) -> None:
    """Bring the page into a state; they come in the order of `STATES`."""
    if state == "anonymous":
        page.goto(office.address)
    elif state == "sign-in":
        page.goto(f"{office.address}sign-in")
    elif state in {"wrong", "home", "view-only"}:
        if state == "view-only":
            page.get_by_role("button", name="Sign out").click()
        sign_in(page, office, "Vera" if state == "view-only" else "Ada", "wrong" if state == "wrong" else "Molar-42")
    elif state == "error":
        office.row(
            4, "The database server db-server.practice.example:3306 did not answer", ago="3 DAY", processed=False
        )
        office.row(5, "eConnector was stopped", ago="4 DAY", processed=False)
        page.goto(office.address)
    elif state == "bad-number":
        page.get_by_label("Delete logs older than").fill("ten")
        page.get_by_role("button", name="Save").click()
    else:
        page.goto(office.address + {"stop": "stop-monitoring", "missing": "nowhere"}[state])


def test_axe_finds_nothing_and_nothing_is_cut_off(office: WindowOffice, open_page: Opener) -> None:
    # axe is injected as a script, which our policy forbids; every other test runs under the policy.
    page = open_page(bypass_csp=True, reduced_motion="reduce")
    folder = Path(os.environ["SCREENSHOTS"]) if "SCREENSHOTS" in os.environ else None
    found = {}
    for state in STATES:
        bring(page, office, state)
        shots(folder, page, state)
        found[state] = faults(page)
    assert {place: findings for place, findings in found.items() if findings} == {}
    assert len(found) == 9
