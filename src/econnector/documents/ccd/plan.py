"""Plan of treatment: what a care plan asks of the patient, and procedures that are planned.

In 3.0 an act may not stand in this section alone, so that an instruction is told within what it is about.
"""

from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids, procedures
from econnector.documents.ccd.elements import coded, element, named, once, reference, status, templates
from econnector.documents.ccd.narrative import Line
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import PlanItem

__all__ = ["section"]

_KIND: Final = Kind("plan", oids.PLAN, "18776-5")
_EDUCATION: Final = "311401005"
"""SNOMED CT: that a patient is taught."""
_INSTRUCTIONS: Final = 1


def section(writing: Writing) -> Section:
    """Return the section."""
    items = [_row(writing, one) for one in writing.summary.plan]
    return writing.section(_KIND, [*items, *procedures.planned(writing)])


def _row(writing: Writing, item: PlanItem) -> Row:
    line = writing.line(
        "plan",
        item.number,
        writing.called("", item.code) if item.code is not None else writing.words("instruction"),
        item.instructions,
        writing.words.day(item.date),
    )
    statement = element(
        "procedure",
        *templates(oids.PLANNED_PROCEDURE),
        writing.id("ehrcareplan", item.number),
        coded("code", item.code, reference(cell(line, 0), "originalText")),
        reference(line.id),
        status("active"),
        once(item.date),
        _instruction(line) if line.cells[_INSTRUCTIONS] else None,
        classCode="PROC",
        moodCode="INT",
    )
    return Row((line,), statement)


def _instruction(line: Line) -> Element:
    act = element(
        "act",
        *templates(oids.INSTRUCTION),
        named("code", _EDUCATION, oids.SNOMED),
        reference(cell(line, _INSTRUCTIONS)),
        status("completed"),
        classCode="ACT",
        moodCode="INT",
    )
    return element("entryRelationship", act, typeCode="SUBJ", inversionInd="true")
