"""Giving and taking access to the portal: what Open Dental's tables hold afterwards, and what the patient can do."""

import asyncio
import datetime as dt

import pytest

from econnector.base.errors import (
    AccessAsItWas,
    ChangeRequired,
    LoginFailed,
    PatientIncomplete,
    PermissionMissing,
    PortalAddressMissing,
    SessionEnded,
)
from econnector.documents import accesssheet
from econnector.eservices.portal import calls
from econnector.office.access import Access, Rules, Wanted, change_rules, tried
from econnector.office.desk import Who
from econnector.opendental import passwords, portalaccess, tables
from econnector.opendental.schema import Schemas
from econnector.storage.state import portal_tries, portalrules
from tests.support.practice import PASSWORD, Cast, PortalOffice, portal_office, portal_office_sqlite, user_name

__all__ = ["portal_office", "portal_office_sqlite"]

ADA = Who(7, "Ada", may_setup=True, may_admin=True)
VERA = Who(8, "Vera", may_setup=False, may_admin=False)
URL = "https://portal.example.com/o/bright"
WHOLE = {"Address": "1 Elm St", "City": "Salem", "State": "OR", "HmPhone": "5550100", "Email": "a@example.com"}


def hand_on(office: PortalOffice) -> Access:
    return Access(office.database, office.state, Schemas(), "FRONT-DESK", office.clock)


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    """The database's day, which previews go by."""
    moment = dt.datetime.now().replace(microsecond=0)  # noqa: DTZ005 - office time
    monkeypatch.setattr("econnector.opendental.patients.times.now", lambda _: moment)
    return moment


async def ready(office: PortalOffice, *people: Cast) -> Access:
    await office.prefer("PatientPortalURL", URL)
    for person in people:
        await office.change(tables.patient, WHOLE, PatNum=person)
    return hand_on(office)


async def test_patients_are_found_by_name_birth_date_and_number(portal_office: PortalOffice) -> None:
    hand = hand_on(portal_office)

    async def found(typed: str) -> set[int]:
        mine = set(map(int, Cast))
        return {one.patient.number for one in (await hand.search(typed)).people} & mine

    assert await found("delg ana") == await found("Ana Delgado") == await found("Delgado, An") == {Cast.ANA}
    assert await found("maria") == {Cast.MARIA}
    assert await found("Delgado 5/4/2016") == await found("2016-05-04 Delgado") == {Cast.ANA}
    assert await found("5/4/2016") == {Cast.ANA, Cast.OTTO}
    assert await found("13") == {Cast.ANA}
    # Archived, deleted, deceased, merged: there is nothing to give them.
    assert await found("ben delgado") == await found("52") == await found("merged") == set()
    for nothing in ("", "%", "_", "99999999999999999999999", "31/31/2016", "' OR 1=1 --"):
        assert await found(nothing) == set()


async def test_what_is_missing_is_open_dentals_list(portal_office: PortalOffice) -> None:
    hand = hand_on(portal_office)
    await portal_office.change(tables.patient, dict.fromkeys(WHOLE, ""), PatNum=Cast.ANA)
    missing = (await hand.look(Cast.ANA)).missing
    assert missing == ("address", "city", "state (two letters)", "phone (home, work or wireless)", "email")
    await portal_office.change(tables.patient, WHOLE | {"State": "Oregon"}, PatNum=Cast.ANA)
    assert (await hand.look(Cast.ANA)).missing == ("state (two letters)",)
    await portal_office.prefer("LanguageAndRegion", "en-CA")
    assert (await hand.look(Cast.ANA)).missing == ()


async def test_access_is_given_as_open_dental_does_it_and_must_be_changed_at_once(portal_office: PortalOffice) -> None:
    office = portal_office
    hand = await ready(office, Cast.INACTIVE)
    await office.change(tables.userweb, {"FKey": 0}, FKey=Cast.INACTIVE)  # nobody's, so that there is no row
    given = await hand.give(ADA, Cast.INACTIVE)
    (row,) = await office.rows(tables.userweb, FKey=Cast.INACTIVE)
    assert given.url == URL
    assert row.UserName == given.user_name
    assert given.user_name.startswith("Inactive")
    assert 100 <= int(given.user_name.removeprefix("Inactive")) <= 99_999
    assert row.Password.startswith("SHA3_512$")
    assert passwords.check(row.Password, given.password)
    assert (row.FKeyType, row.RequireUserNameChange, row.RequirePasswordChange) == (1, 1, 1)
    assert row.DateTimeLastLogin is None
    events = await office.rows(tables.ehrmeasureevent, PatNum=Cast.INACTIVE)
    assert [(event.EventType, event.MoreInfo) for event in events] == [(1, "")]
    (trace,) = [row for row in await office.rows(tables.securitylog, PatNum=Cast.INACTIVE) if row.PermType == 91]
    assert (trace.UserNum, trace.CompName, trace.LogSource) == (7, "FRONT-DESK", 0)
    assert given.password not in trace.LogText
    session = await office.try_name(given.user_name, given.password)
    with pytest.raises(ChangeRequired):
        await office.ask(calls.HOME, calls.PersonAsked(session.token))


