"""The care summary that the office answers with: whose, what of it, the files, and why there is none."""

import datetime as dt
import io
import zipfile
from typing import Any

import pytest

from econnector.base.errors import CareSummaryNotLoaded, CareSummaryNotSetUp, Failure, NotAllowed, PageOff
from econnector.eservices.portal import calls
from econnector.opendental import tables
from econnector.storage.state import portalrules
from tests.support.practice import READER, Cast, PortalOffice, add
from tests.support.practice_summary import VITALS
from tests.support.practice_visits import DENTIST

TODAY = dt.date(2026, 5, 4)
ON_BOTH = pytest.mark.parametrize(
    "portal_office", ["sqlite", pytest.param("24.3", marks=pytest.mark.shared)], indirect=True
)


async def summary(office: PortalOffice, token: str, person: int = 0, **more: Any) -> calls.CareSummary:
    return await office.ask(calls.CARE_SUMMARY, calls.CareSummaryAsked(token, person, **more))


async def saved(office: PortalOffice, token: str, person: int = 0, **more: Any) -> tuple[calls.FileHead, bytes]:
    asked = calls.CareSummaryFile(token, person, **{"kind": "zip"} | more)
    return await office.download(calls.CARE_SUMMARY_FILE, asked)


def section(shown: calls.CareSummary, key: str) -> calls.SummarySection:
    return next(one for one in shown.sections if one.key == key)


async def treated(office: PortalOffice, person: Cast, number: int, day: dt.date) -> None:
    """Have somebody treated: a filling on that day."""
    if not await office.rows(tables.procedurecode, ProcCode="D2392"):
        await office.add(tables.procedurecode, CodeNum=98001, ProcCode="D2392", Descript="composite, two surfaces")
    (code,) = await office.rows(tables.procedurecode, ProcCode="D2392")
    done = {"ProcStatus": 2, "ProcDate": day, "ToothNum": "3", "Surf": "MO", "CodeNum": code.CodeNum}
    await office.add(tables.procedurelog, ProcNum=number, PatNum=person, ProvNum=DENTIST, **done)


# -- what is shown -----------------------------------------------------------------------------------------------------


async def test_a_guardian_reads_a_childs_summary(portal_office: PortalOffice) -> None:
    office = portal_office
    await treated(office, Cast.ANA, 98101, TODAY)
    token = (await office.sign_in(Cast.MARIA)).token
    shown = await summary(office, token, Cast.ANA)
    assert (shown.looking_at.number, shown.name, shown.born) == (Cast.ANA, "Ana Delgado", "2016-05-04")
    assert (shown.provider, shown.place) == ("Amara J Lindgren, DDS", "Bright Smile Dental")
    assert shown.address == ["12 Maple Street", "Salem, OR 97301"]
    assert len(shown.sections) == 12
    procedures = section(shown, "procedures")
    assert procedures.total == len(procedures.rows) == 1
    assert procedures.rows[0][1:4] == ["Tooth 3 (mesial, occlusal)", "Done", "4 May 2026"]
    assert section(shown, "allergies").nothing
    mine = await summary(office, token)
    assert (mine.looking_at.number, mine.name) == (Cast.MARIA, "Maria Delgado")
    assert "Smoothed an edge" in str(section(mine, "procedures").rows)
    assert "Lisinopril 10 mg" in str(section(mine, "medications").rows)
    vitals = section(mine, "vitals")
    assert (vitals.total, len(vitals.rows)) == (VITALS, 20)


