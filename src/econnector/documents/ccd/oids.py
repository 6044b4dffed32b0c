"""The numbers of HL7's templates and of code systems.

A template of C-CDA R2.1 that stood in R1.1 already is declared with its date and without ("bare"), as HL7 asks of
documents that older readers shall understand. Where C-CDA 3.0 dates a template anew, that date is declared too. Two
templates keep to R2.1 alone, because 3.0 wants another code in the same place: Mental Status Observation and
Immunization Refusal Reason.
"""

from typing import Final

import msgspec

from econnector.opendental.summary.records import CodeSystemName

__all__ = [
    "ACT_CLASS",
    "ACT_CODE",
    "ACT_REASON",
    "ALLERGIES",
    "ALLERGY",
    "ALLERGY_CONCERN",
    "ALLERGY_STATUS",
    "AUTHOR",
    "CCD",
    "CODE_SYSTEMS",
    "CONFIDENTIALITY",
    "ENCOUNTER",
    "ENCOUNTERS",
    "FREE_TEXT_SIG",
    "FUNCTIONAL",
    "FUNCTIONAL_STATUS",
    "GENDER",
    "IMMUNIZATIONS",
    "INSTRUCTION",
    "INTERPRETATION",
    "LOINC",
    "MARITAL",
    "MEDICATION",
    "MEDICATIONS",
    "MEDICATION_PRODUCT",
    "MENTAL_STATUS",
    "NPI",
    "PATIENT_REFERRAL",
    "PLAN",
    "PLANNED_PROCEDURE",
    "PROBLEM",
    "PROBLEMS",
    "PROBLEM_CONCERN",
    "PROBLEM_STATUS",
    "PROCEDURE",
    "PROCEDURES",
    "RACE",
    "REACTION",
    "REFERRAL",
    "REFUSAL",
    "RELATION",
    "RESULT",
    "RESULTS",
    "RESULT_ORGANIZER",
    "ROUTE",
    "SEX",
    "SMOKING",
    "SNOMED",
    "SOCIAL",
    "SUBSTANCE_ALLERGY",
    "TAXONOMY",
    "US_REALM",
    "VACCINATION",
    "VACCINE_PRODUCT",
    "VITAL",
    "VITALS",
    "VITAL_ORGANIZER",
    "System",
    "Template",
    "template",
]

_CCDA = "2.16.840.1.113883.10.20.22."
_BARE = ""


class Template(msgspec.Struct, frozen=True):
    """A template: its OID, and the dates under which it is declared."""

    root: str
    dates: tuple[str, ...]
    """An empty one declares it without a date."""


class System(msgspec.Struct, frozen=True):
    """A code system."""

    oid: str
    name: str


def template(number: str, *dates: str) -> Template:
    """Return a C-CDA template by the end of its OID (`2.6.1`, `4.30`) and its dates; without dates it is bare."""
    return Template(_CCDA + number, dates or (_BARE,))


CODE_SYSTEMS: Final[dict[CodeSystemName, System]] = {
    "SNOMEDCT": System("2.16.840.1.113883.6.96", "SNOMED CT"),
    "RXNORM": System("2.16.840.1.113883.6.88", "RxNorm"),
    "ICD10CM": System("2.16.840.1.113883.6.90", "ICD-10-CM"),
    "ICD9CM": System("2.16.840.1.113883.6.103", "ICD-9-CM"),
    "CVX": System("2.16.840.1.113883.12.292", "CVX"),
    "CDT": System("2.16.840.1.113883.6.13", "CDT"),
    "CPT": System("2.16.840.1.113883.6.12", "CPT"),
    "HCPCS": System("2.16.840.1.113883.6.285", "HCPCS"),
    "LOINC": System("2.16.840.1.113883.6.1", "LOINC"),
    "UNII": System("2.16.840.1.113883.4.9", "UNII"),
    "CDCREC": System("2.16.840.1.113883.6.238", "Race & Ethnicity - CDC"),
}

