"""Who a care summary is about, who made it and who keeps it."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import Connection, bindparam, select, union_all

from econnector.opendental.family import age_on
from econnector.opendental.practice import SETTINGS as PRACTICE
from econnector.opendental.practice import practice
from econnector.opendental.schema import Schema
from econnector.opendental.summary.languages import language
from econnector.opendental.summary.lexicon import Lexicon
from econnector.opendental.summary.records import (
    Address,
    Clinician,
    Code,
    Contact,
    Gender,
    Name,
    Organization,
    Phone,
    Subject,
)
from econnector.opendental.summary.values import Zone, number, plain
from econnector.opendental.tables import (
    cdcrec,
    clinic,
    definition,
    guardian,
    oidinternal,
    patient,
    patientrace,
    provider,
)

__all__ = ["SETTINGS", "Header", "address", "clinicians", "country_of", "custodian_of", "email", "is_phone", "phones"]

ADULT = 18
_CUSTODIAN, _NO_LANGUAGE, _REGION = "PracticeDefaultProv", "LanguagesIndicateNone", "LanguageAndRegion"
SETTINGS: Final = (*PRACTICE, _CUSTODIAN, _NO_LANGUAGE, _REGION)
"""The preferences that the header needs."""

_DELETED = 4
"""patient.PatStatus."""
_GENDERS: Final[dict[int, Gender]] = {0: "M", 1: "F"}
_MARITAL: Final = {0: "S", 1: "M", 2: "S", 3: "W", 4: "D"}
"""patient.Position; a child is single."""
_HOME: Final = frozenset(("", "US", "USA", "UNITEDSTATES", "UNITEDSTATESOFAMERICA", "THEUNITEDSTATES", "AMERICA"))
_FEWEST_DIGITS = 7
_RACES: Final = {
    0: "1002-5",
    1: "2054-5",
    2: "1002-5",
    3: "2028-9",
    5: "2076-8",
    7: "2131-1",
    8: "2131-1",
    9: "2106-3",
    6: "2135-2",
    10: "2186-5",
}
"""patientrace.Race as the codes of CDCREC, where the row itself has none."""
_DECLINED: Final[dict[object, Literal["race", "ethnicity"]]] = {
    4: "race",
    11: "ethnicity",
    "ASKU-RACE": "race",
    "ASKU-ETHNICITY": "ethnicity",
}
_BROAD_RACES = ("1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "2131-1")
_BROAD_ETHNICITIES = ("2135-2", "2186-5")
_FIRST_ETHNICITY, _LAST_ETHNICITY = 2133, 2186
"""CDCREC's numbers of ethnicities; all others are races."""
_RELATIONS: Final = {
    0: "FTH",
    1: "MTH",
    2: "STPFTH",
    3: "STPMTH",
    4: "GRFTH",
    5: "GRMTH",
    7: "BRO",
    9: "CHLDFOST",
    10: "GUARD",
    11: "GRPRN",
    13: "PRN",
    14: "STPCHLD",
    15: "ONESELF",
    16: "SIB",
    17: "SIS",
    18: "SPS",
    19: "CHILD",
    20: "DOMPART",
    21: "FRND",
    22: "GRNDCHILD",
}
"""guardian.Relationship as HL7 RoleCode, to 24.4."""
_RENUMBERED, _RENUMBERED_RELATIONS = (25,), {0: "", 6: "FTH", 23: ""}
_TAXONOMY: Final = {
    "general": "1223G0001X",
    "hygienist": "124Q00000X",
    "endodontics": "1223E0200X",
    "pediatric": "1223P0221X",
    "perio": "1223P0300X",
    "prosth": "1223P0700X",
    "ortho": "1223X0400X",
    "denturist": "122400000X",
    "surgery": "1223S0112X",
    "assistant": "126800000X",
    "labtech": "126900000X",
    "pathology": "1223P0106X",
    "publichealth": "1223D0001X",
    "radiology": "1223X0008X",
}
"""NUCC's codes of the specialties as Open Dental's list names them."""
_TAXONOMY_FORM: Final = re.compile(r"[0-9A-Z]{9}X")

