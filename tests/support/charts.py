"""A practice in which one chart is filled by hand, for tests of what is read from it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, event

from econnector.opendental import preferences, tables, writes
from econnector.opendental.schema import Schema
from econnector.opendental.summary.read import EVER, read
from econnector.opendental.summary.records import Period, Summary

__all__ = ["NOON", "PATIENT", "PROVIDER", "TABLES", "Chart", "add_patient", "fill"]

PATIENT, PROVIDER = 1001, 901
NOON = dt.datetime(2026, 3, 4, 12, 30)  # noqa: DTZ001 - office time has no zone
TABLES = """
allergy allergydef cdcrec clinic cpt cvx definition disease diseasedef drugmanufacturer drugunit ehrcareplan ehrlab
ehrlabresult ehrmeasureevent encounter guardian hcpcs icd10 icd9 loinc medication medicationpat oidinternal patient
patientrace procedurecode procedurelog provider refattach referral rxnorm snomed userweb vaccinedef vaccinepat
vitalsign
""".split()  # noqa: SIM905 - a block of text is read more easily than a list
_SETTINGS = {
    "PracticeTitle": "Bright Smile Dental",
    "PracticePhone": "5035550100",
    "PracticeAddress": "12 Alder Street",
    "PracticeAddress2": "Suite 3",
    "PracticeCity": "Juniper Falls",
    "PracticeST": "or",
    "PracticeZip": "97001",
    "PracticeDefaultProv": str(PROVIDER),
    "LanguageAndRegion": "en-US",
    "EasyNoClinics": "1",
    "FamPhiAccess": "1",
}


class Chart:
    """A connection to the practice, and the patient `PATIENT`."""

    def __init__(self, connection: Connection, schema: Schema) -> None:
        self.connection, self.schema = connection, schema

    def add(self, table: Table, **values: Any) -> int:
        """Add a row, every column that is not named being empty; return its key."""
        return writes.insert(self.connection, self.schema, table, values)

    def have(self, table: Table, **values: Any) -> int:
        """Add a row of the patient."""
        return self.add(table, PatNum=PATIENT, **values)

    def change(self, table: Table, number: int, **values: Any) -> None:
        """Change the row with this key."""
        key = table.primary_key.columns[0]
        self.connection.execute(table.update().where(key == number).values(values))

    def prefer(self, name: str, value: object) -> None:
        """Set a preference."""
        preferences.write(self.connection, self.schema, name, str(value))

    def read(self, period: Period = EVER, patient: int = PATIENT) -> Summary:
        """Return the summary."""
        return read(self.connection, self.schema, patient, period)

    def count(self, work: Callable[[], object]) -> int:
        """Return how many statements `work` runs."""
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        event.listen(self.connection, "before_cursor_execute", note)
        work()
        event.remove(self.connection, "before_cursor_execute", note)
        return len(seen)


def fill(chart: Chart) -> Chart:
    """Write the practice, its provider and a patient of whom nothing but the header is recorded."""
    for name, value in _SETTINGS.items():
        chart.prefer(name, value)
    chart.add(
        tables.provider,
        ProvNum=PROVIDER,
        Abbr="AL",
        FName="Amara",
        MI="J",
        LName="Lindgren",
        Suffix="DDS",
        NationalProvID="1234567893",
        TaxonomyCodeOverride="1223G0001X",
    )
    chart.add(tables.snomed, SnomedCode="38341003", Description="Hypertensive disorder")
    chart.add(tables.cvx, CvxCode="115", Description="tetanus, diphtheria, pertussis", IsActive="1")
    add_patient(chart, PATIENT)
    return chart


def add_patient(chart: Chart, number: int, **values: Any) -> None:
    """Add a patient with a whole header."""
    whole: dict[str, Any] = {
        "PatNum": number,
        "FName": "Elena",
        "MiddleI": "B",
        "LName": "Rivera",
        "Gender": 1,
        "Position": 1,
        "Birthdate": dt.date(1985, 3, 31),
        "Address": "7 Heron Landing",
        "City": "Alderbrook",
        "State": "OR",
        "Zip": "97002",
        "HmPhone": "(503)555-0111",
        "WirelessPhone": "(503)555-0112",
        "Email": "elena@example.com; other@example.com",
        "Guarantor": number,
        "PriProv": PROVIDER,
    }
    chart.add(tables.patient, **(whole | values))
