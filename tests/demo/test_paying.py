"""Paying in the demo, in a real Chromium: HQ, link, office and the sandbox processor, each in its own right.

One running demo for the whole module; a journey's payments are told apart by their amounts.
"""

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.demo.commands import environment
from tests.support.chromium import chromium
from tests.support.visitor import DESKTOP, PHONE, Visitor, Windows

pytestmark = pytest.mark.browser

CARD, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"
LIMIT = 120.0


class Demo:
    """A running demo: `portal` is where patients go."""

    def __init__(self, folder: Path, portal: str) -> None:
        self.folder, self.portal = folder, portal

    def sql(self, text: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "practice.sqlite", timeout=60)) as connection, connection:
            return connection.execute(text, values).fetchall()

    def payments(self, dollars: float) -> list[tuple[object, ...]]:
        """Return PayNum, ProcessStatus and card line of the payments of this amount."""
        text = "SELECT PayNum, ProcessStatus, PayNote FROM payment WHERE PayAmt = ? AND ExternalId <> ''"
        return self.sql(text, dollars)

    def command(self, *words: str) -> str:
        settings = ("--settings", str(self.folder / "office.toml"))
        command = [sys.executable, "-m", "econnector", *words, *settings]
        done = subprocess.run(command, capture_output=True, text=True, timeout=230, env=environment(), check=False)
        return done.stdout

    def settled(self, dollars: float) -> list[tuple[object, ...]]:
        """Return the payments of this amount when there is one."""
        ends = time.monotonic() + LIMIT
        while not (found := self.payments(dollars)) and time.monotonic() < ends:
            time.sleep(0.1)
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "econnector", "demo", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    try:
        portal = next((line.split()[1] for line in process.stdout if line.startswith("Portal ")), "")
        assert portal
        yield Demo(folder, portal.rstrip("/"))
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(60)


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    with chromium() as browser:
        yield Windows(browser)


@pytest.fixture
def elena(demo: Demo, windows: Windows, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with windows.visiting(demo.portal, tmp_path, getattr(request, "param", DESKTOP)) as visitor:
        visitor.sign_in("elena.rivera", "Maple-Street-42")
        visitor.headed("Hello, Elena")
        yield visitor


def begin(visitor: Visitor, dollars: str) -> None:
    """Come to the processor's page, from the account."""
    visitor.tab("Account")
    visitor.follow("Pay")
    visitor.type("Amount", dollars)
    if visitor.page.locator("[name=card][value='0']").count():
        visitor.page.check("[name=card][value='0']")
    visitor.press("Continue")
    visitor.page.wait_for_url("**/hostpay/**")


def use(visitor: Visitor, card: str) -> None:
    """Type a card on the processor's page."""
    visitor.page.fill("#card", card)
    visitor.page.fill("#expires", "08/29")
    visitor.page.click("button[value=pay]")


def comes_back(visitor: Visitor, heading: str) -> None:
    """The page of ours finds out by itself what became of it."""
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=LIMIT * 1000)
    assert visitor.page.url.startswith(visitor.base + "/pay/")


def test_paid_kept_and_paid_again_with_the_kept_card(demo: Demo, elena: Visitor) -> None:
    elena.tab("Account")
    elena.follow("Pay")
    elena.sees("This is a sandbox")
    elena.type("Amount", "41.50")
    elena.page.check("[name=keep_card]")
    elena.press("Continue")
    elena.page.wait_for_url("**/hostpay/**")
    use(elena, CARD)
    comes_back(elena, "Paid. Thank you.")
    elena.sees("$41.50", "XXXXXXXXXXXX4242", "Juniper Hill Dental", "on its way")
    elena.whole()
    assert len(demo.payments(41.50)) == 1
    elena.open("/pay")
    elena.sees("Card ending in 4242", "Charged at once")
    elena.type("Amount", "17.25")
    elena.press("Continue")
    comes_back(elena, "Paid. Thank you.")
    assert len(demo.payments(17.25)) == 1
    elena.tab("Account")
    elena.sees("Payments on their way", "$41.50", "$17.25")
    elena.open("/pay")
    elena.press("Delete")
    elena.sees("The card was deleted.")
    elena.sees_not("Charged at once")


@pytest.mark.parametrize("elena", [PHONE], indirect=True)
def test_declined_and_then_paid_with_another_card(demo: Demo, elena: Visitor) -> None:
    begin(elena, "42.00")
    use(elena, DECLINED)
    comes_back(elena, "The card was declined")
    elena.sees("Nothing was charged")
    elena.whole()
    assert demo.payments(42.00) == []
    elena.follow("Try again")
    elena.type("Amount", "42.00")
    elena.press("Continue")
    elena.page.wait_for_url("**/hostpay/**")
    use(elena, CARD)
    comes_back(elena, "Paid. Thank you.")
    assert len(demo.payments(42.00)) == 1


def test_abandoned_on_the_processors_page_and_taken_up_again(demo: Demo, elena: Visitor) -> None:
    begin(elena, "43.00")
    page = elena.page.url
    elena.open("/account")  # the way out that most people take
    elena.follow("Pay")
    elena.sees("Payment of $43.00", "Open")
    elena.page.get_by_role("link", name="Payment of $43.00").click()
    comes_back(elena, "Not paid yet")
    elena.sees("nothing is charged")
    elena.follow("Continue to the card")
    elena.page.wait_for_url(page)
    elena.page.click("button[value=cancel]")
    comes_back(elena, "Nothing was paid")
    assert demo.payments(43.00) == []


def test_paid_by_somebody_who_never_comes_back(demo: Demo, elena: Visitor) -> None:
    begin(elena, "44.00")
    form: dict[str, str | float | bool] = {"card": CARD, "expires": "08/29", "do": "pay"}
    answer = elena.page.request.post(elena.page.url, form=form, max_redirects=0)
    assert answer.status in {302, 303}
    assert len(demo.settled(44.00)) == 1


def test_a_wrong_credential_is_told_to_the_office_and_mended(demo: Demo, elena: Visitor) -> None:
    where = "WHERE PropertyDesc = 'EdgeExpressAuthKey'"
    ((right,),) = demo.sql(f"SELECT PropertyValue FROM programproperty {where}")
    demo.sql(f"UPDATE programproperty SET PropertyValue = ? {where}", "x" * 32)
    elena.open("/pay")
    elena.type("Amount", "45.00")
    elena.press("Continue")
    elena.sees("You cannot pay online right now", "Nothing was charged", "payment-credentials-refused")
    elena.sees_not("AuthKey")
    elena.complaints.clear()  # it is a 503, as it shall be
    reference = elena.page.locator(".reference strong").inner_text()
    told = demo.command("office", "failure", reference)
    assert "EdgeExpress refused the credentials" in told
    assert "EdgeExpressAuthKey" in re.sub(r"\s", "", told)
    assert "x" * 32 not in told
    (found,) = json.loads(demo.command("doctor", "--only", "payments", "--json"))["findings"]
    assert (found["state"], found["code"]) == ("problem", "payment-credentials-refused")
    assert "AuthKey" in found["text"] + " ".join(found["details"])
    demo.sql(f"UPDATE programproperty SET PropertyValue = ? {where}", right)
    elena.press("Continue")
    elena.page.wait_for_url("**/hostpay/**")
    use(elena, CARD)
    comes_back(elena, "Paid. Thank you.")
    assert len(demo.payments(45.00)) == 1
    (found,) = json.loads(demo.command("doctor", "--only", "payments", "--json"))["findings"]
    assert found["state"] == "ok"
