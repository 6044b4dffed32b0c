"""What a care summary is made of: allergies, medications, problems, vaccinations, vital signs, a lab, smoking, visits.

The codes are facts (SNOMED CT, RxNorm, CVX, LOINC, UNII); only the handful that the rows use is entered.
"""

import datetime as dt

from econnector.demo.practice.book import NO_DATE, Book
from econnector.demo.practice.people import ADULT, Making, Person, age

__all__ = ["add_clinical", "add_code_lists"]

DRUG_ALLERGY, SUBSTANCE_ALLERGY = 2, 1
TOBACCO_ASSESSED = 8
EVERY_DAY, FORMER, NEVER = "449868002", "8517006", "266919005"
CHECKUP = "185349003"

SNOMED = {
    "38341003": "Hypertensive disorder",
    "44054006": "Diabetes mellitus type 2",
    "195967001": "Asthma",
    "40930008": "Hypothyroidism",
    "41565005": "Periodontitis",
    "247472004": "Wheal",
    "39579001": "Anaphylaxis",
    "271807003": "Eruption of skin",
    "55607006": "Problem",
    EVERY_DAY: "Smokes tobacco daily",
    FORMER: "Ex-smoker",
    NEVER: "Never smoked tobacco",
    CHECKUP: "Encounter for check up",
}
MEDICATIONS = (
    ("Lisinopril 10 mg", 29046, "one tablet every morning"),
    ("Metformin 500 mg", 6809, "with breakfast and dinner"),
    ("Albuterol inhaler", 435, "two puffs when needed"),
    ("Levothyroxine 50 mcg", 10582, "one tablet before breakfast"),
    ("Penicillin V", 7984, ""),
    ("Ibuprofen 400 mg", 5640, "when needed, not more than three a day"),
)
PENICILLIN = 5
NO_ALLERGY = 3
PROBLEMS = (
    ("Hypertension", "38341003", "I10", 1),
    ("Diabetes mellitus type 2", "44054006", "E11.9", 2),
    ("Asthma", "195967001", "J45.909", 3),
    ("Hypothyroidism", "40930008", "E03.9", 4),
    ("Periodontitis", "41565005", "K05.30", 0),
)
"""Name, SNOMED CT, ICD-10, and the medication that goes with it (`MedicationNum`, 0 for none)."""
VACCINES = (("140", "Influenza, seasonal, injectable, preservative free"), ("115", "Tdap"), ("03", "MMR"))
LABS = {"4548-4": "Hemoglobin A1c/Hemoglobin.total in Blood"}
REACTIONS = (("Hives", "247472004"), ("Rash", "271807003"), ("Anaphylaxis", "39579001"))


def add_code_lists(book: Book) -> None:
    """Add the codes used and the practice's own lists, with the rows that mean "none"."""
    for code, text in SNOMED.items():
        book.refer("snomed", "SnomedCode", SnomedCode=code, Description=text)
    for code, text in VACCINES:
        book.refer("cvx", "CvxCode", CvxCode=code, Description=text, IsActive="1")
        book.add("vaccinedef", "VaccineDefNum", CVXCode=code, VaccineName=text)
    for code, text in LABS.items():
        book.refer("loinc", "LoincCode", LoincCode=code, Component=text, NameShort=text, NameLongCommon=text)
    for name, rxcui, _ in MEDICATIONS:
        book.refer("rxnorm", "RxCui", RxCui=str(rxcui), MmslCode="", Description=name)
        number = book.add("medication", "MedicationNum", MedName=name, RxCui=rxcui)
        book.rows("medication")[number - 1]["GenericNum"] = number
    book.add("medication", "MedicationNum", MedName="None", RxCui=0, GenericNum=len(MEDICATIONS) + 1)
    for order, (name, snomed, icd10, _) in enumerate(PROBLEMS):
        book.refer("icd10", "Icd10Code", Icd10Code=icd10, Description=name, IsCode="1")
        book.add("diseasedef", "DiseaseDefNum", DiseaseName=name, SnomedCode=snomed, Icd10Code=icd10, ItemOrder=order)
    book.add("diseasedef", "DiseaseDefNum", DiseaseName="None", ItemOrder=len(PROBLEMS))
    for text, kind, medication, unii in (
        ("Penicillin", DRUG_ALLERGY, PENICILLIN, ""),
        ("Latex", SUBSTANCE_ALLERGY, 0, "2LQ0UUW8IN"),
        ("None", 0, 0, ""),
    ):
        book.add(
            "allergydef", "AllergyDefNum", Description=text, SnomedType=kind, MedicationNum=medication, UniiCode=unii
        )
    for name, number in (("Medications", len(MEDICATIONS) + 1), ("Problems", len(PROBLEMS) + 1), ("Allergies", 3)):
        book.refer("preference", "PrefName", keep=False, PrefName=f"{name}IndicateNone", ValueString=str(number))


def add_clinical(making: Making) -> None:
    """Give everybody who is seen some of it; the head of the first family has all of it."""
    for family in making.families:
        for person in family.seen:
            first = person is making.families[0].head
            _one(making, person, chance=100 if first else 22)
            if first:
                _lab(making, person)
    _none(making)


