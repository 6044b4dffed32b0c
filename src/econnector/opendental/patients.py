"""Finding patients as the front desk does: by name, birth date or number, quick however many there are.

Every search begins at an index (LName with FName, FName, Birthdate, PatNum, ChartNumber), in the index's order, and is
bounded: somebody whose name is everybody's types more of it.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select

from econnector.opendental import times
from econnector.opendental.family import SHOWN_STATUSES, merged_away
from econnector.opendental.tables import appointment, patient

__all__ = ["MOST", "Patient", "by_numbers", "coming", "search"]

MOST: Final = 50
"""Patients that a search returns."""

_SCHEDULED = 1
"""appointment.AptStatus."""
_LARGEST = 2**63 - 1
_LONGEST_WORD = 100
_DATES: Final = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})"), (3, 1, 2)),
)
_COLUMNS = (
    "PatNum",
    "LName",
    "FName",
    "Preferred",
    "Birthdate",
    "Address",
    "City",
    "State",
    "HmPhone",
    "WkPhone",
    "WirelessPhone",
    "Email",
    "Guarantor",
    "ChartNumber",
    "ClinicNum",
)


class Patient(msgspec.Struct, frozen=True):
    """A chart, as far as access to the portal is concerned."""

    number: int
    """PatNum."""
    first_name: str
    last_name: str
    preferred: str
    birth_date: dt.date | None
    address: str
    city: str
    state: str
    phones: tuple[str, str, str]
    """Home, work, wireless."""
    email: str
    guarantor: int
    chart: str
    clinic: int

    @property
    def name(self) -> str:
        """Last name, first name, as the office's lists have it."""
        return f"{self.last_name}, {self.first_name}".strip(", ")

    def __repr__(self) -> str:
        return f"Patient(number={self.number})"


def search(connection: Connection, typed: str, most: int = MOST) -> list[Patient]:
    """Return patients that fit what was typed, by name; at most `most` and one more, which says that there are more.

    Understood: a number (PatNum, or the chart's), a birth date (`1980-03-04`, `3/4/1980`), the beginning of first, last
    or both names in either order, a name with a birth date. Only charts that may have access.
    """
    words, born = _parse(typed)
    found: dict[int, Patient] = {}
    for query in _queries(words, born):
        for row in connection.execute(query.limit(most + 1)):
            found[row.PatNum] = _patient(row)
    gone = merged_away(connection, found)
    here = [one for one in found.values() if one.number not in gone]
    return sorted(here, key=lambda one: (one.last_name.casefold(), one.first_name.casefold(), one.number))[: most + 1]


def by_numbers(connection: Connection, numbers: Sequence[int]) -> list[Patient]:
    """Return those of these patients (PatNums) whose charts may have access, in the order given."""
    if not numbers:
        return []
    rows = connection.execute(_shown(patient.c.PatNum.in_(numbers)))
    gone = merged_away(connection, numbers)
    found = {row.PatNum: _patient(row) for row in rows if row.PatNum not in gone}
    return [found[number] for number in dict.fromkeys(numbers) if number in found]


def coming(connection: Connection, days: int, most: int) -> list[int]:
    """Return who has an appointment from today to `days` days on (PatNums), by the database's day, soonest first.

    At most `most` of them.
    """
    today = times.now(connection).replace(hour=0, minute=0, second=0)
    end = today + dt.timedelta(days=days + 1)
    at = appointment.c.AptDateTime
    soon = select(appointment.c.PatNum, at).where(appointment.c.AptStatus == _SCHEDULED, at >= today, at < end)
    rows = connection.execute(soon.order_by(at).limit(most * 4))
    return list(dict.fromkeys(row.PatNum for row in rows))[:most]


def _parse(typed: str) -> tuple[list[str], dt.date | None]:
    words, born = [], None
    for word in typed.replace(",", " ").split():
        day = _date(word)
        if day is None:
            words.append(word[:_LONGEST_WORD])
        else:
            born = day
    return words, born


def _date(word: str) -> dt.date | None:
    for pattern, order in _DATES:
        match = pattern.fullmatch(word)
        if match:
            year, month, day = (int(match[place]) for place in order)
            try:
                return dt.date(year, month, day)
            except ValueError:
                return None
    return None


def _queries(words: Sequence[str], born: dt.date | None) -> Iterable[Select[Any]]:
    last, first = patient.c.LName, patient.c.FName
    on_day = [patient.c.Birthdate == born] if born else []
    if len(words) == 1 and words[0].isascii() and words[0].isdecimal():
        number = int(words[0][:20])
        if number <= _LARGEST:
            yield _shown(patient.c.PatNum == number)
        yield _shown(patient.c.ChartNumber == words[0])
    elif len(words) == 1:
        yield _shown(_begins(last, words[0]), *on_day).order_by(last, first)
        yield _shown(_begins(first, words[0]), *on_day).order_by(first)
    elif words:
        # A name of several words may be either: `de la Cruz Ana`, `Ana de la Cruz`.
        for cut in range(1, len(words)):
            front, back = " ".join(words[:cut]), " ".join(words[cut:])
            yield _shown(_begins(last, front), _begins(first, back), *on_day).order_by(last, first)
            yield _shown(_begins(last, back), _begins(first, front), *on_day).order_by(last, first)
    elif born:
        yield _shown(*on_day).order_by(patient.c.PatNum)


def _begins(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return column.startswith(text, autoescape=True)


def _shown(*which: ColumnElement[bool]) -> Select[Any]:
    return select(*(patient.c[name] for name in _COLUMNS)).where(*which, patient.c.PatStatus.in_(SHOWN_STATUSES))


def _patient(row: Any) -> Patient:
    def text(value: str | None) -> str:
        return (value or "").strip()

    return Patient(
        number=row.PatNum,
        first_name=text(row.FName),
        last_name=text(row.LName),
        preferred=text(row.Preferred),
        birth_date=row.Birthdate,
        address=text(row.Address),
        city=text(row.City),
        state=text(row.State),
        phones=(text(row.HmPhone), text(row.WkPhone), text(row.WirelessPhone)),
        email=text(row.Email),
        guarantor=row.Guarantor,
        chart=text(row.ChartNumber),
        clinic=row.ClinicNum,
    )
