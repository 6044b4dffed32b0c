"""What must be recorded before there is a care summary is named, each with where to enter it, and nothing else is."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text

from econnector.opendental import family, logins, tables
from econnector.opendental.summary.missing import missing, missing_everywhere, missing_many, portal_patients
from tests.opendental.summary.conftest import Somewhere
from tests.support.charts import PATIENT, PROVIDER, Chart, add_patient
from tests.support.practice import Cast, PortalOffice

CLINIC = 955
Change = Callable[[Chart], Any]


def found(chart: Chart) -> list[str]:
    return [one.what for one in missing(chart.connection, chart.schema, PATIENT)]


def person(**values: Any) -> Change:
    return lambda chart: chart.change(tables.patient, PATIENT, **values)


def pref(name: str, value: object) -> Change:
    return lambda chart: chart.prefer(name, value)


def provider(**values: Any) -> Change:
    return lambda chart: chart.change(tables.provider, PROVIDER, **values)


def emptied(table: str) -> Change:
    return lambda chart: chart.connection.execute(text(f"DELETE FROM {table}"))


def clinic(**values: Any) -> Change:
    def change(chart: Chart) -> None:
        whole = {"Description": "North", "Phone": "5035550122", "Address": "1 Rose", "City": "Alder", "State": "OR"}
        chart.add(tables.clinic, **({"ClinicNum": CLINIC} | whole | values))
        chart.change(tables.patient, PATIENT, ClinicNum=CLINIC)
        chart.prefer("EasyNoClinics", 0)

    return change


LACKING: list[tuple[Change, str, str]] = [
    (emptied("snomed"), "snomed", "codes"),
    (emptied("cvx"), "cvx", "codes"),
    (pref("PracticeTitle", " "), "practice-title", "practice"),
    (pref("PracticePhone", "ask"), "practice-phone", "practice"),
    (pref("PracticeAddress", ""), "practice-address", "practice"),
    (pref("PracticeCity", ""), "practice-city", "practice"),
    (pref("PracticeST", "Oregon"), "practice-state", "practice"),
    (pref("PracticeDefaultProv", "0"), "default-provider", "provider"),
    (pref("PracticeDefaultProv", "4711"), "default-provider", "provider"),
    (provider(FName="", MI=""), "provider-first-name", "provider"),
    (provider(LName=""), "provider-last-name", "provider"),
    (provider(NationalProvID=" "), "provider-npi", "provider"),
    (person(PriProv=0), "primary-provider", "patient"),
    (person(FName=""), "first-name", "patient"),
    (person(LName=" "), "last-name", "patient"),
    (person(Birthdate=None), "birth-date", "patient"),
    (person(Address=""), "address", "patient"),
    (person(City=""), "city", "patient"),
    (person(State="Oregon"), "state", "patient"),
    (person(State="", Country="U.S.A."), "state", "patient"),
    (person(HmPhone="", WirelessPhone=""), "phone", "patient"),
    (person(HmPhone="none", WirelessPhone="-"), "phone", "patient"),
    (clinic(Description=""), "clinic-description", "clinic"),
    (clinic(Phone=""), "clinic-phone", "clinic"),
    (clinic(Address=""), "clinic-address", "clinic"),
    (clinic(City=""), "clinic-city", "clinic"),
    (clinic(State="Ore"), "clinic-state", "clinic"),
]


@pytest.mark.parametrize(
    ("change", "what", "area"), LACKING, ids=[f"{what}-{n}" for n, (_, what, _) in enumerate(LACKING)]
)
def test_each_thing_that_must_be_recorded_is_named_alone(chart: Chart, change: Change, what: str, area: str) -> None:
    assert found(chart) == []
    change(chart)
    (only,) = missing(chart.connection, chart.schema, PATIENT)
    assert (only.what, only.area) == (what, area)
    assert ": " in only.text
    everywhere = [one.what for one in missing_everywhere(chart.connection, chart.schema)]
    assert everywhere == ([what] if area in {"codes", "practice", "provider"} else [])


@pytest.mark.parametrize(
    "change",
    [
        person(Email=""),
        person(State="QC", Country="Canada"),
        person(State="", Country="Deutschland"),
        person(State="Bayern", Country="Germany"),
        person(HmPhone="", WirelessPhone="", WkPhone="1-503-555-0100 x 12"),
        person(Gender=2, Language="", MiddleI=""),
        provider(IsNotPerson=1, FName="", MI=""),
        clinic(),
        pref("LanguageAndRegion", "en-CA"),
    ],
)
def test_what_is_not_needed_is_not_asked_for(chart: Chart, change: Change) -> None:
    change(chart)
    assert found(chart) == []
    assert chart.read().subject.number == PATIENT


def test_a_clinic_counts_only_where_clinics_are_on(chart: Chart) -> None:
    clinic(Description="", City="")(chart)
    chart.prefer("EasyNoClinics", 1)
    assert found(chart) == []


def test_the_own_provider_is_named_for_the_patient_and_the_default_one_for_everybody(chart: Chart) -> None:
    chart.add(tables.provider, ProvNum=902, FName="Wei", LName="Lin", NationalProvID="")
    chart.change(tables.patient, PATIENT, PriProv=902)
    assert found(chart) == ["provider-npi"]
    assert missing_everywhere(chart.connection, chart.schema) == []
    (only,) = missing_many(chart.connection, chart.schema, [PATIENT])[PATIENT]
    assert "Wei Lin" in only.text


async def test_many_charts_take_few_statements_and_each_is_told_what_it_lacks(somewhere: Somewhere) -> None:
    def work(chart: Chart) -> tuple[dict[int, list[str]], int, int]:
        numbers = range(2000, 2040)
        for number in numbers:
            add_patient(chart, number, City="" if number % 2 else "Alderbrook", HmPhone="", WirelessPhone="1")
        told: dict[int, list[str]] = {}

        def look(some: range) -> None:
            many = missing_many(chart.connection, chart.schema, some)
            told.update({number: [one.what for one in each] for number, each in many.items()})

        few = chart.count(lambda: look(range(2000, 2001)))
        return told, few, chart.count(lambda: look(numbers))

    told, few, many = await somewhere.run(work)
    assert told == {number: ["city", "phone"] if number % 2 else ["phone"] for number in range(2000, 2040)}
    assert few == many <= 5


async def test_everybody_whom_the_portal_can_show_is_looked_at_and_nobody_else(portal_office: PortalOffice) -> None:
    def shown(connection: Connection, shared: bool) -> set[int]:
        holders = [one for one in Cast if any(row.has_access for row in logins.of_patient(connection, one))]
        return {seen.number for one in holders for seen in family.visible(connection, one, shared=shared)}

    for setting in ("1", "0"):
        await portal_office.prefer("FamPhiAccess", setting)
        expected = await portal_office.database.run(shown, setting == "1")
        assert await portal_office.database.run(portal_patients) == sorted(expected)
    assert Cast.OTTO in expected  # a guardian sees him
    assert not expected & {Cast.MERGED, Cast.DEAD, Cast.BEN}


def test_a_chart_that_lacks_much_is_told_everything_at_once(chart: Chart) -> None:
    blank = dict.fromkeys(("Address", "City", "State", "HmPhone", "WirelessPhone"), "")
    chart.change(tables.patient, PATIENT, Birthdate=None, PriProv=0, **blank)
    assert found(chart) == ["birth-date", "address", "city", "state", "phone", "primary-provider"]
