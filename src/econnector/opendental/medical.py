"""What the office has noted about a patient's health: allergies, medications, problems and vaccines.

A practice notes "none" as a row too: of an allergy, medication or problem that is called so, named in preferences.
Whatever is there beside it counts more. Notes on problems and allergies are the staff's and are not read; those on a
medication say how it is taken, and stand in the care summary too.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, case, literal, or_, select, type_coerce, union_all

from econnector.opendental.tables import (
    allergy,
    allergydef,
    disease,
    diseasedef,
    medication,
    medicationpat,
    vaccinedef,
    vaccinepat,
)
from econnector.opendental.times import NO_DATE, OdDateTime, Today

__all__ = ["SETTINGS", "Entry", "Kind", "Noted", "noted"]


class Kind(enum.IntEnum):
    """Which list an entry is in."""

    ALLERGY = 1
    MEDICATION = 2
    PROBLEM = 3
    VACCINE = 4


_NONE = {
    Kind.ALLERGY: "AllergiesIndicateNone",
    Kind.MEDICATION: "MedicationsIndicateNone",
    Kind.PROBLEM: "ProblemsIndicateNone",
}
SETTINGS = tuple(_NONE.values())
"""The preferences that name the rows which mean "none"."""

_MOST = 1000
_WORDS = {
    Kind.PROBLEM: ("active", "resolved", "inactive"),
    Kind.VACCINE: ("given", "refused", "not-given", "partly-given"),
}
_DELETED = 1
"""vaccinepat.ActionCode."""


class Entry(msgspec.Struct, frozen=True):
    """One line of a list."""

    name: str
    detail: str = ""
    """How an allergy shows, how a medication is taken."""
    begins: dt.date | None = None
    ends: dt.date | None = None
    status: str = ""
    """Of a problem: active, resolved, inactive. Of a vaccine: given, refused, not-given, partly-given."""


class Noted(msgspec.Struct, frozen=True):
    """One list."""

    entries: list[Entry]
    none: bool
    """Whether the office has noted that there are none."""


def noted(connection: Connection, person: int, settings: Mapping[str, str]) -> dict[Kind, Noted]:
    """Return the lists of `person` (a PatNum); `settings` are the preferences `SETTINGS`."""
    entries: dict[Kind, list[Entry]] = {kind: [] for kind in Kind}
    none: set[Kind] = set()
    for row in connection.execute(_NOTED, {"person": person}):
        kind = Kind(row.kind)
        if kind in _NONE and str(row.of) == settings.get(_NONE[kind], "").strip() != "0":
            none.add(kind)
        elif entry := _entry(kind, row):
            entries[kind].append(entry)
    return {kind: Noted(_sorted(kind, found), kind in none and not found) for kind, found in entries.items()}


def _entry(kind: Kind, row: Any) -> Entry | None:
    name = " ".join((row.name or "").split())
    words = _WORDS.get(kind, ())
    status = words[row.status] if 0 <= row.status < len(words) else ""
    begins, ends = (moment.date() if moment else None for moment in (row.begins, row.ends))
    return Entry(name, " ".join((row.detail or "").split()), begins, ends, status) if name else None


def _sorted(kind: Kind, entries: list[Entry]) -> list[Entry]:
    if kind is Kind.VACCINE:
        return sorted(entries, key=lambda one: (one.begins or NO_DATE, one.name), reverse=True)
    return sorted(entries, key=lambda one: (one.status not in {"", "active"}, one.name.casefold()))


def _select(kind: Kind, of: Any, name: Any, detail: Any, begins: Any, ends: Any, status: Any) -> Select[Any]:  # noqa: PLR0913, PLR0917 - the columns
    dates = (type_coerce(begins, OdDateTime()).label("begins"), type_coerce(ends, OdDateTime()).label("ends"))
    columns = (literal(int(kind)).label("kind"), of.label("of"), name.label("name"), detail.label("detail"))
    return select(*columns, *dates, status.label("status"))


def _allergies() -> Select[Any]:
    mine, what = allergy.c, allergydef.c
    return (
        _select(
            Kind.ALLERGY,
            mine.AllergyDefNum,
            what.Description,
            mine.Reaction,
            mine.DateAdverseReaction,
            mine.DateAdverseReaction,
            literal(0),
        )
        .join_from(allergy, allergydef, what.AllergyDefNum == mine.AllergyDefNum)
        .where(mine.PatNum == bindparam("person"), mine.StatusIsActive == 1)
    )


def _medications() -> Select[Any]:
    mine, what = medicationpat.c, medication.c
    name = case((mine.MedicationNum > 0, what.MedName), else_=mine.MedDescript)
    taken = or_(mine.DateStop <= NO_DATE, mine.DateStop.is_(None), mine.DateStop >= Today())
    return (
        _select(Kind.MEDICATION, mine.MedicationNum, name, mine.PatNote, mine.DateStart, mine.DateStop, literal(0))
        .outerjoin_from(medicationpat, medication, what.MedicationNum == mine.MedicationNum)
        .where(mine.PatNum == bindparam("person"), taken)
    )


def _problems() -> Select[Any]:
    mine, what = disease.c, diseasedef.c
    return (
        _select(
            Kind.PROBLEM,
            mine.DiseaseDefNum,
            what.DiseaseName,
            literal(""),
            mine.DateStart,
            mine.DateStop,
            mine.ProbStatus,
        )
        .join_from(disease, diseasedef, what.DiseaseDefNum == mine.DiseaseDefNum)
        .where(mine.PatNum == bindparam("person"))
    )


def _vaccines() -> Select[Any]:
    mine, what = vaccinepat.c, vaccinedef.c
    return (
        _select(
            Kind.VACCINE,
            mine.VaccineDefNum,
            what.VaccineName,
            literal(""),
            mine.DateTimeStart,
            mine.DateTimeStart,
            mine.CompletionStatus,
        )
        .join_from(vaccinepat, vaccinedef, what.VaccineDefNum == mine.VaccineDefNum)
        .where(mine.PatNum == bindparam("person"), mine.ActionCode != _DELETED)
    )


# Four lists in one question: a page waits for each of them.
_NOTED = union_all(_allergies(), _medications(), _problems(), _vaccines()).limit(_MOST)
