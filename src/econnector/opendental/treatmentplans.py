"""Treatment plans that the office has saved, with the lines as they were on that day.

Only `treatplan.TPStatus` 0 (saved): active and inactive ones are the staff's, and change with the chart. The lines of a
saved plan are frozen in `proctp`, texts and money alike; tooth numbers stand there as they were printed. Money is whole
cents.
"""

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select

from econnector.opendental.balances import cents
from econnector.opendental.tables import definition, proctp, treatplan

__all__ = ["Line", "Plan", "find", "lines", "listed"]

_SAVED = 0
_MOST, _MOST_LINES = 100, 300
_LAST_KEY = 2**63 - 1


class Plan(msgspec.Struct, frozen=True):
    """A saved plan."""

    number: int
    """TreatPlanNum."""
    patient: int
    date: dt.date | None
    heading: str
    note: str
    signed: dt.date | None
    line_count: int
    patient_cents: int
    """What the patient was estimated to pay."""


class Line(msgspec.Struct, frozen=True):
    """One procedure of a plan."""

    order: str
    """Its priority, in the practice's words."""
    tooth: str
    surface: str
    text: str
    fee_cents: int
    insurance_cents: int
    off_cents: int
    """What comes off the fee: discounts and write-offs."""
    patient_cents: int


def listed(connection: Connection, person: int) -> list[Plan]:
    """Return the saved plans of `person` (a PatNum), the newest first."""
    return [_plan(row) for row in connection.execute(_LISTED, {"person": person})]


def find(connection: Connection, number: int) -> Plan | None:
    """Return the saved plan with this TreatPlanNum, or None. Who may see it is not decided here."""
    if not 0 < number <= _LAST_KEY:
        return None
    row = connection.execute(_ONE, {"number": number}).one_or_none()
    return None if row is None else _plan(row)


def lines(connection: Connection, plan: int) -> list[Line]:
    """Return the lines of a plan, in its order."""
    return [_line(row) for row in connection.execute(_LINES, {"plan": plan})]


def _plan(row: Any) -> Plan:
    return Plan(
        number=row.TreatPlanNum,
        patient=row.PatNum,
        date=row.DateTP,
        heading=(row.Heading or "").strip(),
        note=(row.Note or "").replace("\r\n", "\n").replace("\\r\\n", "\n").strip(),
        signed=row.DateTSigned.date() if row.DateTSigned else None,
        line_count=int(row.many),
        patient_cents=cents(row.pays),
    )


def _line(row: Any) -> Line:
    fee, insurance, pays = cents(row.FeeAmt), cents(row.PriInsAmt) + cents(row.SecInsAmt), cents(row.PatAmt)
    # Write-offs of an insurance network stand in no column: they are what is missing between the others.
    missing = fee + cents(row.TaxAmt) - insurance - pays
    return Line(
        order=(row.ItemName or "").strip(),
        tooth=(row.ToothNumTP or "").strip(),
        surface=(row.Surf or "").strip(),
        text=" ".join((row.Descript or "").split()),
        fee_cents=fee,
        insurance_cents=insurance,
        off_cents=max(cents(row.Discount), missing, 0),
        patient_cents=pays,
    )


def _select() -> Select[Any]:
    mine = treatplan.c
    columns = (mine.TreatPlanNum, mine.PatNum, mine.DateTP, mine.Heading, mine.Note, mine.DateTSigned)
    sums = (func.count(proctp.c.ProcTPNum).label("many"), func.sum(proctp.c.PatAmt).label("pays"))
    return (
        select(*columns, *sums)
        .outerjoin_from(treatplan, proctp, proctp.c.TreatPlanNum == mine.TreatPlanNum)
        .where(mine.TPStatus == _SAVED)
        .group_by(*columns)
    )


# Built once: building a statement takes longer than running it.
_LISTED = (
    _select()
    .where(treatplan.c.PatNum == bindparam("person"))
    .order_by(treatplan.c.DateTP.desc(), treatplan.c.TreatPlanNum.desc())
    .limit(_MOST)
)
_ONE = _select().where(treatplan.c.TreatPlanNum == bindparam("number"))
_SHOWN = ("ToothNumTP", "Surf", "Descript", "FeeAmt", "PriInsAmt", "SecInsAmt", "PatAmt", "Discount", "TaxAmt")
_LINES = (
    select(*(proctp.c[name] for name in _SHOWN), definition.c.ItemName)
    .outerjoin_from(proctp, definition, definition.c.DefNum == proctp.c.Priority)
    .where(proctp.c.TreatPlanNum == bindparam("plan"))
    .order_by(proctp.c.ItemOrder, proctp.c.ProcTPNum)
    .limit(_MOST_LINES)
)
