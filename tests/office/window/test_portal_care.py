"""What the office does for a patient at the window: two-step sign-in, sessions, who sees the record."""

import re
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection

from econnector.base.errors import AccessAsItWas, ChangeRequired, NotAllowed, PermissionMissing, SessionEnded
from econnector.eservices.portal import calls
from econnector.office.consents import Consents
from econnector.office.mail.postbox import Postbox
from econnector.office.protection import Protections
from econnector.office.settings import load_settings
from econnector.office.window.scene import Scene
from econnector.opendental import tables
from econnector.opendental.schema import Schemas
from econnector.storage.state import consent, portal_policy, second_steps
from tests.office.test_access import ADA, VERA
from tests.office.window.bare import PORT, Window, add_users, post, token_in
from tests.support.practice import Cast, PortalOffice, portal_office_sqlite

__all__ = ["portal_office_sqlite"]

MARIA = f"/portal/patient?number={int(Cast.MARIA)}"


@pytest.fixture
async def office(portal_office_sqlite: PortalOffice) -> PortalOffice:
    """An office whose patient Maria has a mailbox."""
    await portal_office_sqlite.change(tables.patient, {"Email": "maria@example.com"}, PatNum=Cast.MARIA)
    return portal_office_sqlite


@pytest.fixture
async def window(office: PortalOffice, tmp_path: Path) -> Window:
    """The window over the same practice and the same state file."""
    await add_users(office.front_desk)
    url = f"sqlite:///{tmp_path / 'practice.db'}"
    settings = {"database.url": url, "state": str(tmp_path / "state.db"), "machine": "FRONT-DESK"}
    settings["images.root"] = str(office.root)
    loaded = load_settings(None, settings, {})
    parts = (office.database, Schemas(), office.state)
    scene = Scene(loaded, *parts, "127.0.0.1", PORT, inside=False, clock=office.clock)
    return Window(scene, office.clock, url)


async def protect(office: PortalOffice) -> None:
    """Give Maria an app, as if she had set it up."""
    now = office.clock.now()

    def keep(state: Connection) -> None:
        second_steps.prepare_app(state, 1000 + Cast.MARIA, b"sealed", now)
        assert second_steps.confirm_app(state, 1000 + Cast.MARIA, b"sealed", 1, 0, now)
        second_steps.keep_codes(state, 1000 + Cast.MARIA, ["a", "b"])

    await office.state.run(keep)


async def traces(office: PortalOffice) -> list[tuple[int, int, str]]:
    rows = await office.rows(tables.securitylog, PermType=91)
    return [(row.UserNum, row.PatNum, row.LogText) for row in rows]


async def followed(browser: httpx2.AsyncClient, answer: httpx2.Response) -> str:
    assert answer.status_code == 303, answer.text
    return (await browser.get(answer.headers["location"])).text


# -- the policy ----------------------------------------------------------------------------------------------------


async def test_a_required_second_step_counts_at_the_next_click(office: PortalOffice, window: Window) -> None:
    session = await office.sign_in(Cast.MARIA)
    await office.ask(calls.HOME, calls.PersonAsked(session.token))
    fields = {"idle_minutes": "60", "overall_hours": "24", "full_age": "18"}
    fields |= {f"on-{topic}": "1" for topic in ("appointments", "account", "messages", "health", "documents")}
    async with window.signed_in("Frank") as browser:
        page = (await browser.get("/portal/settings")).text
        assert re.search(r'value="offered" checked', page)
        answer = await post(browser, "/portal/settings", "/portal/settings", **fields, two_step="sometimes")
        assert answer.status_code == 422
        answer = await post(browser, "/portal/settings", "/portal/settings", **fields, two_step="required")
        assert "Saved" in await followed(browser, answer)
        assert re.search(r'value="required" checked', (await browser.get("/portal/settings")).text)
    with pytest.raises(ChangeRequired):
        await office.ask(calls.HOME, calls.PersonAsked(session.token))
    assert (await traces(office))[-1][2] == "Patient portal: settings changed. two-step sign-in: offered → required"


async def test_who_may_only_look_changes_nothing(office: PortalOffice, window: Window) -> None:
    await protect(office)
    async with window.signed_in("Vera") as browser:
        for path in ("settings", "two-step", "sign-out", "consent", "consent/forget", "preview"):
            form = {"number": str(int(Cast.MARIA)), "viewer": str(int(Cast.LUIS)), "two_step": "off"}
            assert (await post(browser, f"/portal/{path}", MARIA, **form)).status_code == 403, path
        page = (await browser.get(f"/portal/two-step?number={int(Cast.MARIA)}")).text
        assert "Needs the Open Dental permission eServices Setup." in page
    assert await office.state.run(portal_policy.two_step) == "offered"
    assert await traces(office) == []


# -- a lost phone --------------------------------------------------------------------------------------------------


async def test_the_office_turns_a_lost_second_step_off(office: PortalOffice, window: Window) -> None:
    session = await office.sign_in(Cast.MARIA)
    await protect(office)
    ticket = await office.sign_in(Cast.MARIA)
    assert ticket.ticket
    async with window.signed_in("Frank") as browser:
        page = (await browser.get(MARIA)).text
        assert re.search(r"Recovery codes left</dt><dd>2<", page)
        asked = (await browser.get(f"/portal/two-step?number={int(Cast.MARIA)}")).text
        assert "A letter to the address in the chart" in asked
        form = {"form_token": token_in(asked), "number": str(int(Cast.MARIA))}
        said = await followed(browser, await browser.post("/portal/two-step", data=form))
        assert "the password alone is enough" in said
        assert "signed out in one place. A letter tells the patient." in said
        again = await followed(browser, await browser.post("/portal/two-step", data=form))
        assert "the password alone is enough" in again
    with pytest.raises(SessionEnded):
        await office.ask(calls.HOME, calls.PersonAsked(session.token))
    with pytest.raises(SessionEnded):
        await office.ask(calls.STEP, calls.StepAsked(ticket.ticket, ""))
    assert (await office.sign_in(Cast.MARIA)).token
    text = "Patient portal: two-step sign-in turned off by the office; every session ended."
    assert [row for row in await traces(office) if "two-step" in row[2]] == [(502, Cast.MARIA, text)]
    (mail,) = await Postbox(office.state).list()
    assert mail.recipient == "maria@example.com"
    assert "the office turned two-step sign-in off" in mail.text


