"""What the small practice (`practice.py`) must have recorded for everybody to have a care summary, and Maria's history.

Her history has a row of every table that a summary is made of and that no other page shows, and so many vital signs
that a page shows them only in part.
"""

import datetime as dt
from typing import Any

from sqlalchemy import Connection, update

from econnector.opendental import preferences, tables, writes
from econnector.opendental.schema import Schema

__all__ = ["NPI", "VITALS", "fill_summary"]

NPI = "1234567893"
VITALS = 21
"""How often Maria was measured."""
_MARIA = 11
_OURS = 100
"""PatNums of the practice are below; the real database has none of them."""
_SETTINGS = {"PracticeAddress": "12 Maple Street", "PracticeCity": "Salem", "PracticeST": "OR", "PracticeZip": "97301"}
_HOME = {"Address": "5 Rose Street", "City": "Salem", "State": "OR", "Zip": "97301", "HmPhone": "(503)555-0144"}


def fill_summary(connection: Connection, schema: Schema, *, provider: int, of_others: int) -> None:
    """Write it: `provider` answers for the practice's records, `of_others` treats whoever has none (ProvNums)."""
    for name, value in (_SETTINGS | {"PracticeDefaultProv": str(provider)}).items():
        preferences.write(connection, schema, name, value)
    person, here = tables.patient.c, tables.provider.c.ProvNum.in_([provider, of_others])
    connection.execute(update(tables.provider).where(here).values(NationalProvID=NPI))
    connection.execute(update(tables.patient).where(person.PatNum < _OURS).values(_HOME))
    connection.execute(
        update(tables.patient).where(person.PatNum < _OURS, person.PriProv == 0).values(PriProv=of_others)
    )

    def put(table: Any, **values: Any) -> int:
        return writes.insert(connection, schema, table, values)

    put(tables.snomed, SnomedCode="195967001", Description="Asthma")
    put(tables.cvx, CvxCode="115", Description="Tdap")
    _history(put, provider)


def _history(put: Any, provider: int) -> None:
    hers, day = {"PatNum": _MARIA}, dt.date(2025, 3, 4)
    put(tables.hcpcs, HcpcsCode="N4321", DescriptionShort="Smoothed")
    put(tables.loinc, LoincCode="2093-3", NameLongCommon="Cholesterol in serum", NameShort="Cholest")
    put(tables.cdcrec, CdcrecCode="2106-3", Description="White")
    put(tables.patientrace, **hers, Race=5, CdcrecCode="2106-3")
    put(tables.oidinternal, IDType="Patient", IDRoot="2.999.20.2")
    put(tables.drugmanufacturer, ManufacturerName="Juniper Biologics", ManufacturerCode="JUN")
    put(tables.drugunit, UnitIdentifier="mL", UnitText="milliliter")
    code = put(tables.procedurecode, ProcCode="N4321", Descript="Smoothed an edge")
    put(tables.procedurelog, **hers, ProvNum=provider, CodeNum=code, ProcStatus=2, ProcDate=day, ToothNum="9")
    put(tables.encounter, **hers, ProvNum=provider, CodeValue="185349003", CodeSystem="SNOMEDCT", DateEncounter=day)
    put(tables.ehrcareplan, **hers, SnomedEducation="195967001", Instructions="Rinse after the spray", DatePlanned=day)
    whom = put(tables.referral, LName="Halvorsen", FName="Ingrid", Title="DMD", IsDoctor=1)
    put(tables.refattach, **hers, ReferralNum=whom, RefDate=day, RefType=0, Note="A root canal")
    when = f"{day:%Y%m%d}091500-0700"
    panel = {"UsiID": "24331-1", "UsiText": "Lipids", "UsiCodeSystemName": "LN", "ResultStatus": "F"}
    lab = put(tables.ehrlab, **hers, PlacerOrderNum="1", ObservationDateTimeStart=when, ResultDateTime=when, **panel)
    seen = {"ObservationIdentifierID": "2093-3", "ObservationIdentifierText": "Cholesterol", "ValueType": "NM"}
    number = {"ObservationValueNumeric": 181.0, "UnitsID": "mg/dL", "UnitsCodeSystemName": "UCUM"}
    put(tables.ehrlabresult, EhrLabNum=lab, SetIdOBX=1, ObservationIdentifierCodeSystemName="LN", **seen, **number)
    asked = dt.datetime.combine(day, dt.time(9))
    smoking = {"CodeValueEvent": "11366-2", "CodeValueResult": "266919005", "CodeSystemResult": "SNOMEDCT"}
    put(tables.ehrmeasureevent, **hers, EventType=8, DateTEvent=asked, CodeSystemEvent="LOINC", MoreInfo="", **smoking)
    for times in range(VITALS):
        put(tables.vitalsign, **hers, DateTaken=day - dt.timedelta(days=30 * times), Height=66.0, Weight=140.0 + times)
