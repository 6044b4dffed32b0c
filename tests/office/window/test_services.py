"""The Service Manager's page in a browser: a second office of this machine, from Add to Uninstall; who only looks."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from econnector.office.service.services import Services
from econnector.office.service.supervised import Supervised
from tests.office.window.conftest import Opener, WindowOffice, shots, sign_in
from tests.support.chromium import axe_findings, overflows
from tests.support.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.shared]
NAME, PASSWORD = "OpenDentalEConnector_North", "north-secret"
LONG = 60_000
"""Milliseconds: starting a connector may take as long as a busy machine needs."""


@pytest.fixture
def north(office: WindowOffice) -> Iterator[str]:
    """A second database on the same server, with a user of its own; its service is gone afterwards."""
    database = office.server.open_dental("21.1")
    office.server.create_user("north", PASSWORD, f"SELECT, INSERT, UPDATE, DELETE ON {database}.*")
    office.server.create_user("north_read", PASSWORD, f"SELECT ON {database}.*")
    yield database
    services = Services(office.folder / "services", Supervised(office.folder / "services" / "run"))
    for entry in services.entries():
        services.uninstall(entry.name)
    office.server.drop_database(database)


def looks_good(page: Page, name: str) -> None:
    assert axe_findings(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert not overflows(page)
    # Last: the colours of another scheme take a moment to come and go, and axe would measure them on their way.
    shots(Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None, page, name)


def enrolled(office: WindowOffice, settings: Path) -> None:
    """Make the second office known at HQ, and its machine too."""
    text = settings.read_text().replace("[window]", "[awake]\nkeep = false\n[window]")
    text = re.sub(r"port = 3079\d", f"port = {free_port()}", text)
    settings.write_text(text)
    added = office.say("hq", "office", "add", f"north-{free_port()}", "--title", "North")
    key = re.search(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", added.stdout)
    assert key
    office.say("office", "enrol", "-", "--settings", str(settings), answers=f"{key[0]}\n")


def test_a_second_office_from_add_to_uninstall(office: WindowOffice, north: str, open_page: Opener) -> None:
    page, settings = open_page(bypass_csp=True), office.folder / "north.toml"  # axe is brought in by the test
    sign_in(page, office)
    page.get_by_role("link", name="Services", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Service Manager")
    page.get_by_label("Service name").fill("Dental North")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text('must begin with "OpenDent"')
    page.get_by_label("Service name").fill(NAME)
    page.get_by_label("Settings file").fill(str(settings))
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page.locator("main")).to_contain_text("Not installed")
    looks_good(page, "service")

    configure(page, office, north, settings)
    enrolled(office, settings)
    use(page)


def configure(page: Page, office: WindowOffice, north: str, settings: Path) -> None:
    """Fill in the form, wrongly first."""
    page.get_by_role("link", name="Configure").click()
    expect(page.get_by_label("Server")).to_have_value("localhost")
    page.get_by_label("Server").fill(f"127.0.0.1:{office.server.port}")
    page.get_by_label("Database", exact=True).fill(north)
    page.get_by_label("User").fill("")
    page.get_by_label("HQ’s address").fill(f"ws://127.0.0.1:{office.port}/link")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_role("alert")).to_contain_text("User may not be blank")
    page.get_by_label("User").fill("north_read")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("wrong user or password")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_role("status")).to_contain_text("no heartbeat can be written")
    looks_good(page, "service-configure")
    assert not settings.exists(), "an account that may not write is saved only when somebody says so"
    page.get_by_label("User").fill("north")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The test went well")
    assert not settings.exists()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved in")
    assert PASSWORD not in settings.read_text()


def use(page: Page) -> None:
    """Press every button of the service."""
    page.get_by_role("button", name="Install").click()
    expect(page.locator("main")).to_contain_text("Installed, Stopped")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("main")).to_contain_text("Installed, Running", timeout=LONG)
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_role("status")).to_contain_text("Installed, Running", timeout=LONG)
    page.get_by_role("link", name="Stop …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Stop {NAME}?")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("main")).to_contain_text("Installed, Stopped", timeout=LONG)
    page.get_by_role("link", name="All services").click()
    looks_good(page, "services")
    page.get_by_role("link", name=NAME).click()
    page.get_by_role("link", name="Uninstall …").click()
    looks_good(page, "service-ask")
    page.get_by_role("button", name="Uninstall").click()
    expect(page.get_by_role("status")).to_contain_text("is uninstalled", timeout=LONG)
    expect(page.locator("main")).to_contain_text("There is no service yet")


def test_who_lacks_the_permission_only_looks(office: WindowOffice, north: str, open_page: Opener) -> None:
    assert north
    services = Services(office.folder / "services", Supervised(office.folder / "services" / "run"))
    services.add(NAME, office.folder / "only-looked-at.toml")
    page = open_page()
    sign_in(page, office, "Vera")
    page.goto(f"{office.address}services")
    expect(page.get_by_role("button", name="Add")).to_be_disabled()
    page.get_by_role("link", name=NAME).click()
    expect(page.get_by_role("button", name="Install")).to_be_disabled()
    page.goto(f"{office.address}services/{NAME}/configure")
    expect(page.locator("main")).to_contain_text("eServices Setup")
    page.goto(f"{office.address}services/{NAME}/uninstall")
    expect(page.get_by_role("button", name="Uninstall")).to_be_disabled()
    page.goto(f"{office.address}services/OpenDentalNobody")
    expect(page.locator("main")).to_contain_text("There is no service OpenDentalNobody")