async def test_a_patient_without_an_address_is_not_told_and_the_page_says_so(
    office: PortalOffice, window: Window
) -> None:
    await office.change(tables.patient, {"Email": ""}, PatNum=Cast.MARIA)
    await protect(office)
    async with window.signed_in("Frank") as browser:
        answer = await post(browser, "/portal/two-step", MARIA, number=str(int(Cast.MARIA)))
        assert "The chart has no mail address" in await followed(browser, answer)
    assert await Postbox(office.state).list() == []


async def test_nothing_is_turned_off_for_who_may_only_look(office: PortalOffice) -> None:
    await protect(office)
    hand = Protections(office.database, office.state, Schemas(), "FRONT-DESK", office.clock)
    with pytest.raises(PermissionMissing):
        await hand.two_step_off(VERA, Cast.MARIA)
    with pytest.raises(PermissionMissing):
        await hand.sign_out(VERA, Cast.MARIA)
    with pytest.raises(AccessAsItWas):
        await hand.two_step_off(ADA, Cast.MERGED)
    assert (await hand.look(Cast.MARIA)).on


# -- sessions ------------------------------------------------------------------------------------------------------


async def test_the_office_sees_where_a_patient_is_signed_in_and_ends_it(office: PortalOffice, window: Window) -> None:
    sessions = [await office.sign_in(Cast.MARIA, address=address) for address in ("203.0.113.5", "203.0.113.6")]
    other = await office.sign_in(Cast.LUIS)
    async with window.signed_in("Frank") as browser:
        page = (await browser.get(MARIA)).text
        assert "203.0.113.5" in page
        assert "203.0.113.6" in page
        answer = await post(browser, "/portal/sign-out", MARIA, number=str(int(Cast.MARIA)))
        said = await followed(browser, answer)
        assert "signed out in 2 places" in said
        assert "Sign out everywhere" not in said
    for session in sessions:
        with pytest.raises(SessionEnded):
            await office.ask(calls.HOME, calls.PersonAsked(session.token))
    assert await office.ask(calls.HOME, calls.PersonAsked(other.token))
    assert (502, Cast.MARIA, "Patient portal: signed out everywhere by the office.") in await traces(office)


# -- who sees the record -------------------------------------------------------------------------------------------


async def test_the_office_records_that_a_patient_closes_a_topic(office: PortalOffice, window: Window) -> None:
    luis = f"/portal/patient?number={int(Cast.LUIS)}"
    maria = await office.sign_in(Cast.MARIA)
    await office.ask(calls.HEALTH, calls.PersonAsked(maria.token, Cast.LUIS))
    async with window.signed_in("Frank") as browser:
        page = (await browser.get(luis)).text
        seen = re.search(r'name="shown" value="([^"]*)"', page)
        assert seen is not None
        fields = {"number": str(int(Cast.LUIS)), "viewer": str(int(Cast.MARIA)), "shown": seen[1]}
        fields |= {f"open-{topic}": "1" for topic in seen[1].split() if topic != "health"}
        said = await followed(browser, await post(browser, "/portal/consent", luis, **fields))
        assert "Recorded." in said
        assert re.search(r"closed \d\d/\d\d/\d{4}, recorded by Frank", said)
        stale = await followed(browser, await post(browser, "/portal/consent", luis, **fields))
        assert "was changed meanwhile" in stale
    with pytest.raises(NotAllowed):
        await office.ask(calls.HEALTH, calls.PersonAsked(maria.token, Cast.LUIS))
    shown = await office.ask(calls.PRIVACY, calls.Token((await office.sign_in(Cast.LUIS)).token))
    (onlooker,) = shown.onlookers
    assert [(one.topic, one.by_office) for one in onlooker.topics if not one.open] == [("health", True)]
    text = f"Patient portal: recorded for the patient, closed to patient {int(Cast.MARIA)}: health."
    assert (502, Cast.LUIS, text) in await traces(office)


async def test_a_recorded_word_can_be_taken_back(office: PortalOffice) -> None:
    hand = Consents(office.database, office.state, Schemas(), "FRONT-DESK", office.clock)
    (before,), of_age = await hand.look(Cast.LUIS)
    assert of_age
    assert await hand.record(ADA, Cast.LUIS, Cast.MARIA, [], before.open) == dict.fromkeys(before.open, False)
    assert await hand.forget(ADA, Cast.LUIS, Cast.MARIA) == len(before.open)
    assert await hand.forget(ADA, Cast.LUIS, Cast.MARIA) == 0
    assert (await hand.look(Cast.LUIS))[0] == [before]


async def test_a_word_is_recorded_only_about_who_sees_something(office: PortalOffice) -> None:
    hand = Consents(office.database, office.state, Schemas(), "FRONT-DESK", office.clock)
    with pytest.raises(AccessAsItWas):
        await hand.record(ADA, Cast.LUIS, Cast.GRETA, ["health"], [])
    with pytest.raises(PermissionMissing):
        await hand.record(VERA, Cast.LUIS, Cast.MARIA, [], [])
    assert await office.state.run(consent.given_by, Cast.LUIS) == []
