"""Who may look at whose records."""

import datetime as dt

import pytest
from sqlalchemy import Connection

from econnector.opendental import family, preferences, tables
from tests.support.practice import Cast, PortalOffice


def see(connection: Connection, me: int) -> list[family.Relative]:
    settings = preferences.read_many(connection, (), **family.SHARED)
    return family.visible(connection, me, shared=settings["FamPhiAccess"] == "1")


async def seen(office: PortalOffice, me: int) -> dict[int, str]:
    return {one.number: one.relation for one in await office.database.run(see, me)}


async def test_each_bond_gives_its_own_word_and_oneself_comes_first(portal_office: PortalOffice) -> None:
    found = await seen(portal_office, Cast.MARIA)
    assert next(iter(found)) == Cast.MARIA
    assert found == {
        Cast.MARIA: "self",
        Cast.LUIS: "family",
        Cast.ANA: "family",
        Cast.OTTO: "guardian",
        Cast.ROSA: "responsible",
    }


async def test_an_adult_of_a_family_sees_nobody_else(portal_office: PortalOffice) -> None:
    assert await seen(portal_office, Cast.LUIS) == {Cast.LUIS: "self"}


@pytest.mark.parametrize("me", [0, -1, 999, Cast.BEN, Cast.DEAD, Cast.DELETED, Cast.PROSPECT, Cast.MERGED])
async def test_nobody_and_the_departed_see_nobody(portal_office_sqlite: PortalOffice, me: int) -> None:
    assert await seen(portal_office_sqlite, me) == {}


@pytest.mark.parametrize(("setting", "sees"), [("1", True), ("0", False), ("", False)])
async def test_the_preference_opens_the_family(portal_office_sqlite: PortalOffice, setting: str, sees: bool) -> None:
    office = portal_office_sqlite
    await office.prefer("FamPhiAccess", setting)
    assert (Cast.ANA in await seen(office, Cast.MARIA)) is sees
    assert Cast.OTTO in await seen(office, Cast.MARIA)


async def test_a_preference_without_a_row_is_on(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.change(tables.preference, {"PrefName": "Gone"}, PrefName="FamPhiAccess")
    assert Cast.ANA in await seen(office, Cast.MARIA)


@pytest.mark.parametrize("status", range(3, 9))
@pytest.mark.parametrize("person", [Cast.ANA, Cast.OTTO, Cast.ROSA])
async def test_only_patients_non_patients_and_inactive_ones_are_seen(
    portal_office_sqlite: PortalOffice, person: Cast, status: int
) -> None:
    office = portal_office_sqlite
    await office.change(tables.patient, {"PatStatus": status}, PatNum=person)
    assert person not in await seen(office, Cast.MARIA)


async def test_super_families_and_clones_give_nothing(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.patient, {"SuperFamily": int(Cast.MARIA)}, PatNum=Cast.GRETA)
    await office.add(tables.patientlink, PatNumFrom=int(Cast.MARIA), PatNumTo=int(Cast.HUGO), LinkType=2)
    found = await seen(office, Cast.MARIA)
    assert Cast.GRETA not in found
    assert Cast.HUGO not in found
    assert Cast.MARIA in found


async def test_several_bonds_to_one_person_show_them_once_with_the_strongest(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.patient, {"ResponsParty": int(Cast.MARIA)}, PatNum=Cast.ANA)
    await office.add(tables.guardian, PatNumChild=int(Cast.ANA), PatNumGuardian=int(Cast.MARIA), IsGuardian=1)
    await office.add(tables.guardian, PatNumChild=int(Cast.ANA), PatNumGuardian=int(Cast.MARIA), IsGuardian=1)
    await office.add(tables.guardian, PatNumChild=int(Cast.MARIA), PatNumGuardian=int(Cast.MARIA), IsGuardian=1)
    found = await seen(office, Cast.MARIA)
    assert (found[Cast.ANA], found[Cast.MARIA], len(found)) == ("family", "self", 5)


async def test_a_guardian_of_nobody_opens_nothing(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    for child in (0, 999, -5):
        await office.add(tables.guardian, PatNumChild=child, PatNumGuardian=int(Cast.LUIS), IsGuardian=1)
    assert await seen(office, Cast.LUIS) == {Cast.LUIS: "self"}


async def test_names_lose_the_blanks_around_them(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.patient, {"FName": " Maria ", "LName": "O'Neil ", "Preferred": " "}, PatNum=Cast.MARIA)
    me = (await office.database.run(see, int(Cast.MARIA)))[0]
    assert (me.name, me.preferred) == ("Maria O'Neil", "")


async def test_whose_statements_stand_in_one_list(portal_office_sqlite: PortalOffice) -> None:
    people = await portal_office_sqlite.database.run(see, int(Cast.MARIA))
    mine = family.statement_people(people, Cast.MARIA, Cast.MARIA)
    assert set(mine) == {Cast.MARIA, Cast.LUIS, Cast.ANA}
    assert family.statement_people(people, Cast.MARIA, Cast.OTTO) == [Cast.OTTO]


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (dt.date(2000, 2, 29), 24),
        (dt.date(2000, 3, 1), 24),
        (dt.date(2000, 3, 2), 23),
        (dt.date(2024, 3, 1), 0),
        (dt.date(2025, 1, 1), -1),
        (None, -1),
    ],
)
def test_an_age_is_in_whole_years(born: dt.date | None, age: int) -> None:
    assert family.age_on(born, dt.date(2024, 3, 1)) == age


def test_every_bond_is_found_through_an_index() -> None:
    indexed = {next(iter(index.columns)).name for table in (tables.patient, tables.guardian) for index in table.indexes}
    assert {"Guarantor", "ResponsParty", "PatNumGuardian"} <= indexed
