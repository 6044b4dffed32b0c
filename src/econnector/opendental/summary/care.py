"""What was done for a person and what is to be: procedures, encounters, care plan, referrals, smoking, vital signs.

Procedures that are only proposed, were referred out or deleted are not told (procedurelog.ProcStatus TP, R, D).
An encounter's note is the staff's and is not read.
"""

import datetime as dt
import re
from collections.abc import Container, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, select

from econnector.opendental.schema import Schema
from econnector.opendental.summary.lexicon import Lexicon
from econnector.opendental.summary.records import (
    Code,
    Encounter,
    Period,
    PlanItem,
    Procedure,
    ProcedureStatus,
    Referral,
    Smoking,
    VitalSigns,
)
from econnector.opendental.summary.values import Zone, dated, day_of, inside, measure, plain
from econnector.opendental.tables import (
    ehrcareplan,
    ehrmeasureevent,
    encounter,
    procedurecode,
    procedurelog,
    refattach,
    referral,
    vitalsign,
)
from econnector.opendental.times import UnixTime

__all__ = ["Care"]

_STATUS: Final[dict[int, ProcedureStatus]] = {
    2: "completed",
    3: "existing",
    4: "existing",
    7: "condition",
    8: "planned",
}
"""By procedurelog.ProcStatus: C, EC, EO, Cn, TPi."""
_SURFACE, _TOOTH, _MOUTH, _QUADRANT, _SEXTANT, _ARCH, _RANGE = range(1, 8)
"""procedurecode.TreatArea."""
_ON_TOOTH = {0, _SURFACE, _TOOTH}
_ON_SURFACE = {0, _SURFACE, _QUADRANT, _SEXTANT, _ARCH}
_TEETH = re.compile(r"[1-9]|[12]\d|3[0-2]|5[1-9]|[67]\d|8[0-2]|[A-T]S?")
_SURFACES: Final = {
    0: re.compile(r"[MODBFLIV]{1,7}|UR|UL|LR|LL"),
    _SURFACE: re.compile(r"[MODBFLIV]{1,7}"),
    _QUADRANT: re.compile(r"UR|UL|LR|LL"),
    _SEXTANT: re.compile(r"[1-6]|UR|UL|UA|LR|LL|LA"),
    _ARCH: re.compile(r"[UL]"),
}
_DENTAL, _MEDICAL = re.compile(r"D\d{4}(?!\d)"), re.compile(r"\d{5}")
_TO, _TOBACCO = 0, 8
"""refattach.RefType, ehrmeasureevent.EventType."""
_SMALLEST = dt.date.min

_PROCEDURES: Final = (
    select(
        procedurelog.c.ProcNum,
        procedurelog.c.ProcDate,
        procedurelog.c.ProcStatus,
        procedurelog.c.ToothNum,
        procedurelog.c.Surf,
        procedurelog.c.ToothRange,
        procedurelog.c.ProvNum,
        procedurecode.c.ProcCode,
        procedurecode.c.Descript,
        procedurecode.c.AbbrDesc,
        procedurecode.c.TreatArea,
    )
    .outerjoin_from(procedurelog, procedurecode, procedurecode.c.CodeNum == procedurelog.c.CodeNum)
    .where(procedurelog.c.PatNum == bindparam("patient"), procedurelog.c.ProcStatus.in_(_STATUS))
    .order_by(procedurelog.c.ProcNum)
)
_ENCOUNTERS: Final = (
    select(
        encounter.c.EncounterNum,
        encounter.c.ProvNum,
        encounter.c.CodeValue,
        encounter.c.CodeSystem,
        encounter.c.DateEncounter,
    )
    .where(encounter.c.PatNum == bindparam("patient"))
    .order_by(encounter.c.EncounterNum)
)
_PLAN: Final = (
    select(
        ehrcareplan.c.EhrCarePlanNum,
        ehrcareplan.c.SnomedEducation,
        ehrcareplan.c.Instructions,
        ehrcareplan.c.DatePlanned,
    )
    .where(ehrcareplan.c.PatNum == bindparam("patient"))
    .order_by(ehrcareplan.c.EhrCarePlanNum)
)
_SMOKING: Final = (
    select(
        ehrmeasureevent.c.EhrMeasureEventNum,
        ehrmeasureevent.c.DateTEvent,
        UnixTime(ehrmeasureevent.c.DateTEvent).label("unix"),
        ehrmeasureevent.c.CodeValueResult,
    )
    .where(
        ehrmeasureevent.c.PatNum == bindparam("patient"),
        ehrmeasureevent.c.EventType == _TOBACCO,
        ehrmeasureevent.c.CodeSystemResult == "SNOMEDCT",
    )
    .order_by(ehrmeasureevent.c.EhrMeasureEventNum)
)
_VITALS: Final = (
    select(
        vitalsign.c.VitalsignNum,
        vitalsign.c.DateTaken,
        vitalsign.c.Height,
        vitalsign.c.Weight,
        vitalsign.c.BpSystolic,
        vitalsign.c.BpDiastolic,
        vitalsign.c.Pulse,
    )
    .where(vitalsign.c.PatNum == bindparam("patient"))
    .order_by(vitalsign.c.VitalsignNum)
)


