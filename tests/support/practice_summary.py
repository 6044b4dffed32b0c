"""What the small practice (`practice.py`) must have recorded for everybody to have a care summary."""

from sqlalchemy import Connection, update

from econnector.opendental import preferences, tables, writes
from econnector.opendental.schema import Schema

__all__ = ["NPI", "fill_summary"]

NPI = "1234567893"
_SETTINGS = {
    "PracticeAddress": "12 Maple Street",
    "PracticeCity": "Salem",
    "PracticeST": "OR",
    "PracticeZip": "97301",
}


def fill_summary(connection: Connection, schema: Schema, *, provider: int, of_others: int) -> None:
    """Write it: `provider` answers for the practice's records, `of_others` treats whoever has none (ProvNums)."""
    for name, value in (_SETTINGS | {"PracticeDefaultProv": str(provider)}).items():
        preferences.write(connection, schema, name, value)
    person, here = tables.patient.c, tables.provider.c.ProvNum.in_([provider, of_others])
    connection.execute(update(tables.provider).where(here).values(NationalProvID=NPI))
    home = {"Address": "5 Rose Street", "City": "Salem", "State": "OR", "Zip": "97301", "HmPhone": "(503)555-0144"}
    connection.execute(update(tables.patient).where(person.PatNum < _OURS).values(home))
    connection.execute(
        update(tables.patient).where(person.PatNum < _OURS, person.PriProv == 0).values(PriProv=of_others)
    )
    writes.insert(connection, schema, tables.snomed, {"SnomedCode": "195967001", "Description": "Asthma"})
    writes.insert(connection, schema, tables.cvx, {"CvxCode": "115", "Description": "Tdap"})


_OURS = 100
"""PatNums of the practice are below; the real database has none of them."""
