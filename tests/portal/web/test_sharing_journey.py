"""A care summary on its whole way: the guardian's page, a real mail server, the receiver's phone, and back."""

import asyncio
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from econnector.base.clock import SYSTEM
from econnector.office.mail.accounts import Accounts
from econnector.office.mail.postbox import Postbox
from econnector.office.mail.recording import Recorder
from econnector.office.mail.sender import Pace, Sender
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from tests.support.chromium import chromium, faults
from tests.support.mailserver import MailServer, Received, mail_server
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client
from tests.support.visitor import PHONE, Visitor, Windows

HASTE = Pace(look=0.05, account_first=0.05, account_most=0.2, mail_first=0.05, mail_most=0.1, tidy=0.2)
SHOTS = Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None
DOCTOR = "dr.reyes@clinic.example"
WITHIN = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server: MailServer) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("sharing")) as found:
        found.sql("INSERT INTO preference (PrefName, ValueString) VALUES ('PatientPortalURL', ?)", found.base)
        found.sql("INSERT INTO preference (PrefName, ValueString) VALUES ('EmailDefaultAddressNum', '1')")
        names = "EmailAddressNum, SMTPserver, ServerPort, UseSSL, SenderAddress, EmailUsername, EmailPassword"
        found.sql(
            f"INSERT INTO emailaddress ({names}) VALUES (1, '127.0.0.1', ?, 0, 'Bright <desk@bright.example>', '', '')",
            server.port,
        )
        yield found


def deliver(site: RealSite) -> None:
    """Let the office's own sender bring its mail to the server, until nothing waits."""

    async def send(database: Database, state: Database) -> None:
        postbox, accounts = Postbox(state, SYSTEM), Accounts(database, Schemas(), live=0.05)
        running = asyncio.create_task(
            Sender(postbox, state, accounts, Recorder(state, database, Schemas()), SYSTEM, HASTE).run()
        )
        async with asyncio.timeout(WITHIN):
            while (found := await postbox.counts())["waiting"] or found["sending"]:  # noqa: ASYNC110 - it is a file's
                await asyncio.sleep(0.03)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    site.front_desk(send)


def text_of(mail: Received) -> str:
    body = mail.message.get_payload(decode=True)
    assert isinstance(body, bytes)
    return body.decode().replace("\r\n", "\n")


def test_an_address_that_nobody_has_is_told_to_the_sender(site: RealSite, server: MailServer) -> None:
    server.replies["gone@clinic.example"] = "550 5.1.1 <gone@clinic.example> no such user"
    with site.signed_in(Cast.MARIA) as maria:
        page = maria.get("/health/summary/send")
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        fields |= {"address": "gone@clinic.example", "language": "en"}
        assert maria.post("/health/summary/send", data=fields).status_code == 303
        assert "The e-mail waits to be sent" in maria.get("/health/summary/send").text
        deliver(site)
        assert "The e-mail could not be sent" in maria.get("/health/summary/send").text
    assert server.received == []


@pytest.mark.browser
def test_a_guardian_sends_a_childs_summary_and_the_receiver_opens_it(
    site: RealSite, server: MailServer, tmp_path: Path
) -> None:
    asked: list[str] = []
    with chromium() as browser:
        windows = Windows(browser)
        with (
            windows.visiting(site.base, tmp_path, bypass_csp=True) as maria,
            windows.visiting(site.base, tmp_path, PHONE, bypass_csp=True) as doctor,
        ):
            code = sent(maria)
            deliver(site)
            link = mailed(server, code)
            with client(site.base) as scanner:  # opens what is in every mail
                assert scanner.get(link).status_code == 200
            doctor.page.on("request", lambda request: asked.append(request.url + str(request.headers)))
            opened(doctor, link, code)
            downloaded(doctor, tmp_path)
            maria.page.reload()
            maria.sees_not(code)  # the receiver has it
            maria.sees("Ana's new dentist", "Downloaded once")
            looked_at(maria, "summary-opened")
            maria.open(f"/health/summary/history?person={int(Cast.ANA)}")
            maria.sees("Sent to an e-mail address", DOCTOR, "What was sent was opened")
            maria.open(f"/health/summary/send?person={int(Cast.ANA)}")
            maria.press(f"Withdraw what was sent to {DOCTOR}")
            maria.sees("Link and code open nothing any more")
            doctor.press("Download the PDF")
            doctor.sees("This does not open")
    assert asked
    assert not any(link.partition("#")[2] in each or code in each for each in asked)


def sent(maria: Visitor) -> str:
    """Send Ana's summary from her own page; return the code that is shown."""
    maria.sign_in(user_name(Cast.MARIA), PASSWORD)
    maria.tab("Health")
    maria.choose_person("Ana")
    maria.tab("Health")
    maria.follow("Open the care summary")
    maria.follow("Send by e-mail")
    maria.headed("Send the care summary of Ana Delgado")
    maria.type("E-mail address of the receiver", "dr.reyes")
    maria.press("Send")
    maria.sees("Enter one e-mail address, such as name@example.com.")
    maria.type("E-mail address of the receiver", DOCTOR)
    maria.type("Who is it\\?", "Ana's new dentist")
    maria.press("Send")
    maria.sees("Now tell the receiver this code", "The e-mail waits to be sent")
    return maria.main.locator("code").inner_text()


def mailed(server: MailServer, code: str) -> str:
    """Return the link of the one mail that the server has, which says nothing else of use."""
    (mail,) = server.received
    assert mail.recipients == [DOCTOR]
    text = text_of(mail)
    assert code not in text
    assert not {"Ana", "Maria", "Delgado"} & set(re.findall(r"\w+", f"{text} {mail.message['Subject']}"))
    link = re.search(r"^http\S+#[0-9a-f]{32}$", text, re.MULTILINE)
    assert link
    return link[0]


def opened(doctor: Visitor, link: str, code: str) -> None:
    """Open the mail's link and type the code, wrong first, then as it was heard."""
    doctor.page.goto(link)
    doctor.page.wait_for_function("() => location.hash === ''")
    doctor.headed("A health document for you")
    expect(doctor.page.get_by_label("Key from the e-mail")).to_be_hidden()
    looked_at(doctor, "shared")
    doctor.type("Code", "2222-2222")
    doctor.press("Go on")
    doctor.sees("This does not open")
    doctor.type("Code", code.lower().replace("-", " "))
    doctor.press("Go on")
    doctor.headed("Your document is ready")
    looked_at(doctor, "shared-open")


def downloaded(doctor: Visitor, folder: Path) -> None:
    """Press the button twice, and look into the one zip that comes."""
    with doctor.page.expect_download() as started:
        doctor.main.get_by_role("button", name="Download all (zip)").dblclick()
    saved = folder / started.value.suggested_filename
    started.value.save_as(saved)
    assert saved.name == "Health document.zip"
    with zipfile.ZipFile(saved) as archive:
        names = archive.namelist()
        assert sorted(name.rpartition(".")[2] for name in names) == ["html", "pdf", "xml"]
        assert b"<given>Ana</given>" in archive.read(next(name for name in names if name.endswith(".xml")))


def looked_at(visitor: Visitor, name: str) -> None:
    """Find nothing wrong with the page, on a small phone and on a wide screen."""
    size = visitor.page.viewport_size
    assert faults(visitor.page) == []
    if size:
        visitor.page.set_viewport_size(size)
    if SHOTS:
        visitor.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
