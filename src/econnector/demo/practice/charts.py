"""Two charts that have something in every section of a care summary, and people whose data is out of the ordinary.

Everything is the same whatever the dice say, so that a page or a test can count on it. The codes are facts (SNOMED CT,
LOINC, CDCREC, UCUM); the words are ours.
"""

import datetime as dt

from econnector.demo.practice import logins
from econnector.demo.practice.book import NO_DATE, Book, Value
from econnector.demo.practice.codes import CODES
from econnector.demo.practice.people import Family, Making, Person, SignIn, add_family, add_person

__all__ = ["add_chart_lists", "add_charts", "add_odd_people"]

COMPLETE, EXISTING, EXISTING_ELSEWHERE, CONDITION, IN_PROGRESS = 2, 3, 4, 7, 8
"""procedurelog.ProcStatus."""
ACTIVE, RESOLVED = 0, 1
COGNITIVE_RESULT, FUNCTIONAL_PROBLEM = 1, 4
GIVEN, REFUSED, BY_PATIENT, DELETED = 0, 1, 4, 1
MOTHER = 1
TOBACCO, FORMER, EVERY_DAY = 8, "8517006", "449868002"
HEIGHT = 65

SNOMED = {
    "8510008": "Reduced mobility",
    "386807006": "Memory impairment",
    "311401005": "Patient education",
    "225323000": "Smoking cessation education",
}
LABS = {"24331-1": "Lipid panel", "2093-3": "Cholesterol", "2085-9": "HDL cholesterol"}
RACES = {
    "1002-5": ("American Indian or Alaska Native", 2),
    "2028-9": ("Asian", 3),
    "2054-5": ("Black or African American", 1),
    "2106-3": ("White", 9),
    "2135-2": ("Hispanic or Latino", 6),
    "2186-5": ("Not Hispanic or Latino", 10),
}
"""CDCREC code: words, patientrace.Race."""
DECLINED_ETHNICITY = ("ASKU-ETHNICITY", 11)
PENICILLIN, LATEX, STRAWBERRIES = 1, 2, 4
"""allergydef.AllergyDefNum; 3 is "None"."""
HYPERTENSION, ASTHMA, BRUXISM, MOBILITY, MEMORY = 1, 3, 7, 8, 9
"""diseasedef.DiseaseDefNum; 6 is "None"."""
IBUPROFEN, RXCUI = 6, 5640
INFLUENZA, TDAP, MMR = 1, 2, 3
ENDODONTIST, FORMER_DENTIST = 1, 2
ROOT = "2.999.20.2"
"""Of the arc that is kept free for examples."""


def add_chart_lists(book: Book) -> None:
    """Add what the charts point to, behind the practice's own lists."""
    for code, text in SNOMED.items():
        book.refer("snomed", "SnomedCode", SnomedCode=code, Description=text)
    for code, text in LABS.items():
        book.refer("loinc", "LoincCode", LoincCode=code, Component=text, NameShort=text, NameLongCommon=text)
    for code, (text, _) in RACES.items():
        book.refer("cdcrec", "CdcrecCode", CdcrecCode=code, HeirarchicalCode="", Description=text)
    book.add("allergydef", "AllergyDefNum", Description="Strawberries", SnomedType=4, MedicationNum=0, UniiCode="")
    for order, (name, snomed, icd10) in enumerate(
        (
            ("Grinding of teeth at night", "", "G47.63"),
            ("Reduced mobility", "8510008", ""),
            ("Memory impairment", "386807006", ""),
        )
    ):
        book.add(
            "diseasedef", "DiseaseDefNum", DiseaseName=name, SnomedCode=snomed, Icd10Code=icd10, ItemOrder=order + 6
        )
    book.add("drugunit", "DrugUnitNum", UnitIdentifier="mL", UnitText="milliliter")
    book.add("drugmanufacturer", "DrugManufacturerNum", ManufacturerName="Juniper Biologics", ManufacturerCode="JUN")
    for row in book.rows("vaccinedef"):
        row["DrugManufacturerNum"] = 1
    book.add("referral", "ReferralNum", LName="Halvorsen", FName="Ingrid", Title="DMD", IsDoctor=1, NotPerson=0)
    book.add("referral", "ReferralNum", LName="Alderbrook Dental Group", FName="", Title="", IsDoctor=1, NotPerson=1)
    book.refer("oidinternal", "IDType", IDType="Patient", IDRoot=ROOT)


