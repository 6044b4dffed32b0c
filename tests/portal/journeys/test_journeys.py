"""What a patient does in the portal, from beginning to end, in a real Chromium, on the real database.

Where that is not here, on SQLite: there the same calls and pages are tried one by one in `tests/portal`, and all of the
demo in `tests/demo/test_tour.py`. One running practice for the whole module; each journey has people of its own, or
leaves behind what no other one looks at. Details of the pages are tested beside them (`tests/portal/web`,
`tests/portal/security`).
"""

import datetime as dt
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

import pyotp
import pytest
from playwright.sync_api import FilePayload, expect
from sqlalchemy import Connection

from econnector.office.access import Access, Given, Rules, change_rules
from econnector.office.desk import Who
from econnector.office.invites import Invites
from econnector.office.mail.accounts import Accounts
from econnector.opendental import emailaddresses, preferences, tables
from econnector.opendental.schema import Schemas, inspect
from econnector.storage.database import Database
from econnector.storage.state.sealing import Seal
from tests.support.chromium import chromium, with_authenticator
from tests.support.mariadb import DUMP
from tests.support.practice import PASSWORD, PDF, READER, STRONG, Cast, add, user_name
from tests.support.practice_papers import PNG
from tests.support.practice_visits import day
from tests.support.realsite import RealSite, serve_practice
from tests.support.visitor import DESKTOP, PHONE, Visitor, Windows

pytestmark = pytest.mark.browser

FRANK = Who(1, "Frank", may_setup=True, may_admin=False)
NEW = "Seven herons over Maple 4"
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    with chromium() as browser:
        yield Windows(browser)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    real = DUMP.exists() or os.environ.get("CI") == "true"
    with serve_practice(tmp_path_factory.mktemp("practice"), "24.3" if real else "sqlite") as found:
        found.sql("UPDATE patient SET Email = 'paul@example.com' WHERE PatNum = ?", int(Cast.PAUL))
        yield found


@pytest.fixture
def visit(windows: Windows, site: RealSite, tmp_path: Path) -> Iterator[Visit]:
    """Yield what opens a browser window; with a person, one in which that person is signed in."""
    with ExitStack() as open_windows:

        def opened(person: Cast | None = None, width: int = DESKTOP, **options: object) -> Visitor:
            visitor = open_windows.enter_context(windows.visiting(site.base, tmp_path, width, **options))
            if person:
                visitor.sign_in(user_name(person), PASSWORD)
                visitor.headed(f"Hello, {person.name.title()}")
            return visitor

        yield opened


# -- getting in --------------------------------------------------------------------------------------------------------


def test_the_first_sign_in_with_the_sheet_that_the_office_printed(site: RealSite, visit: Visit) -> None:
    rosa = visit(width=PHONE)
    sheet = give_access(site, Cast.ROSA)
    rosa.sign_in(sheet.user_name, sheet.password)
    rosa.headed("Choose your own sign-in")
    rosa.type("New user name", "rosa.delgado")
    rosa.type("New password", STRONG)
    rosa.type("New password once more", STRONG)
    rosa.press("Save")
    rosa.headed("Hello, Rosa")
    rosa.sees("Your sign-in is changed.", "$75.00")
    rosa.sign_out()
    rosa.sign_in(sheet.user_name, sheet.password)
    rosa.sees("Login failed")


def test_the_first_sign_in_with_an_invite_that_came_by_mail(site: RealSite, visit: Visit) -> None:
    inactive = visit()
    inactive.page.goto(invite(site, Cast.INACTIVE))
    inactive.headed("Your invite")
    inactive.type("Date of birth", "1984-01-02")
    inactive.press("Go on")
    inactive.headed("Choose your sign-in")
    inactive.type("User name", "ina.delgado")
    inactive.type("New password", STRONG)
    inactive.type("New password once more", STRONG)
    inactive.press("Save and sign in")
    inactive.headed("Hello, Inactive")
    inactive.sign_out()
    inactive.sign_in("ina.delgado", STRONG)
    inactive.headed("Hello, Inactive")


def give_access(site: RealSite, person: Cast) -> Given:
    """Give access as the front desk does in the window, to somebody who never had any."""
    never_had_access(site, person)

    async def give(database: Database, state: Database) -> Given:
        await database.run(lambda to: preferences.write(to, inspect(to), "PatientPortalURL", f"{site.base}/"))
        return await Access(database, state, Schemas(), "FRONT-DESK").give(FRANK, person)

    return site.front_desk(give)


