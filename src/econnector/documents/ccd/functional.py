"""Functional and mental status.

R1.1 had templates of its own for functional and cognitive problems; R2.1 did away with them, so that a problem of that
kind is a status observation too.
"""

from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import coded, element, interval, named, reference, status, templates
from econnector.documents.ccd.oids import Template
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Functional, FunctionalKind

__all__ = ["section"]

_KIND: Final = Kind("functional", oids.FUNCTIONAL, "47420-5")
_MENTAL: Final[frozenset[FunctionalKind]] = frozenset({"cognitive-result", "cognitive-problem"})


def section(writing: Writing) -> Section:
    """Return the section."""
    return writing.section(_KIND, [_row(writing, one) for one in writing.summary.functional])


def _row(writing: Writing, finding: Functional) -> Row:
    words = writing.words
    line = writing.line(
        "functional",
        finding.number,
        writing.called(finding.what, finding.code),
        words(f"functional.{finding.kind}"),
        words(f"status.{finding.status}"),
        words.day(finding.begins),
        words.day(finding.ends),
    )
    template, code = _form(finding.kind)
    statement = element(
        "observation",
        *templates(template),
        writing.id("disease", finding.number, "functional"),
        code,
        reference(line.id),
        status("completed"),
        interval(finding.begins, finding.ends, over=finding.status == "resolved"),
        coded("value", finding.code, reference(cell(line, 0), "originalText"), xsi_type="CD"),
        classCode="OBS",
        moodCode="EVN",
    )
    return Row((line,), statement)


def _form(kind: FunctionalKind) -> tuple[Template, Element]:
    if kind in _MENTAL:
        same = named("translation", "75275-8", oids.LOINC)
        return oids.MENTAL_STATUS, named("code", "373930000", oids.SNOMED, "", same)
    return oids.FUNCTIONAL_STATUS, named("code", "54522-8", oids.LOINC, "Functional status")
