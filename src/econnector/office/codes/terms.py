"""Whose terms a practice accepts before it imports a system, and where its file comes from.

The publishers' texts are theirs and long; what is shown here says what they ask for and where they stand. What is
accepted is kept with the digest of these words, so that a change of them asks anew.
"""

import hashlib

import msgspec

from econnector.opendental.codesystems import CodeSystem, Licence

__all__ = ["SOURCES", "Terms", "digest", "terms_of"]


class Terms(msgspec.Struct, frozen=True):
    """What a publisher asks for."""

    publisher: str
    where: str
    """Where the full text stands."""
    words: str


# ruff: noqa: E501 - sentences that people read stay whole
_TERMS: dict[Licence, Terms] = {
    "ama": Terms(
        "the American Medical Association",
        "https://www.ama-assn.org/practice-management/cpt",
        "CPT is the property of the American Medical Association and is licensed for money, per user. By importing it you say that this practice has a licence for this edition, and that it is used by no more people than the licence covers.",
    ),
    "loinc": Terms(
        "Regenstrief Institute, Inc.",
        "https://loinc.org/license/",
        "LOINC is free to use under its licence. Its content must not be changed, and the notice must stay with it: this material contains content from LOINC (https://loinc.org), which is copyright Regenstrief Institute, Inc. and the LOINC Committee, available at no cost under the licence at https://loinc.org/license. Rows with an external copyright notice are also under the terms of whom that notice names.",
    ),
    "snomed": Terms(
        "SNOMED International",
        "https://www.nlm.nih.gov/healthit/snomedct/snomed_licensing.html",
        "SNOMED CT is the property of SNOMED International. It may be used in a member country (the United States is one) under that country's licence, elsewhere under an affiliate licence of your own. By importing it you say that this practice is in a member country or has such a licence, and that it will not pass the content on.",
    ),
    "ucum": Terms(
        "Regenstrief Institute, Inc. and the UCUM Organization",
        "https://ucum.org/license",
        "UCUM is free to use under its licence; its codes must not be changed, and the notice must stay with it: copyright Regenstrief Institute, Inc. and the UCUM Organization, all rights reserved.",
    ),
}
SOURCES = {
    "CDCREC": "comes with eConnector",
    "CPT": "the American Medical Association's download for licence holders (its zip with MEDU.txt)",
    "CVX": "comes with eConnector; the CDC publishes the current list (cvx.txt)",
    "HCPCS": "the Centers for Medicare & Medicaid Services publish it",
    "ICD10CM": "the CDC's National Center for Health Statistics publishes it (the zip with icd10cm_order)",
    "ICD9CM": "the Centers for Medicare & Medicaid Services publish the last edition",
    "LOINC": "https://loinc.org, after registration",
    "RXNORM": "the National Library of Medicine, with a UMLS licence",
    "SNOMEDCT": "the National Library of Medicine, with a UMLS licence (the zip of the US edition); your Open Dental may have it already",
    "SOP": "the Public Health Data Standards Consortium publishes it",
    "UCUM": "https://ucum.org",
}
"""Where each system's file comes from, for words."""


def terms_of(system: CodeSystem) -> Terms | None:
    """Return the terms that must be accepted for a system, None for none."""
    return _TERMS.get(system.licence)


def digest(terms: Terms) -> str:
    """Return what identifies these words."""
    return hashlib.sha256(msgspec.json.encode(terms)).hexdigest()