def _none(making: Making) -> None:
    """Note of those without an allergy, every other one, that they have none: it is not the same as an empty list."""
    allergic = {row["PatNum"] for row in making.book.rows("allergy")}
    for family in making.families:
        for person in family.seen:
            if person.number not in allergic and person.number % 2:
                making.book.add(
                    "allergy",
                    AllergyDefNum=NO_ALLERGY,
                    PatNum=person.number,
                    Reaction="",
                    SnomedReaction="",
                    StatusIsActive=1,
                )


def _one(making: Making, person: Person, chance: int) -> None:
    book, dice, grown = making.book, making.dice, age(person, making.today) >= ADULT
    since = making.day(dice.randrange(400, 3000))
    if making.chance(chance):
        _allergy(making, person)
    for place, (_, _, _, medication) in enumerate(PROBLEMS):
        if grown and making.chance(chance // 3 if chance < 100 else 40 + 60 * (place == 0)):  # noqa: PLR2004 - percent
            book.add(
                "disease",
                PatNum=person.number,
                DiseaseDefNum=place + 1,
                ProbStatus=int(making.chance(20)),
                DateStart=since,
                DateStop=NO_DATE,
                SnomedProblemType="55607006",
            )
            _medicate(making, person, medication, since)
    if making.chance(max(chance, 40)):
        _vaccinate(making, person)
    _measure(making, person)


def _allergy(making: Making, person: Person) -> None:
    reaction, code = making.dice.choice(REACTIONS)
    making.book.add(
        "allergy",
        AllergyDefNum=making.dice.choice((1, 1, 2)),
        PatNum=person.number,
        Reaction=reaction,
        SnomedReaction=code,
        StatusIsActive=1,
        DateAdverseReaction=making.day(3000),
    )


def _medicate(making: Making, person: Person, medication: int, since: dt.date) -> None:
    if not medication:
        return
    _, rxcui, note = MEDICATIONS[medication - 1]
    making.book.add(
        "medicationpat",
        PatNum=person.number,
        MedicationNum=medication,
        PatNote=note,
        DateStart=since,
        DateStop=NO_DATE,
        ProvNum=person.provider,
        RxCui=rxcui,
    )


def _vaccinate(making: Making, person: Person) -> None:
    at = dt.datetime.combine(making.day(making.dice.randrange(30, 400)), dt.time(11))
    making.book.add(
        "vaccinepat",
        VaccineDefNum=making.dice.randrange(1, 4),
        PatNum=person.number,
        DateTimeStart=at,
        DateTimeEnd=at,
        AdministeredAmt=0.5,
        LotNumber=f"L{making.dice.randrange(1000, 9999)}",
        DateExpire=making.day(-200),
        AdministrationRoute=2,
        AdministrationSite=3,
    )


def _measure(making: Making, person: Person) -> None:
    """Add what is taken at a visit: height and weight, pressure, smoking, and the visit as an encounter."""
    dice, years = making.dice, age(person, making.today)
    day = making.day(dice.randrange(5, 300))
    grown = years >= ADULT
    height = dice.randrange(61, 75) if grown else 28 + min(years, 15) * 2.5
    making.book.add(
        "vitalsign",
        PatNum=person.number,
        Height=height,
        Weight=round(height * height * dice.uniform(20, 31) / 703 if grown else 8 + years * 6.5, 1),
        BpSystolic=dice.randrange(105, 142) if grown else 0,
        BpDiastolic=dice.randrange(65, 90) if grown else 0,
        Pulse=dice.randrange(58, 90),
        DateTaken=day,
    )
    making.book.add(
        "encounter",
        PatNum=person.number,
        ProvNum=person.provider,
        CodeValue=CHECKUP,
        CodeSystem="SNOMEDCT",
        DateEncounter=day,
    )
    if grown:
        result = dice.choices((NEVER, FORMER, EVERY_DAY), (70, 20, 10))[0]
        making.book.add(
            "ehrmeasureevent",
            PatNum=person.number,
            EventType=TOBACCO_ASSESSED,
            DateTEvent=dt.datetime.combine(day, dt.time(10)),
            CodeValueEvent="11366-2",
            CodeSystemEvent="LOINC",
            CodeValueResult=result,
            CodeSystemResult="SNOMEDCT",
        )


def _lab(making: Making, person: Person) -> None:
    when = f"{making.day(60):%Y%m%d}1015"
    code, text = next(iter(LABS.items()))
    lab = making.book.add(
        "ehrlab",
        "EhrLabNum",
        PatNum=person.number,
        PlacerOrderNum="1",
        UsiID=code,
        UsiText=text,
        UsiCodeSystemName="LN",
        ObservationDateTimeStart=when,
        ResultDateTime=when,
        ResultStatus="F",
    )
    making.book.add(
        "ehrlabresult",
        EhrLabNum=lab,
        SetIdOBX=1,
        ValueType="NM",
        ObservationIdentifierID=code,
        ObservationIdentifierText=text,
        ObservationIdentifierCodeSystemName="LN",
        ObservationValueNumeric=6.1,
        UnitsID="%",
        UnitsText="percent",
        UnitsCodeSystemName="UCUM",
        referenceRange="4.0-5.6",
        AbnormalFlags="H",
        ObservationResultStatus="F",
        ObservationDateTime=when,
    )
