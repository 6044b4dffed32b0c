"""The shapes of a care summary: plain data, as the practice recorded it; nothing here knows of tables or of documents.

Empty texts and None mean "not recorded". Codes are as stored, trimmed; a code's words are those of the practice's own
code tables, or the practice's own name for the thing where the table does not know the code. Dates are the practice's
calendar days; times carry the practice's UTC offset of that moment. Who did something is the ProvNum of one of
`Summary.clinicians`, 0 for nobody.
"""

import datetime as dt
from typing import Literal

import msgspec

__all__ = [
    "Address",
    "Allergy",
    "AllergyKind",
    "Clinician",
    "Code",
    "CodeSystemName",
    "Contact",
    "Encounter",
    "Functional",
    "FunctionalKind",
    "Gender",
    "LabOrder",
    "LabResult",
    "ListName",
    "Medication",
    "Name",
    "Organization",
    "Period",
    "Phone",
    "PlanItem",
    "Problem",
    "ProblemStatus",
    "Procedure",
    "ProcedureStatus",
    "Referral",
    "Smoking",
    "Subject",
    "Summary",
    "Vaccine",
    "VaccineStatus",
    "VitalSigns",
]

CodeSystemName = Literal[
    "SNOMEDCT", "RXNORM", "ICD10CM", "ICD9CM", "CVX", "CDT", "CPT", "HCPCS", "LOINC", "UNII", "CDCREC"
]
"""As Open Dental's table `codesystem` names them; UNII has no row there."""
Gender = Literal["F", "M", "UN"]
"""HL7 AdministrativeGender; UN where neither was recorded."""
AllergyKind = Literal[
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
]
"""allergydef.SnomedType, 0 to 9."""
ProblemStatus = Literal["active", "resolved", "inactive"]
FunctionalKind = Literal["cognitive-result", "cognitive-problem", "functional-result", "functional-problem"]
"""disease.FunctionStatus, 1 to 4."""
VaccineStatus = Literal["given", "refused", "not-given", "partly-given"]
ProcedureStatus = Literal["completed", "existing", "condition", "planned"]
"""procedurelog.ProcStatus: C; EC and EO; Cn; TPi."""
ListName = Literal["allergies", "medications", "problems"]


class Code(msgspec.Struct, frozen=True):
    """One code of a code system."""

    value: str
    system: CodeSystemName
    text: str = ""
    """Its words; empty where neither the code table nor the practice has any."""


class Name(msgspec.Struct, frozen=True):
    """A person's name."""

    given: tuple[str, ...]
    """First and middle names."""
    family: str
    prefix: str = ""
    suffix: str = ""


class Address(msgspec.Struct, frozen=True):
    """A postal address."""

    lines: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    """Two letters in the United States, anything elsewhere."""
    zip: str = ""
    country: str = ""
    """As typed in; empty for the United States."""


class Phone(msgspec.Struct, frozen=True):
    """A phone number."""

    number: str
    """As typed in."""
    use: Literal["home", "mobile", "work"]


class Contact(msgspec.Struct, frozen=True):
    """A guardian, or who answers for a patient."""

    number: int
    """PatNum."""
    name: Name
    relation: str
    """HL7 RoleCode, such as MTH, FTH, GUARD; empty where it was not recorded."""
    is_guardian: bool
    address: Address = Address()
    phones: tuple[Phone, ...] = ()


class Subject(msgspec.Struct, frozen=True):
    """The person whom the summary is about."""

    number: int
    """PatNum."""
    name: Name
    preferred: str
    birth_date: dt.date | None
    gender: Gender
    marital: str
    """HL7 MaritalStatus (S, M, D, W), empty where it was not recorded."""
    races: tuple[Code, ...]
    """CDCREC; empty where none was recorded."""
    ethnicity: Code | None
    """CDCREC: 2135-2 or 2186-5, or a detailed one."""
    declined: frozenset[Literal["race", "ethnicity"]]
    """What the patient did not want to say."""
    language: str
    """ISO 639-1 where there is one, else 639-2, with the country where recorded (`es`, `en-US`); empty for unknown."""
    address: Address
    phones: tuple[Phone, ...]
    """The first is the best to reach them: mobile, home, work."""
    email: str
    contacts: tuple[Contact, ...] = ()
    root: str = ""
    """The OID under which the practice numbers its patients, empty where it has none."""


class Clinician(msgspec.Struct, frozen=True):
    """A provider."""

    number: int
    """ProvNum; 0 where there is none."""
    name: Name
    """Of an organisation: the family name alone."""
    is_person: bool
    npi: str
    taxonomy: str
    """Health care provider taxonomy code, such as 122300000X; empty where unknown."""


class Organization(msgspec.Struct, frozen=True):
    """The practice, or the clinic of the patient."""

    name: str
    phone: str
    address: Address
    npi: str = ""


class Allergy(msgspec.Struct, frozen=True):
    """One allergy or intolerance."""

    number: int
    what: str
    """The practice's words."""
    kind: AllergyKind
    code: Code | None
    """RXNORM for a drug, UNII for a substance, None where the practice gave it none."""
    reaction: str
    reaction_code: Code | None
    active: bool
    since: dt.date | None
    """Of the adverse reaction."""
    noted: dt.datetime | None


