"""Visits, check-ups, plans and medical lists of the small practice (`practice.py`), on days counted from today."""

import datetime as dt
from typing import Any

from sqlalchemy import Connection

from econnector.opendental import preferences, tables, writes
from econnector.opendental.schema import Schema

__all__ = ["APPOINTMENTS", "PLANS", "day", "fill_visits"]

MARIA, LUIS, BEN, OTTO, PAUL, ROSA, GRETA, HUGO, MERGED = 11, 12, 14, 21, 22, 31, 41, 42, 51
DENTIST, HYGIENIST = 961, 962
NOT_CALLED, CONFIRMED = 19, 21
APPOINTMENTS: list[tuple[int, int, int, int, int]] = [
    # number, whose, AptStatus, days from today, confirmation
    (1001, MARIA, 1, 3, NOT_CALLED),
    (1002, MARIA, 1, 40, CONFIRMED),
    (1003, MARIA, 2, -30, CONFIRMED),
    (1004, MARIA, 5, 1, NOT_CALLED),
    (1005, MARIA, 6, 2, NOT_CALLED),
    (1006, MARIA, 7, 2, NOT_CALLED),
    (1007, MARIA, 3, 4, NOT_CALLED),
    (1008, MARIA, 1, -2, NOT_CALLED),
    (1010, LUIS, 1, 5, NOT_CALLED),
    (1011, GRETA, 1, 6, NOT_CALLED),
    (1012, OTTO, 1, 7, NOT_CALLED),
    (1013, PAUL, 1, 8, NOT_CALLED),
    (1014, BEN, 1, 9, NOT_CALLED),
    (1015, MERGED, 1, 9, NOT_CALLED),
    (1016, ROSA, 1, 10, NOT_CALLED),
    (1017, HUGO, 2, -10, NOT_CALLED),
]
SHOWN = (1, 2)
PLANS: list[tuple[int, int, int]] = [
    # number, whose, TPStatus
    (1201, MARIA, 0),
    (1202, MARIA, 1),
    (1203, GRETA, 0),
    (1204, OTTO, 0),
    (1205, LUIS, 0),
]


def day(days: int) -> dt.date:
    """Return a day counted from today."""
    return dt.datetime.now().date() + dt.timedelta(days=days)  # noqa: DTZ005 - office time


def fill_visits(connection: Connection, schema: Schema, *, new: bool) -> None:
    """Write it; `new`: the file has none of Open Dental's own rows."""

    def put(table: Any, **values: Any) -> int:
        return writes.insert(connection, schema, table, values)

    if new:
        put(tables.definition, DefNum=NOT_CALLED, Category=2, ItemName="Not Called")
        put(tables.definition, DefNum=CONFIRMED, Category=2, ItemName="Appointment Confirmed")
        put(tables.definition, DefNum=235, Category=27, ItemName="ApptRelated", ItemValue="APPT")
        put(tables.recalltype, RecallTypeNum=1, Description="Prophy")
    preferences.write(connection, schema, "ApptEConfirmStatusAccepted", str(CONFIRMED))
    put(tables.provider, ProvNum=DENTIST, FName="Amara", LName="Lindgren", Suffix="DDS", Abbr="DOC9")
    put(tables.provider, ProvNum=HYGIENIST, FName="Noah", LName="Castellanos", Suffix="RDH", Abbr="HYG9")
    _appointments(put)
    _recalls(put)
    _plans(put)
    _medical(connection, schema, put)


def _appointments(put: Any) -> None:
    for number, whose, status, days, confirmed in APPOINTMENTS:
        put(
            tables.appointment,
            AptNum=number,
            PatNum=whose,
            AptStatus=status,
            AptDateTime=dt.datetime.combine(day(days), dt.time(14, 30)),
            Confirmed=confirmed,
            Pattern="//XXXXXX//",
            ProvNum=DENTIST,
            ProvHyg=HYGIENIST,
            IsHygiene=int(number == 1002),
            Note="Owes us money, be firm.",
            ProcDescript="PerEx, Pro",
        )


