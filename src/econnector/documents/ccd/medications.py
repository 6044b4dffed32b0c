"""Medications, taken now or once."""

from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import (
    coded,
    element,
    interval,
    named,
    null,
    once,
    reference,
    status,
    templates,
)
from econnector.documents.ccd.narrative import Line
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Medication

__all__ = ["section"]

_KIND: Final = Kind("medications", oids.MEDICATIONS, "10160-0")
_DRUG: Final = "410942007"
"""SNOMED CT: any drug or medicament."""
_INSTRUCTIONS: Final = 1


def section(writing: Writing) -> Section:
    """Return the section."""
    summary = writing.summary
    none = ("none.medications", lambda said: _none(writing, said)) if "medications" in summary.none_known else None
    return writing.section(_KIND, [_row(writing, one) for one in summary.medications], none)


def _row(writing: Writing, medication: Medication) -> Row:
    words = writing.words
    line = writing.line(
        "medication",
        medication.number,
        writing.called(medication.what, medication.code),
        medication.instructions,
        words("status.active" if medication.active else "status.inactive"),
        words.day(medication.begins),
        words.day(medication.ends),
        writing.named(medication.prescriber),
    )
    statement = element(
        "substanceAdministration",
        *templates(oids.MEDICATION),
        writing.id("medicationpat", medication.number),
        reference(line.id),
        status("active" if medication.active else "completed"),
        interval(medication.begins, medication.ends, over=not medication.active, xsi_type="IVL_TS"),
        null("doseQuantity", "UNK"),
        _product(coded("code", medication.code, reference(cell(line, 0), "originalText"))),
        _prescriber(writing, medication),
        _sig(line) if line.cells[_INSTRUCTIONS] else None,
        classCode="SBADM",
        moodCode="EVN",
    )
    return Row((line,), statement)


def _product(code: Element) -> Element:
    product = element(
        "manufacturedProduct",
        *templates(oids.MEDICATION_PRODUCT),
        element("manufacturedMaterial", code),
        classCode="MANU",
    )
    return element("consumable", product)


def _prescriber(writing: Writing, medication: Medication) -> Element | None:
    one = writing.clinician(medication.prescriber)
    if one is None or not one.is_person:
        return None
    when = once(medication.noted or medication.begins, "time")
    return element("author", *templates(oids.AUTHOR), when, writing.entity(one, "assignedAuthor"))


def _sig(line: Line) -> Element:
    """How to take it, in words; such a statement may hold nothing else, and no drug again."""
    drug = null("manufacturedLabeledDrug", "NA")
    sig = element(
        "substanceAdministration",
        *templates(oids.FREE_TEXT_SIG),
        named("code", "76662-6", oids.LOINC),
        reference(cell(line, _INSTRUCTIONS)),
        element("consumable", element("manufacturedProduct", drug)),
        classCode="SBADM",
        moodCode="INT",
    )
    return element("entryRelationship", sig, typeCode="COMP")


def _none(writing: Writing, said: str) -> Element:
    """Somebody asked, and the patient takes none: the taking of any drug is negated."""
    drug = named("translation", _DRUG, oids.SNOMED)
    interval_of_none = element("effectiveTime", null("low", "NA"), xsi_type="IVL_TS")
    return element(
        "substanceAdministration",
        *templates(oids.MEDICATION),
        element("id", root=writing.root("no-medication", writing.summary.subject.number)),
        reference(said),
        status("active"),
        interval_of_none,
        null("doseQuantity", "NA"),
        _product(coded("code", None, reference(said, "originalText"), drug)),
        classCode="SBADM",
        moodCode="EVN",
        negationInd="true",
    )
