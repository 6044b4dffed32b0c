"""How a practice takes cards online: what its program links say, per clinic, in both spellings."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import Connection, text

from econnector.base.errors import PaymentCredentialsIncomplete, PaymentsOff
from econnector.opendental import paymentsetup, schema
from econnector.opendental.paymentsetup import PaymentSetup
from econnector.opendental.tables import clinic, definition, program, programproperty
from econnector.storage.database import Database
from tests.opendental.conftest import sqlite_practice as sqlite_practice  # noqa: PLC0414 - the fixture
from tests.support.mariadb import Version, practice_in, shared_server
from tests.support.practice import add

TABLES = ("program", "programproperty", "definition", "clinic", "preference")
KEY, OTHER_KEY = "Q" * 32, "Z" * 32
PRACTICE, UPTOWN, HIDDEN = 0, 4, 5
ONLINE = {"EdgeExpress": "EdgeExpressIsOnlinePaymentsEnabled", "Xcharge": "IsOnlinePaymentsEnabled"}


class Links:
    """Program links as staff set them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def sql(self, statement: str, **values: object) -> None:
        await self.database.run(lambda connection: connection.execute(text(statement), values).close())

    async def enable(self, name: str, on: int = 1) -> None:
        await self.sql("UPDATE program SET Enabled = :on WHERE ProgName = :name", on=on, name=name)

    async def put(self, name: str, clinic: int = PRACTICE, computer: str = "", **values: str) -> None:
        """Set properties of a program for a clinic; a real database has some of them already."""

        def write(connection: Connection) -> None:
            number = connection.execute(
                text("SELECT ProgramNum FROM program WHERE ProgName = :n"), {"n": name}
            ).scalar()
            for property_, value in values.items():
                here = {"p": number, "d": property_, "c": clinic}
                if not computer:
                    gone = "DELETE FROM programproperty WHERE ProgramNum = :p AND PropertyDesc = :d AND ClinicNum = :c"
                    connection.execute(text(gone), here)
                row = {"ProgramNum": number, "PropertyDesc": property_, "PropertyValue": value, "ClinicNum": clinic}
                add(connection, programproperty, ComputerName=computer, **row)

        await self.database.run(write)

    async def edgeexpress(self, clinic: int = PRACTICE, **more: str) -> None:
        values = {
            "EdgeExpressXWebID": "800000000001",
            "EdgeExpressAuthKey": KEY,
            "EdgeExpressTerminalID": "80000001",
            "EdgeExpressPaymentType": "71",
            "EdgeExpressIsOnlinePaymentsEnabled": "1",
        }
        await self.put("EdgeExpress", clinic, **(values | more))

    async def read(self, clinic: int = PRACTICE, *, elsewhere: bool = False) -> PaymentSetup:
        return await self.database.run(lambda connection: paymentsetup.read(connection, clinic, elsewhere=elsewhere))

    async def clinics(self) -> None:
        await self.sql("UPDATE preference SET ValueString = '0' WHERE PrefName = 'EasyNoClinics'")


def _with_links(version: Version) -> Path:
    server = shared_server()

    def empty(name: str) -> None:
        server.sql("DELETE FROM clinic", database=name)

    return server.prepared(version, {*schema.NEEDED, *TABLES}, "with-links", empty)


def _fill(connection: Connection) -> None:
    """Write what every practice has: the two programs, switched off, the payment types and two clinics."""
    known = set(connection.execute(text("SELECT ProgName FROM program")).scalars())
    for number, name in ((36, "Xcharge"), (118, "EdgeExpress")):
        if name not in known:
            add(connection, program, ProgramNum=number, ProgName=name, Enabled=0)
    if not connection.execute(text("SELECT 1 FROM definition WHERE DefNum = 71")).scalar():
        for number, name in ((69, "Check"), (71, "Credit Card")):
            add(connection, definition, DefNum=number, Category=10, ItemName=name)
    for number, name, hidden in ((UPTOWN, "Uptown", 0), (HIDDEN, "Closed", 1)):
        add(connection, clinic, ClinicNum=number, Description=name, IsHidden=hidden)
    for name, value in (("EasyNoClinics", "1"), ("StoreCCtokens", "1")):
        if not connection.execute(text("SELECT 1 FROM preference WHERE PrefName = :n"), {"n": name}).scalar():
            connection.execute(text("INSERT INTO preference (PrefName, ValueString) VALUES (:n, '')"), {"n": name})
        connection.execute(text("UPDATE preference SET ValueString = :v WHERE PrefName = :n"), {"v": value, "n": name})


async def _links(form: Version | Literal["sqlite"], tmp_path: Path, empty: Path) -> AsyncIterator[Links]:
    with practice_in(form, tmp_path, empty, _with_links) as url:
        database = Database(url)
        await database.run(_fill)
        yield Links(database)
        await database.close()


@pytest.fixture(params=["sqlite", *(pytest.param(each, marks=pytest.mark.shared) for each in ("21.1", "24.3"))])
async def every_form(request: pytest.FixtureRequest, sqlite_practice: Path, tmp_path: Path) -> AsyncIterator[Links]:
    async for made in _links(request.param, tmp_path, sqlite_practice):
        yield made


@pytest.fixture
async def links(sqlite_practice: Path, tmp_path: Path) -> AsyncIterator[Links]:
    async for made in _links("sqlite", tmp_path, sqlite_practice):
        yield made


