"""Signing in: every form of password, every cause of refusal, one and the same answer."""

import asyncio
import datetime as dt
from typing import Any

import msgspec
import pytest

from econnector.base.errors import Failure, LoginFailed, SessionEnded, TooManyTries
from econnector.eservices.portal import calls
from econnector.opendental import audit, logins, tables
from econnector.opendental.passwords import Form, check, form_of
from econnector.opendental.schema import inspect
from econnector.storage.state import throttle
from econnector.wire.call import Call
from tests.support.practice import OLD_MD5, PASSWORD, Cast, PortalOffice, user_name
from tests.support.saying import said


async def refused(office: PortalOffice, name: str, password: str = PASSWORD, address: str = "") -> str:
    """Return the office's reason for a refused sign-in."""
    with said() as logs, pytest.raises(LoginFailed) as caught:
        await office.try_name(name, password, address)
    assert caught.value.public_facts() == {}
    assert caught.value.facts["reason"] == logs[-1]["reason"]
    assert logs[-1]["reference"] == "7F3K-22QX"
    assert name not in str(logs) or name in "Stone self"
    return caught.value.facts["reason"]


@pytest.mark.parametrize("person", [Cast.MARIA, Cast.LUIS, Cast.GRETA, Cast.HUGO, Cast.NON_PATIENT, Cast.INACTIVE])
async def test_every_form_of_password_signs_in_and_is_rewritten_in_the_newest(
    portal_office_sqlite: PortalOffice, person: Cast
) -> None:
    office = portal_office_sqlite
    assert (await office.sign_in(person)).person == person
    (row,) = await office.rows(tables.userweb, FKey=person)
    assert row.Password.startswith(("SHA3_512$", "3$"))
    assert form_of(row.Password) is Form.SHA3_512
    assert check(row.Password, PASSWORD)
    again = await office.sign_in(person)
    assert (await office.ask(calls.HOME, calls.PersonAsked(again.token))).me.number == person


async def test_a_sign_in_leaves_its_traces(portal_office: PortalOffice) -> None:
    office = portal_office
    first = await office.sign_in(Cast.LUIS)
    (row,) = await office.rows(tables.userweb, FKey=Cast.LUIS)
    assert row.DateTimeLastLogin is not None
    (log,) = await office.rows(tables.securitylog, PermType=175)
    assert (log.PatNum, log.LogSource, log.LogText) == (Cast.LUIS, 6, "Patient portal: signed in from 198.51.100.7.")
    (beside,) = await office.rows(tables.securityloghash, SecurityLogNum=log.SecurityLogNum)
    assert beside.LogHash == audit.log_hash(175, 0, log.LogDateTime, log.LogText, Cast.LUIS)
    (activity,) = await office.rows(tables.eservicelog, EServiceAction=16)
    assert (activity.PatNum, activity.EServiceType) == (Cast.LUIS, 5)
    assert len(activity.LogGuid) in (16, 32)
    home = await office.ask(calls.HOME, calls.PersonAsked(first.token))
    assert home.last_sign_in == ""
    second = await office.sign_in(Cast.LUIS)
    home = await office.ask(calls.HOME, calls.PersonAsked(second.token))
    assert dt.datetime.fromisoformat(home.last_sign_in) == row.DateTimeLastLogin


async def test_a_user_name_is_found_without_case_and_blanks(portal_office: PortalOffice) -> None:
    for typed in ("maria4011", "MARIA4011", " Maria4011 ", "Maria4011  "):
        assert (await portal_office.try_name(typed)).person == Cast.MARIA


@pytest.mark.causes("login-failed")
async def test_each_cause_of_refusal_is_known_to_the_office_only(portal_office: PortalOffice) -> None:
    office = portal_office
    reasons = {
        user_name(Cast.MARIA): "wrong password",
        "Nobody": "unknown user name",
        user_name(Cast.ANA): "the office has not given access, or has removed it",
        user_name(Cast.ROSA): "the office has not given access, or has removed it",
    }
    for name, reason in reasons.items():
        assert await refused(office, name, "not this one") == reason
    assert await refused(office, user_name(Cast.OTTO)) == (
        "the stored password is from version 13.1 or earlier or damaged; give a new one"
    )
    for person, word in {
        Cast.BEN: "is archived",
        Cast.MERGED: "was merged into another chart",
        Cast.DEAD: "is deceased",
        Cast.DELETED: "is deleted",
        Cast.PROSPECT: "is prospective",
    }.items():
        assert word in await refused(office, user_name(person))
    names = [row.UserName for row in await office.rows(tables.loginattempt)]
    assert len(names) == 10
    assert names[:2] == [user_name(Cast.MARIA), "Nobody"]


