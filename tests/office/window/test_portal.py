"""The window's Portal pages in a browser: a patient is found and given access, many at once, settings, the log."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from econnector.opendental import passwords
from tests.office.window.conftest import Opener, WindowOffice, shots, sign_in
from tests.support.chromium import axe_findings, overflows
from tests.support.pictures import take_picture

pytestmark = [pytest.mark.browser, pytest.mark.shared]

SHOTS = Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None
URL = "https://portal.example.com/o/bright"


def findings(page: Page) -> list[str]:
    """Return what axe finds, and whether a narrow page must be scrolled sideways."""
    page.set_viewport_size({"width": 320, "height": 900})
    found = axe_findings(page) + (["must be scrolled sideways"] if overflows(page) else [])
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


def fill(office: WindowOffice) -> None:
    """Three patients: one whose chart is whole, one who lacks an address, one with access."""
    office.sql("DELETE FROM patient WHERE PatNum BETWEEN 9001 AND 9003")
    office.sql("DELETE FROM userweb WHERE FKey BETWEEN 9001 AND 9003")
    for number, first, city in ((9001, "Wanda", "Salem"), (9002, "Walter", ""), (9003, "Wim", "Salem")):
        office.sql(
            "INSERT INTO patient (PatNum, LName, FName, PatStatus, Guarantor, Birthdate, Address, City, State, HmPhone,"
            " Email) VALUES (%s, 'Quillfeather', %s, 0, %s, '1985-03-14', '1 Elm St', %s, 'OR', '5035550100',"
            " 'w@example.com')",
            number,
            first,
            number,
            city,
        )
        office.sql("DELETE FROM appointment WHERE PatNum=%s", number)
        office.sql(
            "INSERT INTO appointment (PatNum, AptStatus, AptDateTime) VALUES (%s, 1, NOW() + INTERVAL 2 DAY)", number
        )
    office.sql(
        "INSERT INTO userweb (FKey, FKeyType, UserName, Password, PasswordResetCode)"
        " VALUES (9003, 1, 'Wim1234', %s, '')",
        passwords.make("Molar-42x"),
    )
    address(office, URL)


def address(office: WindowOffice, url: str) -> None:
    office.sql("DELETE FROM preference WHERE PrefName='PatientPortalURL'")
    office.sql("INSERT INTO preference (PrefName, ValueString) VALUES ('PatientPortalURL', %s)", url)


def test_a_patient_is_found_and_given_access_once(office: WindowOffice, open_page: Opener) -> None:
    fill(office)
    page = open_page(accept_downloads=True, bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office, "Frank")
    page.get_by_role("link", name="Portal", exact=True).click()
    assert findings(page) == []
    page.get_by_label("Name, birth date or number").fill("quillf 3/14/1985")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Quillfeather, Wanda").wait_for()
    assert "quillf" not in page.url.lower()
    assert findings(page) == []
    shots(SHOTS, page, "portal-found")
    page.get_by_role("link", name="Quillfeather, Wanda").click()
    page.get_by_role("button", name="Give access").click()
    page.get_by_text("the password is shown this once").wait_for()
    assert findings(page) == []
    shots(SHOTS, page, "portal-given")
    take_picture(page, "window-access.webp", 545)
    ((name, stored, rename, renew),) = office.sql(
        "SELECT UserName, Password, RequireUserNameChange, RequirePasswordChange FROM userweb WHERE FKey=9001"
    )
    shown = page.locator("dl.facts").first.inner_text()
    password = re.search(r"Password\s+(\S+)", shown)
    assert password is not None
    assert str(name) in shown
    assert passwords.check(str(stored), password[1])
    assert (rename, renew) == (1, 1)
    with page.context.expect_page() as opening:
        page.get_by_role("button", name="Print the sheet").click()
    assert opening.value
    page.goto(f"{office.address}portal/patient?number=9001")
    assert password[1] not in page.content()
    page.get_by_role("button", name="Remove access").click()
    page.get_by_text("Access is removed").wait_for()
    assert office.sql("SELECT Password FROM userweb WHERE FKey=9001") == [("None$$",)]


def test_without_an_address_nothing_can_be_given_and_the_step_is_named(office: WindowOffice, open_page: Opener) -> None:
    fill(office)
    address(office, "")
    page = open_page(accept_downloads=True, bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office, "Frank")
    page.goto(f"{office.address}portal/patient?number=9001")
    page.get_by_text("The portal has no address yet").wait_for()
    assert page.get_by_role("button", name="Give access").count() == 0


def test_many_are_seen_first_and_given_then(office: WindowOffice, open_page: Opener) -> None:
    fill(office)
    page = open_page(accept_downloads=True, bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office, "Frank")
    page.goto(f"{office.address}portal/many")
    page.get_by_role("button", name="Show them").click()
    page.get_by_text("Quillfeather, Wanda").wait_for()
    assert findings(page) == []
    shots(SHOTS, page, "portal-many")
    assert office.sql("SELECT COUNT(*) FROM userweb WHERE FKey IN (9001, 9002)") == [(0,)]
    page.get_by_role("button", name=re.compile("Give access to . patient")).click()
    page.get_by_text("The passwords are shown this once").wait_for()
    assert findings(page) == []
    shots(SHOTS, page, "portal-many-given")
    assert office.sql("SELECT FKey FROM userweb WHERE FKey IN (9001, 9002)") == [(9001,)]


def test_settings_and_the_log(office: WindowOffice, open_page: Opener) -> None:
    page = open_page(accept_downloads=True, bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office, "Frank")
    page.goto(f"{office.address}portal/settings")
    assert findings(page) == []
    take_picture(page, "window-settings.webp", 1010)
    shots(SHOTS, page, "portal-settings")
    page.get_by_label("Minutes without use").fill("99")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Enter a number from 5 to 60.").first.wait_for()
    assert findings(page) == []
    page.get_by_label("Minutes without use").fill("15")
    page.get_by_role("checkbox", name="Messages").first.uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The portal follows").wait_for()
    assert not page.get_by_role("checkbox", name="Messages").first.is_checked()
    page.goto(f"{office.address}portal/sign-ins")
    assert findings(page) == []
    shots(SHOTS, page, "portal-sign-ins")
    with page.expect_download() as loading:
        page.get_by_role("link", name="Export as CSV").click()
    assert loading.value.path().read_text("utf-8-sig").startswith("first,last,times")


@pytest.mark.parametrize("path", ["give", "reset", "remove", "unlock", "settings", "many/give"])
def test_who_may_only_look_changes_nothing(office: WindowOffice, open_page: Opener, path: str) -> None:
    fill(office)
    page = open_page(accept_downloads=True, bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office, "Vera")
    page.goto(f"{office.address}portal")
    token = page.locator("input[name=form_token]").first.get_attribute("value")
    form: dict[str, str | float | bool] = {"form_token": str(token), "number": "9003", "numbers": "9001"}
    answer = page.request.post(f"{office.address}portal/{path}", form=form)
    assert answer.status == 403
    assert office.sql("SELECT COUNT(*) FROM userweb WHERE FKey BETWEEN 9001 AND 9003") == [(1,)]


def test_what_is_done_for_a_patient_and_a_look_at_the_portal_as_they_see_it(
    office: WindowOffice, open_page: Opener
) -> None:
    fill(office)
    page = open_page(accept_downloads=True, bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office, "Frank")
    for path in ("portal/patient?number=9003", "portal/two-step?number=9003", "portal/notice"):
        page.goto(f"{office.address}{path}")
        assert findings(page) == []
    page.get_by_label("Text").fill("Look here: [URL]")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert office.preference("PatientPortalNotifyBody") == "Look here: [URL]"
    page.goto(f"{office.address}portal/patient?number=9003")
    page.get_by_role("button", name="See the portal as this patient").click()
    page.get_by_text("This is a preview.").wait_for()
    assert findings(page) == []
    shots(SHOTS, page, "portal-preview")
    before = office.sql("SELECT COUNT(*) FROM securitylog")
    page.goto(f"{office.address}preview/who-looked")
    page.get_by_text("Looked at the portal as you see it").wait_for()
    page.goto(f"{office.address}preview/health")
    assert office.sql("SELECT COUNT(*) FROM securitylog") == before
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You ended the preview.").wait_for()