class Problem(msgspec.Struct, frozen=True):
    """One problem."""

    number: int
    what: str
    code: Code | None
    """SNOMEDCT."""
    others: tuple[Code, ...]
    """ICD10CM, ICD9CM."""
    status: ProblemStatus
    begins: dt.date | None
    ends: dt.date | None
    noted: dt.datetime | None


class Functional(msgspec.Struct, frozen=True):
    """One functional or cognitive status."""

    number: int
    what: str
    kind: FunctionalKind
    code: Code | None
    status: ProblemStatus
    begins: dt.date | None
    ends: dt.date | None


class Medication(msgspec.Struct, frozen=True):
    """One medication, taken now or once."""

    number: int
    what: str
    code: Code | None
    """RXNORM."""
    instructions: str
    begins: dt.date | None
    ends: dt.date | None
    active: bool
    """Whether it is taken on the day of the summary."""
    prescriber: int
    noted: dt.datetime | None


class Vaccine(msgspec.Struct, frozen=True):
    """One vaccination, given or not."""

    number: int
    what: str
    code: Code | None
    """CVX."""
    status: VaccineStatus
    at: dt.datetime | None
    amount: float
    """0.0 for not recorded."""
    unit: str
    """UCUM code, such as mL; empty where not recorded."""
    lot: str
    expires: dt.date | None
    manufacturer: str
    route: str
    """vaccinepat.AdministrationRoute as a word: intradermal, intramuscular, nasal, intravenous, oral, subcutaneous,
    transdermal; empty for none and other."""
    refusal: str
    """parental, religious, other, patient; empty for none."""
    giver: int


class Procedure(msgspec.Struct, frozen=True):
    """One procedure."""

    number: int
    what: str
    code: Code | None
    """CDT, CPT, HCPCS or SNOMEDCT."""
    status: ProcedureStatus
    date: dt.date | None
    tooth: str
    """As Open Dental stores it: 1 to 32, A to T, 51 to 82 and AS to TS for supernumerary teeth; empty for none."""
    surface: str
    """Surface letters (MODBFLIV), or a quadrant (UR, UL, LR, LL), sextant or arch (U, L); empty for none."""
    teeth: tuple[str, ...]
    """Of a procedure on a range of teeth."""
    performer: int


class Encounter(msgspec.Struct, frozen=True):
    """One visit that the practice recorded as an encounter."""

    number: int
    what: str
    code: Code | None
    date: dt.date | None
    performer: int


class PlanItem(msgspec.Struct, frozen=True):
    """One instruction of a care plan."""

    number: int
    code: Code | None
    """SNOMEDCT: what the patient is taught or to do."""
    instructions: str
    date: dt.date | None


class Referral(msgspec.Struct, frozen=True):
    """Somebody the practice sent the patient to."""

    number: int
    to: str
    reason: str
    date: dt.date | None


class LabResult(msgspec.Struct, frozen=True):
    """One value of a laboratory's report."""

    number: int
    what: str
    code: Code | None
    """LOINC."""
    value: str
    """As it is read: number with comparator, text, or the words of a code."""
    quantity: float | None
    """The value where it is a plain number."""
    unit: str
    """UCUM code; empty for none."""
    range: str
    flag: str
    """HL7 observation interpretation (H, L, N, A, …), empty for none."""
    final: bool
    at: dt.datetime | None


class LabOrder(msgspec.Struct, frozen=True):
    """One laboratory report with its values."""

    number: int
    what: str
    code: Code | None
    """LOINC."""
    at: dt.datetime | None
    results: tuple[LabResult, ...]


class Smoking(msgspec.Struct, frozen=True):
    """What the patient answered when asked about tobacco."""

    number: int
    code: Code
    """SNOMEDCT."""
    at: dt.datetime | None


class VitalSigns(msgspec.Struct, frozen=True):
    """What was measured at one time; 0 for what was not. Pressures are in mm[Hg], the pulse is beats per minute."""

    number: int
    taken: dt.date | None
    height_in: float
    weight_lb: float
    systolic: int
    diastolic: int
    pulse: int


class Period(msgspec.Struct, frozen=True):
    """The days a summary is limited to, both included; None for open."""

    first: dt.date | None = None
    last: dt.date | None = None


class Summary(msgspec.Struct, frozen=True):
    """Everything that one care summary tells."""

    made: dt.datetime
    """The moment of the summary, by the database's clock, with the practice's UTC offset."""
    period: Period
    subject: Subject
    provider: Clinician
    """The patient's own."""
    custodian: Clinician
    """The practice's default provider, who answers for its records."""
    practice: Organization
    """The patient's clinic where clinics are on, else the practice."""
    clinicians: tuple[Clinician, ...]
    """Everybody whom an entry names, `provider` and `custodian` among them."""
    none_known: frozenset[ListName]
    """The lists of which the practice recorded that there are none."""
    allergies: tuple[Allergy, ...] = ()
    problems: tuple[Problem, ...] = ()
    functional: tuple[Functional, ...] = ()
    medications: tuple[Medication, ...] = ()
    vaccines: tuple[Vaccine, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    encounters: tuple[Encounter, ...] = ()
    plan: tuple[PlanItem, ...] = ()
    referrals: tuple[Referral, ...] = ()
    labs: tuple[LabOrder, ...] = ()
    smoking: tuple[Smoking, ...] = ()
    vitals: tuple[VitalSigns, ...] = ()

    def __repr__(self) -> str:
        return f"Summary(of={self.subject.number})"
