"""What a care summary leaves behind in Open Dental: audit trail, EHR measures, and the history that patients read."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from econnector.eservices.portal import calls
from econnector.eservices.portal.office import preview_answers
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.summary import make_files, note_deed
from econnector.opendental import audit, passwords, tables, writes
from econnector.opendental.schema import Schemas, inspect
from econnector.opendental.summary.records import Period
from econnector.storage.state import previews
from tests.support.practice import Cast, PortalOffice

ON_BOTH = pytest.mark.parametrize(
    "portal_office", ["sqlite", pytest.param("24.3", marks=pytest.mark.shared)], indirect=True
)
ACTS, COPIES, REQUESTED, PROVIDED = 75, 68, 2, 3
BY_MARIA = "by a representative (patient 11)"


async def viewed(office: PortalOffice, token: str, person: int = 0) -> calls.CareSummary:
    return await office.ask(calls.CARE_SUMMARY, calls.CareSummaryAsked(token, person))


async def saved(office: PortalOffice, token: str, person: int = 0, kind: str = "xml") -> bytes:
    asked = calls.CareSummaryFile(token, person, kind=kind)
    return (await office.download(calls.CARE_SUMMARY_FILE, asked))[1]


async def history(office: PortalOffice, token: str, person: int = 0, page: int = 0) -> calls.CareSummaryHistory:
    return await office.ask(calls.CARE_SUMMARY_HISTORY, calls.PageAsked(token, person, page))


async def measured(office: PortalOffice, person: Cast) -> list[tuple[int, str]]:
    """Return the measures' rows of somebody that are about copies: type and text."""
    rows = await office.rows(tables.ehrmeasureevent, PatNum=person)
    return [(row.EventType, row.MoreInfo) for row in rows if row.EventType in {REQUESTED, PROVIDED}]


async def audited(office: PortalOffice, kind: int) -> list[tuple[int, int, str]]:
    """Return the audit rows of a kind: PatNum, FKey, text; each has the hash that Open Dental expects."""
    rows = await office.rows(tables.securitylog, PermType=kind)
    for row in rows:
        (sealed,) = await office.rows(tables.securityloghash, SecurityLogNum=row.SecurityLogNum)
        made = audit.log_hash(kind, row.UserNum, row.LogDateTime, row.LogText, row.PatNum)
        assert sealed.LogHash == made
    return [(row.PatNum, row.FKey, row.LogText) for row in rows]


async def everything(office: PortalOffice) -> list[list[Any]]:
    """Return what Open Dental holds in every table that a trace could be in."""
    found = (tables.securitylog, tables.securityloghash, tables.ehrmeasureevent, tables.eservicelog)
    return [await office.rows(table) for table in found]


async def later(office: PortalOffice, minutes: int) -> None:
    """Let what was noted so far be so much older."""
    gone = dt.timedelta(minutes=minutes)
    for table, column in ((tables.securitylog, "LogDateTime"), (tables.ehrmeasureevent, "DateTEvent")):
        key = next(iter(table.primary_key.columns)).name
        for row in await office.rows(table):
            if moment := getattr(row, column):
                await office.change(table, {column: moment - gone}, **{key: getattr(row, key)})


