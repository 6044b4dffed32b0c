"""A practice of any size in Open Dental's real tables, with the indexes that they really have.

Every row follows from its number, so that a patient's record is alike in a practice of 500 and in one of 500,000:
families of four, the first of each being the account holder with a sign-in to the portal.
"""

import time

from econnector.opendental.passwords import make
from tests.support.mariadb import MariaDb

__all__ = ["PASSWORD", "holder", "load", "user_name"]

PASSWORD = "Kestrel-Avenue-7"
_FAMILY = 4
_LAST = (
    "'Adams','Baker','Castillo','Delgado','Evans','Fischer','Garcia','Hughes','Ivanov','Jensen','Kim','Lopez','Moore'"
)
_FIRST = (
    "'Ann','Ben','Carla','David','Elena','Frank','Grace','Hugo','Iris','Jonas','Karen','Luis','Maria','Noah','Olga'"
)
_END = "'son','man','ez','ton','berg','ford','field','well','ley','sen','ski','stein','wood','worth','by','ham','dale'"
_LATER_INDEXES = (
    "ALTER TABLE patient ADD KEY BirthdateStatus (Birthdate, PatStatus)",
    "ALTER TABLE patient ADD KEY ClinicPatStatus (ClinicNum, PatStatus)",
    "ALTER TABLE procedurelog ADD KEY DateClinicStatus (ProcDate, ClinicNum, ProcStatus)",
    "ALTER TABLE payment ADD KEY PayType (PayType), ADD KEY ProcessStatus (ProcessStatus)",
    "ALTER TABLE disease ADD KEY DiseaseDefNum (DiseaseDefNum)",
)
"""What Open Dental's updates added between 21.1.9, of which the tables are, and 24.3."""

_HOLDER = f"{_FAMILY} * FLOOR((seq - 1) / {_FAMILY}) + 1"
_DAY = "DATE_SUB(CURDATE(), INTERVAL {} DAY)"
_DENTIST = "901 + MOD(seq, 20)"


