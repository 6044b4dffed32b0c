"""A chart with the worst rows there are still makes a document that HL7's rules accept."""

import datetime as dt

import pytest

from econnector.documents.ccd.document import build
from econnector.opendental import tables
from tests.documents.ccd.gate import judge
from tests.support.charts import PATIENT, Chart

pytestmark = pytest.mark.shared

GONE = 999_999


def spoil(chart: Chart) -> None:
    """Record what careless work, imports and deleted lists leave behind."""
    odd = chart.add(tables.allergydef, Description="Bee\x07 venom\\r\\n\tstings \x0b <b>&", UniiCode=" none ")
    chart.have(tables.allergy, AllergyDefNum=odd, StatusIsActive=1, SnomedReaction="see note", Reaction="x" * 255)
    chart.have(tables.allergy, AllergyDefNum=GONE, StatusIsActive=1)
    typed = chart.add(tables.diseasedef, DiseaseName=" Gum  disease ", SnomedCode=" 41565 005 ", Icd10Code="K05.30 ")
    chart.have(tables.disease, DiseaseDefNum=typed, ProbStatus=7, FunctionStatus=9)
    backwards = {"DateStart": dt.date(2024, 1, 1), "DateStop": dt.date(2020, 1, 1)}
    for function in range(5):
        chart.have(tables.disease, DiseaseDefNum=GONE, FunctionStatus=function, ProbStatus=1, **backwards)
    chart.have(tables.medicationpat, MedicationNum=0, MedDescript="Fish oil", ProvNum=GONE)
    chart.have(tables.medicationpat, MedicationNum=GONE)
    chart.have(tables.vaccinepat, VaccineDefNum=GONE, AdministeredAmt=-1, CompletionStatus=44)
    for status in range(9):
        chart.have(tables.procedurelog, CodeNum=GONE, ProcStatus=status, ToothNum="99", Surf="??")
    for area in range(8):
        code = chart.add(tables.procedurecode, ProcCode=f"D000{area}", Descript="Something", TreatArea=area)
        for surface in ("UR", "2", "U", "MOD", "UA", "L"):
            where = {"ToothNum": "51", "Surf": surface, "ToothRange": "1,A,TS,52"}
            chart.have(tables.procedurelog, CodeNum=code, ProcStatus=2, **where)
    chart.have(tables.encounter, CodeValue="none")
    chart.have(tables.ehrcareplan)
    chart.have(tables.refattach, ReferralNum=GONE)
    chart.have(tables.vitalsign, Weight=150)
    lab = chart.have(tables.ehrlab)
    chart.add(tables.ehrlabresult, EhrLabNum=lab, UnitsID="weird unit^x", AbnormalFlags="<")
    chart.add(tables.ehrlabresult, EhrLabNum=lab, ValueType="NM", ObservationValueNumeric=250_000, UnitsID="/uL")
    for race in ("1006-6", "2148-5", "nonsense"):
        chart.have(tables.patientrace, CdcrecCode=race)
    chart.change(tables.patient, PATIENT, Country="Canada", State="", Language="hmn", HmPhone="call (503) 555 0100 <x>")


def test_the_worst_chart_makes_a_valid_document(chart: Chart) -> None:
    spoil(chart)
    found = chart.read()
    assert len(found.procedures) > 50
    assert judge(build(found)).faults == []