def add_charts(making: Making, family: Family) -> None:
    """Give the head of the first family and her first child something of everything, and everybody else a race."""
    mother, father, child = family.people[:3]
    _races(making, family)
    _mother(making, mother)
    _child(making, child)
    making.book.rows("patient")[mother.number - 1]["Language"] = "eng"
    for one in (child, family.people[3]):
        making.book.add(
            "guardian",
            "GuardianNum",
            PatNumChild=one.number,
            PatNumGuardian=mother.number,
            Relationship=MOTHER,
            IsGuardian=1,
        )
    _disease(making, father, MEMORY, making.day(700), function=COGNITIVE_RESULT)


def _races(making: Making, family: Family) -> None:
    """Two races for the first, a refusal for her husband; of the others most, and of every fifth nothing."""
    mother, father = family.people[:2]
    for code in ("2106-3", "1002-5", "2135-2"):
        _race(making, mother, code)
    _race(making, father, "2106-3")
    code, race = DECLINED_ETHNICITY
    making.book.add("patientrace", PatNum=father.number, Race=race, CdcrecCode=code)
    single = ("2106-3", "2054-5", "2028-9", "2106-3")
    others = [one for each in making.families for one in each.people if one not in (mother, father)]
    for one in others:
        if not one.number % 5:
            continue
        _race(making, one, single[one.number % 4])
        _race(making, one, "2186-5" if one.number % 3 else "2135-2")


def _race(making: Making, person: Person, code: str) -> None:
    making.book.add("patientrace", PatNum=person.number, Race=RACES[code][1], CdcrecCode=code)


def _mother(making: Making, person: Person) -> None:
    day = making.day
    _allergy(making, person, PENICILLIN, "Hives", "247472004", day(3200))
    _allergy(making, person, STRAWBERRIES, "", "", NO_DATE, active=0)
    _disease(making, person, HYPERTENSION, day(1500))
    _disease(making, person, BRUXISM, day(800))
    _disease(making, person, ASTHMA, day(9000), day(5200))
    _disease(making, person, MOBILITY, day(90), function=FUNCTIONAL_PROBLEM)
    _medication(making, person, IBUPROFEN, "when needed, not more than three a day", day(420), day(400), RXCUI)
    _medication(making, person, 0, "one capsule with breakfast", day(300), NO_DATE, 0, "Vitamin D 1000 units")
    _vaccine(making, person, INFLUENZA, day(410), amount=0.5)
    _vaccine(making, person, TDAP, day(60), status=REFUSED, reason=BY_PATIENT)
    _vaccine(making, person, MMR, day(61), action=DELETED)
    # Long ago, and without a fee: nobody's balance and no statement changes.
    _procedure(making, person, "D2392", COMPLETE, day(1900), tooth="30", surface="MO")
    _procedure(making, person, "D4341", COMPLETE, day(1700), surface="UR")
    _procedure(making, person, "D2740", EXISTING, NO_DATE, tooth="3")
    _procedure(making, person, "D7140", EXISTING_ELSEWHERE, day(6500), tooth="1")
    _procedure(making, person, "D2391", CONDITION, day(120), tooth="19", surface="O")
    _procedure(making, person, "D5213", IN_PROGRESS, day(30), teeth="4,5,12")
    newest = next(row for row in making.book.rows("vitalsign") if row["PatNum"] == person.number)
    newest |= {"Height": HEIGHT, "Weight": 151.0, "BpSystolic": 124, "BpDiastolic": 79}
    for ago, weight, systolic, diastolic in ((700, 158.0, 138, 88), (520, 155.5, 134, 84), (340, 153.0, 129, 81)):
        _vitals(making, person, day(ago), HEIGHT, weight, systolic, diastolic, 72)
    for ago in (700, 340):
        _encounter(making, person, day(ago))
    asked = (row for row in making.book.rows("ehrmeasureevent") if row["PatNum"] == person.number)
    next(row for row in asked if row["EventType"] == TOBACCO)["CodeValueResult"] = FORMER
    making.book.add(
        "ehrmeasureevent",
        PatNum=person.number,
        EventType=TOBACCO,
        DateTEvent=dt.datetime.combine(day(700), dt.time(9, 40)),
        CodeValueEvent="11366-2",
        CodeSystemEvent="LOINC",
        CodeValueResult=EVERY_DAY,
        CodeSystemResult="SNOMEDCT",
    )
    _plan(making, person, "311401005", "Brush twice a day, floss in the evening, wear the night guard.", day(20))
    _plan(making, person, "", "Bring the blood pressure diary to the next visit.", day(20))
    _refer(making, person, ENDODONTIST, day(25), "Root canal of the lower right first molar", 0)
    _refer(making, person, FORMER_DENTIST, day(2400), "Moved to Juniper Falls", 1)
    _lipids(making, person)


