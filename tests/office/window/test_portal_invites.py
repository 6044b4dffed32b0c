"""Invites by mail as the front desk sends them: one from the patient's page, many from the list of who comes soon."""

import datetime as dt
from pathlib import Path

import pytest

from econnector.office.mail.postbox import Postbox
from econnector.office.settings import load_settings
from econnector.office.window.scene import Scene
from econnector.opendental import emailaddresses, passwords, tables
from econnector.opendental.schema import Schemas
from econnector.storage.state import outbox
from tests.office.window.bare import PORT, Window, add_users, post, token_in
from tests.support.practice import Cast, PortalOffice, portal_office_sqlite

__all__ = ["portal_office_sqlite"]

ANA = f"/portal/patient?number={int(Cast.ANA)}"
WHOLE = {"Address": "1 Elm St", "City": "Salem", "State": "OR", "HmPhone": "5550100", "Email": "ana@example.com"}


@pytest.fixture
async def office(portal_office_sqlite: PortalOffice) -> PortalOffice:
    """An office that can send mail; Ana's chart is whole, and she comes tomorrow."""
    office = portal_office_sqlite
    await office.prefer("PatientPortalURL", "https://portal.example.com/o/bright/portal")
    await office.change(tables.patient, WHOLE, PatNum=Cast.ANA)
    sender = {"SMTPserver": "mail.example.com", "ServerPort": 587, "EmailUsername": "desk@example.com"}
    await office.add(tables.emailaddress, **sender, EmailPassword=emailaddresses.encrypted("x"))
    tomorrow = dt.datetime.now().replace(microsecond=0) + dt.timedelta(days=1)  # noqa: DTZ005 - office time
    for person in (Cast.ANA, Cast.ROSA):
        await office.add(tables.appointment, PatNum=person, AptStatus=1, AptDateTime=tomorrow)
    return office


@pytest.fixture
async def window(office: PortalOffice, tmp_path: Path) -> Window:
    """The window over the same practice and the same state file."""
    await add_users(office.front_desk)
    url = f"sqlite:///{tmp_path / 'practice.db'}"
    settings = {"database.url": url, "state": str(tmp_path / "state.db"), "machine": "FRONT-DESK"}
    parts = (office.database, Schemas(), office.state)
    scene = Scene(load_settings(None, settings, {}), *parts, "127.0.0.1", PORT, inside=False, clock=office.clock)
    return Window(scene, office.clock, url)


async def test_one_is_invited_once_and_the_page_says_how_it_stands(window: Window, office: PortalOffice) -> None:
    async with window.signed_in("Frank") as browser:
        page = (await browser.get(ANA)).text
        assert "Send invite by mail" in page
        form = {"number": str(int(Cast.ANA)), "form_token": token_in(page)}
        for _ in range(2):  # a double click
            answer = await browser.post("/portal/invite", data=form)
            assert (answer.status_code, answer.headers["location"]) == (303, ANA)
        (mail,) = await Postbox(office.state).list()
        code = mail.text.split("/invite#")[1].split()[0]
        page = (await browser.get(ANA)).text
        assert "is on its way to a…@example.com" in page
        assert "An invite waits in the outgoing mail" in page
        assert code not in page
        (row,) = await office.rows(tables.userweb, FKey=Cast.ANA)
        assert passwords.form_of(row.Password) is passwords.Form.SHA3_512
        await office.state.run(outbox.sent, mail.id, "desk@example.com", 0.0)
        assert "not accepted yet" in (await browser.get(ANA)).text
        office.clock.advance(8 * 86400)
    async with window.signed_in("Frank") as browser:
        assert "was not accepted in time" in (await browser.get(ANA)).text
        await post(browser, "/portal/reset", ANA, number=str(int(Cast.ANA)))
        assert "was not accepted in time" not in (await browser.get(ANA)).text
    assert [(user, text) for user, _, text in await window.audit() if "nvite" in str(text)] == [
        (502, "Patient portal: Online access given, invite by mail.")
    ]


async def test_what_keeps_an_invite_from_arriving_is_named_and_nothing_is_given(
    window: Window, office: PortalOffice
) -> None:
    before = await office.rows(tables.userweb)
    await office.change(tables.emailaddress, {"EmailUsername": "", "SenderAddress": ""})
    async with window.signed_in("Frank") as browser:
        refused = await post(browser, "/portal/invite", ANA, number=str(int(Cast.ANA)))
        assert refused.status_code == 503
        assert "sender-missing" in refused.text
        assert "no invite can be sent" in (await browser.get(f"/portal/patient?number={int(Cast.MARIA)}")).text
    async with window.signed_in("Vera") as browser:
        assert (await post(browser, "/portal/invite", "/portal", number=str(int(Cast.ANA)))).status_code == 403
    assert await office.rows(tables.userweb) == before


async def test_many_get_sheets_or_invites(window: Window, office: PortalOffice) -> None:
    seen = "/portal/many?days=3&youngest=0"
    async with window.signed_in("Frank") as browser:
        page = (await browser.get(seen)).text
        assert "Give access to 1 patient" in page
        assert "Send 1 invite by mail" in page
        numbers = f"{int(Cast.ANA)} {int(Cast.ROSA)}"
        done = await post(browser, "/portal/many/give", seen, numbers=numbers, how="invites")
    assert "Invites on their way: 1" in done.text
    assert "a…@example.com" in done.text
    assert "Left out: 1" in done.text
    assert "Password" not in done.text.split("<main")[1]
    assert [mail.recipient for mail in await Postbox(office.state).list()] == ["ana@example.com"]
