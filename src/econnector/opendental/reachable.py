"""Where a patient's mail goes, and in which language they read it."""

import msgspec
from sqlalchemy import Connection, bindparam, select

from econnector.opendental.tables import patient

__all__ = ["Reachable", "reachable"]

_REACHED = select(
    patient.c.Email, patient.c.Language, patient.c.ClinicNum, patient.c.FName, patient.c.LName, patient.c.Preferred
).where(patient.c.PatNum == bindparam("number"))
_BETWEEN = ",;"
"""The office may have typed several addresses; the first is the patient's."""


class Reachable(msgspec.Struct, frozen=True):
    """A patient as a letter needs them; empty texts for nobody."""

    email: str = ""
    language: str = ""
    """As Open Dental keeps it: `spa` or `spa-mx`, empty for the practice's own."""
    clinic: int = 0
    names: tuple[str, str, str] = ("", "", "")
    """First, last and preferred name."""

    def __repr__(self) -> str:
        return f"Reachable(clinic={self.clinic})"


def reachable(connection: Connection, number: int) -> Reachable:
    """Return how to reach the patient with this PatNum, or an empty one."""
    row = connection.execute(_REACHED, {"number": number}).one_or_none()
    if row is None:
        return Reachable()
    first = (row.Email or "").translate(str.maketrans(_BETWEEN, "  ")).split()
    return Reachable(
        email=first[0] if first else "",
        language=(row.Language or "").strip().lower(),
        clinic=row.ClinicNum or 0,
        names=((row.FName or "").strip(), (row.LName or "").strip(), (row.Preferred or "").strip()),
    )