async def test_a_period_leaves_out_what_happened_at_other_times(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    for number, year in ((98101, 2019), (98102, 2024)):
        await treated(office, Cast.ANA, number, dt.date(year, 3, 2))
    token = (await office.sign_in(Cast.MARIA)).token
    days = {"first": dt.date(2024, 1, 1), "last": dt.date(2024, 12, 31)}
    assert section(await summary(office, token, Cast.ANA), "procedures").total == 2
    assert section(await summary(office, token, Cast.ANA, **days), "procedures").total == 1
    _, whole = await saved(office, token, Cast.ANA, kind="xml")
    _, part = await saved(office, token, Cast.ANA, kind="xml", **days)
    assert (b"20190302" in whole, b"20240302" in whole) == (True, True)
    assert (b"20190302" in part, b"20240302" in part) == (False, True)


async def test_it_speaks_the_language_that_is_asked_for_else_the_practices(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token

    async def titles(language: str) -> list[str]:
        return [one.title for one in (await summary(office, token, language=language)).sections]

    english, spanish = await titles("en"), await titles("es")
    assert english != spanish
    assert await titles("") == await titles("xx") == english
    await office.prefer("LanguageAndRegion", "es-MX")
    assert await titles("") == spanish
    assert (await saved(office, token))[0].name.startswith("Resumen de atención Maria Delgado ")


async def test_a_record_of_thirty_years_is_shown_in_pages_and_saved_whole(portal_office_sqlite: PortalOffice) -> None:
    office, most = portal_office_sqlite, 1_000_000
    await treated(office, Cast.ANA, 98101, TODAY)
    (row,) = await office.rows(tables.procedurelog, ProcNum=98101)

    def much(connection: Any) -> None:
        like = {name: value for name, value in row._mapping.items() if value is not None}
        days = (dt.date(1996, 1, 1) + dt.timedelta(days=number * 24) for number in range(450))
        rows = [like | {"ProcNum": 99000 + number, "ProcDate": day} for number, day in enumerate(days)]
        connection.execute(tables.procedurelog.insert(), rows)
        for number in range(20):
            values = {"PatNum": Cast.ANA, "MedDescript": f"Syrup {number}", "PatNote": "¡Sí! " * 10_000}
            add(connection, tables.medicationpat, MedicationPatNum=98200 + number, **values)

    await office.front_desk.run(much)
    token = (await office.sign_in(Cast.MARIA)).token
    shown = await summary(office, token, Cast.ANA)
    procedures, medications = section(shown, "procedures"), section(shown, "medications")
    assert procedures.total == 451
    assert len(procedures.rows) == 20
    assert medications.total == 20
    assert medications.shortened
    assert len(calls.CARE_SUMMARY.encode(shown)) < most
    rows: list[list[str]] = []
    page, more = 0, True
    while more:
        shown = await summary(office, token, Cast.ANA, section="procedures", page=page)
        assert [one.key for one in shown.sections] == ["procedures"]
        rows += shown.sections[0].rows
        page, more = page + 1, shown.more
    assert len(rows) == 451
    assert rows[:20] == procedures.rows
    beyond = await summary(office, token, Cast.ANA, section="procedures", page=page)
    assert (beyond.sections[0].rows, beyond.more) == ([], False)
    whole = await summary(office, token, Cast.ANA, section="medications")
    assert len(whole.sections[0].rows) == 20
    assert len(calls.CARE_SUMMARY.encode(whole)) < most
    with pytest.raises(NotAllowed):
        await summary(office, token, Cast.ANA, section="horoscope")
    head, content = await saved(office, token, Cast.ANA, kind="xml")
    assert head.size == len(content)
    assert content.count(b"D2392") >= 451
    assert content.decode().count("¡Sí! " * 9_000) >= 20


# -- files -------------------------------------------------------------------------------------------------------------


@ON_BOTH
async def test_the_zip_holds_the_childs_document_as_xml_page_and_pdf(portal_office: PortalOffice) -> None:
    office = portal_office
    await treated(office, Cast.ANA, 98101, TODAY)
    token = (await office.sign_in(Cast.MARIA)).token
    head, content = await saved(office, token, Cast.ANA)
    day = head.modified[:10]
    assert (head.name, head.media_type) == (f"Care summary Ana Delgado {day}.zip", "application/zip")
    assert head.size == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        files = {name.rpartition(".")[2]: packed.read(name) for name in packed.namelist()}
        assert packed.namelist() == [f"Care summary Ana Delgado {day}.{ending}" for ending in ("xml", "html", "pdf")]
    for ending, begins in (("xml", b"<?xml"), ("html", b"<!doctype html>"), ("pdf", b"%PDF-")):
        assert files[ending].lower().startswith(begins.lower())
        alone, same = await saved(office, token, Cast.ANA, kind=ending)
        assert alone.name == f"Care summary Ana Delgado {day}.{ending}"
        assert len(same) == alone.size
    for words in (b"<given>Ana</given>", b"Delgado", b"20160504", b"D2392"):
        assert words in files["xml"]
    assert (
        b"Maria"
        not in files["xml"].partition(b"</patientRole>")[0].partition(b"<patientRole>")[2].partition(b"<guardian")[0]
    )
    assert b"Ana" in files["html"]
    with pytest.raises(NotAllowed):
        await saved(office, token, Cast.ANA, kind="exe")


# -- who may -----------------------------------------------------------------------------------------------------------

STRANGERS = (Cast.GRETA, Cast.PAUL, Cast.BEN, Cast.MERGED, 2**62, -1)


async def refused(office: PortalOffice, token: str, person: int, kind: type[Failure] = NotAllowed) -> None:
    """Check that nothing about a person is answered, and that nothing is noted."""
    before = await office.rows(tables.ehrmeasureevent), len(await office.rows(tables.securitylog))
    for asking in (
        summary(office, token, person),
        summary(office, token, person, bare=True),
        summary(office, token, person, section="procedures"),
        saved(office, token, person),
        office.ask(calls.CARE_SUMMARY_HISTORY, calls.PageAsked(token, person)),
    ):
        with pytest.raises(kind) as caught:
            await asking
        assert "missing" not in str(caught.value.facts)
    assert before == (await office.rows(tables.ehrmeasureevent), len(await office.rows(tables.securitylog)))


async def test_nobody_has_a_summary_of_a_stranger(portal_office_latest: PortalOffice) -> None:
    office = portal_office_latest
    token = (await office.sign_in(Cast.MARIA)).token
    for person in STRANGERS:
        await refused(office, token, person)


async def test_whoever_withdrew_their_health_is_seen_by_nobody_else(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    maria, luis = (await office.sign_in(Cast.MARIA)).token, (await office.sign_in(Cast.LUIS)).token
    assert (await summary(office, maria, Cast.LUIS)).sections
    await office.ask(calls.SET_PRIVACY, calls.SetPrivacy(luis, Cast.MARIA, ["appointments", "documents"]))
    await refused(office, maria, Cast.LUIS)
    assert (await summary(office, luis)).name == "Luis Delgado"
    assert (await summary(office, maria, Cast.ANA)).name == "Ana Delgado"


async def test_where_the_practice_closed_health_of_grown_people_the_age_decides(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    await office.state.run(portalrules.write, portalrules.Rules(private=frozenset({"health"})))
    token = (await office.sign_in(Cast.MARIA)).token
    await refused(office, token, Cast.LUIS)
    assert (await summary(office, token, Cast.OTTO)).name == "Otto Stone"


async def test_where_the_practice_has_no_health_page_there_is_no_summary(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    await office.state.run(portalrules.write, portalrules.Rules(off=frozenset({"health"})))
    token = (await office.sign_in(Cast.MARIA)).token
    await refused(office, token, Cast.MARIA, PageOff)


# -- why there is none -------------------------------------------------------------------------------------------------

LACKING: list[tuple[dict[str, Any], str]] = [
    ({"Birthdate": None}, "Birth date of the patient"),
    ({"HmPhone": "", "WkPhone": "", "WirelessPhone": ""}, "Phone number"),
    ({"Address": "  "}, "Address (first line) of the patient"),
    ({"City": ""}, "City of the patient"),
    ({"PriProv": 0}, "Primary provider of the patient"),
]
"""What a chart lacks, and what the office reads of it."""
UNSAID = {
    "PracticeTitle": "Title of the practice",
    "PracticePhone": "Phone number of the practice",
    "PracticeAddress": "Address (first line) of the practice",
    "PracticeDefaultProv": "Default provider of the practice",
}


async def test_a_chart_that_lacks_something_has_no_summary_and_the_office_learns_what(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    (whole,) = await office.rows(tables.patient, PatNum=Cast.ANA)
    for values, says in LACKING:
        await office.change(tables.patient, values, PatNum=Cast.ANA)
        for asking in (summary(office, token, Cast.ANA), saved(office, token, Cast.ANA)):
            with pytest.raises(CareSummaryNotSetUp) as caught:
                await asking
            assert caught.value.facts["what"].startswith(says)
            assert says in caught.value.office_text()
            assert caught.value.public_facts() == {}
            assert "Ana" not in str(caught.value.facts)
        await office.change(tables.patient, {name: getattr(whole, name) for name in values}, PatNum=Cast.ANA)
    assert await office.rows(tables.ehrmeasureevent, PatNum=Cast.ANA, EventType=2) == []
    assert (await summary(office, token, Cast.ANA)).sections


async def test_a_practice_that_lacks_something_has_none_for_anybody(portal_office_sqlite: PortalOffice) -> None:
    office = portal_office_sqlite
    token = (await office.sign_in(Cast.MARIA)).token
    for name, says in UNSAID.items():
        (said,) = await office.rows(tables.preference, PrefName=name)
        await office.prefer(name, "")
        with pytest.raises(CareSummaryNotSetUp) as caught:
            await summary(office, token)
        assert caught.value.facts["what"].startswith(says)
        await office.prefer(name, said.ValueString)
    assert (await summary(office, token)).sections


@ON_BOTH
async def test_a_provider_without_a_number_and_a_chart_without_a_phone_are_both_named(
    portal_office: PortalOffice,
) -> None:
    office = portal_office
    await office.change(tables.provider, {"NationalProvID": ""}, ProvNum=READER)
    await office.change(tables.patient, {"HmPhone": ""}, PatNum=Cast.ANA)
    token = (await office.sign_in(Cast.MARIA)).token
    with pytest.raises(CareSummaryNotSetUp) as caught:
        await summary(office, token, Cast.ANA)
    for says in ("National Provider Identifier (NPI) of the provider", "Phone number"):
        assert says in caught.value.facts["what"]


@pytest.mark.parametrize(("table", "says"), [(tables.snomed, "SNOMED CT"), (tables.cvx, "CVX")], ids=["snomed", "cvx"])
@ON_BOTH
async def test_an_empty_code_table_is_another_failure(portal_office: PortalOffice, table: Any, says: str) -> None:
    office = portal_office
    await office.front_desk.run(lambda connection: connection.execute(table.delete()))
    token = (await office.sign_in(Cast.MARIA)).token
    with pytest.raises(CareSummaryNotLoaded) as caught:
        await summary(office, token)
    assert caught.value.facts["what"].startswith(says)
    await office.change(tables.patient, {"HmPhone": ""}, PatNum=Cast.ANA)
    with pytest.raises(CareSummaryNotLoaded) as caught:
        await saved(office, token, Cast.ANA)
    assert "Phone number" in caught.value.facts["what"]


async def test_without_reading_the_record_the_page_is_there_even_where_there_is_none(
    portal_office_sqlite: PortalOffice,
) -> None:
    office = portal_office_sqlite
    await office.prefer("PracticeTitle", "")
    token = (await office.sign_in(Cast.MARIA)).token
    before = len(await office.rows(tables.securitylog))
    shown = await summary(office, token, Cast.ANA, bare=True)
    assert (shown.looking_at.number, shown.sections) == (Cast.ANA, [])
    assert len(await office.rows(tables.securitylog)) == before
