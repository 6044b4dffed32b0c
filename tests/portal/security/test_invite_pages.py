"""The pages of an invite, from the text of the office's mail to the patient's first page."""

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection, update

from econnector.base.errors import HqAway, UnknownCall
from econnector.office.desk import Who
from econnector.office.invites import Invites, Sent
from econnector.office.mail.accounts import Accounts
from econnector.opendental import emailaddresses, preferences, tables
from econnector.opendental.schema import Schemas, inspect
from econnector.storage.database import Database
from econnector.storage.state.sealing import Seal
from tests.support.chromium import axe_findings, chromium, overflows
from tests.support.practice import STRONG, Cast, add
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client, token_in

ADA = Who(7, "Ada", may_setup=True, may_admin=True)
WHOLE = {"Address": "1 Elm St", "City": "Salem", "State": "OR", "HmPhone": "5550100", "Email": "ana@example.com"}
BORN = "2016-05-04"
SHOTS = Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    """One practice for all: each test invites somebody else."""
    with serve_practice(tmp_path_factory.mktemp("invites")) as found:
        yield found


def invite(site: RealSite, person: Cast) -> str:
    """Invite somebody as the office does, who has no access so far; return the link in the mail."""

    def prepare(connection: Connection) -> None:
        preferences.write(connection, inspect(connection), "PatientPortalURL", site.base)
        born = {"Birthdate": dt.date.fromisoformat(BORN)}
        connection.execute(update(tables.patient).where(tables.patient.c.PatNum == person).values(WHOLE | born))
        connection.execute(update(tables.userweb).where(tables.userweb.c.FKey == person).values(Password="None$$"))
        sender = {"SMTPserver": "mail.example.com", "ServerPort": 587, "EmailUsername": "desk@example.com"}
        add(connection, tables.emailaddress, **sender, EmailPassword=emailaddresses.encrypted("x"))

    async def send(database: Database, state: Database) -> Sent:
        await database.run(prepare)
        accounts = Accounts(database, Schemas())
        hand = Invites(database, state, Schemas(), "FRONT-DESK", accounts=accounts, seal=Seal(site.folder))
        return await hand.send(ADA, person)

    assert site.front_desk(send).given
    ((text,),) = site.state("SELECT text FROM outbox WHERE purpose = 'invite' ORDER BY id DESC LIMIT 1")
    found = re.search(r"^http\S+#\S+$", text, re.MULTILINE)
    assert found
    return found[0]


def code_in(link: str) -> str:
    return link.partition("#")[2]


def post(browser: httpx2.Client, path: str, page: httpx2.Response, **fields: str) -> httpx2.Response:
    return browser.post(path, data=fields | {"form_token": token_in(page.text)})


def test_an_invite_without_script(site: RealSite) -> None:
    link = invite(site, Cast.ANA)
    with client(site.base) as browser:
        for _ in range(3):  # programs that look at every link of a mail come first
            page = browser.get(link)
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert '/invite"' in browser.get("/sign-in").text
        code = code_in(link)
        assert post(browser, "/invite", page, code=" ", birth_date="").status_code == 422
        assert post(browser, "/invite", page, code=code, birth_date="2016-13-45").status_code == 422
        nobody = post(browser, "/invite", page, code="22222-22222", birth_date=BORN)
        not_born = post(browser, "/invite", page, code=code, birth_date="2016-05-05")
        assert (nobody.status_code, not_born.status_code) == (403, 403)

        def same(shown: httpx2.Response) -> str:
            return re.sub(r'value="[^"]*"|<strong>[0-9A-Z-]{9}</strong>', "", shown.text)

        assert same(nobody) == same(not_born)
        assert "555" in nobody.text.split("invite does not open?")[1]  # whom to call
        choose = post(browser, "/invite", page, code=code.lower(), birth_date="5/4/2016")
        assert choose.status_code == 200
        fields = {"code": code, "birth_date": BORN, "user_name": "ana.d", "password": STRONG, "repeat": STRONG}
        weak = post(browser, "/invite/accept", choose, **fields | {"password": "short", "repeat": "short"})
        assert weak.status_code == 422
        assert 'value="ana.d"' in weak.text
        assert post(browser, "/invite/accept", choose, **fields | {"repeat": "x"}).status_code == 422
        assert browser.get("/").status_code == 303
        done = post(browser, "/invite/accept", choose, **fields)
        assert (done.status_code, done.headers["location"]) == (303, "/o/practice/portal/?notice=changed")
        again = post(browser, "/invite/accept", choose, **fields)  # here nobody remembers answers
        assert again.status_code == 403
        assert "If you chose a password already, sign in with it" in again.text
        assert STRONG not in weak.text
        assert "Ana" in browser.get("/").text
    with client(site.base) as other:
        used = post(other, "/invite", other.get("/invite"), code=code, birth_date=BORN)
        assert same(used).split("<main")[1] == same(not_born).split("<main")[1]
        page = other.get("/sign-in")
        assert post(other, "/sign-in", page, user_name="ANA.D", password=STRONG).status_code == 303
        for path in ("/invite", "/invite/accept"):
            assert other.post(path, data=fields | {"form_token": "a.b"}).status_code == 403


