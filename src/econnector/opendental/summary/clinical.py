"""What is known of a person's health: allergies, problems, functional status, medications, vaccines.

The practice's word "none" is a row too, of an allergy, medication or problem that preferences name; it becomes
`Summary.none_known`. Nothing else is left out: what has no code is told without one. Notes on allergies and problems
are the staff's and are not read; those on a medication say how it is taken.
"""

import datetime as dt
from collections.abc import Container, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, case, func, select

from econnector.opendental.summary.lexicon import Lexicon
from econnector.opendental.summary.records import (
    Allergy,
    AllergyKind,
    Functional,
    FunctionalKind,
    ListName,
    Medication,
    Period,
    Problem,
    ProblemStatus,
    Vaccine,
    VaccineStatus,
)
from econnector.opendental.summary.values import Zone, dated, day_of, inside, measure, number, plain
from econnector.opendental.tables import (
    allergy,
    allergydef,
    disease,
    diseasedef,
    drugmanufacturer,
    drugunit,
    medication,
    medicationpat,
    vaccinedef,
    vaccinepat,
)
from econnector.opendental.times import UnixTime

__all__ = ["NONE", "Health"]

NONE: Final[dict[ListName, str]] = {
    "allergies": "AllergiesIndicateNone",
    "medications": "MedicationsIndicateNone",
    "problems": "ProblemsIndicateNone",
}
"""The preferences that name the rows which mean "none"."""

_KINDS: Final[tuple[AllergyKind, ...]] = (
    "",
    "substance-allergy",
    "drug-allergy",
    "drug-intolerance",
    "food-allergy",
    "food-intolerance",
    "reaction",
    "drug-reaction",
    "food-reaction",
    "substance-reaction",
)
_PROBLEM: Final[tuple[ProblemStatus, ...]] = ("active", "resolved", "inactive")
_FUNCTIONAL: Final[dict[int, FunctionalKind]] = {
    1: "cognitive-result",
    2: "cognitive-problem",
    3: "functional-result",
    4: "functional-problem",
}
_VACCINE: Final[tuple[VaccineStatus, ...]] = ("given", "refused", "not-given", "partly-given")
_ROUTES: Final = {
    1: "intradermal",
    2: "intramuscular",
    3: "nasal",
    4: "intravenous",
    5: "oral",
    7: "subcutaneous",
    8: "transdermal",
}
_REFUSALS: Final = {1: "parental", 2: "religious", 3: "other", 4: "patient"}
_UNITS: Final = {"ml": "mL", "cc": "mL", "milliliter": "mL", "milliliters": "mL", "mg": "mg", "mcg": "ug", "ug": "ug"}
"""UCUM's way of writing what practices type."""
_DELETED = 1
"""vaccinepat.ActionCode."""

_ALLERGIES: Final = (
    select(
        allergy.c.AllergyNum,
        allergy.c.AllergyDefNum,
        allergy.c.Reaction,
        allergy.c.SnomedReaction,
        allergy.c.StatusIsActive,
        allergy.c.DateAdverseReaction,
        allergy.c.DateTStamp,
        UnixTime(allergy.c.DateTStamp).label("unix"),
        allergydef.c.Description,
        allergydef.c.SnomedType,
        allergydef.c.UniiCode,
        medication.c.RxCui,
        medication.c.MedName,
    )
    .outerjoin_from(allergy, allergydef, allergydef.c.AllergyDefNum == allergy.c.AllergyDefNum)
    .outerjoin(
        medication, (medication.c.MedicationNum == allergydef.c.MedicationNum) & (medication.c.MedicationNum > 0)
    )
    .where(allergy.c.PatNum == bindparam("patient"))
    .order_by(allergy.c.AllergyNum)
)
_DISEASES: Final = (
    select(
        disease.c.DiseaseNum,
        disease.c.DiseaseDefNum,
        disease.c.ProbStatus,
        disease.c.FunctionStatus,
        disease.c.DateStart,
        disease.c.DateStop,
        disease.c.DateTStamp,
        UnixTime(disease.c.DateTStamp).label("unix"),
        diseasedef.c.DiseaseName,
        diseasedef.c.SnomedCode,
        diseasedef.c.Icd10Code,
        diseasedef.c.ICD9Code,
    )
    .outerjoin_from(disease, diseasedef, diseasedef.c.DiseaseDefNum == disease.c.DiseaseDefNum)
    .where(disease.c.PatNum == bindparam("patient"))
    .order_by(disease.c.DiseaseNum)
)
_MEDICATIONS: Final = (
    select(
        medicationpat.c.MedicationPatNum,
        medicationpat.c.MedicationNum,
        medicationpat.c.MedDescript,
        medicationpat.c.PatNote,
        medicationpat.c.DateStart,
        medicationpat.c.DateStop,
        medicationpat.c.ProvNum,
        medicationpat.c.DateTStamp,
        UnixTime(medicationpat.c.DateTStamp).label("unix"),
        medication.c.MedName,
        case((medicationpat.c.RxCui > 0, medicationpat.c.RxCui), else_=medication.c.RxCui).label("RxCui"),
    )
    .outerjoin_from(medicationpat, medication, medication.c.MedicationNum == medicationpat.c.MedicationNum)
    .where(medicationpat.c.PatNum == bindparam("patient"))
    .order_by(medicationpat.c.MedicationPatNum)
)
_VACCINES: Final = (
    select(
        vaccinepat.c.VaccinePatNum,
        vaccinepat.c.DateTimeStart,
        UnixTime(vaccinepat.c.DateTimeStart).label("unix"),
        vaccinepat.c.AdministeredAmt,
        vaccinepat.c.LotNumber,
        vaccinepat.c.CompletionStatus,
        vaccinepat.c.ProvNumAdminister,
        vaccinepat.c.DateExpire,
        vaccinepat.c.RefusalReason,
        vaccinepat.c.AdministrationRoute,
        vaccinedef.c.CVXCode,
        vaccinedef.c.VaccineName,
        drugunit.c.UnitIdentifier,
        drugmanufacturer.c.ManufacturerName,
    )
    .outerjoin_from(vaccinepat, vaccinedef, vaccinedef.c.VaccineDefNum == vaccinepat.c.VaccineDefNum)
    .outerjoin(drugunit, drugunit.c.DrugUnitNum == vaccinepat.c.DrugUnitNum)
    .outerjoin(drugmanufacturer, drugmanufacturer.c.DrugManufacturerNum == vaccinedef.c.DrugManufacturerNum)
    .where(vaccinepat.c.PatNum == bindparam("patient"), func.coalesce(vaccinepat.c.ActionCode, 0) != _DELETED)
    .order_by(vaccinepat.c.VaccinePatNum)
)


