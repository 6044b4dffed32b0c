"""The office looks at the portal as a patient: the real pages, nothing changed, and the patient finds out."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, text

from econnector.base.errors import PreviewOnly, SessionEnded
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import portal_answers, preview_answers
from econnector.opendental import passwords, tables
from econnector.opendental.schema import Schemas
from econnector.opendental.writes import WriteRefused, withheld
from econnector.storage.database import Database
from econnector.storage.state.previews import LASTS
from econnector.wire.call import Asked
from tests.office.window.bare import Window, post
from tests.office.window.test_portal_care import MARIA, followed, office, traces, window
from tests.support.practice import Cast, PortalOffice, portal_office_sqlite

__all__ = ["office", "portal_office_sqlite", "window"]

COOKIE = "portal-preview-30790"
PAGES = (
    *("/", "/appointments", "/messages", "/messages/701", "/messages/new", "/account", "/statements", "/payments"),
    *("/documents", "/health", "/who-looked", "/security", "/family", "/help", "/?person=12", "/health?person=13"),
    *("/statements/100", "/messages/701/files/801", "/statements/all"),
)


async def begin(browser: httpx2.AsyncClient, person: Cast = Cast.MARIA) -> httpx2.Response:
    where = f"/portal/patient?number={int(person)}"
    return await post(browser, "/portal/preview", where, number=str(int(person)))


async def everything(database: Database, but: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Return every row of every table."""

    def read(connection: Connection) -> dict[str, list[Any]]:
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type='table'")).scalars().all()
        rows = {name: connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in names if name not in but}
        return {name: sorted(map(repr, found)) for name, found in rows.items()}

    return await database.run(read)


async def test_every_page_is_shown_and_leaves_nothing_behind(office: PortalOffice, window: Window) -> None:
    async with window.signed_in("Frank") as browser:
        began = await begin(browser)
        assert began.headers["location"] == "/preview/"
        own = ("window_session",)  # the window's, whose user is at work
        before = await everything(office.front_desk), await everything(office.state, own)
        for path in PAGES:
            page = await browser.get(f"/preview{path}")
            assert page.status_code == 200, (path, page.text)
            if page.headers["content-type"].startswith("text/html"):
                assert "This is a preview." in page.text, path
                assert f'href="/portal/patient?number={int(Cast.MARIA)}"' in page.text
                assert "manifest" not in page.text
        assert "RE: Sore tooth" in (await browser.get("/preview/messages")).text
    assert (await everything(office.front_desk), await everything(office.state, own)) == before
    assert await office.rows(tables.emailmessage, EmailMessageNum=701, SentOrReceived=6)


async def test_nothing_can_be_changed(office: PortalOffice, window: Window) -> None:
    async with window.signed_in("Frank") as browser:
        await begin(browser)
        token = browser.cookies[COOKIE]
        before = await everything(office.front_desk)
        for path in ("/messages/new", "/family", "/change", "/security/off", "/appointments/1/confirm"):
            answer = await browser.post(f"/preview{path}", data={"subject": "x", "text": "x", "viewer": "12"})
            assert answer.status_code == 403, path
            assert "nothing can be changed or sent" in answer.text
    parts = (office.database, office.state, Schemas(), office.images, office.clock)
    known = {call.name for call, _ in portal_answers(*parts)}
    previewed = list(preview_answers(*parts))
    assert {call.name for call, _ in previewed} == known
    refused = []
    for call, function in previewed:
        if call.changes or call.name in {"portal.step", "portal.begin-passkey", "portal.invite"}:
            with pytest.raises(PreviewOnly):
                await function(Asked(call.name, "7F3K-22QX", 10.0, 1), calls.Token(token))
            refused.append(call.name)
    assert len(refused) > 12
    assert await everything(office.front_desk) == before


async def test_its_token_opens_nothing_but_the_preview_and_no_session_opens_it(
    office: PortalOffice, window: Window
) -> None:
    session = await office.sign_in(Cast.MARIA)
    async with window.signed_in("Frank") as browser:
        await begin(browser)
        with pytest.raises(SessionEnded):
            await office.ask(calls.HOME, calls.PersonAsked(browser.cookies[COOKIE]))
        browser.cookies.set(COOKIE, session.token, domain="127.0.0.1", path="/")
        assert (await browser.get("/preview/")).headers["location"] == "/portal"
    assert await office.ask(calls.HOME, calls.PersonAsked(session.token))


async def test_it_is_for_the_one_who_began_it(window: Window) -> None:
    async with window.signed_in("Vera") as vera:
        assert "See the portal as this patient" in (await vera.get(MARIA)).text
        assert (await begin(vera)).status_code == 403
    async with window.signed_in("Frank") as frank, window.signed_in("Ada") as ada, window.browser() as nobody:
        await begin(frank)
        for other in (ada, nobody):
            other.cookies.set(COOKIE, frank.cookies[COOKIE], domain="127.0.0.1", path="/")
        assert (await ada.get("/preview/")).headers["location"] == "/portal"
        assert (await nobody.get("/preview/health")).headers["location"].startswith("/sign-in")
        assert (await frank.get("/preview/")).status_code == 200


async def test_it_ends_by_time_by_hand_and_with_the_password(office: PortalOffice, window: Window) -> None:
    async with window.signed_in("Frank") as browser:
        await begin(browser)
        office.clock.advance(LASTS.total_seconds() - 900)
        await browser.get("/")
        office.clock.advance(900)
        assert "The preview is over." in await followed(browser, await browser.get("/preview/"))
        await begin(browser)
        assert "You ended the preview." in await followed(browser, await browser.post("/preview/sign-out"))
        assert (await browser.get("/preview/")).headers["location"] == "/portal"
        await begin(browser)
        await office.change(tables.userweb, {"Password": passwords.make("Another-1")}, FKey=Cast.MARIA)
        sent = await browser.get("/preview/", follow_redirects=True)
        assert "The preview is over." in sent.text


async def test_who_has_never_signed_in_can_be_looked_at_and_who_has_no_access_cannot(
    office: PortalOffice, window: Window
) -> None:
    await office.change(tables.userweb, {"RequirePasswordChange": 1, "RequireUserNameChange": 1}, FKey=Cast.MARIA)
    async with window.signed_in("Frank") as browser:
        await begin(browser)
        assert (await browser.get("/preview/")).status_code == 200
        refused = await begin(browser, Cast.ANA)
        assert refused.status_code == 409
        assert "no access" in refused.text


async def test_the_patient_finds_out(office: PortalOffice, window: Window) -> None:
    async with window.signed_in("Frank") as browser:
        await begin(browser)
    said = (502, Cast.MARIA, "Patient portal: previewed by the office, as this patient sees it.")
    assert await traces(office) == [said]
    session = await office.sign_in(Cast.MARIA)
    looked = await office.ask(calls.WHO_LOOKED, calls.PageAsked(session.token))
    assert [(one.what, one.who) for one in looked.items if one.what.startswith("office-")] == [("office-previewed", 0)]
    assert all(one.what != "signed-in" or one.times == 1 for one in looked.items)


async def test_a_write_that_nobody_withheld_is_refused(office: PortalOffice) -> None:
    with withheld(), pytest.raises(WriteRefused):
        await office.database.run(lambda connection: connection.execute(text("DELETE FROM alertread WHERE 1=0")))
