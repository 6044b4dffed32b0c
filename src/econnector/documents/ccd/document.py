"""One care summary: the XML for machines, and what is read."""

from collections.abc import Callable
from typing import Final
from xml.etree.ElementTree import tostring

from econnector.documents.ccd import (
    allergies,
    encounters,
    functional,
    immunizations,
    medications,
    plan,
    problems,
    procedures,
    referral,
    results,
    social,
    vitals,
)
from econnector.documents.ccd.elements import element
from econnector.documents.ccd.header import header
from econnector.documents.ccd.narrative import Told
from econnector.documents.ccd.writing import Section, Writing
from econnector.opendental.summary.records import Summary

__all__ = ["build", "told"]

_SECTIONS: Final[tuple[Callable[[Writing], Section], ...]] = (
    allergies.section,
    medications.section,
    problems.section,
    procedures.section,
    results.section,
    vitals.section,
    social.section,
    immunizations.section,
    encounters.section,
    functional.section,
    plan.section,
    referral.section,
)
"""In the order in which they are read."""


def build(summary: Summary) -> bytes:
    """Return the summary as a Continuity of Care Document, UTF-8: HL7 CDA R2 by C-CDA R2.1 and 3.0, in English.

    The same summary gives the same bytes.
    """
    writing = Writing(summary, "en")
    body = element("structuredBody", *(element("component", make(writing).element) for make in _SECTIONS))
    document = element("ClinicalDocument", *header(writing), element("component", body))
    document.set("xmlns", "urn:hl7-org:v3")
    document.set("xmlns:sdtc", "urn:hl7-org:sdtc")
    document.set("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
    made: bytes = tostring(document, "UTF-8", xml_declaration=True)
    return made


def told(summary: Summary, language: str = "en") -> list[Told]:
    """Return what is read of each section, in order; `language` is `en` or `es`, anything else means English."""
    writing = Writing(summary, language)
    return [make(writing).told for make in _SECTIONS]
