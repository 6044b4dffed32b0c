"""What a page costs the practice's database: few questions, each answered by an index.

Every call of the contract that shows a page is asked; one that is added later is asked by itself.
"""

import asyncio
import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import Connection

from econnector.base.errors import DatabaseBusy
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import portal_answers
from econnector.eservices.portal.office.cashier import Cashier
from econnector.opendental import audit, tables
from econnector.opendental.schema import Schemas, inspect
from econnector.storage.state import payments
from econnector.storage.state.payments import Attempt
from tests.support.bank import Bank, BankTills
from tests.support.cost import Said, overheard, pages, params_of
from tests.support.mariadb import shared_server
from tests.support.practice import Cast, PortalOffice

CHECK, BUDGET = 3, 3
"""Questions of the session check (the sign-in, the settings, whom they may see), and of a page beyond it."""
WHOLE_RECORD = {"portal.care-summary": 36, "portal.payment-state": BUDGET + CHECK, "portal.pay-form": BUDGET + 1}
"""Pages that read all there is about somebody, and what they may ask: a number that no history raises; what became
of a payment, for which it is looked at twice who asks: before the processor is asked, and after; and the form for a
payment, which asks how those that were made lately stand."""
EXAMPLES = {
    Cast.MARIA: {"appointment": 1001, "message": 701, "plan": 1201, "reply": 701, "payment": "4000000001"},
    Cast.LUIS: {"appointment": 1010, "message": 702, "plan": 1205, "payment": "4000000001"},
}
"""What pages about one thing are asked for, by whose it is."""
PAID = Attempt(
    number="4000000001", key="", draft="", content="", login=1000 + Cast.MARIA, payer=Cast.MARIA, holder=Cast.MARIA,
    clinic=0, cents=100, processor="xweb", pay_type=71, source=2, state="approved", paid_cents=100, payment=9, mail="",
    done=True, begun=1.0,
)  # fmt: skip
GROWING = {
    *("patient", "procedurelog", "document", "emailmessage", "securitylog", "appointment", "paysplit", "payment"),
    *("adjustment", "claimproc", "statement", "eservicelog", "emailattach", "recall", "webschedrecall", "treatplan"),
    *("proctp", "allergy", "disease", "medicationpat", "vaccinepat", "patientlink", "guardian"),
}
"""Tables that grow with the practice."""
ON_BOTH = pytest.mark.parametrize(
    "portal_office", ["sqlite", pytest.param("24.3", marks=pytest.mark.shared)], indirect=True
)


async def opened(office: PortalOffice) -> str:
    """Sign Maria in; from now on the schema is known, as it is for five seconds after each look at it."""
    schema = await office.database.run(inspect)
    cashier = Cashier(office.database, office.state, lambda _: schema, office.clock, BankTills(Bank(office.clock)))
    office.answers = portal_answers(
        office.database, office.state, lambda _: schema, office.images, office.clock, beat=0.001, cashier=cashier
    )
    await office.state.run(payments.plan, PAID)
    return (await office.sign_in(Cast.MARIA)).token


async def asked_for(office: PortalOffice) -> tuple[list[str], dict[tuple[str, str], list[Said]]]:
    """Ask for every page of Maria herself and of Luis; return what the session check said, and what each page said."""
    token = await opened(office)
    with overheard(office.state.server) as said:
        await office.ask(calls.MESSAGE_DROP, calls.MessageDrop(token, "a-draft-of-mine", 0))
        check = [one.statement for one in said]
    costs = {}
    for call in pages():
        for person, examples in EXAMPLES.items():
            with overheard(office.state.server) as said:
                await office.ask(call, params_of(call, token=token, person=int(person), **examples))
            costs[call.name, person.name] = [one for one in said if not one.is_sealing]
    return check, costs


@ON_BOTH
async def test_a_page_costs_three_questions_beyond_who_asks(portal_office: PortalOffice) -> None:
    check, costs = await asked_for(portal_office)
    assert len(check) <= CHECK
    for page, said in costs.items():
        own = [one.statement for one in said]
        for statement in check:
            own.remove(statement)
        assert len(own) <= WHOLE_RECORD.get(page[0], BUDGET), (page, own)


@ON_BOTH
async def test_no_page_reads_a_table_that_grows_from_end_to_end(portal_office: PortalOffice) -> None:
    _, costs = await asked_for(portal_office)
    said = {one.statement: one.values for page in costs.values() for one in page if one.statement.startswith("SELECT")}
    assert len(said) > len(pages())
    scans = await portal_office.front_desk.run(_scans, said)
    assert scans == []
    unindexed = "SELECT someone.FName FROM patient AS someone WHERE someone.Address = 'x'"
    assert await portal_office.front_desk.run(_scans, {unindexed: ()}) == [("patient", unindexed)]


