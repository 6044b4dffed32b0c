"""Two care summaries made by hand: one with everything in it, and one with nothing beyond what a summary needs."""

import datetime as dt

from econnector.opendental.summary.records import (
    Address,
    Allergy,
    Clinician,
    Code,
    Contact,
    Encounter,
    Functional,
    LabOrder,
    LabResult,
    Medication,
    Name,
    Organization,
    Period,
    Phone,
    PlanItem,
    Problem,
    Procedure,
    Referral,
    Smoking,
    Subject,
    Summary,
    Vaccine,
    VitalSigns,
)

ZONE = dt.timezone(dt.timedelta(hours=-8))
MADE = dt.datetime(2026, 11, 20, 14, 30, tzinfo=ZONE)
HOME = Address(("12 Rose St", "Apt 3"), "Juniper Falls", "OR", "97001")
PRACTICE = Organization(
    "Juniper Hill Dental",
    "(503)555-0100",
    Address(("1420 Juniper Hill Road",), "Juniper Falls", "OR", "97001"),
    "1234567893",
)
DENTIST = Clinician(
    1, Name(("Ana", "L"), "O'Hara", suffix="DMD"), is_person=True, npi="1679576722", taxonomy="122300000X"
)
HYGIENIST = Clinician(2, Name(("Renée",), "Dubois"), is_person=True, npi="", taxonomy="")
OFFICE = Clinician(3, Name((), "Juniper Hill Dental PC"), is_person=False, npi="1234567893", taxonomy="")


def full() -> Summary:
    """Return a child's summary with rows in every section and with every kind of row."""
    return Summary(
        made=MADE,
        period=Period(),
        subject=Subject(
            number=42,
            name=Name(("Zoë", "María José"), "O'Brien-Núñez"),
            preferred="Zo",
            birth_date=dt.date(2012, 3, 4),
            gender="F",
            marital="S",
            races=(
                Code("2106-3", "CDCREC", "White"),
                Code("1002-5", "CDCREC", "American Indian or Alaska Native"),
                Code("2028-9", "CDCREC", "Asian"),
            ),
            ethnicity=Code("2135-2", "CDCREC", "Hispanic or Latino"),
            declined=frozenset(),
            language="es",
            address=HOME,
            phones=(Phone("(503)555-0142", "mobile"), Phone("503-555-0143", "home")),
            email="zoe@example.com",
            contacts=(
                Contact(
                    41,
                    Name(("Maria",), "Núñez"),
                    "MTH",
                    is_guardian=True,
                    address=HOME,
                    phones=(Phone("5035550144", "mobile"),),
                ),
                Contact(40, Name(("Seán",), "O'Brien"), "", is_guardian=True),
                Contact(39, Name(("Otto",), "Payer"), "", is_guardian=False),
            ),
            root="1.3.6.1.4.1.99999.1.2",
        ),
        provider=DENTIST,
        custodian=OFFICE,
        practice=PRACTICE,
        clinicians=(DENTIST, HYGIENIST, OFFICE),
        none_known=frozenset(),
        allergies=_allergies(),
        problems=_problems(),
        functional=_functional(),
        medications=_medications(),
        vaccines=_vaccines(),
        procedures=_procedures(),
        encounters=(
            Encounter(
                1,
                "Visit for: dental examination",
                Code("185349003", "SNOMEDCT", "Check-up"),
                dt.date(2026, 5, 4),
                1,
            ),
            Encounter(2, "Emergency visit", None, None, 0),
        ),
        plan=(
            PlanItem(
                1,
                Code("225358003", "SNOMEDCT", "Wound care"),
                "Rinse with salt water\nfor 3 days",
                dt.date(2026, 11, 27),
            ),
            PlanItem(2, None, "Brush twice a day", None),
        ),
        referrals=(
            Referral(1, "Dr. Otto Surgeon, Oral Surgery", "Impacted third molars", dt.date(2026, 6, 1)),
            Referral(2, "City Orthodontics", "", None),
        ),
        labs=_labs(),
        smoking=(
            Smoking(
                1, Code("266919005", "SNOMEDCT", "Never smoked tobacco"), dt.datetime(2026, 5, 4, 9, 15, tzinfo=ZONE)
            ),
        ),
        vitals=(
            VitalSigns(1, dt.date(2026, 5, 4), 60.5, 98.0, 104, 66, 82),
            VitalSigns(2, dt.date(2025, 5, 5), 58.0, 0.0, 0, 0, 0),
            VitalSigns(3, None, 0.0, 0.0, 0, 0, 77),
        ),
    )