def test_passwords_are_open_dentals_kind() -> None:
    kinds = portalaccess._ALPHABETS
    for _ in range(500):
        made = portalaccess.password()
        assert len(made) == 8
        assert all(set(made) & set(kind) for kind in kinds)
        assert set(made) <= set("".join(kinds))
    assert not set("".join(kinds)) & set("hluIO01")


async def test_a_row_without_access_is_used_again_with_its_name(portal_office: PortalOffice) -> None:
    hand = await ready(portal_office, Cast.ANA)
    given = await hand.give(ADA, Cast.ANA)
    assert given.user_name == user_name(Cast.ANA)
    assert len(await portal_office.rows(tables.userweb, FKey=Cast.ANA)) == 1


async def test_two_at_once_give_it_once(portal_office: PortalOffice) -> None:
    office = portal_office
    hand = await ready(office, Cast.INACTIVE)
    await office.change(tables.userweb, {"FKey": 0}, FKey=Cast.INACTIVE)
    results = await asyncio.gather(*(hand.give(ADA, Cast.INACTIVE) for _ in range(4)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["AccessAsItWas"] * 3 + ["Given"]
    assert len(await office.rows(tables.userweb, FKey=Cast.INACTIVE)) == 1
    assert len(await office.rows(tables.ehrmeasureevent, PatNum=Cast.INACTIVE)) == 1


@pytest.mark.causes("portal-address-missing")
async def test_nothing_is_given_without_an_address_a_whole_chart_or_the_permission(portal_office: PortalOffice) -> None:
    office = portal_office
    hand = hand_on(office)
    before = await office.rows(tables.userweb)
    await office.prefer("PatientPortalURL", " ")
    with pytest.raises(PortalAddressMissing):
        await hand.give(ADA, Cast.ANA)
    with pytest.raises(PortalAddressMissing):
        await hand.reset(ADA, Cast.MARIA)
    with pytest.raises(PortalAddressMissing):
        await hand.give_many(ADA, [Cast.ANA])
    await office.prefer("PatientPortalURL", URL)
    with pytest.raises(PatientIncomplete):
        await hand.give(ADA, Cast.ANA)
    with pytest.raises(AccessAsItWas):
        await hand.give(ADA, Cast.MERGED)
    with pytest.raises(AccessAsItWas):
        await hand.reset(ADA, Cast.ANA)
    for deed in (hand.give, hand.reset, hand.remove, hand.unlock):
        with pytest.raises(PermissionMissing):
            await deed(VERA, Cast.MARIA)
    assert await office.rows(tables.userweb) == before
    assert await office.rows(tables.ehrmeasureevent, EventType=1) == []


async def test_a_new_password_ends_the_sessions_and_counts_as_no_new_access(portal_office: PortalOffice) -> None:
    office = portal_office
    hand = await ready(office, Cast.MARIA)
    old = await office.sign_in(Cast.MARIA)
    given = await hand.reset(ADA, Cast.MARIA)
    assert given.user_name == user_name(Cast.MARIA)
    with pytest.raises(SessionEnded):
        await office.ask(calls.HOME, calls.PersonAsked(old.token))
    with pytest.raises(LoginFailed):
        await office.sign_in(Cast.MARIA)
    assert await office.sign_in(Cast.MARIA, given.password)
    (row,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    assert (row.RequireUserNameChange, row.RequirePasswordChange) == (0, 1)
    assert await office.rows(tables.ehrmeasureevent, PatNum=Cast.MARIA, EventType=1) == []


async def test_removed_access_ends_at_the_next_click_and_keeps_row_and_name(portal_office: PortalOffice) -> None:
    office = portal_office
    hand = await ready(office, Cast.MARIA)
    session = await office.sign_in(Cast.MARIA)
    assert await hand.remove(ADA, Cast.MARIA)
    assert not await hand.remove(ADA, Cast.MARIA)
    (row,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    assert (row.UserName, row.Password) == (user_name(Cast.MARIA), "None$$")
    with pytest.raises(SessionEnded):
        await office.ask(calls.HOME, calls.PersonAsked(session.token))
    assert (await hand.look(Cast.MARIA)).access == "removed"


async def test_a_locked_patient_is_let_in_again(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    hand = hand_on(office)
    for _ in range(5):
        with pytest.raises(LoginFailed):
            await office.sign_in(Cast.MARIA, "wrong")
    stands = await hand.look(Cast.MARIA)
    assert stands.failures == 5
    assert stands.locked_seconds > 0
    assert await hand.unlock(ADA, Cast.MARIA)
    assert not await hand.unlock(ADA, Cast.MARIA)
    assert (await hand.look(Cast.MARIA)).locked_seconds == 0
    assert await office.sign_in(Cast.MARIA)


async def test_many_at_once_are_seen_before_anything_is_written(
    portal_office: PortalOffice, today: dt.datetime
) -> None:
    office = portal_office
    hand = await ready(office, Cast.ROSA, Cast.ANA, Cast.MARIA)
    for person, days in ((Cast.ROSA, 2), (Cast.ROSA, 3), (Cast.ANA, 1), (Cast.MARIA, 1), (Cast.OTTO, 90)):
        at = today + dt.timedelta(days=days)
        await office.add(tables.appointment, PatNum=person, AptStatus=1, AptDateTime=at)
    before = await office.rows(tables.userweb)
    everybody = await hand.preview(Wanted(days=7, youngest=0))
    assert {one.patient.number for one in everybody} >= {Cast.ANA, Cast.ROSA}
    assert Cast.MARIA not in {one.patient.number for one in everybody}
    adults = [one.patient.number for one in await hand.preview(Wanted(days=7, youngest=18))]
    assert Cast.ROSA in adults
    assert Cast.ANA not in adults
    assert await office.rows(tables.userweb) == before
    results = await hand.give_many(ADA, [Cast.ROSA, Cast.OTTO, Cast.MARIA])
    by_number = {each.patient.number: each for each in results}
    given = by_number[Cast.ROSA].given
    assert given is not None
    assert "complete" in by_number[Cast.OTTO].why
    assert "already" in by_number[Cast.MARIA].why
    assert await office.try_name(given.user_name, given.password)


async def test_the_sheet_is_a_pdf_with_a_page_each(portal_office_sqlite: PortalOffice) -> None:
    hand = await ready(portal_office_sqlite)
    sheets = await hand.sheets([(Cast.MARIA, "Maria4711", "abCD2345"), (Cast.ROSA, "Rosa99", "abCD2346")])
    assert [(sheet.patient, sheet.url) for sheet in sheets] == [("Maria Delgado", URL), ("Rosa Stone", URL)]
    assert "abCD2345" not in repr(sheets)
    pdf = accesssheet.render(sheets)
    assert pdf.startswith(b"%PDF")
    assert b"/Count 2" in pdf


async def test_every_try_has_its_real_reason_and_never_what_was_typed(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    for name, password in (
        ("MySecretPassword1", "x"),
        (user_name(Cast.MARIA), "wrong"),
        (user_name(Cast.MARIA), "wronger"),
        (user_name(Cast.ANA), PASSWORD),
        (user_name(Cast.DEAD), PASSWORD),
    ):
        with pytest.raises(LoginFailed):
            await office.try_name(name, password)
    await office.sign_in(Cast.MARIA)
    since = office.clock.now() - dt.timedelta(days=1)
    rows, names = await tried(office.database, office.state, since, 50)
    assert {(row.name, row.reason, row.times, row.outcome) for row in rows} == {
        ("M… (17 characters)", "unknown user name", 1, "refused"),
        (user_name(Cast.MARIA), "wrong password", 2, "refused"),
        ("A… (7 characters)", "the office has not given access, or has removed it", 1, "refused"),
        (user_name(Cast.DEAD), "the patient is deceased", 1, "refused"),
        (user_name(Cast.MARIA), "", 1, "in"),
    }
    assert names == {Cast.MARIA: "Delgado, Maria"}
    assert {row.reference for row in rows if row.outcome != "in"} == {"7F3K-22QX"}
    found, _ = await tried(office.database, office.state, since, 50, find="delgado mar", outcomes=["refused"])
    assert [row.reason for row in found] == ["wrong password"]
    assert len((await tried(office.database, office.state, since, 50, find="7F3K"))[0]) == 4


async def test_the_log_is_bounded(portal_office_sqlite: PortalOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office = portal_office_sqlite
    monkeypatch.setattr(portal_tries, "MOST", 50)

    def flood(connection: object) -> None:
        for number in range(300):
            portal_tries.note(connection, office.clock.now(), "refused", name=str(number))  # type: ignore[arg-type]

    await office.state.run(flood)
    rows = await office.state.run(portal_tries.listed, office.clock.now() - dt.timedelta(days=1), 1000)
    assert len(rows) <= 150
    office.clock.advance(91 * 86400)
    assert await office.state.run(portal_tries.sweep, office.clock.now()) == len(rows)


async def test_settings_are_kept_with_their_trace(portal_office: PortalOffice) -> None:
    office = portal_office
    rest = (office.database, office.state, Schemas(), "FRONT-DESK")
    wanted = Rules(off=frozenset({"health"}), idle_minutes=20)
    with pytest.raises(PermissionMissing):
        await change_rules(*rest, VERA, wanted)
    assert await change_rules(*rest, ADA, wanted)
    assert not await change_rules(*rest, ADA, wanted)
    assert await office.state.run(portalrules.read) == wanted
    texts = [row.LogText for row in await office.rows(tables.securitylog, UserNum=7)]
    assert texts == ["Patient portal: settings changed. minutes without use: 60 → 20; pages off: none → health"]