LOINC: Final = CODE_SYSTEMS["LOINC"]
SNOMED: Final = CODE_SYSTEMS["SNOMEDCT"]
RACE: Final = CODE_SYSTEMS["CDCREC"]
ACT_CLASS: Final = System("2.16.840.1.113883.5.6", "ActClass")
ACT_CODE: Final = System("2.16.840.1.113883.5.4", "ActCode")
ACT_REASON: Final = System("2.16.840.1.113883.5.8", "ActReason")
CONFIDENTIALITY: Final = System("2.16.840.1.113883.5.25", "Confidentiality")
GENDER: Final = System("2.16.840.1.113883.5.1", "AdministrativeGender")
INTERPRETATION: Final = System("2.16.840.1.113883.5.83", "ObservationInterpretation")
MARITAL: Final = System("2.16.840.1.113883.5.2", "MaritalStatus")
RELATION: Final = System("2.16.840.1.113883.5.111", "RoleCode")
ROUTE: Final = System("2.16.840.1.113883.3.26.1.1", "NCI Thesaurus")
TAXONOMY: Final = System("2.16.840.1.113883.6.101", "Healthcare Provider Taxonomy (HIPAA)")
NPI: Final = "2.16.840.1.113883.4.6"

US_REALM: Final = template("1.1", "2015-08-01", _BARE, "2024-05-01")
CCD: Final = template("1.2", "2015-08-01", _BARE, "2024-05-01")

ALLERGIES: Final = template("2.6.1", "2015-08-01", _BARE)
MEDICATIONS: Final = template("2.1.1", "2014-06-09", _BARE)
PROBLEMS: Final = template("2.5.1", "2015-08-01", _BARE)
PROCEDURES: Final = template("2.7.1", "2014-06-09", _BARE)
RESULTS: Final = template("2.3.1", "2015-08-01", _BARE)
VITALS: Final = template("2.4.1", "2015-08-01", _BARE)
SOCIAL: Final = template("2.17", "2015-08-01", _BARE)
IMMUNIZATIONS: Final = template("2.2.1", "2015-08-01", _BARE)
ENCOUNTERS: Final = template("2.22.1", "2015-08-01", _BARE)
FUNCTIONAL: Final = template("2.14", "2014-06-09", _BARE)
PLAN: Final = template("2.10", "2014-06-09", _BARE)
REFERRAL: Final = Template("1.3.6.1.4.1.19376.1.5.3.1.3.1", ("2014-06-09", _BARE))

AUTHOR: Final = template("4.119")
ALLERGY_CONCERN: Final = template("4.30", "2015-08-01", _BARE)
ALLERGY: Final = template("4.7", "2014-06-09", _BARE)
SUBSTANCE_ALLERGY: Final = Template("2.16.840.1.113883.10.20.24.3.90", ("2014-06-09", _BARE))
ALLERGY_STATUS: Final = template("4.28", "2019-06-20", _BARE)
REACTION: Final = template("4.9", "2014-06-09", _BARE)
PROBLEM_CONCERN: Final = template("4.3", "2015-08-01", _BARE, "2024-05-01")
PROBLEM: Final = template("4.4", "2015-08-01", _BARE, "2024-05-01")
PROBLEM_STATUS: Final = template("4.6", "2019-06-20", _BARE)
MEDICATION: Final = template("4.16", "2014-06-09", _BARE)
MEDICATION_PRODUCT: Final = template("4.23", "2014-06-09", _BARE)
FREE_TEXT_SIG: Final = template("4.147")
PROCEDURE: Final = template("4.14", "2014-06-09", _BARE, "2024-05-01")
PLANNED_PROCEDURE: Final = template("4.41", "2014-06-09", _BARE, "2022-06-01")
RESULT_ORGANIZER: Final = template("4.1", "2015-08-01", _BARE, "2023-05-01")
RESULT: Final = template("4.2", "2015-08-01", _BARE, "2023-05-01")
VITAL_ORGANIZER: Final = template("4.26", "2015-08-01", _BARE)
VITAL: Final = template("4.27", "2014-06-09", _BARE)
SMOKING: Final = template("4.78", "2014-06-09", _BARE, "2024-05-01")
SEX: Final = template("4.507", "2023-07-01")
VACCINATION: Final = template("4.52", "2015-08-01", _BARE)
VACCINE_PRODUCT: Final = template("4.54", "2014-06-09", _BARE)
REFUSAL: Final = template("4.53")
ENCOUNTER: Final = template("4.49", "2015-08-01", _BARE)
FUNCTIONAL_STATUS: Final = template("4.67", "2014-06-09", _BARE)
MENTAL_STATUS: Final = template("4.74", "2015-08-01", _BARE)
INSTRUCTION: Final = template("4.20", "2014-06-09", _BARE)
PATIENT_REFERRAL: Final = template("4.140")