def bare() -> Summary:
    """Return a summary without any row, of somebody of whom the practice knows no more than it must."""
    return Summary(
        made=MADE,
        period=Period(),
        subject=Subject(
            number=7,
            name=Name(("李",), "小龍"),
            preferred="",
            birth_date=dt.date(1960, 12, 31),
            gender="UN",
            marital="",
            races=(),
            ethnicity=None,
            declined=frozenset({"race"}),
            language="",
            address=Address(("Königstraße 5",), "Köln", "", "50667", "Germany"),
            phones=(),
            email="",
        ),
        provider=OFFICE,
        custodian=OFFICE,
        practice=Organization("Juniper Hill Dental", "(503)555-0100", PRACTICE.address),
        clinicians=(OFFICE,),
        none_known=frozenset(),
    )


def _allergies() -> tuple[Allergy, ...]:
    noted = dt.datetime(2024, 2, 3, 10, 0, tzinfo=ZONE)
    return (
        Allergy(
            1,
            "Penicillin",
            "drug-allergy",
            Code("7980", "RXNORM", "penicillin G"),
            "Hives & swelling",
            Code("126485001", "SNOMEDCT", "Urticaria"),
            active=True,
            since=dt.date(2019, 1, 2),
            noted=noted,
        ),
        Allergy(
            2,
            "Latex",
            "substance-allergy",
            Code("2LQ0UUW8IN", "UNII", "Natural latex rubber"),
            "",
            None,
            active=True,
            since=None,
            noted=noted,
        ),
        Allergy(
            3, "Peanut", "food-allergy", None, "itching", None, active=False, since=dt.date(2015, 7, 1), noted=None
        ),
        Allergy(4, "Mother's ointment <old>", "", None, "", None, active=True, since=None, noted=None),
    )


def _problems() -> tuple[Problem, ...]:
    asthma = Code("195967001", "SNOMEDCT", "Asthma")
    return (
        Problem(
            11,
            "Asthma",
            asthma,
            (Code("J45.909", "ICD10CM", "Unspecified asthma, uncomplicated"), Code("493.90", "ICD9CM", "Asthma NOS")),
            "active",
            dt.date(2016, 1, 1),
            None,
            dt.datetime(2024, 2, 3, 10, 0, tzinfo=ZONE),
        ),
        Problem(12, "Broken arm", None, (), "resolved", dt.date(2020, 1, 1), dt.date(2020, 3, 1), None),
        Problem(13, "Gingivitis", Code("66383009", "SNOMEDCT", "Gingivitis"), (), "inactive", None, None, None),
    )


def _functional() -> tuple[Functional, ...]:
    return (
        Functional(
            21,
            "Dependence on walking stick",
            "functional-problem",
            Code("105504002", "SNOMEDCT", "Dependence on walking stick"),
            "active",
            dt.date(2020, 1, 1),
            None,
        ),
        Functional(
            22,
            "Independent with dressing",
            "functional-result",
            Code("129035000", "SNOMEDCT", "Independent with dressing"),
            "active",
            None,
            None,
        ),
        Functional(
            23,
            "Memory impairment",
            "cognitive-problem",
            Code("386807006", "SNOMEDCT", "Memory impairment"),
            "inactive",
            dt.date(2020, 1, 1),
            dt.date(2021, 1, 1),
        ),
        Functional(24, "Orientated", "cognitive-result", None, "resolved", dt.date(2020, 1, 1), None),
    )