def _child(making: Making, person: Person) -> None:
    day = making.day
    _allergy(making, person, PENICILLIN, "Rash", "271807003", day(900))
    _disease(making, person, ASTHMA, day(1400))
    _medication(making, person, 3, "two puffs when needed", day(1390), NO_DATE, 435)
    _vaccine(making, person, TDAP, day(200), amount=0.5)
    _procedure(making, person, "D2391", COMPLETE, day(1300), tooth="A", surface="O")
    _procedure(making, person, "D1351", EXISTING_ELSEWHERE, day(1600), tooth="3")
    _vitals(making, person, day(380), 54, 71.0, 0, 0, 84)
    _plan(making, person, "311401005", "Help with brushing in the evening.", day(15))


def _note(making: Making, table: str, person: Person, same: str, **values: Value) -> None:
    """Add a row, or bring up to date what the dice have noted of the same thing."""
    row = {"PatNum": person.number, **values}
    known = (one for one in making.book.rows(table) if one["PatNum"] == person.number and one[same] == row[same])
    there = next(known, None) if row[same] else None
    if there is None:
        making.book.add(table, "", **row)
    else:
        there |= row


def _allergy(  # noqa: PLR0913, PLR0917 - the columns
    making: Making, person: Person, what: int, reaction: str, code: str, since: dt.date, active: int = 1
) -> None:
    _note(
        making,
        "allergy",
        person,
        "AllergyDefNum",
        AllergyDefNum=what,
        Reaction=reaction,
        SnomedReaction=code,
        StatusIsActive=active,
        DateAdverseReaction=since,
    )


def _disease(  # noqa: PLR0913 - the columns
    making: Making, person: Person, what: int, since: dt.date, until: dt.date = NO_DATE, *, function: int = 0
) -> None:
    _note(
        making,
        "disease",
        person,
        "DiseaseDefNum",
        DiseaseDefNum=what,
        ProbStatus=ACTIVE if until == NO_DATE else RESOLVED,
        DateStart=since,
        DateStop=until,
        SnomedProblemType="55607006",
        FunctionStatus=function,
    )


def _medication(  # noqa: PLR0913, PLR0917 - the columns
    making: Making, person: Person, what: int, note: str, since: dt.date, until: dt.date, rxcui: int, name: str = ""
) -> None:
    _note(
        making,
        "medicationpat",
        person,
        "MedicationNum",
        MedicationNum=what,
        MedDescript=name,
        PatNote=note,
        DateStart=since,
        DateStop=until,
        ProvNum=person.provider,
        RxCui=rxcui,
    )


def _vaccine(making: Making, person: Person, what: int, day: dt.date, **more: float) -> None:
    status, amount = int(more.get("status", GIVEN)), more.get("amount", 0.0)
    at = dt.datetime.combine(day, dt.time(10, 30))
    making.book.add(
        "vaccinepat",
        VaccineDefNum=what,
        PatNum=person.number,
        DateTimeStart=at,
        DateTimeEnd=at,
        AdministeredAmt=amount,
        DrugUnitNum=1 if amount else 0,
        LotNumber="JB2207" if amount else "",
        DateExpire=making.day(-300) if amount else NO_DATE,
        CompletionStatus=status,
        RefusalReason=int(more.get("reason", 0)),
        ActionCode=int(more.get("action", 0)),
        AdministrationRoute=2 if amount else 0,
        AdministrationSite=3 if amount else 0,
        ProvNumAdminister=person.provider if amount else 0,
    )


