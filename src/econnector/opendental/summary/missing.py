"""What must be recorded before there can be a care summary, in the office's words, with what to open to mend it.

The list is Open Dental's own (its pre-check of the CCD) with three differences: a state is asked for, in two letters,
only in the United States; a telephone number must have digits; and what everybody lacks is told apart from what one
chart lacks. An e-mail address is never needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, Table, bindparam, select

from econnector.base.errors import CareSummaryNotLoaded, CareSummaryNotSetUp, Failure
from econnector.opendental import preferences
from econnector.opendental.family import SHARED, SHOWN_STATUSES, merged_away
from econnector.opendental.passwords import Form, form_of
from econnector.opendental.practice import practice
from econnector.opendental.schema import Schema
from econnector.opendental.summary.header import SETTINGS, clinicians, country_of, custodian_of, is_phone
from econnector.opendental.summary.records import Clinician
from econnector.opendental.summary.values import dated, plain
from econnector.opendental.tables import clinic, cvx, guardian, patient, snomed, userweb

__all__ = ["Area", "Missing", "missing", "missing_everywhere", "missing_many", "portal_patients", "refusal"]

Area = Literal["codes", "practice", "provider", "clinic", "patient"]

_STATE_LETTERS = 2
_AT_ONCE = 500
_PATIENT_PORTAL = 1
"""userweb.FKeyType."""
_CODES: Final = (("snomed", "SNOMED CT", snomed), ("cvx", "CVX", cvx))
_PRACTICE, _PROVIDERS, _CLINICS = "Setup, Practice", "Lists, Providers", "Lists, Clinics"
_CHART = "Family module, Edit Patient Information"


class Missing(msgspec.Struct, frozen=True):
    """One thing that must be recorded first."""

    area: Area
    what: str
    """A word that stays the same, such as `birth-date`."""
    text: str
    """What it is and where it is entered, for the office."""


def missing(connection: Connection, schema: Schema, patient: int) -> list[Missing]:
    """Return everything that `patient` (a PatNum) lacks for a care summary, what everybody lacks first."""
    return missing_everywhere(connection, schema) + missing_many(connection, schema, [patient])[patient]


def missing_everywhere(connection: Connection, schema: Schema) -> list[Missing]:
    """Return what is missing for everybody: code tables, the practice's entry, its default provider."""
    settings = preferences.read_many(connection, SETTINGS)
    said, found = practice(settings), _codes(connection, schema)
    lacking = {
        "title": not plain(said.title),
        "phone": not is_phone(said.phone),
        "address": not plain(said.address),
        "city": not plain(said.city),
        "state": _lacks_state(said.state, country_of("", settings)),
    }
    found += [
        Missing("practice", f"practice-{what}", f"{_PLACE[what].capitalize()} of the practice: {_PRACTICE}")
        for what, is_lacking in lacking.items()
        if is_lacking
    ]
    number = custodian_of(settings)
    people = clinicians(connection, [number])
    if number not in people:
        found.append(Missing("provider", "default-provider", f"Default provider of the practice: {_PRACTICE}"))
    return found + [each for one in people.values() for each in _provider(one)]


def missing_many(connection: Connection, schema: Schema, patients: Sequence[int]) -> dict[int, list[Missing]]:
    """Return what each of `patients` (PatNums) lacks besides `missing_everywhere`, an empty list for nothing.

    Four statements for every 500 patients. A chart that is not there lacks nothing: who asks has looked.
    """
    del schema  # every version has these columns
    settings = preferences.read_many(connection, SETTINGS)
    default = custodian_of(settings)
    found: dict[int, list[Missing]] = {number: [] for number in patients}
    for start in range(0, len(patients), _AT_ONCE):
        rows = connection.execute(_CHARTS, {"numbers": list(patients[start : start + _AT_ONCE])}).all()
        people = clinicians(connection, {row.PriProv for row in rows})
        clinics = _clinics(connection, rows, settings) if practice(settings).has_clinics else {}
        for row in rows:
            found[row.PatNum] = _chart(row, settings)
            if row.PriProv not in people:
                text = f"Primary provider of the patient: {_CHART}"
                found[row.PatNum].append(Missing("patient", "primary-provider", text))
            elif row.PriProv != default:
                found[row.PatNum] += _provider(people[row.PriProv])
            found[row.PatNum] += clinics.get(row.ClinicNum, [])
    return found


def portal_patients(connection: Connection) -> list[int]:
    """Return everybody whose care summary the portal can show (PatNums): who has access, and whom they may look at.

    The rules are those of `family.visible`.
    """
    shown = select(patient.c.PatNum, patient.c.Guarantor, patient.c.ResponsParty)
    people = {row.PatNum: row for row in connection.execute(shown.where(patient.c.PatStatus.in_(SHOWN_STATUSES)))}
    logins = select(userweb.c.FKey, userweb.c.Password).where(userweb.c.FKeyType == _PATIENT_PORTAL)
    holders = {
        row.FKey
        for row in connection.execute(logins)
        if row.FKey in people and form_of(row.Password) is not Form.NO_ACCESS
    }
    holders -= _merged(connection, holders)
    shared = preferences.read_many(connection, (), **SHARED)["FamPhiAccess"] == "1"
    seen = {
        number
        for number, row in people.items()
        if number in holders or row.ResponsParty in holders or (shared and row.Guarantor in holders)
    }
    guarded = select(guardian.c.PatNumChild, guardian.c.PatNumGuardian).where(guardian.c.IsGuardian == 1)
    seen |= {
        row.PatNumChild
        for row in connection.execute(guarded)
        if row.PatNumGuardian in holders and row.PatNumChild in people
    }
    return sorted(seen - _merged(connection, seen))


