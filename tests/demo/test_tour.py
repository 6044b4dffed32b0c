"""A tour through the demo's portal in a real Chromium: every page shows something; some are taken for the documents."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.demo.place import build
from tests.support.chromium import chromium
from tests.support.pictures import take_picture
from tests.support.realsite import RealSite, in_thread, serve_folder
from tests.support.visitor import PHONE, Windows

pytestmark = pytest.mark.browser

SHOWN = {
    "/": ("What needs doing", "Confirm your visit on", "A message you have not read", "Your people"),
    "/appointments": ("I'll be there", "Time for a check-up", "Book online", "Done"),
    "/account": ("Whose it is", "Insurance is expected to pay", "Payments on their way", "Latest payments"),
    "/statements": ("Balance on the last statement", "Invoice", "Download all (zip)"),
    "/payments": ("On its way", "Receipts"),
    "/messages": ("1 new", "Cold on my upper left tooth", "1 file", "about Sofía Rivera", "2 files"),
    "/messages?box=sent": ("Not read yet", "Read by the office"),
    "/messages/new": ("Amara Lindgren, DDS", "Files"),
    "/health": ("Proposed treatment", "Allergies", "Lisinopril 10 mg", "Hypertension", "Vaccines", "Care summary"),
    "/documents": ("Bite, for you to keep", "Before treatment"),
    "/who-looked": ("Opened a statement", "Signed in (from 203.0.113.24)"),
    "/who-looked?person=5": ("Tyler Rivera", "Looked at the account"),
    "/security": ("Two-step sign-in", "Where you are signed in"),
    "/help": ("(503) 555-0100",),
}
"""What the first sample sees by page."""


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    with chromium() as browser:
        yield Windows(browser)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    folder = tmp_path_factory.mktemp("practice")
    in_thread(lambda: build(folder, dt.datetime.now().date()))  # noqa: DTZ005 - visits lie ahead of the office's day
    with serve_folder(folder, f"sqlite:///{folder / 'practice.sqlite'}", "Juniper Hill Dental") as found:
        yield found


def test_every_page_of_the_demo_has_something_to_show(site: RealSite, windows: Windows, tmp_path: Path) -> None:
    with windows.visiting(site.base, tmp_path) as elena:
        elena.sign_in("elena.rivera", "Maple-Street-42")
        elena.headed("Hello, Elena")
        take_picture(elena.page, "portal-home.webp", 640)
        for path, words in SHOWN.items():
            elena.open(path)
            elena.sees(*words)
            elena.sees_not("Nothing on file.")
            elena.whole()


def test_a_grown_up_son_decides_what_his_mother_sees(site: RealSite, windows: Windows, tmp_path: Path) -> None:
    with windows.visiting(site.base, tmp_path, PHONE) as tyler:
        tyler.sign_in("tyler.rivera", "Kestrel-Avenue-7")
        tyler.headed("Hello, Tyler")
        tyler.page.get_by_role("link", name="Family and privacy").click()
        tyler.sees("Elena Rivera may see")
        tyler.whole()
        take_picture(tyler.page, "portal-family.webp")
        tyler.open("/who-looked")
        tyler.sees("Elena Rivera", "Looked at the account")
    with windows.visiting(site.base, tmp_path, PHONE) as elena:
        elena.sign_in("elena.rivera", "Maple-Street-42")
        elena.tab("Messages")
        elena.follow("RE: Cold on my upper left tooth")
        elena.sees("X-ray.png", "Reply")
        take_picture(elena.page, "portal-message.webp")
        assert elena.download("Download X-ray.png").read_bytes().startswith(b"\x89PNG")
