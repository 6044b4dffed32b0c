"""Who a summary is about and who made it, as charts and the practice's settings say."""

import datetime as dt
from typing import Any

import pytest

from econnector.opendental import tables
from econnector.opendental.summary.languages import language
from econnector.opendental.summary.records import Address, Code, Name, Phone, Subject
from tests.support.charts import PATIENT, PROVIDER, Chart, add_patient


def subject(chart: Chart, **values: Any) -> Subject:
    if values:
        chart.change(tables.patient, PATIENT, **values)
    return chart.read().subject


def test_a_whole_chart(chart: Chart) -> None:
    chart.add(tables.oidinternal, IDType="Patient", IDRoot="2.999.7")
    found = subject(chart, Title="Dr", Preferred="Ellie", Language="spa", Position=4)
    assert found.name == Name(("Elena", "B"), "Rivera", prefix="Dr")
    assert (found.preferred, found.birth_date, found.gender) == ("Ellie", dt.date(1985, 3, 31), "F")
    assert (found.marital, found.language, found.email, found.root) == ("D", "es", "elena@example.com", "2.999.7")
    assert found.address == Address(("7 Heron Landing",), "Alderbrook", "OR", "97002")
    assert found.phones == (Phone("(503)555-0112", "mobile"), Phone("(503)555-0111", "home"))


@pytest.mark.parametrize(("number", "gender"), [(0, "M"), (1, "F"), (2, "UN"), (3, "UN"), (9, "UN")])
def test_every_gender_of_every_version_is_told(chart: Chart, number: int, gender: str) -> None:
    assert subject(chart, Gender=number).gender == gender


@pytest.mark.parametrize("name", ["O'Connor", "Zoë", "李", "Hạnh Bùi", "D’Angelo-Smith Jr."])
def test_names_keep_their_script_and_signs(chart: Chart, name: str) -> None:
    found = subject(chart, FName=name, LName=f" {name}\x00 ")
    assert (found.name.given[0], found.name.family) == (name, name)


@pytest.mark.parametrize(
    ("typed", "region", "state", "told"),
    [
        ("", "en-US", "or", ("OR", "")),
        ("u.s.a.", "en-US", "or", ("OR", "")),
        ("United States of America", "en-CA", "or", ("OR", "")),
        ("Canada", "en-US", "Qc", ("Qc", "Canada")),
        ("", "en-CA", "ON", ("ON", "CA")),
        ("", "", "OR", ("OR", "")),
    ],
)
def test_a_country_is_told_where_it_is_not_the_united_states(
    chart: Chart, typed: str, region: str, state: str, told: tuple[str, str]
) -> None:
    chart.prefer("LanguageAndRegion", region)
    found = subject(chart, Country=typed, State=state).address
    assert (found.state, found.country) == told


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("spa", "es"),
        ("chi", "zh"),
        ("zho", "zh"),
        ("hmn", "hmn"),
        ("en-US", "en-US"),
        ("es_mx", "es-MX"),
        ("ENG", "en"),
        ("Spanish", ""),
        ("xx", ""),
        ("", ""),
        (None, ""),
        ("Declined to Specify", ""),
        ("dec", ""),
    ],
)
def test_a_language_is_a_tag_and_words_are_none(typed: str | None, tag: str) -> None:
    assert language(typed, "dec") == tag


RACES: list[tuple[list[tuple[int, str]], list[str], str, set[str]]] = [
    ([], [], "", set()),
    ([(9, "")], ["2106-3"], "", set()),
    ([(0, "2106-3"), (0, "1002-5"), (0, "2135-2")], ["2106-3", "1002-5"], "2135-2", set()),
    ([(0, "1006-6"), (0, "2106-3")], ["2106-3", "1006-6"], "", set()),
    ([(0, "2148-5"), (6, "")], [], "2135-2", set()),
    ([(4, "ASKU-RACE"), (11, "ASKU-ETHNICITY")], [], "", {"race", "ethnicity"}),
    ([(4, ""), (10, "")], [], "2186-5", {"race"}),
    ([(4, ""), (3, "")], ["2028-9"], "", set()),
    ([(9, ""), (9, "2106-3")], ["2106-3"], "", set()),
    ([(77, "nonsense")], [], "", set()),
]


