"""The page Contacts in a browser: people are added and removed, mistakes are said, who may not only looks."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.office.window.conftest import Opener, WindowOffice, shots, sign_in
from tests.support.chromium import axe_findings, overflows
from tests.support.whole import until

pytestmark = [pytest.mark.browser, pytest.mark.shared]


def known_at_hq(office: WindowOffice) -> bool:
    """Whether HQ has heard of the contact."""
    return "pat.example@smile.example" in office.say("hq", "office", "contact", "list", "juniper-hill", "--json").stdout


def test_contacts_are_added_changed_and_removed_and_hq_hears_of_it(office: WindowOffice, open_page: Opener) -> None:
    page = open_page(bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office)
    page.get_by_role("link", name="Contacts", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Contacts")
    expect(page.get_by_text("Nobody is told", exact=True)).to_be_visible()

    page.get_by_label("E-mail address").fill("pat at smile")
    page.get_by_role("button", name="Add contact").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("such as pat@example.com")
    expect(page.get_by_label("E-mail address")).to_have_value("pat at smile")
    assert axe_findings(page) == []

    page.get_by_label("Name", exact=True).fill("Pat <b>Example</b>")
    page.get_by_label("E-mail address").fill("Pat.Example@smile.example")
    page.get_by_label("For (optional)").fill("IT")
    page.get_by_label("Mails in Spanish (Español)").check()
    page.get_by_role("button", name="Add contact").click()
    expect(page.get_by_role("status")).to_contain_text("Pat <b>Example</b> is told from now on.")
    row = page.get_by_role("row").filter(has_text="pat.example@smile.example")
    expect(row).to_contain_text("IT")
    expect(row).to_contain_text("Español")
    until(lambda: known_at_hq(office))

    shots(Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None, page, "contacts")
    assert axe_findings(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert not overflows(page)

    page.get_by_role("button", name="Remove Pat").click()
    expect(page.get_by_role("status")).to_contain_text("pat.example@smile.example gets no more mails.")
    expect(page.get_by_text("Nobody is told", exact=True)).to_be_visible()
    until(lambda: not known_at_hq(office))


def test_who_may_not_change_anything_sees_why(office: WindowOffice, open_page: Opener) -> None:
    page = open_page()
    sign_in(page, office, "Vera")
    page.goto(f"{office.address}contacts")
    button = page.get_by_role("button", name="Add contact")
    expect(button).to_be_disabled()
    expect(page.get_by_text("Needs the Open Dental permission eServices Setup.")).to_be_visible()
