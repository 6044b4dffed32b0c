"""The page Mail in a browser: the queue, the switch, a mail tried again and removed, a test mail, and who may."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from econnector.mail.compose import new_message_id
from econnector.mail.letter import Letter
from econnector.office.mail.postbox import Postbox
from econnector.opendental.emailaddresses import encrypted
from econnector.storage.state.base import join_state
from tests.office.window.conftest import Opener, WindowOffice, shots, sign_in
from tests.support.chromium import axe_findings, overflows
from tests.support.mailserver import MailServer, mail_server

pytestmark = [pytest.mark.browser, pytest.mark.shared]
FIELDS = "EmailAddressNum, SMTPserver, EmailUsername, EmailPassword, ServerPort, UseSSL, SenderAddress"


@pytest.fixture
def server(office: WindowOffice) -> Iterator[MailServer]:
    """A mail server, and the practice's account on it."""
    with mail_server() as running:
        office.sql("DELETE FROM emailaddress")
        office.sql(
            f"INSERT INTO emailaddress ({FIELDS}) VALUES (1, '127.0.0.1', 'front@smile.example', %s, %s, 0, '')",
            encrypted("secret"),
            running.port,
        )
        yield running


def beside(office: WindowOffice, do: Callable[[Postbox], Coroutine[Any, Any, None]]) -> None:
    """Do something with the outgoing mail, from beside the connector."""

    async def work() -> None:
        state = await join_state(office.folder / "office.sqlite")
        await do(Postbox(state))
        await state.close()

    with ThreadPoolExecutor(1) as thread:  # this one has the browser's loop
        thread.submit(asyncio.run, work()).result(60)


def hand_in(office: WindowOffice, *recipients: str) -> None:
    async def do(postbox: Postbox) -> None:
        for to in recipients:
            letter = Letter([to], "A patient's subject", "A patient's text", new_message_id())
            await postbox.hand_in(letter, purpose="portal")

    beside(office, do)


@pytest.fixture(autouse=True)
def going(office: WindowOffice) -> None:
    """Nobody has paused it."""
    beside(office, lambda postbox: postbox.resume())


def test_every_control_of_the_page(office: WindowOffice, server: MailServer, open_page: Opener) -> None:
    page = open_page(bypass_csp=True)  # axe is brought in by the test
    sign_in(page, office)
    page.get_by_role("link", name="Mail", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mail")
    page.get_by_role("button", name="Pause sending").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing is sent any more")
    hand_in(office, "jane.doe@example.com", "gone@example.com")
    page.goto(f"{office.address}mail")
    table = page.get_by_role("table")
    expect(table).to_contain_text("j…@example.com")
    expect(page.locator("main")).not_to_contain_text("patient's")
    expect(page.locator("main")).not_to_contain_text("jane.doe")
    shots(Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None, page, "mail")
    assert axe_findings(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert not overflows(page)

    page.get_by_label("Send a test mail to").fill("nobody")
    page.get_by_role("button", name="Send test mail").click()
    expect(page.locator("main")).to_contain_text("Enter one e-mail address")
    page.get_by_label("Send a test mail to").fill("it@example.com")
    page.get_by_role("button", name="Send test mail").click()
    expect(page.get_by_role("status")).to_contain_text("took the test mail", timeout=60_000)
    assert server.received[0].recipients == ["it@example.com"]

    page.get_by_role("row", name="g…@example.com").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("will not be sent")
    page.get_by_role("row", name="j…@example.com").get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_contain_text("is tried when sending is resumed")
    assert len(server.received) == 1  # still paused
    server.replies["jane.doe@example.com"] = "550 no such user"
    page.get_by_role("button", name="Resume sending").click()
    expect(page.get_by_role("status")).to_contain_text("Mail is sent again")
    for _ in range(60):
        page.goto(f"{office.address}mail")
        if table.get_by_text("Failed").count():
            break
        page.wait_for_timeout(500)
    expect(table).to_contain_text("550 no such user")

    server.stop()
    page.get_by_label("Send a test mail to").fill("it@example.com")
    page.get_by_role("button", name="Send test mail").click()
    expect(page.locator("main")).to_contain_text("mail-delayed", timeout=60_000)
    assert axe_findings(page) == []


def test_who_may_only_look_sees_the_queue_and_changes_nothing(office: WindowOffice, open_page: Opener) -> None:
    page = open_page()
    sign_in(page, office, "Vera")
    page.goto(f"{office.address}mail")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mail")
    expect(page.get_by_role("button", name="Pause sending")).to_be_disabled()
    expect(page.get_by_role("button", name="Send test mail")).to_be_disabled()