class Health:
    """The rows of one person, read at once; then the sections made of them."""

    def __init__(self, connection: Connection, patient: int, words: Lexicon) -> None:
        """Read the rows of `patient` (a PatNum) and tell `words` which codes there are."""

        def rows(statement: Select[Any]) -> Sequence[Row[Any]]:
            return connection.execute(statement, {"patient": patient}).all()

        self._words = words
        self._allergies, self._diseases = rows(_ALLERGIES), rows(_DISEASES)
        self._medications, self._vaccines = rows(_MEDICATIONS), rows(_VACCINES)
        words.want("RXNORM", [row.RxCui for row in (*self._allergies, *self._medications)])
        words.want("SNOMEDCT", [row.SnomedReaction for row in self._allergies])
        words.want("SNOMEDCT", [row.SnomedCode for row in self._diseases])
        words.want("ICD10CM", [row.Icd10Code for row in self._diseases])
        words.want("ICD9CM", [row.ICD9Code for row in self._diseases])
        words.want("CVX", [row.CVXCode for row in self._vaccines])

    def clinicians(self) -> set[int]:
        """Return the ProvNums that rows name."""
        return {row.ProvNum for row in self._medications} | {row.ProvNumAdminister for row in self._vaccines}

    def none(self, meant: dict[str, str], today: dt.date) -> set[ListName]:
        """Return of which lists a row says that there is none; `meant` are the preferences of `NONE`."""
        said: dict[ListName, bool] = {
            "allergies": any(row.StatusIsActive for row in self._allergies if _is_none("allergies", row, meant)),
            "medications": any(
                _is_taken(row.DateStop, today) for row in self._medications if _is_none("medications", row, meant)
            ),
            "problems": any(row.ProbStatus == 0 for row in self._diseases if _is_none("problems", row, meant)),
        }
        return {name for name, is_said in said.items() if is_said}

    def allergies(self, meant: dict[str, str], zone: Zone, period: Period) -> tuple[Allergy, ...]:
        """Return the allergies."""
        found = [
            self._allergy(row, zone)
            for row in self._allergies
            if not _is_none("allergies", row, meant) and (row.StatusIsActive or inside(period, row.DateAdverseReaction))
        ]
        return tuple(sorted(found, key=lambda one: not one.active))

    def _allergy(self, row: Any, zone: Zone) -> Allergy:
        what = plain(row.Description) or plain(row.MedName)
        kind = row.SnomedType or 0
        drug, substance = self._words.code("RXNORM", row.RxCui, plain(row.MedName)), row.UniiCode
        reaction = self._words.code("SNOMEDCT", row.SnomedReaction, plain(row.Reaction))
        return Allergy(
            number=row.AllergyNum,
            what=what,
            kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else "",
            code=drug or self._words.code("UNII", substance, what),
            reaction=plain(row.Reaction) or (reaction.text if reaction else ""),
            reaction_code=reaction,
            active=bool(row.StatusIsActive),
            since=dated(row.DateAdverseReaction),
            noted=zone.at(row.DateTStamp, row.unix),
        )

    def problems(self, meant: dict[str, str], zone: Zone, period: Period) -> tuple[Problem, ...]:
        """Return the problems."""
        found = [
            self._problem(row, zone)
            for row in self._diseases
            if row.FunctionStatus not in _FUNCTIONAL and not _is_none("problems", row, meant) and _holds(row, period)
        ]
        return tuple(sorted(found, key=lambda one: one.status != "active"))

    def _problem(self, row: Any, zone: Zone) -> Problem:
        what, words = plain(row.DiseaseName), self._words
        code = words.code("SNOMEDCT", row.SnomedCode, what)
        others = words.codes("ICD10CM", row.Icd10Code, what) + words.codes("ICD9CM", row.ICD9Code, what)
        return Problem(
            number=row.DiseaseNum,
            what=what or next((one.text for one in (code, *others) if one and one.text), ""),
            code=code,
            others=others,
            status=_status(row),
            begins=dated(row.DateStart),
            ends=dated(row.DateStop),
            noted=zone.at(row.DateTStamp, row.unix),
        )

    def functional(self, meant: dict[str, str], period: Period) -> tuple[Functional, ...]:
        """Return the functional and cognitive statuses."""
        found = [
            Functional(
                number=row.DiseaseNum,
                what=plain(row.DiseaseName),
                kind=_FUNCTIONAL[row.FunctionStatus],
                code=self._words.code("SNOMEDCT", row.SnomedCode, plain(row.DiseaseName)),
                status=_status(row),
                begins=dated(row.DateStart),
                ends=dated(row.DateStop),
            )
            for row in self._diseases
            if row.FunctionStatus in _FUNCTIONAL and not _is_none("problems", row, meant) and _holds(row, period)
        ]
        return tuple(sorted(found, key=lambda one: one.status != "active"))

    def medications(
        self, meant: dict[str, str], zone: Zone, period: Period, clinicians: Container[int]
    ) -> tuple[Medication, ...]:
        """Return the medications, those that are taken now first; only who is in `clinicians` is named."""
        found = [
            self._medication(row, zone, clinicians)
            for row in self._medications
            if not _is_none("medications", row, meant)
            and (_is_taken(row.DateStop, zone.today) or inside(period, row.DateStart, row.DateStop))
        ]
        return tuple(sorted(found, key=lambda one: not one.active))

    def _medication(self, row: Any, zone: Zone, clinicians: Container[int]) -> Medication:
        what = (plain(row.MedName) if row.MedicationNum else "") or plain(row.MedDescript)
        code = self._words.code("RXNORM", row.RxCui, what)
        return Medication(
            number=row.MedicationPatNum,
            what=what or (code.text if code else ""),
            code=code,
            instructions=plain(row.PatNote),
            begins=dated(row.DateStart),
            ends=dated(row.DateStop),
            active=_is_taken(row.DateStop, zone.today),
            prescriber=row.ProvNum if row.ProvNum in clinicians else 0,
            noted=zone.at(row.DateTStamp, row.unix),
        )

    def vaccines(self, zone: Zone, period: Period, clinicians: Container[int]) -> tuple[Vaccine, ...]:
        """Return the vaccinations, the newest first; only who is in `clinicians` is named."""
        found = [
            self._vaccine(row, zone, clinicians) for row in self._vaccines if inside(period, day_of(row.DateTimeStart))
        ]
        return tuple(sorted(found, key=lambda one: day_of(one.at) or dt.date.min, reverse=True))

    def _vaccine(self, row: Any, zone: Zone, clinicians: Container[int]) -> Vaccine:
        what = plain(row.VaccineName)
        code = self._words.code("CVX", row.CVXCode, what)
        status = row.CompletionStatus or 0
        return Vaccine(
            number=row.VaccinePatNum,
            what=what or (code.text if code else ""),
            code=code,
            status=_VACCINE[status] if 0 <= status < len(_VACCINE) else "not-given",
            at=zone.at(dated(row.DateTimeStart), row.unix),
            amount=measure(row.AdministeredAmt),
            unit=_unit(row.UnitIdentifier),
            lot=plain(row.LotNumber),
            expires=dated(row.DateExpire),
            manufacturer=plain(row.ManufacturerName),
            route=_ROUTES.get(row.AdministrationRoute, ""),
            refusal=_REFUSALS.get(row.RefusalReason, ""),
            giver=row.ProvNumAdminister if row.ProvNumAdminister in clinicians else 0,
        )


_DEFINITION: Final[dict[ListName, str]] = {
    "allergies": "AllergyDefNum",
    "medications": "MedicationNum",
    "problems": "DiseaseDefNum",
}


def _is_none(name: ListName, row: Any, meant: dict[str, str]) -> bool:
    definition = number(meant.get(NONE[name], ""))
    return bool(definition) and getattr(row, _DEFINITION[name]) == definition


def _is_taken(stop: dt.date | None, today: dt.date) -> bool:
    stop = dated(stop)
    return stop is None or stop >= today


def _holds(row: Any, period: Period) -> bool:
    return row.ProbStatus == 0 or inside(period, row.DateStart, row.DateStop)


def _status(row: Any) -> ProblemStatus:
    return _PROBLEM[row.ProbStatus] if 0 <= row.ProbStatus < len(_PROBLEM) else "inactive"


def _unit(identifier: str | None) -> str:
    text = plain(identifier)
    return "" if " " in text else _UNITS.get(text.casefold(), text)