def _referrals(schema: Schema) -> Select[Any]:
    names = [referral.c[name] for name in ("LName", "FName", "Title", "NotPerson")]
    if schema.has(referral, "BusinessName"):
        names.append(referral.c.BusinessName)
    return (
        select(refattach.c.RefAttachNum, refattach.c.RefDate, refattach.c.Note, *names)
        .outerjoin_from(refattach, referral, referral.c.ReferralNum == refattach.c.ReferralNum)
        .where(refattach.c.PatNum == bindparam("patient"), refattach.c.RefType == _TO)
        .order_by(refattach.c.RefAttachNum)
    )


class Care:
    """The rows of one person, read at once; then the sections made of them."""

    def __init__(self, connection: Connection, schema: Schema, patient: int, words: Lexicon) -> None:
        """Read the rows of `patient` (a PatNum) and tell `words` which codes there are."""

        def rows(statement: Select[Any]) -> Sequence[Row[Any]]:
            return connection.execute(statement, {"patient": patient}).all()

        self._words = words
        self._procedures, self._encounters, self._plan = rows(_PROCEDURES), rows(_ENCOUNTERS), rows(_PLAN)
        self._referrals, self._smoking, self._vitals = rows(_referrals(schema)), rows(_SMOKING), rows(_VITALS)
        done = [row.ProcCode for row in self._procedures]
        visits = [row.CodeValue for row in self._encounters]
        words.want("SNOMEDCT", [*done, *visits, *(row.SnomedEducation for row in self._plan)])
        words.want("SNOMEDCT", [row.CodeValueResult for row in self._smoking])
        words.want("HCPCS", [*done, *visits])
        words.want("CPT", visits)

    def clinicians(self) -> set[int]:
        """Return the ProvNums that rows name."""
        return {row.ProvNum for row in (*self._procedures, *self._encounters)}

    def procedures(self, period: Period, clinicians: Container[int]) -> tuple[Procedure, ...]:
        """Return the procedures, the newest first; planned ones are still to come and always stay.

        Only who is in `clinicians` is named.
        """
        found = [
            self._procedure(row, clinicians)
            for row in self._procedures
            if _STATUS[row.ProcStatus] == "planned" or inside(period, row.ProcDate)
        ]
        return tuple(sorted(found, key=lambda one: one.date or _SMALLEST, reverse=True))

    def _procedure(self, row: Any, clinicians: Container[int]) -> Procedure:
        what = plain(row.Descript) or plain(row.AbbrDesc) or plain(row.ProcCode)
        area = row.TreatArea or 0
        on_range = area in {0, _QUADRANT, _ARCH, _RANGE}
        return Procedure(
            number=row.ProcNum,
            what=what,
            code=self._procedure_code(plain(row.ProcCode), what),
            status=_STATUS[row.ProcStatus],
            date=dated(row.ProcDate),
            tooth=_tooth(row.ToothNum) if area in _ON_TOOTH else "",
            surface=_surface(row.Surf, area) if area in _ON_SURFACE else "",
            teeth=_teeth(row.ToothRange) if on_range else (),
            performer=row.ProvNum if row.ProvNum in clinicians else 0,
        )

    def _procedure_code(self, code: str, what: str) -> Code | None:
        if dental := _DENTAL.match(code.upper()):
            # Offices number their own variants after the code: D1110.1
            return Code(dental[0], "CDT", what)
        if _MEDICAL.fullmatch(code):
            return Code(code, "CPT", what)
        if self._words.knows("SNOMEDCT", code):
            return self._words.code("SNOMEDCT", code)
        return self._words.code("HCPCS", code) if self._words.knows("HCPCS", code) else None

    def encounters(self, period: Period, clinicians: Container[int]) -> tuple[Encounter, ...]:
        """Return the encounters, the newest first; only who is in `clinicians` is named."""
        found = [self._encounter(row, clinicians) for row in self._encounters if inside(period, row.DateEncounter)]
        return tuple(sorted(found, key=lambda one: one.date or _SMALLEST, reverse=True))

    def _encounter(self, row: Any, clinicians: Container[int]) -> Encounter:
        code, system = None, plain(row.CodeSystem).upper()
        match system:
            case "SNOMEDCT" | "CPT" | "HCPCS":
                code = self._words.code(system, row.CodeValue)
            case "CDT":
                code = self._words.code("CDT", row.CodeValue)
        what = code.text or code.value if code else plain(row.CodeValue)
        return Encounter(
            row.EncounterNum, what, code, dated(row.DateEncounter), row.ProvNum if row.ProvNum in clinicians else 0
        )

    def plan(self, period: Period) -> tuple[PlanItem, ...]:
        """Return the care plan, the newest first."""
        found = [
            PlanItem(
                row.EhrCarePlanNum,
                self._words.code("SNOMEDCT", row.SnomedEducation),
                plain(row.Instructions),
                dated(row.DatePlanned),
            )
            for row in self._plan
            if inside(period, row.DatePlanned)
        ]
        return tuple(sorted(found, key=lambda one: one.date or _SMALLEST, reverse=True))

    def referrals(self, period: Period) -> tuple[Referral, ...]:
        """Return to whom the patient was sent, the newest first."""
        found = [
            Referral(row.RefAttachNum, _name(row), plain(row.Note), dated(row.RefDate))
            for row in self._referrals
            if inside(period, row.RefDate)
        ]
        return tuple(sorted(found, key=lambda one: one.date or _SMALLEST, reverse=True))

    def smoking(self, zone: Zone, period: Period) -> tuple[Smoking, ...]:
        """Return the answers about tobacco, the newest first.

        The newest up to the period's end stays whenever it was given: until somebody asks again it is the status.
        """
        told = [
            Smoking(row.EhrMeasureEventNum, code, zone.at(dated(row.DateTEvent), row.unix))
            for row in self._smoking
            if (code := self._words.code("SNOMEDCT", row.CodeValueResult))
        ]
        until = Period(None, period.last)
        told = sorted(
            (one for one in told if inside(until, day_of(one.at))), key=lambda one: day_of(one.at) or _SMALLEST
        )
        return tuple(one for one in reversed(told) if one is told[-1] or inside(period, day_of(one.at)))

    def vitals(self, period: Period) -> tuple[VitalSigns, ...]:
        """Return what was measured, the newest first; a row in which nothing was is none."""
        found = [_vital_signs(row) for row in self._vitals if inside(period, row.DateTaken)]
        measured = [one for one in found if _is_measured(one)]
        return tuple(sorted(measured, key=lambda one: one.taken or _SMALLEST, reverse=True))


