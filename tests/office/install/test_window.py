"""The window's Install button, from the questions to the heartbeat, and for whom it is closed."""

import subprocess
from collections.abc import Iterator

import pytest

from econnector.demo.browser import Browser, Lost
from tests.support.fresh import NAME, FreshMachine, Vendor
from tests.support.whole import until

PASSWORD = "Molar-42"


@pytest.fixture
def window(machine: FreshMachine, vendor: Vendor) -> Iterator[FreshMachine]:
    """A machine with settings and without a service; the window is served by the command."""
    machine.write(vendor.link)
    machine.add_user("Ada", PASSWORD, 24, 91)
    machine.add_user("Vera", PASSWORD)
    served: subprocess.Popen[str] = machine.popen("office", "window", "--no-browser")
    try:
        yield machine
    finally:
        served.kill()
        served.communicate()


def signed_in(machine: FreshMachine, name: str) -> Browser:
    found = until(lambda: machine.window(name, PASSWORD), 120)
    assert found
    return found


def test_the_button_asks_installs_and_shows_every_step(window: FreshMachine, vendor: Vendor) -> None:
    key = vendor.add("button")
    looker = signed_in(window, "Vera")
    page = looker.open("/install")
    assert b"Shall this computer" in page.body
    assert b"Needs the Open Dental permission eServices Setup" in page.body
    assert looker.submit(page.form("/install"), key=key).status == 403

    browser = signed_in(window, "Ada")
    page = browser.open("/install")
    wrong = browser.submit(page.form("/install"), **{"update-server": "perhaps", "begin-listening": "yes"})
    assert wrong.status == 422
    assert b"Choose one of the answers." in wrong.body
    assert b"Enter the registration key" in wrong.body
    assert window.signals() == []

    refused = browser.submit(page.form("/install"), key=key, **{"update-server": "no", "begin-listening": "no"})
    assert refused.status == 200

    def shown() -> str:
        try:
            return browser.open("/install/progress").body.decode()
        except Lost:  # the connector takes the window over
            return ""

    until(lambda: "Not installed yet" in shown())
    assert "install-declined" in shown()
    page = browser.open("/install")
    browser.submit(page.form("/install"), key=key, **{"update-server": "no", "begin-listening": "yes"})
    until(lambda: "successfully installed" in shown() or f"the service {NAME}, and runs" in shown(), 180)
    assert [row[0] for row in window.signals()] == [2, 2]
    assert window.preference("WebServiceServerName") == ""
    assert window.sql("SELECT COUNT(*) FROM securitylog WHERE PermType = 91 AND UserNum = 501") == [(1,)]
