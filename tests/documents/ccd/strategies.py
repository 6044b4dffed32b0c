"""Care summaries at random, for hypothesis: whatever a practice may have typed in, in any number and any mixture.

Codes are real ones, so that the gate can judge what is made of them; everything else is any text and any day.
"""

import datetime as dt
from typing import Any, Final, TypeVar, get_args

import msgspec
from hypothesis import strategies as st

from econnector.opendental.summary import records
from econnector.opendental.summary.records import Code, CodeSystemName, Summary

__all__ = ["summaries"]

_T = TypeVar("_T")
_CODES: Final[dict[CodeSystemName, tuple[str, ...]]] = {
    "SNOMEDCT": ("195967001", "66383009", "225358003", "185349003", "266919005", "38341003"),
    "RXNORM": ("7980", "308191", "435", "161"),
    "ICD10CM": ("J45.909", "K05.10", "I10"),
    "ICD9CM": ("493.90", "V58.69"),
    "CVX": ("03", "88", "139", "208"),
    "CDT": ("D0120", "D2392", "D7140"),
    "CPT": ("40808", "99212"),
    "HCPCS": ("A4550", "G0008"),
    "LOINC": ("718-7", "6690-2", "600-7", "57021-8"),
    "UNII": ("2LQ0UUW8IN", "XF417D3PSL"),
    "CDCREC": ("2106-3", "1002-5", "2028-9", "2054-5", "2076-8", "1006-6", "2034-7"),
}
_ETHNICITIES: Final = ("2135-2", "2186-5", "2148-5", "2182-4")
_TEXTS: Final = st.text(max_size=8) | st.sampled_from(
    ("Zoë O'Brien", "<b>&amp;", "李小龍", "a\x00\x0bb\ufffe", " \r\n\t ")
)
_ZONES: Final = st.sampled_from([dt.timezone(dt.timedelta(hours=hours)) for hours in (-10, -5, 0)])
_DAYS: Final = st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2030, 12, 31))
_MOMENTS: Final = st.none() | st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2030, 12, 31), timezones=_ZONES)  # noqa: DTZ001 - hypothesis wants them so
_PEOPLE: Final = st.integers(0, 3)
_SIZES: Final = st.just(0.0) | st.floats(0.1, 400).map(lambda value: round(value, 2))


def codes(*systems: CodeSystemName) -> st.SearchStrategy[Code]:
    """Return real codes of some systems with any words."""
    pairs = [(value, system) for system in systems for value in _CODES[system]]
    return st.builds(lambda pair, text: Code(pair[0], pair[1], text), st.sampled_from(pairs), _TEXTS)


def any_of(literal: Any) -> st.SearchStrategy[Any]:
    """Return the values of a `Literal`."""
    return st.sampled_from(get_args(literal))


def rows(of: st.SearchStrategy[_T]) -> st.SearchStrategy[tuple[_T, ...]]:
    """Return up to three rows of a table, each with a number of its own."""
    return st.lists(of, max_size=3, unique_by=lambda row: getattr(row, "number")).map(tuple)  # noqa: B009 - any row has one


def made(record: type[_T], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[_T]:
    """Return rows of a table with the given fields, and with a number."""
    return st.builds(record, number=st.integers(1, 10**9), **fields)


_NAMES: Final = st.builds(
    records.Name,
    st.lists(_TEXTS, max_size=2).map(tuple),
    _TEXTS,
    st.sampled_from(("", "Dr.")),
    st.sampled_from(("", "Jr")),
)
_ADDRESSES: Final = st.builds(
    records.Address,
    lines=st.lists(_TEXTS, max_size=5).map(tuple),
    city=_TEXTS,
    state=_TEXTS | st.sampled_from(("OR", "wa", "Köln")),
    zip=_TEXTS | st.sampled_from(("97001", "970011234", "97001-1234", "H0H 0H0")),
    country=_TEXTS | st.sampled_from(("", "USA", "Germany")),
)
_PHONES: Final = st.lists(
    st.builds(
        records.Phone,
        _TEXTS | st.sampled_from(("(503)555-0142", "1 503 555 0142 x12", "+49 221 5550", "503.555.0142 ext. 7")),
        st.sampled_from(("home", "mobile", "work")),
    ),
    max_size=2,
).map(tuple)
_CLINICIANS: Final = st.builds(
    records.Clinician,
    number=st.integers(1, 3),
    name=_NAMES,
    is_person=st.booleans(),
    npi=st.sampled_from(("", "1234567893", "1234567890", "none")),
    taxonomy=st.sampled_from(("", "122300000X")),
)
_CONTACTS: Final = made(
    records.Contact,
    name=_NAMES,
    relation=st.sampled_from(("", "MTH", "FTH", "GUARD", "GRPRN")),
    is_guardian=st.booleans(),
    address=_ADDRESSES,
    phones=_PHONES,
)
_SUBJECTS: Final = made(
    records.Subject,
    name=_NAMES,
    preferred=_TEXTS,
    birth_date=_DAYS,
    gender=any_of(records.Gender),
    marital=st.sampled_from(("", "S", "M", "D", "W")),
    races=st.lists(codes("CDCREC"), max_size=3).map(tuple),
    ethnicity=st.none() | st.builds(Code, st.sampled_from(_ETHNICITIES), st.just("CDCREC"), _TEXTS),
    declined=st.frozensets(st.sampled_from(("race", "ethnicity"))),
    language=st.sampled_from(("", "en", "es", "en-US", "vie", "??")),
    address=_ADDRESSES,
    phones=_PHONES,
    email=_TEXTS | st.just("zoë@example.com"),
    contacts=rows(_CONTACTS),
    root=st.sampled_from(("", "1.3.6.1.4.1.99999.1", "not an OID")),
)
_RESULTS: Final = made(
    records.LabResult,
    what=_TEXTS,
    code=st.none() | codes("LOINC"),
    value=_TEXTS,
    quantity=st.none() | st.floats(-1e6, 1e6) | st.just(1e-7),
    unit=st.sampled_from(("", "g/dL", "10*3/uL", "not a unit")),
    range=_TEXTS,
    flag=_TEXTS | st.sampled_from(("", "H", "L", "N", "<", "POS")),
    final=st.booleans(),
    at=_MOMENTS,
)


def summaries() -> st.SearchStrategy[Summary]:
    """Return any care summary."""
    return st.builds(
        Summary,
        made=st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2030, 1, 1), timezones=_ZONES),  # noqa: DTZ001
        period=st.builds(records.Period, _DAYS, _DAYS),
        subject=_SUBJECTS,
        provider=_CLINICIANS,
        custodian=_CLINICIANS,
        practice=st.builds(records.Organization, _TEXTS, _TEXTS, _ADDRESSES, st.sampled_from(("", "1234567893"))),
        clinicians=st.lists(_CLINICIANS, max_size=3).map(tuple),
        none_known=st.frozensets(any_of(records.ListName)),
        **_clinical(),
    )


