"""Changing user name and password: when it is forced, when it is wished, and what is refused."""

import asyncio

import pytest

from econnector.base.errors import (
    ChangeRequired,
    Failure,
    PasswordRejected,
    SessionEnded,
    TooManyTries,
    UserNameRejected,
    ValueRejected,
)
from econnector.eservices.portal import calls
from econnector.opendental import logins, tables
from econnector.opendental.passwords import check
from econnector.opendental.schema import inspect
from econnector.storage.state import throttle
from tests.support.practice import PASSWORD, STRONG, Cast, PortalOffice, user_name


async def forced(office: PortalOffice, person: Cast = Cast.MARIA, **flags: int) -> calls.Session:
    flags = flags or {"RequireUserNameChange": 1, "RequirePasswordChange": 1}
    await office.change(tables.userweb, flags, FKey=person)
    return await office.sign_in(person)


def new(token: str, name: str = "", password: str = "", current: str = "") -> calls.ChangeSignIn:
    return calls.ChangeSignIn(token, current, name, password)


@pytest.mark.causes("change-required")
async def test_until_the_change_is_made_nothing_else_is_answered(portal_office: PortalOffice) -> None:
    office = portal_office
    session = await forced(office)
    assert (session.change_user_name, session.change_password) == (True, True)
    for call, params in (
        (calls.HOME, calls.PersonAsked(session.token)),
        (calls.STATEMENTS, calls.PersonAsked(session.token)),
        (calls.STATEMENT_FILE, calls.StatementFile(session.token, 100)),
    ):
        with pytest.raises(ChangeRequired):
            await office.ask(call, params)  # type: ignore[misc]
    half = await office.ask(calls.CHANGE_SIGN_IN, new(session.token, name="maria.d"))
    assert (half.change_user_name, half.change_password, half.user_name) == (False, True, "maria.d")
    with pytest.raises(ChangeRequired) as required:
        await office.ask(calls.HOME, calls.PersonAsked(session.token))
    assert required.value.facts["need"] == "password"
    whole = await office.ask(calls.CHANGE_SIGN_IN, new(session.token, password=STRONG))
    assert (whole.change_user_name, whole.change_password) == (False, False)
    assert (await office.ask(calls.HOME, calls.PersonAsked(whole.token))).me.number == Cast.MARIA
    assert (await office.try_name("MARIA.D", STRONG)).person == Cast.MARIA


async def test_signing_out_needs_no_change(portal_office_sqlite: PortalOffice) -> None:
    session = await forced(portal_office_sqlite)
    await portal_office_sqlite.ask(calls.SIGN_OUT, calls.Token(session.token))


async def test_name_and_password_are_written_as_one_row(portal_office: PortalOffice) -> None:
    office = portal_office
    session = await forced(office)
    await office.change(tables.userweb, {"PasswordResetCode": "123456"}, FKey=Cast.MARIA)
    before = {row.UserWebNum: row for row in await office.rows(tables.userweb)}
    await office.ask(calls.CHANGE_SIGN_IN, new(session.token, "Maria O'Neil", STRONG))
    after = {row.UserWebNum: row for row in await office.rows(tables.userweb)}
    mine = after.pop(1000 + Cast.MARIA)
    before.pop(1000 + Cast.MARIA)
    assert after == before
    assert (mine.UserName, mine.RequireUserNameChange, mine.RequirePasswordChange) == ("Maria O'Neil", 0, 0)
    assert mine.PasswordResetCode == ""
    assert check(mine.Password, STRONG)
    (log,) = await office.rows(tables.securitylog, PermType=75)
    assert log.LogText == "Patient portal: changed the user name and password."
    assert (log.PatNum, log.FKey, log.LogSource) == (Cast.MARIA, Cast.MARIA, 6)


async def test_a_wished_change_needs_the_current_password_and_ends_other_sessions(portal_office: PortalOffice) -> None:
    office = portal_office
    here, there = await office.sign_in(Cast.MARIA), await office.sign_in(Cast.MARIA)
    for current in ("", "wrong", PASSWORD.lower()):
        with pytest.raises(PasswordRejected) as caught:
            await office.ask(calls.CHANGE_SIGN_IN, new(here.token, password=STRONG, current=current))
        assert caught.value.facts["rule"] == "current"
    changed = await office.ask(calls.CHANGE_SIGN_IN, new(here.token, password=STRONG, current=PASSWORD))
    assert (await office.ask(calls.HOME, calls.PersonAsked(changed.token))).me.number == Cast.MARIA
    for before in (here, there):  # the session goes on under another token: whoever had the old one is out
        with pytest.raises(SessionEnded):
            await office.ask(calls.HOME, calls.PersonAsked(before.token))
    with pytest.raises(Failure):
        await office.sign_in(Cast.MARIA)
    assert (await office.sign_in(Cast.MARIA, STRONG)).person == Cast.MARIA