@pytest.mark.parametrize(("rows", "races", "ethnicity", "declined"), RACES)
def test_races_and_ethnicity(
    chart: Chart, rows: list[tuple[int, str]], races: list[str], ethnicity: str, declined: set[str]
) -> None:
    chart.add(tables.cdcrec, CdcrecCode="2106-3", Description="White")
    for race, code in rows:
        chart.have(tables.patientrace, Race=race, CdcrecCode=code)
    found = subject(chart)
    assert [one.value for one in found.races] == races
    assert (found.ethnicity.value if found.ethnicity else "", set(found.declined)) == (ethnicity, set(declined))
    assert all(one == Code("2106-3", "CDCREC", "White") for one in found.races if one.value == "2106-3")


def test_a_childs_guardians_and_who_answers_for_it(chart: Chart) -> None:
    mother, father, payer, aunt, gone = range(1101, 1106)
    for number, name in ((mother, "Ana"), (father, "Luis"), (payer, "Rosa"), (aunt, "Inés"), (gone, "Old")):
        add_patient(chart, number, FName=name, Country="Canada", PatStatus=4 if number == gone else 0)
    for who, relation, is_guardian in ((mother, 1, 1), (father, 0, 0), (aunt, 12, 0), (gone, 10, 1)):
        chart.add(
            tables.guardian, PatNumChild=PATIENT, PatNumGuardian=who, Relationship=relation, IsGuardian=is_guardian
        )
    child = subject(chart, Birthdate=dt.date.today() - dt.timedelta(days=4000), Guarantor=father, ResponsParty=payer)  # noqa: DTZ011 - the office's day
    told = [(one.name.given[0], one.relation, one.is_guardian) for one in child.contacts]
    assert told == [("Ana", "MTH", True), ("Luis", "FTH", False), ("Rosa", "", False)]
    assert child.contacts[0].address.country == "Canada"
    assert child.contacts[0].phones
    grown = subject(chart, Birthdate=dt.date(1985, 3, 31))
    assert [one.number for one in grown.contacts] == [mother]


def test_the_clinic_stands_for_the_practice_where_clinics_are_on(chart: Chart) -> None:
    chart.add(
        tables.clinic,
        ClinicNum=955,
        Description="North",
        Phone="5035550122",
        Address="1 Rose",
        City="Alder",
        State="or",
    )
    chart.change(tables.patient, PATIENT, ClinicNum=955)
    whole = chart.read().practice
    assert (whole.name, whole.address.lines, whole.address.state) == (
        "Bright Smile Dental",
        ("12 Alder Street", "Suite 3"),
        "OR",
    )
    chart.prefer("EasyNoClinics", 0)
    clinic = chart.read().practice
    assert (clinic.name, clinic.phone, clinic.address.lines) == ("North", "5035550122", ("1 Rose",))
    chart.change(tables.patient, PATIENT, ClinicNum=4711)
    assert chart.read().practice == whole


def test_providers_are_named_as_people_or_as_what_they_are(chart: Chart) -> None:
    specialty = chart.add(tables.definition, Category=35, ItemName="Perio")
    chart.add(
        tables.provider,
        ProvNum=902,
        LName="Bright Group",
        FName="x",
        IsNotPerson=1,
        NationalProvID="1 2",
        Specialty=specialty,
    )
    chart.change(tables.patient, PATIENT, PriProv=902)
    found = chart.read()
    assert (found.provider.name, found.provider.is_person) == (Name((), "Bright Group"), False)
    assert (found.provider.npi, found.provider.taxonomy) == ("12", "1223P0300X")
    assert found.custodian.name == Name(("Amara", "J"), "Lindgren", suffix="DDS")
    assert [one.number for one in found.clinicians] == [PROVIDER, 902]
    for typed, code in (("Periodontist", "1223P0300X"), (" 1223e0200x ", "1223E0200X")):
        chart.change(tables.provider, 902, TaxonomyCodeOverride=typed)
        assert chart.read().provider.taxonomy == code
