"""The pages Log and Doctor in a browser: lines are found, the log level switched, the machine examined."""

import os
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.office.window.conftest import Opener, WindowOffice, shots, sign_in
from tests.support.chromium import axe_findings, overflows
from tests.support.whole import until

pytestmark = [pytest.mark.browser, pytest.mark.shared]


def told(page: Page, text: str) -> bool:
    """Look again: whether the log says so by now."""
    page.goto(page.url)
    return page.get_by_role("table").get_by_text(text).count() > 0


def test_the_log_is_read_filtered_switched_and_bundled(office: WindowOffice, open_page: Opener, tmp_path: Path) -> None:
    page = open_page(accept_downloads=True, bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office)
    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Log")
    lines = page.get_by_role("table")
    expect(lines).to_contain_text("the connector starts")
    shots(Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None, page, "log")
    assert axe_findings(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert not overflows(page)

    page.get_by_role("link", name="Database", exact=True).click()
    expect(lines).to_contain_text("the database can be used")
    expect(lines).not_to_contain_text("the connector starts")
    page.get_by_role("link", name="All areas").click()
    page.get_by_label("Words or a reference").fill("linked to HQ")
    page.get_by_role("button", name="Filter").click()
    expect(lines).to_contain_text("linked to HQ")
    expect(lines).not_to_contain_text("the connector starts")
    page.get_by_label("Words or a reference").fill("no such words <script>")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No line matches")).to_be_visible()

    page.get_by_role("button", name="Verbose").click()
    expect(page.get_by_role("status")).to_contain_text("The log level is Verbose")
    expect(page.get_by_role("heading", name="Log level: Verbose")).to_be_visible()
    until(lambda: told(page, "the log level changes"))
    page.get_by_role("button", name="Information").click()

    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download bundle").click()
    file = tmp_path / "bundle.zip"
    download.value.save_as(file)
    with zipfile.ZipFile(file) as archive:
        assert {"status.json", "doctor.json", "log.jsonl"} <= set(archive.namelist())
        assert b"the connector starts" in archive.read("log.jsonl")


def test_who_lacks_the_permission_reads_and_changes_nothing(office: WindowOffice, open_page: Opener) -> None:
    page = open_page()
    sign_in(page, office, "Vera")
    page.goto(f"{office.address}logs")
    expect(page.get_by_role("table")).to_contain_text("the connector starts")
    expect(page.get_by_role("button", name="Verbose")).to_be_disabled()
    expect(page.get_by_role("button", name="Download bundle")).to_be_disabled()
    answer = page.request.post(f"{office.address}logs/bundle", form={"form_token": "x"})
    assert answer.status in {400, 403, 422}
    page.goto(f"{office.address}logs?span=%00&least=x&area=../..&find=%3Cscript%3E&rows=many")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log")


def test_the_doctor_examines_this_machine_and_a_reference_is_looked_up(office: WindowOffice, open_page: Opener) -> None:
    page = open_page(bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office, "Vera")
    page.get_by_role("link", name="Doctor", exact=True).click()
    page.get_by_role("button", name="Examine this machine").click()
    again = page.get_by_role("button", name="Examine again")
    expect(again).to_be_visible(timeout=120_000)
    for check in ("database", "hq", "clock", "link"):
        expect(page.locator(f"#check-{check}")).to_contain_text("in order")
    shots(Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None, page, "doctor")
    assert axe_findings(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert not overflows(page)
    page.get_by_role("textbox", name="Reference").fill("ABCD-2345")
    page.get_by_role("button", name="Show what happened").click()
    expect(page.get_by_text("Nothing is known under this reference here")).to_be_visible()
    assert axe_findings(page) == []
