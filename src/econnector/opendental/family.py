"""Whose records a person may look at.

Open Dental's rule (`Patients.GetPatNumsForPhi`, 21.1 to 24.3) is the union of: oneself; everybody whose guarantor
one is, if the preference FamPhiAccess is on (the default); everybody whose responsible party one is; everybody
whose guardian one is (`guardian.IsGuardian`). Only patients, non-patients and inactive ones (`PatStatus` 0, 1, 2).
Super families and clones give nothing. Ours is stricter in one point: a chart that was merged into another
(`patientlink`, type 1) is not shown, whatever its status says.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, func, literal, select, union_all

from econnector.opendental.tables import emailmessage, guardian, patient, patientlink
from econnector.opendental.webmail import SENT

__all__ = [
    "SHARED",
    "SHOWN_STATUSES",
    "Relative",
    "age_on",
    "holder_name",
    "merged_away",
    "merged_into",
    "onlookers",
    "statement_people",
    "visible",
]

SHOWN_STATUSES = (0, 1, 2)
"""PatStatus Patient, NonPatient, Inactive; not Archived, Deleted, Deceased, Prospective."""

SHARED = {"FamPhiAccess": "1"}
"""The preference that shows account holders their families, and what it means that it has no row: 1 is yes."""

_NOBODY = -1
"""A PatNum that no row has; 0 would be everybody without a responsible party."""
_MOST_MERGES = 5
_MERGE = 1
"""patientlink.LinkType."""
_WORDS = ("self", "family", "guardian", "responsible")
"""Why somebody is seen, the strongest reason first."""


class Relative(msgspec.Struct, frozen=True):
    """Somebody whose records may be looked at."""

    number: int
    """PatNum."""
    first_name: str
    last_name: str
    preferred: str
    birth_date: dt.date | None
    guarantor: int
    """PatNum of the family's account holder: the row with the family's balance."""
    relation: str
    """Why they are seen: self, family, guardian, responsible."""
    total: float = 0.0
    """patient.BalTotal, see `balances`."""
    insurance: float = 0.0
    """patient.InsEst."""
    own: float = 0.0
    """patient.EstBalance: their own share, before insurance, on everybody's row."""
    unread: int = 0
    """Web mail about them to who looks, that was not read."""

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def __repr__(self) -> str:
        return f"Relative(number={self.number})"


def visible(connection: Connection, me: int, *, shared: bool) -> list[Relative]:
    """Return everybody whose records `me` (a PatNum) may look at, `me` first, then by first name.

    `shared`: whether account holders see their families (`SHARED`). Empty when `me` is nobody, archived, deleted,
    deceased or merged into another chart.
    """
    if me <= 0:
        return []
    found: dict[int, Relative] = {}
    for row in connection.execute(_RELATED, {"me": me, "guarantor": me if shared else _NOBODY}):
        known = found.get(row.PatNum)
        if known is None or _WORDS.index(row.word) < _WORDS.index(known.relation):
            found[row.PatNum] = _relative(row)
    if me not in found:
        return []
    return sorted(found.values(), key=lambda one: (one.number != me, one.first_name.casefold(), one.number))


def onlookers(connection: Connection, me: int, *, shared: bool) -> list[Relative]:
    """Return who may look at the record of `me` (a PatNum), by `visible`'s rule read the other way round.

    `relation` is theirs to `me`: family is the account holder. `shared` as for `visible`.
    """
    found: dict[int, Relative] = {}
    for row in connection.execute(_LOOKING, {"me": me}):
        if row.PatNum == me or (row.word == "family" and not shared):
            continue
        known = found.get(row.PatNum)
        if known is None or _WORDS.index(row.word) < _WORDS.index(known.relation):
            found[row.PatNum] = _relative(row)
    return sorted(found.values(), key=lambda one: (one.first_name.casefold(), one.number))


def _relative(row: Any) -> Relative:
    return Relative(
        number=row.PatNum,
        first_name=(row.FName or "").strip(),
        last_name=(row.LName or "").strip(),
        preferred=(row.Preferred or "").strip(),
        birth_date=row.Birthdate,
        guarantor=row.Guarantor,
        relation=row.word,
        total=row.BalTotal,
        insurance=row.InsEst,
        own=row.EstBalance,
        unread=row.unread,
    )