@pytest.mark.causes("payments-off")
async def test_a_practices_program_links_in_every_version(every_form: Links) -> None:
    links = every_form
    with pytest.raises(PaymentsOff, match="neither EdgeExpress nor XCharge is enabled"):
        await links.read()
    await links.enable("Xcharge")
    await links.put("Xcharge", XWebID=" 900000000001 ", AuthKey=OTHER_KEY, TerminalID="90000001", PaymentType="71")
    with pytest.raises(PaymentsOff, match="IsOnlinePaymentsEnabled of Xcharge"):
        await links.read()
    await links.put("Xcharge", IsOnlinePaymentsEnabled="1")
    found = await links.read()
    assert (found.program, found.xweb_id, found.auth_key) == ("Xcharge", "900000000001", OTHER_KEY)
    assert (found.terminal_id, found.pay_type, found.source, found.may_keep) == ("90000001", 71, 2, True)
    await links.enable("EdgeExpress")
    assert (await links.read()).program == "Xcharge", "EdgeExpress is not open for online payments yet"
    await links.edgeexpress()
    found = await links.read()
    assert (found.program, found.xweb_id, found.source) == ("EdgeExpress", "800000000001", 12)
    assert found.names == ("EdgeExpressXWebID", "EdgeExpressAuthKey", "EdgeExpressTerminalID")
    await links.put("EdgeExpress", EdgeExpressPreventSavingNewCC="1")
    assert not (await links.read()).may_keep
    assert KEY not in repr(found)


async def test_both_spellings_and_the_one_that_open_dental_reads_goes_first(every_form: Links) -> None:
    links = every_form
    await links.enable("EdgeExpress")
    await links.edgeexpress(EdgeExpressAuthKey="", EdgeExpressTerminalID="")
    await links.put("EdgeExpress", EdgeExpressXWebAuthKey=OTHER_KEY, EdgeExpressXWebTerminalID="80000002")
    found = await links.read()
    assert (found.auth_key, found.terminal_id) == (OTHER_KEY, "80000002")
    assert found.names == ("EdgeExpressXWebID", "EdgeExpressXWebAuthKey", "EdgeExpressXWebTerminalID")
    await links.edgeexpress()
    found = await links.read()
    assert (found.auth_key, found.terminal_id) == (KEY, "80000001")


async def test_a_clinic_uses_its_own_account_or_the_practices_never_half_of_each(links: Links) -> None:
    await links.enable("EdgeExpress")
    await links.edgeexpress()
    assert (await links.read(UPTOWN)).clinic == PRACTICE, "clinics are switched off"
    await links.clinics()
    found = await links.read(UPTOWN)
    assert (found.clinic, found.held_by, found.auth_key, found.clinic_words) == (UPTOWN, 0, KEY, "the practice")
    await links.put("EdgeExpress", UPTOWN, EdgeExpressXWebID="800000000004")
    found = await links.read(UPTOWN)
    assert (found.held_by, found.xweb_id, found.auth_key) == (UPTOWN, "800000000004", "")
    assert found.clinic_words == "the clinic Uptown"
    await links.put("EdgeExpress", UPTOWN, EdgeExpressIsOnlinePaymentsEnabled="0")
    with pytest.raises(PaymentsOff, match="for the clinic Uptown"):
        await links.read(UPTOWN)
    assert (await links.read()).auth_key == KEY
    await links.put("EdgeExpress", HIDDEN, EdgeExpressXWebID="1")
    assert await links.database.run(paymentsetup.every) == [PRACTICE, UPTOWN]


@pytest.mark.parametrize(("value", "said"), [("0", "is empty"), ("", "is empty"), ("x", "not in use"), ("9", "not in")])
async def test_a_payment_type_that_is_none_is_named(links: Links, value: str, said: str) -> None:
    await links.enable("EdgeExpress")
    await links.edgeexpress(EdgeExpressPaymentType=value)
    with pytest.raises(PaymentCredentialsIncomplete, match="EdgeExpressPaymentType") as incomplete:
        await links.read()
    assert said in incomplete.value.office_text()


async def test_what_is_set_for_one_computer_alone_does_not_count(links: Links) -> None:
    await links.enable("EdgeExpress")
    await links.edgeexpress()
    await links.put("EdgeExpress", computer="FRONT-DESK", EdgeExpressAuthKey=OTHER_KEY)
    assert (await links.read()).auth_key == KEY


async def test_a_program_that_its_maker_switched_off_is_off(links: Links) -> None:
    await links.enable("EdgeExpress")
    await links.edgeexpress()
    await links.sql("UPDATE program SET IsDisabledByHq = 1")
    with pytest.raises(PaymentsOff):
        await links.read()


async def test_a_processor_that_open_dental_does_not_know_needs_a_payment_type_for_cards(links: Links) -> None:
    found = await links.read(elsewhere=True)
    assert (found.program, found.pay_type, found.source, found.may_keep) == ("", 71, 13, True)
    await links.sql("UPDATE preference SET ValueString = '0' WHERE PrefName = 'StoreCCtokens'")
    assert not (await links.read(elsewhere=True)).may_keep
    await links.sql("UPDATE definition SET ItemName = 'Check' WHERE Category = 10")
    with pytest.raises(PaymentsOff, match="the word card"):
        await links.read(elsewhere=True)


async def test_an_account_is_known_after_it_was_switched_off(links: Links) -> None:
    await links.edgeexpress(EdgeExpressIsOnlinePaymentsEnabled="0")
    await links.enable("EdgeExpress", 0)
    setup = await links.database.run(lambda connection: paymentsetup.read_again(connection, 0, "EdgeExpress"))
    assert (setup.program, setup.xweb_id, setup.auth_key, setup.source) == ("EdgeExpress", "800000000001", KEY, 12)
    elsewhere = await links.database.run(lambda connection: paymentsetup.read_again(connection, 0, ""))
    assert (elsewhere.program, elsewhere.source) == ("", 13)