def _medications() -> tuple[Medication, ...]:
    return (
        Medication(
            31,
            "Amoxicillin 500 mg",
            Code("308191", "RXNORM", "amoxicillin 500 MG Oral Capsule"),
            "One capsule every 8 hours",
            dt.date(2026, 5, 4),
            dt.date(2026, 5, 14),
            active=False,
            prescriber=1,
            noted=dt.datetime(2026, 5, 4, 9, 30, tzinfo=ZONE),
        ),
        Medication(
            32, "Albuterol", Code("435", "RXNORM", "albuterol"), "", None, None, active=True, prescriber=0, noted=None
        ),
        Medication(
            33, "Grandmother's tea", None, "at night", dt.date(2025, 1, 1), None, active=True, prescriber=2, noted=None
        ),
    )


def _vaccines() -> tuple[Vaccine, ...]:
    at = dt.datetime(2013, 4, 5, 11, 20, tzinfo=ZONE)
    return (
        Vaccine(
            41,
            "MMR",
            Code("03", "CVX", "MMR"),
            "given",
            at,
            0.5,
            "mL",
            "LOT'7",
            dt.date(2014, 1, 1),
            "Merck & Co",
            "subcutaneous",
            "",
            1,
        ),
        Vaccine(
            42,
            "Influenza",
            Code("88", "CVX", "influenza, unspecified formulation"),
            "refused",
            at,
            0.0,
            "",
            "",
            None,
            "",
            "",
            "parental",
            0,
        ),
        Vaccine(43, "Td", Code("139", "CVX", "Td"), "not-given", None, 0.0, "", "", None, "", "", "", 0),
        Vaccine(44, "Old vaccine", None, "partly-given", at, 0.25, "", "", None, "", "oral", "", 2),
    )


def _procedures() -> tuple[Procedure, ...]:
    day = dt.date(2026, 5, 4)
    return (
        Procedure(
            51,
            "Two surface composite",
            Code("D2392", "CDT", "Two surface composite"),
            "completed",
            day,
            "14",
            "MO",
            (),
            1,
        ),
        Procedure(52, "Periodic exam", Code("D0120", "CDT"), "completed", day, "", "", (), 2),
        Procedure(53, "Quadrant scaling", Code("D4341", "CDT", "Scaling"), "planned", day, "", "UR", (), 0),
        Procedure(
            54, "Partial denture", Code("D5213", "CDT", "Partial"), "existing", None, "", "", ("18", "19", "30"), 0
        ),
        Procedure(55, "Watch", None, "condition", day, "A", "", (), 1),
        Procedure(
            56,
            "Extra tooth out",
            Code("173291009", "SNOMEDCT", "Simple extraction of tooth"),
            "completed",
            day,
            "51",
            "",
            (),
            1,
        ),
        Procedure(57, "Biopsy", Code("40808", "CPT", "Biopsy"), "completed", day, "", "L", (), 1),
        Procedure(58, "Supply", Code("A4550", "HCPCS", "Surgical trays"), "completed", day, "", "", (), 1),
    )


def _labs() -> tuple[LabOrder, ...]:
    at = dt.datetime(2026, 5, 4, 10, 0, tzinfo=ZONE)
    return (
        LabOrder(
            61,
            "Blood count",
            Code("57021-8", "LOINC", "CBC W Auto Differential panel"),
            at,
            (
                LabResult(
                    71,
                    "Hemoglobin",
                    Code("718-7", "LOINC", "Hemoglobin"),
                    "13.2",
                    13.2,
                    "g/dL",
                    "11.5-15.5",
                    "N",
                    final=True,
                    at=at,
                ),
                LabResult(
                    72,
                    "Leukocytes",
                    Code("6690-2", "LOINC", "Leukocytes"),
                    "< 3",
                    None,
                    "10*3/uL",
                    "4-11",
                    "L",
                    final=False,
                    at=None,
                ),
                LabResult(73, "Comment", None, "clumped", None, "", "", "", final=True, at=at),
            ),
        ),
        LabOrder(
            62,
            "Send out",
            None,
            None,
            (LabResult(74, "Culture", Code("600-7", "LOINC", "Culture"), "", None, "", "", "", final=True, at=None),),
        ),
    )