def invite(site: RealSite, person: Cast) -> str:
    """Invite somebody by mail as the front desk does in the window; return the link in the mail."""
    never_had_access(site, person)
    sender = {"SMTPserver": "mail.example.com", "ServerPort": 587, "EmailUsername": "desk@example.com"}

    async def send(database: Database, state: Database) -> None:
        await database.run(lambda to: preferences.write(to, inspect(to), "PatientPortalURL", f"{site.base}/"))
        secret = emailaddresses.encrypted("x")
        await database.run(lambda to: add(to, tables.emailaddress, **sender, EmailPassword=secret))
        accounts, seal = Accounts(database, Schemas()), Seal(site.folder)
        hand = Invites(database, state, Schemas(), "FRONT-DESK", accounts=accounts, seal=seal)
        await hand.send(FRANK, person)

    site.front_desk(send)
    ((text,),) = site.state("SELECT text FROM outbox WHERE purpose = 'invite' ORDER BY id DESC LIMIT 1")
    return next(word for word in str(text).split() if word.startswith("http") and "#" in word)


def never_had_access(site: RealSite, person: Cast) -> None:
    """Let the chart be whole, and nobody have given access so far."""
    site.sql("DELETE FROM userweb WHERE FKey = ?", int(person))
    site.sql(
        "UPDATE patient SET Address = '12 Maple Street', City = 'Salem', State = 'OR', HmPhone = '(503)555-0177',"
        " Email = 'rosa@example.com' WHERE PatNum = ?",
        int(person),
    )


def test_a_forgotten_password_comes_back_by_a_code_in_a_mail(site: RealSite, visit: Visit) -> None:
    paul = visit()
    paul.open("/sign-in")
    paul.follow("Get a code by e-mail")
    paul.type("User name", user_name(Cast.PAUL))
    paul.press("Send the code")
    paul.headed("Choose a new password")
    paul.type("Code", site.mailed_code())
    paul.type("New password", STRONG)
    paul.type("New password once more", STRONG)
    paul.press("Save")
    paul.sees("Your password is changed. Sign in with the new one.")
    paul.sign_in(user_name(Cast.PAUL), STRONG)
    paul.headed("Hello, Paul")


def test_a_user_name_and_a_password_of_ones_own_choice(visit: Visit) -> None:
    hugo = visit(Cast.HUGO, PHONE)
    hugo.open("/security")
    hugo.follow("Change your sign-in")
    hugo.type("User name", "hugo.stone")
    hugo.type("Your password now", PASSWORD)
    hugo.type("New password", NEW)
    hugo.type("New password once more", NEW)
    hugo.press("Save")
    hugo.sees("Your sign-in is changed. Use it from now on.")
    hugo.sign_out()
    hugo.sign_in("Hugo.Stone", NEW)
    hugo.headed("Hello, Hugo")


def test_two_steps_with_an_app_and_with_a_recovery_code(visit: Visit) -> None:
    stefan = visit(Cast.STEFAN)
    stefan.open("/security")
    stefan.follow("Set up an app")
    stefan.press("Show the picture")
    app = pyotp.TOTP(stefan.main.locator("dd").inner_text().replace(" ", ""))
    stefan.type("Six digits", app.now())
    stefan.press("Turn on")
    stefan.headed("Your recovery codes")
    recovery = stefan.main.locator("code").first.inner_text()
    stefan.follow("I have kept them")
    # A code counts once: the second one is that of the next half minute.
    for code in (app.at(int(time.time()) + 30), recovery):
        stefan.sign_out()
        stefan.sign_in(user_name(Cast.STEFAN), PASSWORD)
        stefan.headed("One more step")
        stefan.type("Code", code)
        stefan.press("Sign in")
        stefan.headed("Hello, Stefan")
    stefan.open("/security")
    stefan.sees("9 recovery codes left")


def test_who_signs_out_everywhere_is_signed_out_everywhere(visit: Visit) -> None:
    phone, library = visit(Cast.GRETA, PHONE), visit(Cast.GRETA)
    phone.open("/security")
    expect(phone.main.get_by_role("cell").get_by_text("Signed in", exact=True)).to_be_visible()
    phone.press("Sign out everywhere")
    for each in (phone, library):
        each.open("/account")
        each.headed("Sign in")