_PERSON = (
    *(patient.c[name] for name in ("PatNum", "LName", "FName", "MiddleI", "Title", "PatStatus")),
    *(patient.c[name] for name in ("Address", "Address2", "City", "State", "Zip", "Country")),
    *(patient.c[name] for name in ("HmPhone", "WkPhone", "WirelessPhone")),
)
_ROOT = select(oidinternal.c.IDRoot).where(oidinternal.c.IDType == "Patient").limit(1).scalar_subquery()
_SUBJECT = (
    select(
        *_PERSON,
        *(patient.c[name] for name in ("Preferred", "Birthdate", "Gender", "Position", "Language", "Email")),
        *(patient.c[name] for name in ("PriProv", "Guarantor", "ResponsParty", "ClinicNum")),
        _ROOT.label("root"),
        clinic.c.Description.label("clinic"),
        clinic.c.Phone.label("clinic_phone"),
        *(clinic.c[name].label(f"clinic_{name}") for name in ("Address", "Address2", "City", "State", "Zip")),
    )
    .outerjoin_from(patient, clinic, (clinic.c.ClinicNum == patient.c.ClinicNum) & (clinic.c.ClinicNum > 0))
    .where(patient.c.PatNum == bindparam("patient"))
)
_BOND = (guardian.c.PatNumGuardian == patient.c.PatNum) & (guardian.c.PatNumChild == bindparam("patient"))
_BONDS = select(*_PERSON, guardian.c.Relationship, guardian.c.IsGuardian)
# Two indexed look-ups, where an OR over them would read the whole table.
_CONTACTS = union_all(
    _BONDS.join_from(guardian, patient, _BOND),
    _BONDS.outerjoin_from(patient, guardian, _BOND).where(
        patient.c.PatNum.in_(bindparam("responsible", expanding=True))
    ),
)
_RACE_ROWS = (
    select(patientrace.c.Race, patientrace.c.CdcrecCode, cdcrec.c.Description)
    .outerjoin_from(
        patientrace, cdcrec, (cdcrec.c.CdcrecCode == patientrace.c.CdcrecCode) & (patientrace.c.CdcrecCode != "")
    )
    .where(patientrace.c.PatNum == bindparam("patient"))
    .order_by(patientrace.c.PatientRaceNum)
)
_CLINICIANS = (
    select(
        *(provider.c[name] for name in ("ProvNum", "FName", "MI", "LName", "Suffix", "IsNotPerson")),
        provider.c.NationalProvID,
        provider.c.TaxonomyCodeOverride,
        definition.c.ItemName,
    )
    .outerjoin_from(provider, definition, definition.c.DefNum == provider.c.Specialty)
    .where(provider.c.ProvNum.in_(bindparam("numbers", expanding=True)))
    .order_by(provider.c.ProvNum)
)


class Header:
    """The rows of one person and of the practice."""

    def __init__(
        self, connection: Connection, schema: Schema, number: int, settings: Mapping[str, str], words: Lexicon
    ) -> None:
        """Read the rows of the patient with this PatNum. Raises LookupError if there is no such chart."""
        row = connection.execute(_SUBJECT, {"patient": number}).first()
        if row is None:
            raise LookupError(f"there is no chart {number}")
        self._row, self._settings, self._words, self._schema = row, settings, words, schema
        answers = {row.Guarantor, row.ResponsParty} - {0, number}
        some = {"patient": number, "responsible": sorted(answers)}
        self._contacts = connection.execute(_CONTACTS, some).all()
        self._answers = answers
        self._races = connection.execute(_RACE_ROWS, {"patient": number}).all()
        words.want("CDCREC", [_RACES.get(race.Race, "") for race in self._races])
        words.want("CDCREC", [race.CdcrecCode for race in self._races])

    @property
    def provider(self) -> int:
        """The ProvNum of the patient's own provider; the practice's default one where they have none."""
        return int(self._row.PriProv or 0) or self.custodian

    @property
    def custodian(self) -> int:
        """The ProvNum of the practice's default provider; 0 where there is none."""
        return custodian_of(self._settings)

    def practice(self) -> Organization:
        """Return the patient's clinic where clinics are on, else the practice."""
        said, row, home = practice(self._settings), self._row, country_of("", self._settings)
        if said.has_clinics and row.clinic is not None:
            parts = (getattr(row, f"clinic_{name}") for name in ("Address", "Address2", "City", "State", "Zip"))
            return Organization(plain(row.clinic), plain(row.clinic_phone), address(parts, home))
        where = address((said.address, said.address2, said.city, said.state, said.zip), home)
        return Organization(plain(said.title), plain(said.phone), where)

    def subject(self, zone: Zone) -> Subject:
        """Return the person."""
        row = self._row
        races, ethnicity, declined = self._race_and_ethnicity()
        return Subject(
            number=row.PatNum,
            name=_name(row),
            preferred=plain(row.Preferred),
            birth_date=row.Birthdate,
            gender=_GENDERS.get(row.Gender, "UN"),
            marital=_MARITAL.get(row.Position, ""),
            races=races,
            ethnicity=ethnicity,
            declined=declined,
            language=language(row.Language, self._settings[_NO_LANGUAGE]),
            address=self._address(row),
            phones=phones(row),
            email=email(row.Email),
            contacts=self._people(is_minor=0 <= age_on(row.Birthdate, zone.today) < ADULT),
            root=_oid(row.root),
        )

    def _address(self, row: Any) -> Address:
        parts = (row.Address, row.Address2, row.City, row.State, row.Zip)
        return address(parts, country_of(row.Country, self._settings))

    def _people(self, *, is_minor: bool) -> tuple[Contact, ...]:
        """Return the guardians, and who answers for a minor: responsible party and account holder."""
        found: dict[int, Contact] = {}
        for row in self._contacts:
            answers = is_minor and row.PatNum in self._answers
            if row.PatStatus == _DELETED or not (row.IsGuardian or answers):
                continue
            if row.PatNum in found and not row.IsGuardian:
                continue
            found[row.PatNum] = Contact(
                number=row.PatNum,
                name=_name(row),
                relation=self._relation(row.Relationship),
                is_guardian=bool(row.IsGuardian),
                address=self._address(row),
                phones=phones(row),
            )
        return tuple(sorted(found.values(), key=lambda one: (not one.is_guardian, one.number)))

    def _relation(self, relationship: int | None) -> str:
        if relationship is None:
            return ""
        renumbered = _RENUMBERED_RELATIONS if self._schema.numbers >= _RENUMBERED else {}
        return renumbered.get(relationship, _RELATIONS.get(relationship, ""))

    def _race_and_ethnicity(
        self,
    ) -> tuple[tuple[Code, ...], Code | None, frozenset[Literal["race", "ethnicity"]]]:
        races: dict[str, Code] = {}
        ethnicities: dict[str, Code] = {}
        declined: set[Literal["race", "ethnicity"]] = set()
        for row in self._races:
            typed = plain(row.CdcrecCode).upper()
            refused = _DECLINED.get(typed) or (_DECLINED.get(row.Race) if not typed else None)
            code = self._words.code("CDCREC", typed or _RACES.get(row.Race), plain(row.Description))
            if refused:
                declined.add(refused)
            elif code:
                is_ethnicity = _FIRST_ETHNICITY <= int(code.value[:4]) <= _LAST_ETHNICITY
                (ethnicities if is_ethnicity else races).setdefault(code.value, code)
        # What the rules know comes first: the broad groups, then what was said in more detail.
        ordered = sorted(races.values(), key=lambda one: one.value not in _BROAD_RACES)
        first = min(ethnicities.values(), key=lambda one: one.value not in _BROAD_ETHNICITIES, default=None)
        said: set[Literal["race", "ethnicity"]] = {"race"} if races else set()
        return tuple(ordered), first, frozenset(declined - said - ({"ethnicity"} if first else set()))