def _recalls(put: Any) -> None:
    long_ago = day(-100)
    for number, whose, due, more in (
        (1101, MARIA, long_ago, {}),
        (1102, MARIA, long_ago, {"DateScheduled": day(3)}),
        (1103, MARIA, long_ago, {"IsDisabled": 1}),
        (1104, MARIA, long_ago, {"DisableUntilDate": day(10)}),
        (1105, MARIA, long_ago, {"DisableUntilBalance": 100.0}),
        (1106, MARIA, day(1), {}),
        (1107, MARIA, day(-5), {"DisableUntilDate": day(-1), "DisableUntilBalance": 500.0}),
        (1108, GRETA, long_ago, {}),
    ):
        put(tables.recall, RecallNum=number, PatNum=whose, RecallTypeNum=1, DateDue=due, **more)
    for number, text in ((1, 'Pick a time: <a href="https://book.example/r?a=1&amp;b=2">here</a>.'), (2, "Call us.")):
        sent = dt.datetime.combine(day(-number), dt.time(10))
        put(tables.emailmessage, EmailMessageNum=770 + number, PatNum=MARIA, BodyText=text, SentOrReceived=1)
        values = {"WebSchedRecallNum": number, "PatNum": MARIA, "RecallNum": 1101, "DateTimeEntry": sent}
        put(tables.webschedrecall, **values, MessageType=2, MessageFk=770 + number, EmailText=text)


def _plans(put: Any) -> None:
    for number, whose, status in PLANS:
        note = "An estimate.\r\nAsk us."
        put(
            tables.treatplan,
            TreatPlanNum=number,
            PatNum=whose,
            TPStatus=status,
            DateTP=dt.date(2025, 10, 5),
            Heading="Proposed treatment",
            Note=note,
        )
        for order, (text, fee, insurance, pays) in enumerate(
            (("Buildup", 300.0, 120.0, 130.0), ("Crown", 99.99, 0, 99.99))
        ):
            put(
                tables.proctp,
                TreatPlanNum=number,
                PatNum=whose,
                ItemOrder=1 - order,
                ToothNumTP="14",
                Surf="MOD",
                Descript=text,
                FeeAmt=fee,
                PriInsAmt=insurance,
                PatAmt=pays,
                Discount=0.0,
            )


def _medical(connection: Connection, schema: Schema, put: Any) -> None:
    for number, name in ((1301, "Latex"), (1302, "None")):
        put(tables.allergydef, AllergyDefNum=number, Description=name)
    for number, name in ((1311, "Lisinopril 10 mg"), (1312, "None")):
        put(tables.medication, MedicationNum=number, MedName=name)
    for number, name in ((1321, "Asthma"), (1322, "None"), (1323, "Flu")):
        put(tables.diseasedef, DiseaseDefNum=number, DiseaseName=name)
    put(tables.vaccinedef, VaccineDefNum=1331, CVXCode="115", VaccineName="Tdap")
    for name, number in (("Allergies", 1302), ("Medications", 1312), ("Problems", 1322)):
        preferences.write(connection, schema, f"{name}IndicateNone", str(number))
    put(tables.allergy, PatNum=MARIA, AllergyDefNum=1302, StatusIsActive=1)
    put(tables.allergy, PatNum=MARIA, AllergyDefNum=1301, StatusIsActive=0, Reaction="Hives")
    put(tables.medicationpat, PatNum=MARIA, MedicationNum=1311, PatNote="one a day", DateStart=dt.date(2021, 3, 1))
    put(tables.medicationpat, PatNum=MARIA, MedDescript="Fish oil", DateStop=day(0))
    put(tables.medicationpat, PatNum=MARIA, MedDescript="Old pills", DateStop=day(-1))
    put(tables.disease, PatNum=MARIA, DiseaseDefNum=1323, ProbStatus=1, PatNote="a private remark")
    put(tables.disease, PatNum=MARIA, DiseaseDefNum=1321, ProbStatus=0)
    put(tables.disease, PatNum=MARIA, DiseaseDefNum=1322, ProbStatus=0)
    given = dt.datetime(2024, 5, 6, 11)  # noqa: DTZ001 - office time
    put(tables.vaccinepat, PatNum=MARIA, VaccineDefNum=1331, DateTimeStart=given)
    put(tables.vaccinepat, PatNum=MARIA, VaccineDefNum=1331, DateTimeStart=given, CompletionStatus=1)
    put(tables.vaccinepat, PatNum=MARIA, VaccineDefNum=1331, DateTimeStart=given, ActionCode=1)
    put(tables.allergy, PatNum=GRETA, AllergyDefNum=1301, StatusIsActive=1, Reaction="Rash")
    put(tables.allergy, PatNum=GRETA, AllergyDefNum=1302, StatusIsActive=1)