_PLACE: Final = {
    "title": "title",
    "description": "description",
    "phone": "phone number",
    "address": "address (first line)",
    "city": "city",
    "state": "state (two letters)",
}
_CHARTS = select(
    *(patient.c[name] for name in ("PatNum", "FName", "LName", "Address", "City", "State", "Country", "Birthdate")),
    *(patient.c[name] for name in ("HmPhone", "WkPhone", "WirelessPhone", "PriProv", "ClinicNum")),
).where(patient.c.PatNum.in_(bindparam("numbers", expanding=True)))


def _codes(connection: Connection, schema: Schema) -> list[Missing]:
    """Open Dental makes no CCD without a row in each of these tables, whatever the patient's rows use."""
    return [
        Missing(
            "codes",
            what,
            f"{title} codes: page Code systems in the window, or `econnector codes for-summaries`"
            " (in Open Dental: Setup, Chart, EHR, Code System Importer)",
        )
        for what, title, table in _CODES
        if _is_empty(connection, schema, table)
    ]


def _is_empty(connection: Connection, schema: Schema, table: Table) -> bool:
    if not schema.has(table):
        return True
    return connection.execute(select(table.primary_key.columns[0]).limit(1)).first() is None


def _provider(one: Clinician) -> list[Missing]:
    name = " ".join((*one.name.given, one.name.family)) or f"number {one.number}"
    lacking = {
        "first-name": ("First name", one.is_person and not one.name.given),
        "last-name": ("Last name", not one.name.family),
        "npi": ("National Provider Identifier (NPI)", not one.npi),
    }
    return [
        Missing("provider", f"provider-{what}", f"{word} of the provider {name}: {_PROVIDERS}")
        for what, (word, is_lacking) in lacking.items()
        if is_lacking
    ]


def _clinics(connection: Connection, rows: Sequence[Any], settings: Mapping[str, str]) -> dict[int, list[Missing]]:
    """Return what each of the patients' clinics lacks."""
    numbers = {row.ClinicNum for row in rows} - {0}
    if not numbers:
        return {}
    columns = [clinic.c[name] for name in ("ClinicNum", "Description", "Phone", "Address", "City", "State")]
    there = connection.execute(select(*columns).where(clinic.c.ClinicNum.in_(sorted(numbers)))).all()
    return {row.ClinicNum: _clinic(row, settings) for row in there}


def _clinic(row: Any, settings: Mapping[str, str]) -> list[Missing]:
    name = plain(row.Description) or f"number {row.ClinicNum}"
    lacking = {
        "description": not plain(row.Description),
        "phone": not is_phone(row.Phone),
        "address": not plain(row.Address),
        "city": not plain(row.City),
        "state": _lacks_state(row.State, country_of("", settings)),
    }
    return [
        Missing("clinic", f"clinic-{what}", f"{_PLACE[what].capitalize()} of the clinic {name}: {_CLINICS}")
        for what, is_lacking in lacking.items()
        if is_lacking
    ]


def _chart(row: Any, settings: Mapping[str, str]) -> list[Missing]:
    lacking = {
        "first-name": ("First name", not plain(row.FName)),
        "last-name": ("Last name", not plain(row.LName)),
        "birth-date": ("Birth date", dated(row.Birthdate) is None),
        "address": ("Address (first line)", not plain(row.Address)),
        "city": ("City", not plain(row.City)),
        "state": ("State (two letters)", _lacks_state(row.State, country_of(row.Country, settings))),
        "phone": (
            "Phone number (home, work or wireless)",
            not any(map(is_phone, (row.HmPhone, row.WkPhone, row.WirelessPhone))),
        ),
    }
    return [
        Missing("patient", what, f"{word} of the patient: {_CHART}")
        for what, (word, is_lacking) in lacking.items()
        if is_lacking
    ]


def _lacks_state(typed: str | None, country: str) -> bool:
    state = plain(typed)
    return not country and not (len(state) == _STATE_LETTERS and state.isalpha())


def _merged(connection: Connection, numbers: set[int]) -> set[int]:
    found, some = set[int](), sorted(numbers)
    for start in range(0, len(some), _AT_ONCE):
        found |= merged_away(connection, some[start : start + _AT_ONCE])
    return found


def refusal(lacking: Sequence[Missing]) -> Failure | None:
    """Return the failure that names all that is missing, None for nothing; an empty code table decides which one."""
    if not lacking:
        return None
    ordered = sorted(lacking, key=lambda one: one.area != "codes")
    kind = CareSummaryNotLoaded if ordered[0].area == "codes" else CareSummaryNotSetUp
    return kind(what="; ".join(one.text for one in ordered))