def test_a_passkey_instead_of_a_code(site: RealSite, visit: Visit) -> None:
    greta = visit()
    greta.base = site.base.replace("127.0.0.1", "localhost")  # passkeys do not exist for numbers
    kept = with_authenticator(greta.page)
    greta.sign_in(user_name(Cast.GRETA), PASSWORD)
    greta.headed("Hello, Greta")
    greta.open("/security/passkey")
    greta.type("Name", "My laptop")
    greta.page.click("main button[type=submit]")
    greta.headed("Your recovery codes")
    assert [credential["rpId"] for credential in kept()] == ["localhost"]
    greta.follow("I have kept them")
    greta.sign_out()
    greta.sign_in(user_name(Cast.GRETA), PASSWORD)
    greta.headed("One more step")
    greta.press("Use a passkey")
    greta.headed("Hello, Greta")
    greta.open("/security")
    greta.follow("My laptop")
    greta.page.click("main button[type=submit]")
    greta.sees("Two-step sign-in is off.")


# -- what is there to see ----------------------------------------------------------------------------------------------


def test_home_says_what_needs_doing_and_whose_record_it_is(visit: Visit) -> None:
    maria = visit(Cast.MARIA)
    maria.sees("Confirm your visit on", "A message you have not read", "There is $142.25 to pay.", "A check-up is due")
    maria.sees("In 3 days", "with Amara Lindgren, DDS", "For the whole family.")
    maria.choose_person("Otto Stone")
    maria.headed("Otto Stone")
    maria.tab("Appointments")
    expect(maria.page.locator(".banner-other")).to_contain_text("You are looking at Otto Stone's record.")
    maria.page.get_by_role("link", name="Back to your own").click()
    maria.headed("Appointments")


def test_an_appointment_is_confirmed_and_goes_into_the_calendar(visit: Visit) -> None:
    maria = visit(Cast.MARIA, PHONE)
    maria.tab("Appointments")
    maria.sees("Past", "Time for a check-up", "Check-up and cleaning")
    book = maria.main.get_by_role("link", name="Book online").first
    expect(book).to_have_attribute("href", "https://book.example/r?a=1&b=2")
    maria.press("I'll be there")
    maria.sees("Thank you. The office has been told that you're coming.", "You said you're coming")
    file = maria.download("Add to calendar")
    assert f"DTSTART:{day(3):%Y%m%d}T" in file.read_text("utf-8").replace(";VALUE=DATE-TIME", "")
    maria.tab("Home")
    maria.sees_not("Confirm your visit on")


def test_the_account_has_balances_statements_and_payments(visit: Visit) -> None:
    maria = visit(Cast.MARIA)
    maria.tab("Account")
    maria.sees("$142.25", "Maria Delgado", "$100.00", "Luis Delgado", "$60.25", "Ana Delgado", "$10.10")
    maria.sees("Insurance is expected to pay", "$40.10", "Payments on their way", "$40.00")
    maria.follow("Statements")
    maria.sees("$142.25", "$131.25")
    assert maria.download("Download Statement from Mon 3 Nov 2025").read_bytes() == PDF
    with zipfile.ZipFile(maria.download("Download all (zip)")) as packed:
        assert packed.testzip() is None
        assert "2025-11-03 Statement Maria Delgado.pdf" in packed.namelist()
    maria.follow("Back to the account")
    maria.follow("Payments and receipts")
    maria.sees("Mailed check", "$75.50", "On its way", "Luis Delgado $25.50")


def test_letters_go_both_ways_with_their_files(site: RealSite, visit: Visit) -> None:
    maria = visit(Cast.MARIA, PHONE)
    maria.tab("Messages")
    maria.sees("1 new")
    maria.follow("RE: Sore tooth")
    assert maria.download("Download Plan.pdf").read_bytes() == PDF
    maria.follow("Reply")
    write(maria, "It is better.", ("tooth.png", PNG))
    maria.sees("Your message is in the office", "tooth.png")
    assert maria.download("Download tooth.png").read_bytes() == PNG
    maria.tab("Messages")
    maria.sees_not("1 new")
    maria.follow("Write a message")
    maria.page.get_by_label("About").select_option(label="Luis Delgado")
    maria.type("Subject", "Night guard")
    write(maria, "Luis lost his night guard.")
    maria.tab("Messages")
    maria.page.get_by_role("link", name="Sent").click()
    maria.sees("Night guard", "about Luis Delgado", "Not read yet")
    answer(site)
    maria.tab("Home")
    maria.sees("A message you have not read")
    maria.follow("A message you have not read")
    maria.follow("RE: Night guard")
    maria.sees("We make a new one.", "Luis lost his night guard.")
    assert maria.download("Download Guard.pdf").read_bytes() == PDF