def _rows() -> list[tuple[str, float, dict[str, str]]]:
    """Return table, rows for each patient, and what each column is by `seq`, the row's number (`p`: the patient's)."""
    p2, p3 = "FLOOR((seq + 1) / 2)", "FLOOR((seq + 2) / 3)"
    holder_of_quarter, patient_of_half = f"{_FAMILY} * (seq - 1) + 1", "2 * seq - 1"
    return [
        (
            "patient",
            1,
            {
                "PatNum": "seq",
                "LName": f"CONCAT(ELT(1 + MOD(FLOOR((seq - 1) / 4) * 7, 13), {_LAST}),"
                f" ELT(1 + MOD(FLOOR(seq / 52), 17), {_END}))",
                "FName": f"ELT(1 + MOD(seq * 11, 15), {_FIRST})",
                "Birthdate": "DATE_ADD('1945-01-01', INTERVAL MOD(seq * 37, 27000) DAY)",
                "PatStatus": "IF(MOD(seq, 25) = 24, 3, 0)",
                "Guarantor": _HOLDER,
                "Address": "CONCAT(seq, ' Maple Street')",
                "City": "'Salem'",
                "State": "'OR'",
                "Zip": "'97301'",
                "Email": "CONCAT('patient', seq, '@example.com')",
                "HmPhone": "CONCAT('(503)555-', LPAD(MOD(seq, 10000), 4, '0'))",
                "ChartNumber": "CONCAT('C', seq)",
                "PriProv": _DENTIST,
                "BalTotal": f"IF(MOD(seq, {_FAMILY}) = 1, MOD(seq, 400), 0)",
                "EstBalance": "MOD(seq, 100)",
                "SecDateEntry": _DAY.format("MOD(seq, 3650)"),
            },
        ),
        (
            "userweb",
            0.25,
            {
                "UserWebNum": "seq",
                "FKey": holder_of_quarter,
                "FKeyType": "1",
                "UserName": f"CONCAT('patient', {holder_of_quarter})",
                "Password": f"'{make(PASSWORD)}'",
            },
        ),
        (
            "appointment",
            2,
            {
                "AptNum": "seq",
                "PatNum": p2,
                "AptStatus": "IF(MOD(seq, 2), 1, 2)",
                "Pattern": "'/XX/'",
                "Confirmed": "19",
                "ProvNum": _DENTIST,
                "AptDateTime": "DATE_ADD(CURDATE(), INTERVAL IF(MOD(seq, 2), 1 + MOD(seq * 7, 240),"
                " -1 - MOD(seq * 7, 3000)) * 24 + 8 + MOD(seq, 9) HOUR)",
            },
        ),
        (
            "procedurelog",
            3,
            {
                "ProcNum": "seq",
                "PatNum": p3,
                "ProcDate": _DAY.format("MOD(seq * 13, 3000)"),
                "ProcFee": "80 + MOD(seq, 300)",
                "ProcStatus": "2",
                "ProvNum": _DENTIST,
                "CodeNum": "1 + MOD(seq, 300)",
            },
        ),
        (
            "claimproc",
            1,
            {"ClaimProcNum": "seq", "PatNum": "seq", "ProcNum": "3 * seq", "Status": "1", "InsPayAmt": "MOD(seq, 90)"},
        ),
        (
            "adjustment",
            0.2,
            {"AdjNum": "seq", "PatNum": "5 * seq", "AdjDate": _DAY.format("MOD(seq, 900)"), "AdjAmt": "-5"},
        ),
        (
            "payment",
            1,
            {
                "PayNum": "seq",
                "PatNum": _HOLDER,
                "PayDate": _DAY.format("MOD(seq * 17, 2000)"),
                "PayAmt": "20 + MOD(seq, 180)",
                "PayType": "69",
            },
        ),
        (
            "paysplit",
            1,
            {
                "SplitNum": "seq",
                "PayNum": "seq",
                "PatNum": "seq",
                "SplitAmt": "20 + MOD(seq, 180)",
                "DatePay": _DAY.format("MOD(seq * 17, 2000)"),
            },
        ),
        (
            "document",
            1,
            {
                "DocNum": "seq",
                "PatNum": "seq",
                "DocCategory": f"IF(MOD(seq, 2), 240, {9001})",
                "DateCreated": _DAY.format("MOD(seq * 19, 2000)"),
                "Description": "'Statement'",
                "FileName": "CONCAT('file', seq, '.pdf')",
            },
        ),
        (
            "statement",
            0.5,
            {
                "StatementNum": "seq",
                "PatNum": patient_of_half,
                "DocNum": patient_of_half,
                "DateSent": _DAY.format("MOD(seq * 19, 2000)"),
                "IsSent": "1",
                "IsBalValid": "1",
                "BalTotal": "MOD(seq, 500)",
            },
        ),
        (
            "emailmessage",
            0.5,
            {
                "EmailMessageNum": "seq",
                "PatNum": patient_of_half,
                "PatNumSubj": patient_of_half,
                "ProvNumWebMail": _DENTIST,
                "SentOrReceived": "4 + MOD(seq, 4)",
                "FromAddress": "'Amara Lindgren, DDS'",
                "ToAddress": "'A patient'",
                "Subject": "CONCAT('About visit ', seq)",
                "BodyText": "REPEAT('This is what your dentist wrote. ', 20)",
                "MsgDateTime": "DATE_SUB(NOW(), INTERVAL MOD(seq * 23, 30000) HOUR)",
                "MsgType": "'WebMail'",
            },
        ),
        (
            "emailattach",
            0.1,
            {"EmailAttachNum": "seq", "EmailMessageNum": "5 * seq", "DisplayedFileName": "'Plan.pdf'"},
        ),
        (
            "securitylog",
            2,
            {
                "SecurityLogNum": "seq",
                "PatNum": p2,
                "FKey": f"IF(MOD(seq, 2), {p2}, MOD(seq * 7919, 1000000))",
                "PermType": "IF(MOD(seq, 2), 75, 30)",
                "LogSource": "IF(MOD(seq, 2), 6, 0)",
                "LogDateTime": "DATE_SUB(NOW(), INTERVAL MOD(seq * 29, 50000) HOUR)",
                "LogText": "'Patient portal: looked at the account.'",
            },
        ),
        (
            "securityloghash",
            2,
            {"SecurityLogHashNum": "seq", "SecurityLogNum": "seq", "LogHash": "'00000000000000000000000000000000'"},
        ),
        (
            "eservicelog",
            0.5,
            {
                "EServiceLogNum": "seq",
                "PatNum": patient_of_half,
                "EServiceType": "5",
                "EServiceAction": "16",
                "LogDateTime": "DATE_SUB(NOW(), INTERVAL MOD(seq * 31, 9000) HOUR)",
                "LogGuid": "'an-example'",
            },
        ),
        (
            "commlog",
            1,
            {"CommlogNum": "seq", "PatNum": "seq", "CommDateTime": _DAY.format("MOD(seq, 900)"), "Note": "'Call'"},
        ),
        (
            "patientlink",
            0.02,
            {"PatientLinkNum": "seq", "PatNumFrom": "50 * seq", "PatNumTo": "50 * seq - 1", "LinkType": "1"},
        ),
        (
            "guardian",
            0.25,
            {"GuardianNum": "seq", "PatNumChild": "4 * seq", "PatNumGuardian": "4 * seq - 3", "IsGuardian": "1"},
        ),
        (
            "recall",
            1,
            {
                "RecallNum": "seq",
                "PatNum": "seq",
                "DateDue": _DAY.format("MOD(seq, 400) - 100"),
                "RecallTypeNum": "1",
                "DateScheduled": "'0001-01-01'",
                "DisableUntilDate": "'0001-01-01'",
            },
        ),
        (
            "webschedrecall",
            0.25,
            {"WebSchedRecallNum": "seq", "RecallNum": holder_of_quarter, "MessageFk": "seq", "MessageType": "2"},
        ),
        (
            "treatplan",
            0.5,
            {
                "TreatPlanNum": "seq",
                "PatNum": patient_of_half,
                "TPStatus": "0",
                "DateTP": _DAY.format("MOD(seq, 900)"),
                "Heading": "'Proposed treatment'",
            },
        ),
        (
            "proctp",
            1,
            {"ProcTPNum": "seq", "TreatPlanNum": p2, "PatNum": f"2 * {p2} - 1", "Descript": "'Crown'", "FeeAmt": "900"},
        ),
        (
            "allergy",
            0.25,
            {"AllergyNum": "seq", "PatNum": holder_of_quarter, "AllergyDefNum": "1", "StatusIsActive": "1"},
        ),
        ("disease", 0.25, {"DiseaseNum": "seq", "PatNum": holder_of_quarter, "DiseaseDefNum": "1"}),
        ("medicationpat", 0.25, {"MedicationPatNum": "seq", "PatNum": holder_of_quarter, "MedDescript": "'Ibuprofen'"}),
        ("vaccinepat", 0.1, {"VaccinePatNum": "seq", "PatNum": "10 * seq", "VaccineDefNum": "1"}),
        ("loginattempt", 0.05, {"LoginAttemptNum": "seq", "UserName": "CONCAT('patient', seq)", "LoginType": "1"}),
    ]