def _procedure(making: Making, person: Person, code: str, status: int, day: dt.date, **where: str) -> None:
    making.book.add(
        "procedurelog",
        "ProcNum",
        PatNum=person.number,
        CodeNum=CODES[code].number,
        ProcStatus=status,
        ProcFee=0.0,
        ProcDate=day,
        DateTP=day,
        DateEntryC=day,
        DateComplete=day if status == COMPLETE else NO_DATE,
        ToothNum=where.get("tooth", ""),
        Surf=where.get("surface", ""),
        ToothRange=where.get("teeth", ""),
        ProvNum=person.provider,
        UnitQty=1,
        BaseUnits=0,
    )


def _vitals(  # noqa: PLR0913, PLR0917 - the columns
    making: Making, person: Person, day: dt.date, height: int, weight: float, systolic: int, diastolic: int, pulse: int
) -> None:
    making.book.add(
        "vitalsign",
        PatNum=person.number,
        Height=height,
        Weight=weight,
        BpSystolic=systolic,
        BpDiastolic=diastolic,
        Pulse=pulse,
        DateTaken=day,
    )


def _encounter(making: Making, person: Person, day: dt.date) -> None:
    making.book.add(
        "encounter",
        PatNum=person.number,
        ProvNum=person.provider,
        CodeValue="185349003",
        CodeSystem="SNOMEDCT",
        DateEncounter=day,
    )


def _plan(making: Making, person: Person, code: str, text: str, day: dt.date) -> None:
    making.book.add("ehrcareplan", PatNum=person.number, SnomedEducation=code, Instructions=text, DatePlanned=day)


def _refer(making: Making, person: Person, whom: int, day: dt.date, why: str, kind: int) -> None:  # noqa: PLR0913, PLR0917 - the columns
    making.book.add("refattach", ReferralNum=whom, PatNum=person.number, RefDate=day, RefType=kind, Note=why)


def _lipids(making: Making, person: Person) -> None:
    when = f"{making.day(200):%Y%m%d}091500-0700"
    panel, *values = LABS.items()
    order: dict[str, Value] = {"UsiID": panel[0], "UsiText": panel[1], "UsiCodeSystemName": "LN", "ResultStatus": "F"}
    lab = making.book.add(
        "ehrlab",
        "EhrLabNum",
        PatNum=person.number,
        PlacerOrderNum="2",
        ObservationDateTimeStart=when,
        ResultDateTime=when,
        **order,
    )
    for place, ((code, text), value, usual, flag) in enumerate(
        zip(values, (212.0, 58.0), ("<200", ">40"), ("H", ""), strict=True), start=1
    ):
        making.book.add(
            "ehrlabresult",
            EhrLabNum=lab,
            SetIdOBX=place,
            ValueType="NM",
            ObservationIdentifierID=code,
            ObservationIdentifierText=text,
            ObservationIdentifierCodeSystemName="LN",
            ObservationValueNumeric=value,
            UnitsID="mg/dL",
            UnitsText="milligram per deciliter",
            UnitsCodeSystemName="UCUM",
            referenceRange=usual,
            AbnormalFlags=flag,
            ObservationResultStatus="F",
            ObservationDateTime=when,
        )


def add_odd_people(making: Making) -> None:
    """Add a family in Canada whose names are in Chinese script, of whom hardly anything was asked.

    The daughter's chart is complete but for a telephone number, as children's charts often are.
    """
    family = add_family(making, ("明", "李", False, 45))
    add_person(making, family, ("安", "李", True, 6))
    father, daughter = (making.book.rows("patient")[one.number - 1] for one in family.people)
    for row in (father, daughter):
        row |= {"Address": "220, rue Saint-Paul Ouest", "Address2": "", "City": "Montréal", "State": "QC"}
        row |= {"Zip": "H2Y 1Z9", "Country": "Canada", "Gender": 2, "MiddleI": "", "Language": ""}
        row |= {"HmPhone": "", "EstBalance": 0.0}
    father |= {"Email": "ming.li@example.com", "BalTotal": 0.0, "InsEst": 0.0}
    father |= {"Bal_0_30": 0.0, "Bal_31_60": 0.0, "Bal_61_90": 0.0, "BalOver90": 0.0}
    sample = SignIn(
        "ming.li", "Saint-Paul-Ouest-220", family.head.name, "an address in Canada; hardly anything recorded"
    )
    stored = logins.sha3(making.dice, sample.password)
    logins.add_sign_in(making, family.head, sample.user_name, stored, ago=5, sample=sample)