def custodian_of(settings: Mapping[str, str]) -> int:
    """Return the ProvNum of the practice's default provider; 0 where none is set."""
    return number(settings[_CUSTODIAN])


def clinicians(connection: Connection, numbers: Collection[int]) -> dict[int, Clinician]:
    """Return those of these providers (ProvNums) that exist, hidden and deleted ones too: they did what they did."""
    wanted = sorted(one for one in numbers if one)
    rows = connection.execute(_CLINICIANS, {"numbers": wanted}).all() if wanted else []
    return {row.ProvNum: _clinician(row) for row in rows}


def _clinician(row: Any) -> Clinician:
    is_person = not row.IsNotPerson
    given = _given(row.FName, row.MI) if is_person else ()
    return Clinician(
        number=row.ProvNum,
        name=Name(given, plain(row.LName), suffix=plain(row.Suffix) if is_person else ""),
        is_person=is_person,
        npi="".join(plain(row.NationalProvID).split()),
        taxonomy=_taxonomy(row.TaxonomyCodeOverride, row.ItemName),
    )


def _taxonomy(typed: str | None, specialty: str | None) -> str:
    """Return the code that was typed in if it can be one, else that of the specialty; '' for neither."""
    code = "".join(plain(typed).split()).upper()
    return code if _TAXONOMY_FORM.fullmatch(code) else _TAXONOMY.get(plain(specialty).replace(" ", "").casefold(), "")


def _given(*names: str | None) -> tuple[str, ...]:
    return tuple(text for text in map(plain, names) if text)


def _name(row: Any) -> Name:
    return Name(_given(row.FName, row.MiddleI), plain(row.LName), prefix=plain(row.Title))


def address(parts: Iterable[str | None], country: str) -> Address:
    """Return an address of its two lines, city, state and code; `country` as `country_of` returns it."""
    first, second, city, state, code = map(plain, parts)
    lines = tuple(text for text in (first, second) if text)
    return Address(lines, city, state if country else state.upper(), code, country)


def country_of(typed: str | None, settings: Mapping[str, str]) -> str:
    """Return a country as typed, '' for the United States; where none was typed it is the practice's own."""
    text = plain(typed) or plain(settings[_REGION]).replace("_", "-").partition("-")[2]
    letters = "".join(letter for letter in text if letter.isalnum()).upper()
    return "" if letters in _HOME else text


def is_phone(text: str | None) -> bool:
    """Return whether a text may be a telephone number, and is not a word such as `none`."""
    return sum(letter.isdigit() for letter in plain(text)) >= _FEWEST_DIGITS


def phones(row: Any) -> tuple[Phone, ...]:
    """Return the numbers of a patient's row, the best to reach them first."""
    uses: Sequence[tuple[Literal["mobile", "home", "work"], str | None]] = (
        ("mobile", row.WirelessPhone),
        ("home", row.HmPhone),
        ("work", row.WkPhone),
    )
    return tuple(Phone(plain(text), use) for use, text in uses if is_phone(text))


def email(typed: str | None) -> str:
    """Return the first address of what may be several."""
    parts = plain(typed).replace(";", ",").split(",")
    return next((part.strip() for part in parts if "@" in part), "")


def _oid(text: str | None) -> str:
    root = plain(text)
    return root if root and all(part.isascii() and part.isdigit() for part in root.split(".")) else ""
