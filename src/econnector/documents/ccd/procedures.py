"""Procedures, each with its tooth or area.

The tooth stands as original text: HL7 has a code system of the ADA's tooth numbers, but no OID that CDA could name it
by (terminology.hl7.org, ADAUniversalToothDesignationSystem), and the SNOMED CT concepts of teeth are not ours to ship.
What is only planned belongs to the plan of treatment: this section tells of what happened.
"""

from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import clean, coded, element, null, once, reference, status, templates, text
from econnector.documents.ccd.words import Words
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Procedure

__all__ = ["planned", "section"]

_KIND: Final = Kind("procedures", oids.PROCEDURES, "47519-4")
_SEXTANTS: Final = frozenset("123456")
_AREAS: Final = frozenset({"UR", "UL", "LR", "LL", "U", "L"})
_SURFACES: Final = frozenset("MODBFLIV")


def section(writing: Writing) -> Section:
    """Return the section."""
    done = [one for one in writing.summary.procedures if one.status != "planned"]
    return writing.section(_KIND, [_row(writing, one) for one in done])


def planned(writing: Writing) -> list[Row]:
    """Return what is planned, as rows of the plan of treatment."""
    return [_planned(writing, one) for one in writing.summary.procedures if one.status == "planned"]


def _row(writing: Writing, procedure: Procedure) -> Row:
    line = writing.line(
        "procedure",
        procedure.number,
        writing.called(procedure.what, procedure.code),
        "; ".join(_sites(writing.words, procedure)),
        writing.words(f"status.{procedure.status}"),
        writing.words.day(procedure.date),
        writing.named(procedure.performer),
    )
    statement = element(
        "procedure",
        *templates(oids.PROCEDURE),
        writing.id("procedurelog", procedure.number),
        coded("code", procedure.code, reference(cell(line, 0), "originalText")),
        reference(line.id),
        # A condition was charted with a procedure's code: it goes on, nothing was carried out.
        status("active" if procedure.status == "condition" else "completed"),
        once(procedure.date),
        *_target_sites(writing.words, procedure),
        writing.performer(procedure.performer),
        classCode="PROC",
        moodCode="EVN",
    )
    return Row((line,), statement)


def _planned(writing: Writing, procedure: Procedure) -> Row:
    line = writing.line(
        "procedure",
        procedure.number,
        writing.called(procedure.what, procedure.code),
        # Open Dental's status for it means a plan that was made and is not the one in use.
        "; ".join((*_sites(writing.words, procedure), writing.words("status.planned"))),
        writing.words.day(procedure.date),
    )
    statement = element(
        "procedure",
        *templates(oids.PLANNED_PROCEDURE),
        writing.id("procedurelog", procedure.number),
        coded("code", procedure.code, reference(cell(line, 0), "originalText")),
        reference(line.id),
        status("active"),
        once(procedure.date),
        *_target_sites(writing.words, procedure),
        writing.performer(procedure.performer),
        classCode="PROC",
        moodCode="PRP",
    )
    return Row((line,), statement)


def _target_sites(words: Words, procedure: Procedure) -> list[Element]:
    return [null("targetSiteCode", "OTH", text("originalText", site)) for site in _sites(words, procedure)]


def _sites(words: Words, procedure: Procedure) -> list[str]:
    """Return where in the mouth, one text per tooth: `Tooth 14 (mesial, occlusal)`, `Upper right`."""
    tooth, surface = clean(procedure.tooth), clean(procedure.surface)
    named = f"{words('tooth')} {tooth}" if tooth else ""
    area = _area(words, surface, of_tooth=bool(tooth))
    first = f"{named} ({area})" if named and area else named or area
    others = [f"{words('tooth')} {one}" for each in procedure.teeth if (one := clean(each))]
    return [one for one in (first, *others) if one]


def _area(words: Words, surface: str, *, of_tooth: bool) -> str:
    """Return a surface, quadrant, sextant or arch in words; what is none of them as it is."""
    letters = surface.upper()
    if not of_tooth and letters in _SEXTANTS:
        return f"{words('sextant')} {letters}"
    if not of_tooth and letters in _AREAS:
        return words(f"area.{letters}")
    if letters and _SURFACES.issuperset(letters):
        return ", ".join(words(f"surface.{one}") for one in letters)
    return surface
