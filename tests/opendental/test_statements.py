"""Statements and balances."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from econnector.opendental import balances, family, preferences, statements, tables
from econnector.opendental.glance import glance
from tests.support.practice import Cast, PortalOffice


def counted(connection: Connection, people: list[int]) -> int:
    return glance(connection, statements_of=people, check_ups_of=None).statement_count


async def test_only_documents_of_shown_statement_categories_are_listed(portal_office: PortalOffice) -> None:
    rows = await portal_office.database.run(statements.listed, [int(Cast.MARIA)])
    assert [row.number for row in rows] == [112, 100, 101]
    assert [row.cents for row in rows] == [None, 13125, 40000]
    assert rows[1].created == dt.datetime.fromisoformat("2025-11-03 09:30")


async def test_a_category_that_the_office_hides_or_renames_changes_the_list_at_once(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    await office.change(tables.definition, {"IsHidden": 1}, DefNum=240)
    assert await office.database.run(statements.listed, [int(Cast.MARIA)]) == []
    assert await office.database.run(counted, [int(Cast.ANA)]) == 1
    await office.change(tables.definition, {"ItemValue": "XL"}, DefNum=904)
    assert await office.database.run(counted, [int(Cast.ANA)]) == 0


async def test_nobody_has_no_statements(portal_office: PortalOffice) -> None:
    assert await portal_office.database.run(statements.listed, []) == []
    assert await portal_office.database.run(counted, []) == 0
    assert await portal_office.database.run(statements.last_sent, []) is None
    assert await portal_office.database.run(statements.find, 0) is None


async def test_the_last_statement_is_the_last_by_date(portal_office: PortalOffice) -> None:
    found = await portal_office.database.run(statements.last_sent, [int(Cast.MARIA)])
    assert found == statements.LastStatement(13125, dt.date(2025, 11, 3))
    assert await portal_office.database.run(statements.last_sent, [int(Cast.GRETA)]) is None


async def test_a_file_is_found_with_its_folder_and_place(portal_office: PortalOffice) -> None:
    office = portal_office
    await office.change(tables.document, {"ExternalSource": "XVWeb"}, DocNum=101)
    found = await office.database.run(statements.find, 100)
    assert found is not None
    assert (found.patient, found.folder, found.file_name, found.elsewhere) == (11, "Maria11", "Maria100.pdf", "")
    elsewhere = await office.database.run(statements.find, 101)
    assert elsewhere is not None
    assert (elsewhere.elsewhere, elsewhere.title) == ("XVWeb", "Statement")


async def test_lists_read_no_column_that_may_hold_a_whole_file(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        said.append(sql)

    event.listen(office.database._engine, "before_cursor_execute", note)
    for read in (statements.listed, counted, statements.last_sent):
        await office.database.run(read, [int(Cast.MARIA)])
    await office.database.run(statements.find, 100)
    assert len(said) == 8
    for sql in said:
        assert not {"RawBase64", "Thumbnail", "Note", "EmailBody", "OcrResponseData", "Signature"} & set(sql.split("."))
        assert "RawBase64" not in sql
        assert "*" not in sql.replace("count(*)", "")


async def test_a_list_is_at_most_five_hundred_long(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite

    def write(connection: Any) -> None:
        row = {"PatNum": int(Cast.HUGO), "DocCategory": 240, "DateCreated": dt.datetime.fromisoformat("2024-01-01")}
        connection.execute(tables.document.insert(), [row | {"DocNum": 10_000 + number} for number in range(600)])

    await office.front_desk.run(write)
    rows = await office.database.run(statements.listed, [int(Cast.HUGO)])
    assert len(rows) == 500
    assert rows[0].number == 113
    assert await office.database.run(counted, [int(Cast.HUGO)]) == 601


async def owed(office: PortalOffice, person: Cast) -> balances.Balance:
    def read(connection: Connection) -> balances.Balance:
        me = family.visible(connection, int(person), shared=False)[0]
        return balances.balance(me.total, me.insurance, preferences.read_many(connection, balances.SETTINGS))

    return await office.database.run(read)


async def test_a_family_owes_what_its_account_holder_s_row_says(portal_office: PortalOffice) -> None:
    office = portal_office
    assert await owed(office, Cast.MARIA) == balances.Balance(14225, dt.date(2025, 12, 31))
    await office.change(tables.patient, {"BalTotal": 0.1 + 0.2, "InsEst": 0.0}, PatNum=Cast.MARIA)
    assert (await owed(office, Cast.MARIA)).cents == 30
    await office.prefer("BalancesDontSubtractIns", "1")
    await office.change(tables.patient, {"InsEst": 500.0}, PatNum=Cast.MARIA)
    assert (await owed(office, Cast.MARIA)).cents == 30


@pytest.mark.parametrize(
    ("setting", "day"),
    [
        ("2025-12-31", dt.date(2025, 12, 31)),
        ("2025-12-31 00:00:00", dt.date(2025, 12, 31)),
        ("0001-01-01", None),
        ("0000-00-00", None),
        ("12/31/2025", None),
        ("", None),
    ],
)
async def test_the_day_of_the_last_aging_may_be_unknown(
    portal_office_sqlite: PortalOffice, setting: str, day: dt.date | None
) -> None:
    await portal_office_sqlite.prefer("DateLastAging", setting)
    assert (await owed(portal_office_sqlite, Cast.MARIA)).as_of == day


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0.0, 0),
        (None, 0),
        (19.99, 1999),
        (-19.99, -1999),
        (0.005, 1),
        (1.005, 101),
        (-0.005, -1),
        (float("nan"), 0),
        (float("inf"), 0),
        (1e13, 10**15),
        (Decimal("12.345"), 1235),
    ],
)
def test_money_becomes_whole_cents(amount: float | Decimal | None, expected: int) -> None:
    assert balances.cents(amount) == expected


@given(st.integers(-(10**11), 10**11))
def test_every_amount_in_cents_survives_the_double(amount: int) -> None:
    assert balances.cents(amount / 100) == amount