@ON_BOTH
async def test_viewing_counts_once_for_whose_record_it_is_and_is_in_the_audit_trail(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await viewed(office, token, Cast.ANA)
    assert await measured(office, Cast.ANA) == [
        (REQUESTED, f"Patient portal: viewed the care summary, {BY_MARIA}"),
    ]
    assert await measured(office, Cast.MARIA) == []
    assert await audited(office, ACTS) == [(Cast.MARIA, Cast.ANA, "Patient portal: viewed the care summary.")]
    assert await audited(office, COPIES) == []
    await viewed(office, token)
    assert await measured(office, Cast.MARIA) == [(REQUESTED, "Patient portal: viewed the care summary")]


@ON_BOTH
async def test_a_download_counts_as_asked_for_and_as_provided_and_is_a_copy_of_the_record(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    token = (await office.sign_in(Cast.MARIA)).token
    await saved(office, token, Cast.ANA, "zip")
    said = f"Patient portal: downloaded the care summary (zip), {BY_MARIA}"
    assert await measured(office, Cast.ANA) == [(REQUESTED, said), (PROVIDED, said)]
    assert await audited(office, ACTS) == [(Cast.MARIA, Cast.ANA, "Patient portal: downloaded the care summary (zip).")]
    copied = "Patient portal: CCD generated (xml, html, pdf) for a representative (patient 11)."
    assert await audited(office, COPIES) == [(Cast.ANA, 0, copied)]


async def test_the_same_again_is_the_same_for_ten_minutes(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await asyncio.gather(*[viewed(office, token, Cast.ANA) for _ in range(5)])
    await asyncio.gather(*[saved(office, token, Cast.ANA) for _ in range(3)])
    assert len(await measured(office, Cast.ANA)) == 1 + 2
    assert len(await audited(office, ACTS)) == 2
    assert len(await audited(office, COPIES)) == 3  # every document that is made
    await later(office, 11)
    await viewed(office, token, Cast.ANA)
    assert len(await measured(office, Cast.ANA)) == 4
    assert len(await office.rows(tables.securitylog, PermType=ACTS)) == 3


async def test_somebody_else_and_another_file_are_not_the_same(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    maria, stefan = (await office.sign_in(Cast.MARIA)).token, (await office.sign_in(Cast.STEFAN)).token
    for token in (maria, stefan):
        await viewed(office, token, Cast.PAUL if token == stefan else Cast.LUIS)
    await saved(office, maria, Cast.LUIS, "xml")
    await saved(office, maria, Cast.LUIS, "html")
    assert len(await measured(office, Cast.LUIS)) == 1 + 2 + 2
    assert len(await measured(office, Cast.PAUL)) == 1


async def test_what_a_killed_connector_left_half_written_is_finished_by_the_next_try(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    text = "Patient portal: viewed the care summary."
    now = (await office.rows(tables.securitylog))[-1].LogDateTime
    await office.add(
        tables.securitylog, PermType=ACTS, PatNum=Cast.MARIA, FKey=Cast.ANA, LogSource=6, LogDateTime=now, LogText=text
    )
    await viewed(office, token, Cast.ANA)
    assert len([row for row in await office.rows(tables.securitylog, PermType=ACTS) if row.LogText == text]) == 1
    assert len(await measured(office, Cast.ANA)) == 1


async def test_a_copy_without_its_hash_is_mended(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    await saved(office, token, Cast.ANA)
    (copy,) = await office.rows(tables.securitylog, PermType=COPIES)
    await office.change(tables.securityloghash, {"SecurityLogNum": 0}, SecurityLogNum=copy.SecurityLogNum)
    earlier = copy.LogDateTime - dt.timedelta(minutes=2)
    await office.change(tables.securitylog, {"LogDateTime": earlier}, SecurityLogNum=copy.SecurityLogNum)
    mended = await office.database.run(lambda to: audit.mend(to, inspect(to), copy.CompName))
    assert mended == 1
    assert len(await audited(office, COPIES)) == 1


@ON_BOTH
async def test_the_history_says_who_did_what_and_for_whom(portal_office: PortalOffice) -> None:
    office = portal_office
    maria, luis = (await office.sign_in(Cast.MARIA)).token, (await office.sign_in(Cast.LUIS)).token
    await viewed(office, luis)
    await later(office, 3)
    await saved(office, maria, Cast.LUIS, "zip")
    long_ago = dt.datetime(2020, 5, 4, 10)  # noqa: DTZ001 - office time
    await office.add(tables.ehrmeasureevent, PatNum=Cast.LUIS, EventType=REQUESTED, DateTEvent=long_ago, MoreInfo="")
    own = (await history(office, luis)).items
    assert [(one.what, one.who, one.who_name, one.representative, one.detail) for one in own] == [
        ("downloaded", Cast.MARIA, "Maria Delgado", True, "zip"),
        ("viewed", Cast.LUIS, "Luis Delgado", False, ""),
        ("copied", 0, "", False, ""),
    ]
    assert own[2].date == "2020-05-04T10:00:00"
    # What Luis does with it himself is his own.
    assert [(one.what, one.who) for one in (await history(office, maria, Cast.LUIS)).items] == [
        ("downloaded", Cast.MARIA)
    ]
    looks = (await office.ask(calls.WHO_LOOKED, calls.PageAsked(luis))).items
    assert {("summary-downloaded", Cast.MARIA), ("summary-viewed", Cast.LUIS)} <= {(one.what, one.who) for one in looks}


async def test_a_long_history_has_pages(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    sent = "Patient portal: sent the care summary."

    def noted(connection: Any) -> None:
        for number in range(60):
            when = dt.datetime(2026, 1, 1, 10, number)  # noqa: DTZ001 - office time
            act = {"PermType": ACTS, "PatNum": Cast.MARIA, "FKey": Cast.ANA, "LogSource": 6}
            writes.insert(connection, schema, tables.securitylog, act | {"LogDateTime": when, "LogText": sent})

    schema = await office.database.run(inspect)
    await office.front_desk.run(noted)
    first, second = await history(office, token, Cast.ANA), await history(office, token, Cast.ANA, 1)
    assert (len(first.items), first.more, len(second.items), second.more) == (50, True, 10, False)
    assert {one.what for one in first.items} == {"sent"}
    assert first.items[0].date == "2026-01-01T10:59:00"


async def test_in_a_preview_all_is_shown_and_nothing_is_written(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    (login,) = await office.rows(tables.userweb, FKey=Cast.MARIA)

    begun = previews.Preview(3, login.UserWebNum, Cast.MARIA, passwords.fingerprint(login.Password), office.clock.now())
    token = await office.state.run(previews.begin, begun)
    office.answers = preview_answers(office.database, office.state, Schemas(), office.images, office.clock)
    before = await everything(office)
    assert (await viewed(office, token, Cast.ANA)).name == "Ana Delgado"
    assert (await saved(office, token, Cast.ANA)).startswith(b"<?xml")
    assert (await history(office, token, Cast.ANA)).items == []
    assert await everything(office) == before


async def test_files_for_somebody_else_to_hand_out_are_noted_as_a_copy_and_then_as_what_was_done(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    desk = Desk(office.database, office.state, Schemas(), office.images, office.clock, beat=0.001)
    session = await desk.session((await office.sign_in(Cast.MARIA)).token)
    files = await make_files(desk, session, Cast.ANA, Period(), "es", ["pdf", "xml"])
    assert (files.about, [*files.contents]) == (Cast.ANA, ["pdf", "xml"])
    assert files.name("pdf").startswith("Resumen de atención Ana Delgado ")
    assert files.contents["pdf"].startswith(b"%PDF-")
    assert len(await audited(office, COPIES)) == 1
    assert await measured(office, Cast.ANA) == []
    for _ in range(2):
        await note_deed(desk, session, "sent", files.about)
    assert await measured(office, Cast.ANA) == [(REQUESTED, f"Patient portal: sent the care summary, {BY_MARIA}")]
    assert await audited(office, ACTS) == [(Cast.MARIA, Cast.ANA, "Patient portal: sent the care summary.")]
