"""Encounters: visits that the practice recorded as such."""

from typing import Final

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import coded, element, once, reference, templates
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Encounter

__all__ = ["section"]

_KIND: Final = Kind("encounters", oids.ENCOUNTERS, "46240-8")


def section(writing: Writing) -> Section:
    """Return the section."""
    return writing.section(_KIND, [_row(writing, one) for one in writing.summary.encounters])


def _row(writing: Writing, encounter: Encounter) -> Row:
    line = writing.line(
        "encounter",
        encounter.number,
        writing.called(encounter.what, encounter.code),
        writing.words.day(encounter.date),
        writing.named(encounter.performer),
    )
    statement = element(
        "encounter",
        *templates(oids.ENCOUNTER),
        writing.id("encounter", encounter.number),
        coded("code", encounter.code, reference(cell(line, 0), "originalText")),
        reference(line.id),
        once(encounter.date),
        writing.performer(encounter.performer),
        classCode="ENC",
        moodCode="EVN",
    )
    return Row((line,), statement)