_COLUMNS = ("PatNum", "FName", "LName", "Preferred", "Birthdate", "Guarantor", "BalTotal", "InsEst", "EstBalance")
_IS_MERGE = (patientlink.c.LinkType == _MERGE) & (patientlink.c.PatNumTo != patientlink.c.PatNumFrom)


# Counted here, because every page shows it and asks this question: one of its own would be one more for each page.
_UNREAD = (
    select(func.count())
    .where(emailmessage.c.PatNum == bindparam("me"), emailmessage.c.SentOrReceived == SENT)
    .where(emailmessage.c.PatNumSubj == patient.c.PatNum)
    .correlate(patient)
    .scalar_subquery()
)


def _select(word: str, which: ColumnElement[bool], unread: ColumnElement[int] = _UNREAD) -> Select[Any]:
    merged = exists().where(patientlink.c.PatNumFrom == patient.c.PatNum, _IS_MERGE)
    columns = [patient.c[name] for name in _COLUMNS]
    found = select(*columns, literal(word).label("word"), unread.label("unread"))
    return found.where(which, patient.c.PatStatus.in_(SHOWN_STATUSES), ~merged)


# Built once: building it takes longer than running it. One indexed look-up per reason, where an OR over them would
# read the whole table.
_RELATED = union_all(
    _select("self", patient.c.PatNum == bindparam("me")),
    _select("responsible", patient.c.ResponsParty == bindparam("me")),
    _select("family", patient.c.Guarantor == bindparam("guarantor")),
    _select("guardian", (guardian.c.PatNumGuardian == bindparam("me")) & (guardian.c.IsGuardian == 1)).join_from(
        guardian, patient, patient.c.PatNum == guardian.c.PatNumChild
    ),
)


_CONCERNED, _NOTHING = patient.alias("concerned"), literal(0)


def _holder(word: str, column: str) -> Select[Any]:
    """Return whose PatNum stands in a column of the person concerned."""
    joined = _CONCERNED.c[column] == patient.c.PatNum
    return _select(word, _CONCERNED.c.PatNum == bindparam("me"), _NOTHING).join_from(_CONCERNED, patient, joined)


_LOOKING = union_all(
    _holder("responsible", "ResponsParty"),
    _holder("family", "Guarantor"),
    _select("guardian", (guardian.c.PatNumChild == bindparam("me")) & (guardian.c.IsGuardian == 1), _NOTHING).join_from(
        guardian, patient, patient.c.PatNum == guardian.c.PatNumGuardian
    ),
)


def holder_name(connection: Connection, person: Relative) -> str:
    """Return first and last name of the account holder of `person`'s family; empty where there is no such chart."""
    holder = select(patient.c.FName, patient.c.LName).where(patient.c.PatNum == person.guarantor)
    return " ".join(part.strip() for part in connection.execute(holder).first() or () if part and part.strip())


def merged_away(connection: Connection, numbers: Iterable[int]) -> set[int]:
    """Return those of `numbers` (PatNums) that were merged into another chart."""
    wanted = list(numbers)
    if not wanted:
        return set()
    links = select(patientlink.c.PatNumFrom).where(patientlink.c.PatNumFrom.in_(wanted), _IS_MERGE)
    return set(connection.execute(links).scalars())


def merged_into(connection: Connection, number: int) -> int:
    """Return the chart that the one with this PatNum is now: the one that it was merged into, else itself."""
    links = select(patientlink.c.PatNumFrom, patientlink.c.PatNumTo).where(_IS_MERGE)
    for _ in range(_MOST_MERGES):
        into = connection.execute(links.where(patientlink.c.PatNumFrom == number).limit(1)).first()
        if into is None or into.PatNumTo in {0, number}:
            break
        number = into.PatNumTo
    return number


def statement_people(people: Sequence[Relative], me: int, looking_at: int) -> list[int]:
    """Return whose statements are listed when `me` looks at `looking_at`; `people` is what `visible` returned.

    An account holder sees the family's statements in one list; of somebody else only that person's. Where FamPhiAccess
    is off the family is not among `people`, so its documents are not listed: a statement names treatments.
    """
    if looking_at != me:
        return [looking_at]
    return [person.number for person in people if me in (person.number, person.guarantor)]


def age_on(birth_date: dt.date | None, day: dt.date) -> int:
    """Return the age in whole years, or -1 where it is not known."""
    if birth_date is None or birth_date > day:
        return -1
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
