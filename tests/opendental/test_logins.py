"""The table userweb: what a name finds, and what is written there."""

import pytest
from sqlalchemy import event

from econnector.opendental import logins, tables
from econnector.opendental.schema import inspect
from tests.support.practice import Cast, PortalOffice, user_name


async def find(office: PortalOffice, typed: str) -> logins.Found:
    return await office.database.run(logins.find, typed)


async def test_no_row_one_row_and_several_rows_of_a_name(portal_office: PortalOffice) -> None:
    office = portal_office
    assert (await find(office, "nobody")).why == "unknown user name"
    found = (await find(office, user_name(Cast.MARIA))).login
    assert found is not None
    assert (found.patient, found.user_name, found.change_user_name) == (Cast.MARIA, "Maria4011", False)
    await office.change(tables.userweb, {"UserName": user_name(Cast.MARIA)}, FKey=Cast.ROSA)
    assert (await find(office, user_name(Cast.MARIA))).login == found
    await office.change(tables.userweb, {"UserName": user_name(Cast.MARIA)}, FKey=Cast.GRETA)
    assert (await find(office, user_name(Cast.MARIA))).login is None


@pytest.mark.parametrize("known", [True, False])
async def test_a_name_is_looked_for_in_one_sweep_without_an_order(portal_office: PortalOffice, known: bool) -> None:
    # UserName has no index; asked for an order, a server walks the key instead and takes ten times as long.
    office, said = portal_office, list[str]()
    event.listen(office.database._engine, "before_cursor_execute", lambda _c, _cursor, sql, *_rest: said.append(sql))
    await find(office, user_name(Cast.MARIA) if known else "nobody")
    sweeps = [sql for sql in said if "userweb" in sql]
    assert len(sweeps) == 1 + known
    assert not any("ORDER BY" in sql for sql in sweeps)


async def test_a_blank_name_in_the_table_is_found_by_nothing(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.userweb, {"UserName": ""}, FKey=Cast.MARIA)
    for typed in ("", " ", "   ", "\t", "\0", "\u00a0"):
        assert (await find(office, typed)).login is None


@pytest.mark.parametrize("name", ["Ann%", "An_a", "O'Neil", 'Say "hi"', "back\\slash", "a;b--", "Ünïcode 7", "ИВАН 99"])
async def test_signs_are_letters_like_others(portal_office_sqlite: PortalOffice, name: str) -> None:
    office = portal_office_sqlite
    await office.change(tables.userweb, {"UserName": name}, FKey=Cast.MARIA)
    await office.change(tables.userweb, {"UserName": "Anna"}, FKey=Cast.GRETA)
    for typed in (name, name.upper(), name.lower(), f" {name} "):
        found = (await find(office, typed)).login
        assert found is not None
        assert found.patient == Cast.MARIA


async def test_signs_are_letters_like_others_on_every_database(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.userweb, {"UserName": "O'Neil_100%\\"}, FKey=Cast.MARIA)
    found = (await find(office, "o'NEIL_100%\\")).login
    assert found is not None
    assert (await find(office, "O'NeilX100%\\")).login is None
    assert (await find(office, "O'Neil%")).login is None


async def test_a_name_is_taken_by_rows_without_access_too(portal_office: PortalOffice) -> None:
    office = portal_office

    async def taken(name: str, but: int = 0) -> bool:
        return await office.database.run(lambda connection: logins.name_is_taken(connection, name, but=but))

    assert await taken("ANA4013")
    assert not await taken("ANA4013", 1000 + Cast.ANA)
    assert not await taken("An_4013")
    assert not await taken("Ana40%")
    await office.change(tables.userweb, {"FKeyType": 0}, FKey=Cast.ANA)
    assert not await taken("ANA4013")


@pytest.mark.parametrize("typed", ["Maria", "", "😀 maria", "x" * 10_000, "\0\r\n", "' OR 1=1 --", "\ufffd"])
async def test_a_failure_is_kept_whatever_was_typed(portal_office: PortalOffice, typed: str) -> None:
    office = portal_office
    schema = await office.database.run(inspect)
    await office.database.run(logins.record_failure, schema, typed)
    (row,) = await office.rows(tables.loginattempt)
    assert row.LoginType == 1
    assert row.DateTFail is not None
    assert len(row.UserName) <= 255
    if typed.isascii() and typed.isprintable():
        assert row.UserName == typed[:255]


async def test_a_change_of_nothing_writes_nothing(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    schema = await office.database.run(inspect)
    login = (await find(office, user_name(Cast.MARIA))).login
    assert login is not None
    before = await office.rows(tables.userweb)
    assert await office.database.run(lambda connection: logins.set_sign_in(connection, schema, login)) == ""
    assert await office.rows(tables.userweb) == before


async def test_a_sign_in_never_shows_its_password_when_printed(portal_office_sqlite: PortalOffice) -> None:
    login = (await find(portal_office_sqlite, user_name(Cast.MARIA))).login
    assert login is not None
    assert login.stored not in f"{login} {login!r}"


@pytest.mark.parametrize(
    ("person", "word"),
    [
        (Cast.MARIA, ""),
        (Cast.NON_PATIENT, ""),
        (Cast.INACTIVE, ""),
        (Cast.GRETA, ""),  # linked to another chart, but as a clone
        (Cast.BEN, "archived"),
        (Cast.DELETED, "deleted"),
        (Cast.DEAD, "deceased"),
        (Cast.PROSPECT, "prospective"),
        (Cast.MERGED, "merged"),
        (999, "missing"),
        (0, "missing"),
    ],
)
async def test_who_may_not_sign_in(portal_office_sqlite: PortalOffice, person: int, word: str) -> None:
    why = await portal_office_sqlite.database.run(logins.standing, person)
    assert bool(why) == bool(word)
    assert word in why


async def test_a_status_from_a_newer_version_has_no_access(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.patient, {"PatStatus": 77}, PatNum=Cast.MARIA)
    assert "no access" in await office.database.run(logins.standing, int(Cast.MARIA))