def write(maria: Visitor, text: str, *files: tuple[str, bytes]) -> None:
    """Fill in a message and send it."""
    maria.type("Message", text)
    for name, content in files:
        file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        maria.page.get_by_label("Files").set_input_files([file])
    maria.press("Send")
    maria.sees("Your message is in the office")


def answer(site: RealSite) -> None:
    """Answer the message about Luis with a file, as the office does in Open Dental."""
    (site.images / "EmailAttachments" / "Out" / "20260101_1_Guard.pdf").write_bytes(PDF)

    def written(connection: Connection) -> None:
        mail = {
            "PatNum": Cast.MARIA, "PatNumSubj": Cast.LUIS, "ProvNumWebMail": READER, "SentOrReceived": 6,
            "FromAddress": "Amara J. Lindgren, DDS", "ToAddress": "Maria Delgado", "Subject": "RE: Night guard",
            "BodyText": "We make a new one.", "MsgDateTime": dt.datetime.now() + dt.timedelta(seconds=1),  # noqa: DTZ005
            "MsgType": "WebMail",
        }  # fmt: skip
        number = add(connection, tables.emailmessage, **mail)
        stored = {"DisplayedFileName": "Guard.pdf", "ActualFileName": "Out\\20260101_1_Guard.pdf"}
        add(connection, tables.emailattach, EmailMessageNum=number, **stored)

    async def at_work(database: Database, _state: Database) -> None:
        await database.run(written)

    site.front_desk(at_work)


def test_plans_documents_and_lists_are_there_to_read(visit: Visit) -> None:
    maria = visit(Cast.MARIA)
    maria.tab("Health")
    maria.sees("No known allergies", "Lisinopril 10 mg", "Flu", "Tdap", "Care summary")
    maria.follow("Proposed treatment")
    maria.sees("Crown", "$99.99", "$229.99")
    maria.follow("Back to health")
    maria.follow("Images and documents")
    assert maria.download("Download Picture 820").read_bytes() == PNG


def test_a_guardian_reads_and_saves_a_childs_care_summary(site: RealSite, visit: Visit) -> None:
    treat(site)
    maria = visit(Cast.MARIA, PHONE)
    maria.tab("Health")
    maria.choose_person("Ana Delgado")
    maria.follow("Open the care summary")
    maria.headed("Care summary of Ana Delgado")
    maria.sees("Wed 4 May 2016", "Amara J Lindgren, DDS", "Everything on record", "Tooth 3", "4 Mar 2024")
    maria.sees_not("Lisinopril")
    maria.follow("Procedures")
    assert maria.page.url.endswith("#summary-procedures")
    with zipfile.ZipFile(maria.download("Download all (zip)")) as packed:
        assert packed.testzip() is None
        names = [name for name in packed.namelist() if name.startswith("Care summary Ana Delgado 20")]
        assert [name.rpartition(".")[2] for name in names] == ["xml", "html", "pdf"]
        files = [packed.read(name) for name in names]
    patient = ET.fromstring(files[0]).find(".//{*}recordTarget/{*}patientRole/{*}patient")
    assert patient is not None
    assert [patient.findtext("{*}name/{*}given"), patient.findtext("{*}name/{*}family")] == ["Ana", "Delgado"]
    birth = patient.find("{*}birthTime")
    assert birth is not None
    assert birth.get("value") == "20160504"
    assert b'code="D2392"' in files[0]
    assert b"Ana Delgado" in files[1]
    assert files[2].startswith(b"%PDF-")
    maria.type("From", "2024-03-05")
    maria.press("Show this period")
    maria.sees("From Tue 5 Mar 2024", "Care summary of Ana Delgado")
    maria.sees_not("Tooth 3")
    saved = maria.download("For programs (XML)")
    assert b'code="D2392"' not in saved.read_bytes()
    maria.follow("Who viewed, downloaded and sent it")
    maria.headed("Who viewed, downloaded and sent the care summary of Ana Delgado")
    for done in ("Downloaded (xml)", "Downloaded (zip)", "Viewed"):
        expect(
            maria.main.get_by_role("row").filter(has_text=done).filter(has_text="You (representative)")
        ).to_have_count(1)