@pytest.mark.parametrize("password", ["", " ", "None$$", "\0", PASSWORD.swapcase(), "a\u0301\u0327" * 40_000])
async def test_blank_and_odd_passwords_open_nothing(portal_office_sqlite: PortalOffice, password: str) -> None:
    for person in (Cast.ANA, Cast.ROSA, Cast.OTTO, Cast.MARIA):
        await refused(portal_office_sqlite, user_name(person), password)


HOSTILE = [
    "",
    " ",
    "%",
    "_aria4011",
    "Maria401_",
    "Maria4011%",
    "' OR 1=1 --",
    "' OR ''='",
    'x" OR "1"="1',
    "Maria4011'; DROP TABLE userweb; --",
    "Maria4011\0",
    "Maria4011\\",
    "Maria4011😀",
    "Maria4011\ufffd",
    "Mari\na4011",
    "Maria4011" + "x" * 10_000,
    "M" * 10_000,
    "😀" * 10_000,
]


async def test_no_text_in_the_field_for_the_name_finds_anybody(portal_office: PortalOffice) -> None:
    office = portal_office
    for number, typed in enumerate(HOSTILE):
        assert await refused(office, typed, address=f"192.0.2.{number}") == "unknown user name"
    assert len(await office.rows(tables.userweb)) == len(Cast)
    assert (await office.sign_in(Cast.MARIA)).person == Cast.MARIA


async def test_no_text_in_any_field_breaks_a_call(portal_office: PortalOffice) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    for odd in HOSTILE:
        questions: list[tuple[Call[Any, Any], msgspec.Struct]] = [
            (calls.SIGN_IN, calls.SignIn(user_name(Cast.MARIA), odd, odd, odd)),
            (calls.SIGN_OUT, calls.Token(odd)),
            (calls.HOME, calls.PersonAsked(odd)),
            (calls.CHANGE_SIGN_IN, calls.ChangeSignIn(odd, odd, odd, odd)),
            (calls.CHANGE_SIGN_IN, calls.ChangeSignIn(token, odd, odd, odd)),
        ]
        for call, params in questions:
            if call is calls.SIGN_OUT:
                await office.ask(call, params)
                continue
            with pytest.raises(Failure) as caught:
                await office.ask(call, params)
            assert caught.value.code in {
                "login-failed",
                "too-many-tries",
                "session-ended",
                "password-rejected",
                "user-name-rejected",
                "value-rejected",
            }


async def test_a_name_that_two_have_is_refused_unless_only_one_has_access(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.userweb, {"UserName": "Same"}, FKey=Cast.MARIA)
    await office.change(tables.userweb, {"UserName": "SAME"}, FKey=Cast.ANA)
    assert (await office.try_name("same")).person == Cast.MARIA
    await office.change(tables.userweb, {"UserName": "same "}, FKey=Cast.GRETA)
    assert await refused(office, "same") == "several sign-ins have this user name"