def _vital_signs(row: Any) -> VitalSigns:
    return VitalSigns(
        number=row.VitalsignNum,
        taken=dated(row.DateTaken),
        height_in=measure(row.Height),
        weight_lb=measure(row.Weight),
        systolic=int(measure(row.BpSystolic)),
        diastolic=int(measure(row.BpDiastolic)),
        pulse=int(measure(row.Pulse)),
    )


def _is_measured(one: VitalSigns) -> bool:
    return any((one.height_in, one.weight_lb, one.systolic, one.diastolic, one.pulse))


def _name(row: Any) -> str:
    last, first, title = plain(row.LName), plain(row.FName), plain(row.Title)
    business = plain(getattr(row, "BusinessName", ""))
    person = last if row.NotPerson else f"{first} {last}".strip()
    named = f"{person}, {title}" if person and title and not row.NotPerson else person
    return named or business


def _tooth(text: str | None) -> str:
    tooth = plain(text).upper()
    return tooth if _TEETH.fullmatch(tooth) else ""


def _teeth(text: str | None) -> tuple[str, ...]:
    found = (_tooth(part) for part in plain(text).split(","))
    return tuple(dict.fromkeys(tooth for tooth in found if tooth))


def _surface(text: str | None, area: int) -> str:
    surface = plain(text).upper()
    return surface if _SURFACES[area].fullmatch(surface) else ""