def test_a_lost_link_loses_nothing_and_the_second_step_comes_next(site: RealSite) -> None:
    fields = {"code": code_in(invite(site, Cast.ROSA)), "birth_date": BORN}
    chosen = {"user_name": "rosa.s", "password": STRONG, "repeat": STRONG}
    site.state(
        "INSERT INTO portal_passkey (number, login, credential, name, host, public_key, count, added, used)"
        " VALUES ('n', ?, 'id', 'a phone', 'localhost', x'00', 0, 0, 0)",
        1000 + Cast.ROSA,
    )
    with client(site.base) as browser:
        page = browser.get("/invite")
        site.failing["portal.invite"] = HqAway(url="wss://hq.example.com", reason="no answer")
        away = post(browser, "/invite", page, **fields)
        assert away.status_code == 503
        assert f'value="{fields["code"]}"' in away.text
        site.failing.clear()
        choose = post(browser, "/invite", away, **fields)
        site.failing["portal.accept-invite"] = UnknownCall(call="portal.accept-invite", version="0.1.0")
        old = post(browser, "/invite/accept", choose, **fields, **chosen)
        assert old.status_code >= 400
        assert 'value="rosa.s"' in old.text
        assert STRONG not in old.text
        site.failing.clear()
        done = post(browser, "/invite/accept", old, **fields, **chosen)
        assert done.headers["location"].endswith("/second-step?next=%2F")
        assert browser.get("/").headers["location"].endswith("/sign-in?next=%2F")
        assert browser.get("/second-step").status_code == 200


@pytest.mark.browser
def test_from_the_mail_to_the_first_page(site: RealSite) -> None:
    link = invite(site, Cast.OTTO)
    code = code_in(link)
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_context(locale="en-US", bypass_csp=True, viewport={"width": 320, "height": 700}).new_page()
        page.on("request", lambda request: asked.append(request.url + str(request.headers)))

        def looked_at(name: str) -> None:
            assert axe_findings(page) == []
            assert not overflows(page)
            if SHOTS:
                page.screenshot(path=SHOTS / f"{name}.png", full_page=True)

        page.goto(link)
        page.wait_for_function("() => location.hash === ''")
        expect(page.get_by_label("Code")).to_have_value(code)
        assert code not in page.url
        looked_at("invite")
        page.get_by_label("Date of birth").fill(BORN)
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("heading", name="Choose your sign-in").wait_for()
        looked_at("invite-choose")
        page.get_by_label("User name").fill("otto.s")
        page.get_by_label("New password", exact=True).fill(STRONG)
        page.get_by_label("New password once more").fill(STRONG)
        page.get_by_role("button", name="Save and sign in").click()
        page.get_by_text("Your sign-in is changed").wait_for()
        page.goto(link)  # the mail, opened again
        page.get_by_label("Date of birth").fill(BORN)
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("heading", name="This invite does not open").wait_for()
    assert not any(code in each for each in asked)
