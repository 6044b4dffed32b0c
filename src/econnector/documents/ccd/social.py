"""Social history: tobacco, and the sex that the practice recorded.

C-CDA has an observation of the sex at birth too; Open Dental does not know that, so none is claimed.
"""

from typing import Final

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import coded, element, named, once, reference, status, templates
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Gender, Smoking

__all__ = ["section"]

_KIND: Final = Kind("social", oids.SOCIAL, "29762-2")
_SEXES: Final[dict[Gender, str]] = {"F": "248152002", "M": "248153007"}
"""SNOMED CT."""


def section(writing: Writing) -> Section:
    """Return the section."""
    smoking = [_smoking(writing, one) for one in writing.summary.smoking]
    return writing.section(_KIND, [*smoking, *_sex(writing)])


def _smoking(writing: Writing, smoking: Smoking) -> Row:
    line = writing.line(
        "smoking",
        smoking.number,
        writing.words("tobacco"),
        writing.called("", smoking.code),
        writing.words.day(smoking.at),
    )
    statement = element(
        "observation",
        *templates(oids.SMOKING),
        writing.id("ehrmeasureevent", smoking.number),
        named("code", "72166-2", oids.LOINC, "Tobacco"),
        reference(line.id),
        status("completed"),
        once(smoking.at),
        coded("value", smoking.code, reference(cell(line, 1), "originalText"), xsi_type="CD"),
        classCode="OBS",
        moodCode="EVN",
    )
    return Row((line,), statement)


def _sex(writing: Writing) -> list[Row]:
    subject = writing.summary.subject
    if subject.gender not in _SEXES:
        return []
    line = writing.line("sex", subject.number, writing.words("sex"), writing.words(f"sex.{subject.gender}"), "")
    statement = element(
        "observation",
        *templates(oids.SEX),
        writing.id("patient", subject.number, "sex"),
        named("code", "46098-0", oids.LOINC, "Sex"),
        reference(line.id),
        status("completed"),
        once(writing.summary.made),
        named(
            "value", _SEXES[subject.gender], oids.SNOMED, "", reference(cell(line, 1), "originalText"), xsi_type="CD"
        ),
        classCode="OBS",
        moodCode="EVN",
    )
    return [Row((line,), statement)]