async def test_accents_do_not_matter_to_the_database_but_the_exact_name_comes_first(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    await office.change(tables.userweb, {"UserName": "José"}, FKey=Cast.MARIA)
    await office.change(tables.userweb, {"UserName": "Jose"}, FKey=Cast.GRETA)
    assert (await office.try_name("JOSÉ")).person == Cast.MARIA
    assert (await office.try_name("jose")).person == Cast.GRETA


async def test_a_patient_with_two_sign_ins_needs_one_of_them_without_access(portal_office: PortalOffice) -> None:
    office = portal_office
    (row,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    second = await office.add(
        tables.userweb, UserWebNum=5000, FKey=Cast.MARIA, FKeyType=1, UserName="Second", Password="None$$"
    )
    assert (await office.sign_in(Cast.MARIA)).person == Cast.MARIA
    await office.change(tables.userweb, {"Password": row.Password}, UserWebNum=second)
    assert "several sign-ins" in await refused(office, "Second")
    assert "several sign-ins" in await refused(office, user_name(Cast.MARIA))


async def test_rows_of_another_kind_are_no_sign_ins(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.userweb, {"FKeyType": 0}, FKey=Cast.MARIA)
    assert await refused(office, user_name(Cast.MARIA)) == "unknown user name"


async def test_the_ecw_form_counts_only_while_the_bridge_is_on(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.userweb, {"Password": "81dc9bdb52d04dc20036dbd8313ed055"}, FKey=Cast.MARIA)
    assert "13.1" in await refused(office, user_name(Cast.MARIA), "1234")
    await office.add(tables.program, ProgramNum=42, ProgName="eClinicalWorks", Enabled=1)
    assert (await office.sign_in(Cast.MARIA, "1234")).person == Cast.MARIA
    (row,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    assert form_of(row.Password) is Form.SHA3_512


async def test_a_password_that_the_office_changes_during_the_sign_in_is_not_overwritten(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    await office.change(tables.userweb, {"Password": f"MD5$${OLD_MD5}"}, FKey=Cast.MARIA)
    found = await office.database.run(logins.find, user_name(Cast.MARIA))
    assert found.login is not None
    await office.change(tables.userweb, {"Password": "None$$"}, FKey=Cast.MARIA)
    schema = await office.database.run(inspect)
    assert not await office.database.run(logins.rewrite_password, schema, found.login, "SHA3_512$x$y")
    (row,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    assert row.Password == "None$$"


async def test_known_and_unknown_names_are_slowed_down_alike(portal_office: PortalOffice) -> None:
    office = portal_office
    answers = {}
    for number, name in enumerate((user_name(Cast.MARIA), "Nobody", user_name(Cast.ANA), user_name(Cast.DEAD))):
        told = []
        for _ in range(throttle.FREE + 3):
            with pytest.raises(Failure) as caught:
                await office.try_name(name, "wrong", f"192.0.2.{number}")
            told.append((caught.value.code, caught.value.patient_text(), caught.value.public_facts()))
        answers[name] = told
    first, *others = answers.values()
    assert all(other == first for other in others)
    assert [code for code, _, _ in first] == ["login-failed"] * throttle.FREE + ["too-many-tries"] * 3
    assert len({text for _, text, _ in first}) == 1


async def test_a_slowed_down_sign_in_works_again_after_the_delay_and_after_a_restart(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    for _ in range(throttle.FREE):
        await refused(office, user_name(Cast.MARIA), "wrong")
    for who in (office, PortalOffice(office.database, office.front_desk, office.state, office.root)):
        with pytest.raises(TooManyTries):
            await who.sign_in(Cast.MARIA)
    office.clock.advance(1)
    assert (await office.sign_in(Cast.MARIA)).person == Cast.MARIA


async def test_a_patient_whose_account_is_under_attack_signs_in_from_home(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.sign_in(Cast.MARIA)
    for _ in range(throttle.FREE):
        await refused(office, user_name(Cast.MARIA), "guess", "203.0.113.9")
    with pytest.raises(TooManyTries):
        await office.try_name(user_name(Cast.MARIA), PASSWORD, "203.0.113.9")
    assert (await office.sign_in(Cast.MARIA)).person == Cast.MARIA


async def test_a_new_password_from_the_office_ends_the_delay(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    (greta,) = await office.rows(tables.userweb, FKey=Cast.GRETA)
    for _ in range(throttle.FREE):
        await refused(office, user_name(Cast.MARIA), "wrong", "192.0.2.1")
    with pytest.raises(TooManyTries):
        await office.sign_in(Cast.MARIA, address="192.0.2.2")
    await office.change(tables.userweb, {"Password": greta.Password}, FKey=Cast.MARIA)
    assert (await office.sign_in(Cast.MARIA, address="192.0.2.2")).person == Cast.MARIA


async def test_every_refusal_leaves_on_the_same_beat(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    waits: list[float] = []
    pauses = asyncio.sleep

    mine = asyncio.current_task()

    async def note(seconds: float) -> None:
        if asyncio.current_task() is not mine:  # another thread's loop, of what an earlier test left running
            await pauses(seconds)
            return
        waits.append(seconds)
        await pauses(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("econnector.eservices.portal.office.desk.asyncio.sleep", note)
        for name in ("Nobody", user_name(Cast.MARIA), user_name(Cast.ANA), user_name(Cast.DEAD), "%"):
            for _ in range(throttle.FREE + 1):
                with pytest.raises(Failure):
                    await office.try_name(name, "wrong", "")
    # The clock of this office stands still, so each refusal waits for exactly one whole beat.
    assert waits == [0.001] * 5 * (throttle.FREE + 1)


async def test_signing_out_is_the_same_once_and_twice(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    for _ in range(2):
        assert await office.ask(calls.SIGN_OUT, calls.Token(token)) == calls.Nothing()
    with pytest.raises(SessionEnded) as caught:
        await office.ask(calls.HOME, calls.PersonAsked(token))
    assert caught.value.facts["reason"] == "signed out"


async def test_many_sign_ins_at_once_are_many_sessions(portal_office: PortalOffice) -> None:
    office = portal_office
    sessions = await asyncio.gather(*(office.sign_in(Cast.HUGO) for _ in range(4)))
    assert len({session.token for session in sessions}) == 4
    for session in sessions:
        assert (await office.ask(calls.HOME, calls.PersonAsked(session.token))).me.number == Cast.HUGO