def _clinical() -> dict[str, st.SearchStrategy[Any]]:
    snomed = st.none() | codes("SNOMEDCT")
    spell = {"status": any_of(records.ProblemStatus), "begins": _DAYS, "ends": _DAYS}
    return {
        "allergies": rows(
            made(
                records.Allergy,
                what=_TEXTS,
                kind=any_of(records.AllergyKind),
                code=st.none() | codes("RXNORM", "UNII"),
                reaction=_TEXTS,
                reaction_code=snomed,
                active=st.booleans(),
                since=_DAYS,
                noted=_MOMENTS,
            )
        ),
        "problems": rows(
            made(
                records.Problem,
                what=_TEXTS,
                code=snomed,
                others=st.lists(codes("ICD10CM", "ICD9CM"), max_size=2).map(tuple),
                noted=_MOMENTS,
                **spell,
            )
        ),
        "functional": rows(
            made(records.Functional, what=_TEXTS, kind=any_of(records.FunctionalKind), code=snomed, **spell)
        ),
        "medications": rows(
            made(
                records.Medication,
                what=_TEXTS,
                code=st.none() | codes("RXNORM"),
                instructions=_TEXTS,
                begins=_DAYS,
                ends=_DAYS,
                active=st.booleans(),
                prescriber=_PEOPLE,
                noted=_MOMENTS,
            )
        ),
        "vaccines": rows(
            made(
                records.Vaccine,
                what=_TEXTS,
                code=st.none() | codes("CVX"),
                status=any_of(records.VaccineStatus),
                at=_MOMENTS,
                amount=_SIZES,
                unit=st.sampled_from(("", "mL")),
                lot=_TEXTS,
                expires=_DAYS,
                manufacturer=_TEXTS,
                route=st.sampled_from(("", "oral", "intramuscular", "nasal")),
                refusal=st.sampled_from(("", "parental", "religious", "other", "patient")),
                giver=_PEOPLE,
            )
        ),
        "procedures": rows(
            made(
                records.Procedure,
                what=_TEXTS,
                code=st.none() | codes("CDT", "CPT", "HCPCS", "SNOMEDCT"),
                status=any_of(records.ProcedureStatus),
                date=_DAYS,
                tooth=_TEXTS | st.sampled_from(("", "14", "A", "AS", "51")),
                surface=_TEXTS | st.sampled_from(("", "MO", "UR", "L", "3")),
                teeth=st.lists(st.sampled_from(("1", "32", "T")), max_size=2).map(tuple),
                performer=_PEOPLE,
            )
        ),
        "encounters": rows(made(records.Encounter, what=_TEXTS, code=snomed, date=_DAYS, performer=_PEOPLE)),
        "plan": rows(made(records.PlanItem, code=snomed, instructions=_TEXTS, date=_DAYS)),
        "referrals": rows(made(records.Referral, to=_TEXTS, reason=_TEXTS, date=_DAYS)),
        "labs": rows(
            made(records.LabOrder, what=_TEXTS, code=st.none() | codes("LOINC"), at=_MOMENTS, results=rows(_RESULTS))
        ).map(_numbered),
        "smoking": rows(made(records.Smoking, code=codes("SNOMEDCT"), at=_MOMENTS)),
        "vitals": rows(
            made(
                records.VitalSigns,
                taken=_DAYS,
                height_in=_SIZES,
                weight_lb=_SIZES,
                systolic=st.integers(0, 300),
                diastolic=st.integers(0, 200),
                pulse=st.integers(0, 300),
            )
        ),
    }


def _numbered(orders: tuple[records.LabOrder, ...]) -> tuple[records.LabOrder, ...]:
    """Return orders whose results have numbers of their own across all of them, as the rows of one table do."""
    seen = set[int]()
    kept = []
    for order in orders:
        fresh = tuple(one for one in order.results if one.number not in seen)
        seen |= {one.number for one in fresh}
        kept.append(msgspec.structs.replace(order, results=fresh))
    return tuple(kept)