def treat(site: RealSite) -> None:
    """Give Ana a filling, as the practice notes it."""
    if not site.sql("SELECT CodeNum FROM procedurecode WHERE ProcCode = 'D2392'"):
        site.sql("INSERT INTO procedurecode (CodeNum, ProcCode, Descript) VALUES (98001, 'D2392', 'composite')")
    ((code,),) = site.sql("SELECT CodeNum FROM procedurecode WHERE ProcCode = 'D2392'")
    done = {"ProcStatus": 2, "ProcDate": dt.date(2024, 3, 4), "ToothNum": "3", "Surf": "MO", "CodeNum": code}

    async def noted(database: Database, _state: Database) -> None:
        await database.run(lambda to: add(to, tables.procedurelog, PatNum=Cast.ANA, ProvNum=READER, **done))

    site.front_desk(noted)


# -- who may see what --------------------------------------------------------------------------------------------------


def test_who_looked_at_a_record_is_told_to_the_person(visit: Visit) -> None:
    maria, luis = visit(Cast.MARIA), visit(Cast.LUIS, PHONE)
    maria.open(f"/appointments?person={int(Cast.LUIS)}")
    luis.tab("Help")
    luis.follow("Who looked")
    luis.headed("Who looked")
    looked = luis.main.get_by_role("row").filter(has_text="Maria Delgado").filter(has_text="Looked at appointments")
    expect(looked.first).to_be_visible()
    luis.sees("You", "Signed in")


def test_a_person_of_full_age_decides_what_the_family_sees(site: RealSite, visit: Visit) -> None:
    luis, maria = visit(Cast.LUIS), visit(Cast.MARIA, PHONE)
    luis.open("/family")
    luis.page.get_by_label("Account and statements").uncheck()
    luis.press("Save")
    luis.sees("Saved. It holds from now on.")
    maria.open(f"/account?person={int(Cast.LUIS)}")
    maria.headed("This page is not yours to see")
    maria.open(f"/appointments?person={int(Cast.LUIS)}")
    maria.headed("Appointments of Luis Delgado")
    # The practice closes health to the families of grown persons: of Luis, who has not opened it; not of Ana, a child.
    change(site, Rules(private=frozenset({"health"})))
    maria.open(f"/health?person={int(Cast.LUIS)}")
    maria.headed("This page is not yours to see")
    maria.open(f"/health?person={int(Cast.ANA)}")
    maria.headed("Health of Ana Delgado")
    change(site, Rules())


def change(site: RealSite, rules: Rules) -> None:
    """Change the portal's settings as the office does in the window."""

    async def changed(database: Database, state: Database) -> bool:
        return await change_rules(database, state, Schemas(), "FRONT-DESK", FRANK, rules)

    assert site.front_desk(changed)


# -- in which language, on which medium --------------------------------------------------------------------------------


def test_everything_is_there_in_spanish(visit: Visit) -> None:
    maria = visit(width=PHONE, locale="es-MX")
    maria.open("/")
    maria.type("Nombre de usuario", user_name(Cast.MARIA))
    maria.type("Contraseña", PASSWORD)
    maria.press("Entrar")
    maria.headed("Hola, Maria")
    maria.tab("Cuenta")
    maria.sees("$142.25", "Saldo actual")
    maria.follow("Estados de cuenta")
    maria.sees("3 nov 2025")
    for tab in ("Citas", "Mensajes", "Salud", "Ayuda"):
        maria.tab(tab)
    assert maria.page.get_attribute("html", "lang") == "es-MX"


def test_on_paper_are_the_practice_and_the_person_and_no_buttons(visit: Visit) -> None:
    maria = visit(Cast.MARIA)
    for path, words in (("/account", "$142.25"), ("/messages/701", "this is message 701."), ("/health", "Lisinopril")):
        maria.open(path)
        maria.page.emulate_media(media="print")
        expect(maria.page.locator(".print-header")).to_contain_text("Bright Smile Dental")
        maria.sees("Maria Delgado", words)
        assert all(not button.is_visible() for button in maria.main.locator(".button").all())
    assert maria.page.pdf().startswith(b"%PDF")