@pytest.mark.shared
@pytest.mark.parametrize("portal_office", ["24.3"], indirect=True)
async def test_nothing_goes_to_the_server_beside_the_questions(portal_office: PortalOffice) -> None:
    def questions() -> int:
        return int(shared_server().sql("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])

    office = portal_office
    token = await opened(office)
    await office.ask(calls.HOME, calls.PersonAsked(token))
    before = questions()
    of_the_look_itself = questions() - before
    with overheard(office.state.server) as said:
        for _ in range(3):
            await office.ask(calls.HOME, calls.PersonAsked(token))
    assert questions() - before - 2 * of_the_look_itself == len(said)


def _scans(connection: Connection, said: dict[str, Any]) -> list[tuple[str, str]]:
    explain = _whole_sqlite if connection.dialect.name == "sqlite" else _whole_mysql
    found = []
    for statement, values in said.items():
        names = dict(re.findall(r"(?:FROM|JOIN|,) [`\"]?(\w+)[`\"]? AS [`\"]?(\w+)", statement))
        alias = {short: table for table, short in names.items()}
        whole = {alias.get(name, name) for name in explain(connection, statement, values)}
        found += [(table, statement) for table in sorted(whole & GROWING)]
    return found


def _whole_sqlite(connection: Connection, statement: str, values: Any) -> list[str]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    return [row.detail.split()[1] for row in rows if re.fullmatch(r"SCAN \w+( AS \w+)?", row.detail)]


def _whole_mysql(connection: Connection, statement: str, values: Any) -> list[str]:
    # Of a table with a handful of rows the server reads all of them: what counts is whether it knows another way.
    rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values).mappings().all()
    return [
        row["table"] for row in rows if row["table"] and row["type"] in ("ALL", "index") and not row["possible_keys"]
    ]


async def unsealed(office: PortalOffice) -> list[Any]:
    """Return the traces of what was looked at that have no hash."""
    sealed = {row.SecurityLogNum for row in await office.rows(tables.securityloghash)}
    return [row for row in await office.rows(tables.securitylog, PermType=75) if row.SecurityLogNum not in sealed]


async def all_sealed(office: PortalOffice) -> None:
    async with asyncio.timeout(60):
        while await unsealed(office):  # noqa: ASYNC110 - it comes from the database
            await asyncio.sleep(0.02)


async def test_every_trace_of_a_look_gets_one_hash(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await asyncio.gather(*[office.ask(calls.STATEMENTS, calls.PersonAsked(token, Cast.LUIS)) for _ in range(5)])
    await all_sealed(office)
    logs = await office.rows(tables.securitylog, PermType=75)
    assert len(logs) == 5
    for log in logs:
        (sealed,) = await office.rows(tables.securityloghash, SecurityLogNum=log.SecurityLogNum)
        assert sealed.LogHash == audit.log_hash(75, 0, log.LogDateTime, log.LogText, Cast.MARIA)


async def test_hashes_that_could_not_be_written_follow_with_the_next_page(
    portal_office_sqlite: PortalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        tried.set()
        raise DatabaseBusy(limit="1", reason="a test")

    office, tried = portal_office_sqlite, asyncio.Event()
    token = (await office.sign_in(Cast.MARIA)).token
    with monkeypatch.context() as patched:
        patched.setattr(audit, "seal", fail)
        await office.ask(calls.STATEMENTS, calls.PersonAsked(token))
        await asyncio.wait_for(tried.wait(), 60)
    assert len(await unsealed(office)) == 1
    await office.ask(calls.ACCOUNT, calls.PersonAsked(token))
    await all_sealed(office)


async def test_what_was_written_just_before_a_kill_is_mended_two_minutes_later(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await office.ask(calls.STATEMENTS, calls.PersonAsked(token))
    await all_sealed(office)
    (log,) = await office.rows(tables.securitylog, PermType=75)
    await office.change(tables.securityloghash, {"SecurityLogNum": 0}, SecurityLogNum=log.SecurityLogNum)
    office.answers = portal_answers(office.database, office.state, Schemas(), office.images, office.clock, beat=0.001)
    await office.sign_in(Cast.MARIA)
    assert len(await unsealed(office)) == 1
    office.clock.advance(121)
    earlier = log.LogDateTime - dt.timedelta(minutes=2)
    await office.change(tables.securitylog, {"LogDateTime": earlier}, SecurityLogNum=log.SecurityLogNum)
    await office.sign_in(Cast.MARIA)
    assert await unsealed(office) == []