_FIXED = (
    "REPLACE INTO definition (DefNum, Category, ItemName, ItemValue) VALUES (9001, 18, 'For patients', 'L')",
    (
        "INSERT INTO provider (ProvNum, Abbr, FName, LName, Suffix, ItemOrder)"
        " SELECT 900 + seq, CONCAT('D', seq), 'Amara', 'Lindgren', 'DDS', 900 + seq FROM seq_1_to_20"
    ),
    "INSERT INTO userod (UserNum, UserName, ProvNum) SELECT 900 + seq, CONCAT('user', seq), 900 + seq FROM seq_1_to_20",
    "REPLACE INTO allergydef (AllergyDefNum, Description) VALUES (1, 'Latex')",
    "REPLACE INTO diseasedef (DiseaseDefNum, DiseaseName) VALUES (1, 'Asthma')",
    "REPLACE INTO vaccinedef (VaccineDefNum, VaccineName) VALUES (1, 'Hepatitis B')",
    "UPDATE preference SET ValueString = 'https://example.com/portal' WHERE PrefName = 'PatientPortalURL'",
)


def load(server: MariaDb, patients: int) -> tuple[str, float]:
    """Make the practice; return its database's name and the seconds that it took."""
    began = time.monotonic()
    name = server.open_dental("24.3")
    for statement in (*_LATER_INDEXES, *_FIXED):
        server.sql(statement.replace("%", "%%"), database=name)
    for table, each, columns in _rows():
        rows = max(int(patients * each), 1)
        listed, values = ", ".join(f"`{column}`" for column in columns), ", ".join(columns.values())
        server.sql(f"TRUNCATE TABLE {table}", database=name)  # some have rows of Open Dental's own
        server.sql(f"ALTER TABLE {table} DISABLE KEYS", database=name)
        # Signed, as differences of them may be below nothing.
        numbers = f"(SELECT CAST(seq AS SIGNED) AS seq FROM seq_1_to_{rows}) AS numbers"
        server.sql(f"INSERT INTO {table} ({listed}) SELECT {values} FROM {numbers}", database=name)
        server.sql(f"ALTER TABLE {table} ENABLE KEYS", database=name)
        server.sql(f"ANALYZE TABLE {table}", database=name)
    return name, time.monotonic() - began


def holder(patients: int, place: float) -> int:
    """Return the account holder (a PatNum) who stands at `place` of the practice, from 0 to 1."""
    # Families are alike every hundred patients: merged and archived charts, files and guardians come round by then.
    return int(place * (patients - 100)) // 100 * 100 + 1


def user_name(number: int) -> str:
    """Return the account holder's user name."""
    return f"patient{number}"
