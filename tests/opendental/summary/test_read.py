"""A care summary is what the tables hold, whatever thirty years of work have left in them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from econnector.opendental import tables
from econnector.opendental.summary.records import Code, Period, Summary
from tests.opendental.summary.conftest import Somewhere
from tests.support.charts import NOON, PATIENT, PROVIDER, Chart, add_patient

DAY = dt.date(2024, 5, 6)
WHEN = "20240506101500-0600"


def everything(chart: Chart, times: int = 1) -> None:
    """Record something in every section, `times` over."""
    drug = chart.add(tables.medication, MedName="Penicillin V", RxCui=7984)
    allergic = chart.add(tables.allergydef, Description="Penicillin", SnomedType=2, MedicationNum=drug)
    sick = chart.add(tables.diseasedef, DiseaseName="Hypertension", SnomedCode="38341003", Icd10Code="I10")
    lame = chart.add(tables.diseasedef, DiseaseName="Reduced mobility", SnomedCode="8510008")
    maker = chart.add(tables.drugmanufacturer, ManufacturerName="Juniper Biologics", ManufacturerCode="J")
    unit = chart.add(tables.drugunit, UnitIdentifier="ml", UnitText="milliliter")
    vaccine = chart.add(tables.vaccinedef, CVXCode="115", VaccineName="Tdap", DrugManufacturerNum=maker)
    filling = chart.add(tables.procedurecode, ProcCode="D2392", Descript="Filling", TreatArea=1)
    whom = chart.add(tables.referral, FName="Ingrid", LName="Halvorsen", Title="DMD")
    for _ in range(times):
        chart.have(
            tables.allergy, AllergyDefNum=allergic, Reaction="Hives", SnomedReaction="247472004", StatusIsActive=1
        )
        chart.have(tables.disease, DiseaseDefNum=sick, DateStart=DAY)
        chart.have(tables.disease, DiseaseDefNum=lame, DateStart=DAY, FunctionStatus=4)
        chart.have(tables.medicationpat, MedicationNum=drug, PatNote="twice a day", DateStart=DAY, ProvNum=PROVIDER)
        chart.have(
            tables.vaccinepat,
            VaccineDefNum=vaccine,
            DateTimeStart=NOON,
            AdministeredAmt=0.5,
            DrugUnitNum=unit,
            LotNumber="JB1",
            DateExpire=DAY,
            AdministrationRoute=2,
            ProvNumAdminister=PROVIDER,
        )
        chart.have(
            tables.procedurelog,
            CodeNum=filling,
            ProcStatus=2,
            ProcDate=DAY,
            ToothNum="30",
            Surf="MO",
            ProvNum=PROVIDER,
        )
        chart.have(tables.encounter, CodeValue="38341003", CodeSystem="SNOMEDCT", DateEncounter=DAY, ProvNum=PROVIDER)
        chart.have(tables.ehrcareplan, SnomedEducation="38341003", Instructions="Walk", DatePlanned=DAY)
        chart.have(tables.refattach, ReferralNum=whom, RefDate=DAY, RefType=0, Note="Root canal")
        chart.have(tables.refattach, ReferralNum=whom, RefDate=DAY, RefType=1, Note="Who sent her")
        lab = chart.have(tables.ehrlab, UsiID="24331-1", UsiText="Lipids", ObservationDateTimeStart=WHEN)
        chart.add(
            tables.ehrlabresult,
            EhrLabNum=lab,
            SetIdOBX=1,
            ValueType="NM",
            ObservationIdentifierID="2093-3",
            ObservationIdentifierText="Cholesterol",
            ObservationIdentifierCodeSystemName="LN",
            ObservationValueNumeric=212,
            UnitsID="mg/dL",
            referenceRange="<200",
            AbnormalFlags="H",
            ObservationResultStatus="F",
        )
        chart.have(
            tables.ehrmeasureevent,
            EventType=8,
            DateTEvent=NOON,
            CodeValueResult="8517006",
            CodeSystemResult="SNOMEDCT",
        )
        chart.have(tables.vitalsign, Height=65, Weight=151.5, BpSystolic=124, BpDiastolic=79, Pulse=70, DateTaken=DAY)


SECTIONS = {
    "allergies": ["Penicillin"],
    "problems": ["Hypertension"],
    "functional": ["Reduced mobility"],
    "medications": ["Penicillin V"],
    "vaccines": ["Tdap"],
    "procedures": ["Filling"],
    "encounters": ["Hypertensive disorder"],
    "labs": ["Lipids"],
}


async def test_every_section_is_read_with_its_codes(somewhere: Somewhere) -> None:
    def work(chart: Chart) -> Summary:
        everything(chart)
        return chart.read()

    found = await somewhere.run(work)
    assert {name: [row.what for row in getattr(found, name)] for name in SECTIONS} == SECTIONS
    (allergy,), (problem,), (drug,), (vaccine,) = found.allergies, found.problems, found.medications, found.vaccines
    assert (allergy.kind, allergy.code, allergy.active) == (
        "drug-allergy",
        Code("7984", "RXNORM", "Penicillin V"),
        True,
    )
    assert (allergy.reaction, allergy.reaction_code) == ("Hives", Code("247472004", "SNOMEDCT", "Hives"))
    assert problem.code == Code("38341003", "SNOMEDCT", "Hypertensive disorder")
    assert problem.others == (Code("I10", "ICD10CM", "Hypertension"),)
    assert (problem.status, problem.begins, problem.ends) == ("active", DAY, None)
    assert (found.functional[0].kind, found.functional[0].status) == ("functional-problem", "active")
    assert (drug.code, drug.instructions, drug.active) == (Code("7984", "RXNORM", "Penicillin V"), "twice a day", True)
    assert drug.prescriber == vaccine.giver == PROVIDER
    assert vaccine.code == Code("115", "CVX", "tetanus, diphtheria, pertussis")
    assert (vaccine.amount, vaccine.unit, vaccine.lot, vaccine.expires) == (0.5, "mL", "JB1", DAY)
    assert (vaccine.manufacturer, vaccine.route, vaccine.status) == ("Juniper Biologics", "intramuscular", "given")
    assert vaccine.at is not None
    assert vaccine.at.replace(tzinfo=None) == NOON
    (filling,) = found.procedures
    assert (filling.code, filling.status, filling.date) == (Code("D2392", "CDT", "Filling"), "completed", DAY)
    assert (filling.tooth, filling.surface, filling.performer) == ("30", "MO", PROVIDER)
    assert [(one.instructions, one.date) for one in found.plan] == [("Walk", DAY)]
    assert [(one.to, one.reason, one.date) for one in found.referrals] == [("Ingrid Halvorsen, DMD", "Root canal", DAY)]
    ((result,),) = [lab.results for lab in found.labs]
    assert (result.code, result.value, result.quantity) == (Code("2093-3", "LOINC", "Cholesterol"), "212", 212.0)
    assert (result.unit, result.range, result.flag, result.final) == ("mg/dL", "<200", "H", True)
    assert result.at == found.labs[0].at == dt.datetime.strptime(WHEN, "%Y%m%d%H%M%S%z")
    assert [one.code.value for one in found.smoking] == ["8517006"]
    (vitals,) = found.vitals
    assert (vitals.height_in, vitals.weight_lb, vitals.systolic, vitals.diastolic) == (65, 151.5, 124, 79)
    assert (vitals.pulse, vitals.taken) == (70, DAY)
    assert found.made.tzinfo is not None
    assert found.provider == found.custodian == found.clinicians[0]


async def test_what_dirty_rows_hold_is_told_clean_and_none_of_it_is_lost(somewhere: Somewhere) -> None:
    def work(chart: Chart) -> Summary:
        long = "x" * 255
        gone = 999_999
        zero = "0000-00-00" if chart.connection.dialect.name != "sqlite" else "0001-01-01"
        odd = chart.add(tables.allergydef, Description="Bee\x07 venom\\r\\n\tstings \x0b", UniiCode=" none ")
        chart.have(tables.allergy, AllergyDefNum=odd, StatusIsActive=1, SnomedReaction="see note", Reaction=long)
        chart.have(tables.allergy, AllergyDefNum=gone, StatusIsActive=1, Reaction="Swelling")
        typed = chart.add(
            tables.diseasedef, DiseaseName=" Gum  disease ", SnomedCode=" 41565 005 ", Icd10Code="K05.30 ", ICD9Code="?"
        )
        chart.have(tables.disease, DiseaseDefNum=typed, ProbStatus=7, FunctionStatus=9)
        chart.have(tables.disease, DiseaseDefNum=gone)
        chart.have(tables.medicationpat, MedicationNum=0, MedDescript="Fish oil", RxCui=0, ProvNum=gone, PatNote=None)
        chart.have(tables.medicationpat, MedicationNum=gone, MedDescript="Kept name")
        chart.have(tables.vaccinepat, VaccineDefNum=gone, DateTimeStart=None, AdministeredAmt=-1, CompletionStatus=44)
        chart.have(tables.procedurelog, CodeNum=gone, ProcStatus=2, ToothNum="99", Surf="??", ProvNum=gone)
        chart.have(tables.encounter, CodeValue="none", CodeSystem="", DateEncounter=None)
        chart.have(tables.vitalsign, Height=1e30, Weight=0, BpSystolic=-3)
        chart.have(tables.vitalsign, Height=0, Weight=150)
        chart.have(tables.refattach, ReferralNum=gone, RefType=0, Note="Somebody")
        chart.have(tables.ehrmeasureevent, EventType=8, CodeValueResult="smoker", CodeSystemResult="SNOMEDCT")
        chart.connection.execute(text(f"UPDATE vitalsign SET DateTaken = '{zero}'"))
        chart.connection.execute(text(f"UPDATE disease SET DateStart = '{zero}', DateStop = '{zero}'"))
        chart.connection.execute(text(f"UPDATE refattach SET RefDate = '{zero}'"))
        chart.connection.execute(text("UPDATE patient SET Title = NULL, MiddleI = NULL, Email = NULL"))
        return chart.read()

    found = await somewhere.run(work)
    assert [(one.what, one.code) for one in found.allergies] == [("Bee venom stings", None), ("", None)]
    assert found.allergies[0].reaction_code is None
    assert found.allergies[1].reaction == "Swelling"
    gums, unnamed = sorted(found.problems, key=lambda one: one.what, reverse=True)
    assert (gums.what, gums.code, gums.status) == (
        "Gum disease",
        Code("41565005", "SNOMEDCT", "Gum disease"),
        "inactive",
    )
    assert gums.others == (Code("K05.30", "ICD10CM", "Gum disease"),)
    assert (unnamed.what, unnamed.begins, unnamed.ends) == ("", None, None)
    assert {one.what for one in found.medications} == {"Fish oil", "Kept name"}
    assert {one.code for one in found.medications} == {None}
    assert {one.prescriber for one in found.medications} == {0}
    (vaccine,) = found.vaccines
    assert (vaccine.at, vaccine.amount, vaccine.status) == (None, 0.0, "not-given")
    (procedure,) = found.procedures
    assert (procedure.tooth, procedure.surface, procedure.performer, procedure.date) == ("", "", 0, None)
    assert [(one.what, one.code) for one in found.encounters] == [("none", None)]
    assert [(one.weight_lb, one.taken) for one in found.vitals] == [(150.0, None)]
    assert [(one.to, one.date) for one in found.referrals] == [("", None)]
    assert found.smoking == ()
    assert found.subject.email == ""


async def test_a_time_carries_the_offset_of_its_own_day(somewhere: Somewhere) -> None:
    def work(chart: Chart) -> Summary:
        if chart.connection.dialect.name != "sqlite":
            chart.connection.execute(text("SET time_zone = '-08:00'"))
        chart.have(tables.vaccinepat, DateTimeStart=NOON)
        lab = chart.have(tables.ehrlab, ObservationDateTimeStart="202403041230")
        chart.add(tables.ehrlabresult, EhrLabNum=lab, ValueType="ST", ObservationValueText="clear")
        return chart.read()

    found = await somewhere.run(work)
    machine = NOON.astimezone().utcoffset()
    expected = machine if somewhere.database.dialect == "sqlite" else dt.timedelta(hours=-8)
    at, lab = found.vaccines[0].at, found.labs[0].at
    assert at is not None
    assert lab is not None
    assert (at.utcoffset(), lab.utcoffset(), found.made.utcoffset()) == (expected, expected, expected)


def test_thirty_years_take_as_many_statements_as_one_day(chart: Chart) -> None:
    everything(chart)
    few = chart.count(chart.read)
    everything(chart, 9)
    done = [{"PatNum": PATIENT, "CodeNum": 1, "ProcStatus": 2, "ProcDate": DAY} for _ in range(4000)]
    chart.connection.execute(tables.procedurelog.insert(), done)
    found: list[Summary] = []
    assert chart.count(lambda: found.append(chart.read())) == few < 30
    assert (len(found[0].procedures), len(found[0].labs)) == (4010, 10)


def test_nobody_has_no_summary(chart: Chart) -> None:
    with pytest.raises(LookupError):
        chart.read(patient=4711)


def test_another_persons_rows_are_not_read(chart: Chart) -> None:
    everything(chart)
    add_patient(chart, PATIENT + 1)
    other = chart.read(patient=PATIENT + 1)
    assert not any(getattr(other, name) for name in (*SECTIONS, "plan", "referrals", "smoking", "vitals"))


NONE: list[tuple[str, str, Callable[[Chart, int], Any], Callable[[Chart], Any]]] = [
    (
        "allergies",
        "AllergiesIndicateNone",
        lambda chart, none: chart.have(tables.allergy, AllergyDefNum=none, StatusIsActive=1),
        lambda chart: chart.have(tables.allergy, AllergyDefNum=8, StatusIsActive=1),
    ),
    (
        "medications",
        "MedicationsIndicateNone",
        lambda chart, none: chart.have(tables.medicationpat, MedicationNum=none),
        lambda chart: chart.have(tables.medicationpat, MedDescript="Fish oil"),
    ),
    (
        "problems",
        "ProblemsIndicateNone",
        lambda chart, none: chart.have(tables.disease, DiseaseDefNum=none),
        lambda chart: chart.have(tables.disease, DiseaseDefNum=8),
    ),
]


@pytest.mark.parametrize(("name", "preference", "say", "add"), NONE, ids=lambda value: str(value)[:12])
def test_the_practices_word_for_none_is_no_entry(
    chart: Chart, name: str, preference: str, say: Callable[[Chart, int], Any], add: Callable[[Chart], Any]
) -> None:
    chart.prefer(preference, 77)
    assert chart.read().none_known == frozenset()
    say(chart, 77)
    said = chart.read()
    assert said.none_known == {name}
    assert getattr(said, name) == ()
    add(chart)
    beside = chart.read()
    assert beside.none_known == frozenset()
    assert len(getattr(beside, name)) == 1


def test_a_functional_problem_is_a_problem_beside_the_word_for_none_and_a_finding_is_not(chart: Chart) -> None:
    chart.prefer("ProblemsIndicateNone", 77)
    chart.have(tables.disease, DiseaseDefNum=77)
    chart.have(tables.disease, DiseaseDefNum=8, FunctionStatus=3)
    assert chart.read().none_known == {"problems"}
    chart.have(tables.disease, DiseaseDefNum=8, FunctionStatus=2)
    assert chart.read().none_known == frozenset()


def test_a_year_before_1880_is_no_date_so_that_nothing_is_over_by_a_slip_of_the_hand(chart: Chart) -> None:
    slip, day = dt.date(20, 11, 21), dt.date(1879, 12, 31)
    chart.have(tables.medicationpat, MedDescript="Warfarin", DateStart=day, DateStop=slip)
    chart.have(tables.disease, DateStart=day, DateStop=slip)
    chart.have(tables.allergy, StatusIsActive=0, DateAdverseReaction=slip)
    chart.have(tables.procedurelog, ProcStatus=2, ProcDate=slip)
    for period in (Period(), Period(DAY, None)):
        found = chart.read(period)
        (drug,), (problem,), (allergy,), (done,) = found.medications, found.problems, found.allergies, found.procedures
        assert drug.active
        assert {drug.begins, drug.ends, problem.begins, problem.ends, allergy.since, done.date} == {None}


def test_without_the_preference_the_same_row_is_an_entry(chart: Chart) -> None:
    for preference in ("AllergiesIndicateNone", "MedicationsIndicateNone"):
        chart.prefer(preference, "")
    chart.have(tables.allergy, AllergyDefNum=0, StatusIsActive=1)
    chart.have(tables.medicationpat, MedicationNum=0, MedDescript="Fish oil")
    found = chart.read()
    assert (len(found.allergies), len(found.medications), found.none_known) == (1, 1, frozenset())


STILL = {"allergies", "problems", "functional", "medications", "smoking"}
"""What of `everything` holds on, whatever period is asked for."""


@pytest.mark.parametrize(
    ("period", "vaccines", "rest"),
    [
        (Period(), 1, 1),
        (Period(DAY, DAY), 0, 1),
        (Period(None, DAY), 0, 1),
        (Period(DAY, None), 1, 1),
        (Period(NOON.date(), NOON.date()), 1, 0),
        (Period(dt.date(2030, 1, 1), None), 0, 0),
        (Period(None, dt.date(2000, 1, 1)), 0, 0),
    ],
)
def test_a_period_limits_what_happened_and_not_what_still_holds(
    chart: Chart, period: Period, vaccines: int, rest: int
) -> None:
    everything(chart)
    found = chart.read(period)
    assert len(found.vaccines) == vaccines
    for name in ("procedures", "encounters", "plan", "referrals", "labs", "vitals"):
        assert len(getattr(found, name)) == rest, name
    for name in STILL - {"smoking"}:
        assert len(getattr(found, name)) == 1, name
    assert len(found.smoking) == (0 if period.last and period.last < NOON.date() else 1)
    assert found.period == period


def test_what_is_over_is_told_where_it_touches_the_period(chart: Chart) -> None:
    begin, end = dt.date(2020, 1, 10), dt.date(2020, 3, 10)
    chart.have(tables.medicationpat, MedDescript="Antibiotic", DateStart=begin, DateStop=end)
    chart.have(tables.disease, ProbStatus=1, DateStart=begin, DateStop=end)
    chart.have(tables.allergy, StatusIsActive=0, DateAdverseReaction=begin)
    chart.have(tables.allergy, StatusIsActive=0)
    february = chart.read(Period(dt.date(2020, 2, 1), dt.date(2020, 2, 2)))
    assert (len(february.medications), len(february.problems), len(february.allergies)) == (1, 1, 1)
    assert not february.medications[0].active
    april = chart.read(Period(dt.date(2020, 4, 1), None))
    assert (len(april.medications), len(april.problems), len(april.allergies)) == (0, 0, 1)
    january = chart.read(Period(begin, begin))
    assert len(january.allergies) == 2


def test_planned_procedures_and_undated_rows_stay_and_proposals_never_come(chart: Chart) -> None:
    for status in range(1, 9):
        chart.have(tables.procedurelog, ProcStatus=status, ProcDate=DAY)
    chart.have(tables.procedurelog, ProcStatus=4)
    found = [(one.status, one.date) for one in chart.read(Period(dt.date(2025, 1, 1), None)).procedures]
    assert sorted(found, key=str) == [("existing", None), ("planned", DAY)]
    everyone = sorted(one.status for one in chart.read().procedures)
    assert everyone == ["completed", "condition", "existing", "existing", "existing", "planned"]


def test_a_vaccine_that_was_deleted_is_not_told_and_a_refused_one_is(chart: Chart) -> None:
    chart.have(tables.vaccinepat, ActionCode=1)
    chart.have(tables.vaccinepat, CompletionStatus=1, RefusalReason=2)
    (refused,) = chart.read().vaccines
    assert (refused.status, refused.refusal) == ("refused", "religious")