async def test_strangers_who_guess_behind_the_same_address_keep_nobody_who_is_signed_in_from_changing(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    session = await office.sign_in(Cast.MARIA)
    for number in range(throttle.FREE_PER_ADDRESS + 1):
        with pytest.raises(Failure):
            await office.try_name(f"nobody-{number}", "guess")
    await office.ask(calls.CHANGE_SIGN_IN, new(session.token, password=STRONG, current=PASSWORD))


async def test_who_only_has_the_session_cannot_guess_the_password_fast(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    session = await office.sign_in(Cast.MARIA)
    for _ in range(throttle.FREE):
        with pytest.raises(PasswordRejected):
            await office.ask(calls.CHANGE_SIGN_IN, new(session.token, password=STRONG, current="guess"))
    with pytest.raises(TooManyTries):
        await office.ask(calls.CHANGE_SIGN_IN, new(session.token, password=STRONG, current=PASSWORD))
    assert (await office.sign_in(Cast.MARIA)).person == Cast.MARIA


@pytest.mark.causes("password-rejected")
@pytest.mark.parametrize(
    ("password", "rule"),
    [
        (PASSWORD, "length"),
        ("Bright Smile Dental 22", "practice"),
        ("My name is Maria, 22", "name"),
        ("maria4011 and 22 Violets", "name"),
        ("PasswordPassword1", "expected"),
        ("violets grow 3 times faster", "upper"),
        ("Violets grow three times faster", "digit"),
        ("V1\0" + "olets" * 5, "characters"),
        ("Violets 1 " * 1000, "too-long"),
    ],
)
async def test_a_refused_password_names_its_rule(portal_office_sqlite: PortalOffice, password: str, rule: str) -> None:
    session = await forced(portal_office_sqlite)
    with pytest.raises(PasswordRejected) as caught:
        await portal_office_sqlite.ask(calls.CHANGE_SIGN_IN, new(session.token, password=password))
    assert rule in caught.value.facts["rule"].split(", ")
    assert caught.value.patient_text().endswith(".")
    assert password not in str(caught.value)


async def test_the_password_one_has_is_not_a_new_one(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    session = await office.sign_in(Cast.MARIA)
    changed = await office.ask(calls.CHANGE_SIGN_IN, new(session.token, password=STRONG, current=PASSWORD))
    with pytest.raises(PasswordRejected) as caught:
        await office.ask(calls.CHANGE_SIGN_IN, new(changed.token, password=STRONG, current=STRONG))
    assert caught.value.facts["rule"] == "same"


@pytest.mark.causes("user-name-rejected")
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("abc", "length"),
        ("x" * 10_000, "too-long"),
        ("maria😀", "characters"),
        ("mar\0ia", "characters"),
        ("MARIA4011", "same"),
        (f" {user_name(Cast.GRETA).upper()} ", "taken"),
        (user_name(Cast.ANA), "taken"),
    ],
)
async def test_a_refused_user_name_names_its_rule(portal_office_sqlite: PortalOffice, name: str, rule: str) -> None:
    office = portal_office_sqlite
    session = await forced(office)
    with pytest.raises(UserNameRejected) as caught:
        await office.ask(calls.CHANGE_SIGN_IN, new(session.token, name, STRONG))
    assert caught.value.facts["rule"] == rule
    (row,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    assert (row.UserName, row.RequireUserNameChange, row.RequirePasswordChange) == (user_name(Cast.MARIA), 1, 1)


async def test_ones_own_name_in_other_letters_may_be_taken_when_nothing_is_forced(portal_office: PortalOffice) -> None:
    office = portal_office
    session = await office.sign_in(Cast.MARIA)
    changed = await office.ask(calls.CHANGE_SIGN_IN, new(session.token, "MARIA4011", current=PASSWORD))
    assert changed.user_name == "MARIA4011"


@pytest.mark.parametrize("name", ["", "   "])
async def test_a_change_of_nothing_is_refused(portal_office_sqlite: PortalOffice, name: str) -> None:
    session = await forced(portal_office_sqlite)
    with pytest.raises(ValueRejected):
        await portal_office_sqlite.ask(calls.CHANGE_SIGN_IN, new(session.token, name))


async def test_of_two_who_choose_one_name_at_once_one_gets_it(portal_office: PortalOffice) -> None:
    office = portal_office
    tokens = [(await forced(office, person)).token for person in (Cast.MARIA, Cast.LUIS, Cast.GRETA, Cast.HUGO)]
    answers = await asyncio.gather(
        *(office.ask(calls.CHANGE_SIGN_IN, new(token, "the.one")) for token in tokens), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Session", *["UserNameRejected"] * 3]
    assert [row.UserName for row in await office.rows(tables.userweb)].count("the.one") == 1


async def test_a_password_that_the_office_gives_meanwhile_is_not_overwritten(portal_office: PortalOffice) -> None:
    office = portal_office
    session = await forced(office)
    login = await office.database.run(logins.by_number, 1000 + Cast.MARIA)
    assert login is not None
    await office.change(tables.userweb, {"Password": "None$$"}, FKey=Cast.MARIA)
    schema = await office.database.run(inspect)
    written = await office.database.run(
        lambda connection: logins.set_sign_in(connection, schema, login, user_name="maria.d", stored="x")
    )
    assert written == "changed"
    with pytest.raises(SessionEnded):
        await office.ask(calls.CHANGE_SIGN_IN, new(session.token, password=STRONG))
    (row,) = await office.rows(tables.userweb, FKey=Cast.MARIA)
    assert (row.UserName, row.Password) == (user_name(Cast.MARIA), "None$$")


async def test_a_password_typed_in_another_unicode_form_signs_in(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    session = await forced(office, RequirePasswordChange=1)
    await office.ask(calls.CHANGE_SIGN_IN, new(session.token, password="Grüne Veilchen wachsen 3 mal"))
    assert (await office.sign_in(Cast.MARIA, "Gru\u0308ne Veilchen wachsen 3 mal")).person == Cast.MARIA


async def test_any_unicode_password_of_a_hundred_characters_survives_the_round_trip(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    session = await forced(office)
    password = "Aa1 " + "".join(chr(0x1F600 + number) + chr(0x4E00 + 7 * number) for number in range(60))
    await office.ask(calls.CHANGE_SIGN_IN, new(session.token, "maria.d", password))
    assert (await office.try_name("maria.d", password)).person == Cast.MARIA
