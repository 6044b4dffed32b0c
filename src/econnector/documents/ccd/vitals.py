"""Vital signs: what was measured at one time, each measure with its LOINC code and its UCUM unit."""

import decimal
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import element, measure, named, number, once, reference, status, templates
from econnector.documents.ccd.narrative import Line
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import VitalSigns

__all__ = ["body_mass_index", "section"]

_KIND: Final = Kind("vitals", oids.VITALS, "8716-3")
_METRES_PER_INCH: Final = decimal.Decimal("0.0254")
_KILOGRAMS_PER_POUND: Final = decimal.Decimal("0.45359237")


class _Measure(NamedTuple):
    part: str
    loinc: str
    called: str
    value: float
    unit: str
    place: int
    """The cell where it is read."""


def section(writing: Writing) -> Section:
    """Return the section; a record without any measure tells nothing and is left out."""
    return writing.section(_KIND, [_row(writing, one) for one in writing.summary.vitals if _measures(one)])


def body_mass_index(signs: VitalSigns) -> float:
    """Return kilograms per square metre to one decimal; 0.0 where height or weight was not measured."""
    if signs.height_in <= 0 or signs.weight_lb <= 0:
        return 0.0
    metres = decimal.Decimal(repr(signs.height_in)) * _METRES_PER_INCH
    kilograms = decimal.Decimal(repr(signs.weight_lb)) * _KILOGRAMS_PER_POUND
    return float(round(kilograms / metres**2, 1))


def _row(writing: Writing, signs: VitalSigns) -> Row:
    words = writing.words
    line = writing.line(
        "vitals",
        signs.number,
        words.day(signs.taken),
        f"{number(signs.height_in)} in" if signs.height_in > 0 else "",
        f"{number(signs.weight_lb)} lb" if signs.weight_lb > 0 else "",
        _pressure(signs),
        f"{signs.pulse} {words('beats')}" if signs.pulse > 0 else "",
        f"{number(index)} kg/m²" if (index := body_mass_index(signs)) else "",
    )
    return Row((line,), _organizer(writing, line, signs))


def _pressure(signs: VitalSigns) -> str:
    if signs.systolic <= 0 and signs.diastolic <= 0:
        return ""
    upper, lower = (str(one) if one > 0 else "–" for one in (signs.systolic, signs.diastolic))
    return f"{upper}/{lower} mmHg"


def _organizer(writing: Writing, line: Line, signs: VitalSigns) -> Element:
    panel = named("translation", "74728-7", oids.LOINC)
    return element(
        "organizer",
        *templates(oids.VITAL_ORGANIZER),
        writing.id("vitalsign", signs.number),
        named("code", "46680005", oids.SNOMED, "", panel),
        reference(line.id, "sdtc:text"),
        status("completed"),
        once(signs.taken),
        *(element("component", _observation(writing, line, signs, one)) for one in _measures(signs)),
        classCode="CLUSTER",
        moodCode="EVN",
    )


def _observation(writing: Writing, line: Line, signs: VitalSigns, one: _Measure) -> Element:
    return element(
        "observation",
        *templates(oids.VITAL),
        writing.id("vitalsign", signs.number, one.part),
        named("code", one.loinc, oids.LOINC, one.called),
        reference(cell(line, one.place)),
        status("completed"),
        once(signs.taken),
        measure(one.value, one.unit),
        classCode="OBS",
        moodCode="EVN",
    )


def _measures(signs: VitalSigns) -> list[_Measure]:
    every = (
        _Measure("height", "8302-2", "Height", signs.height_in, "[in_i]", 1),
        _Measure("weight", "29463-7", "Weight", signs.weight_lb, "[lb_av]", 2),
        _Measure("systolic", "8480-6", "Systolic blood pressure", signs.systolic, "mm[Hg]", 3),
        _Measure("diastolic", "8462-4", "Diastolic blood pressure", signs.diastolic, "mm[Hg]", 3),
        _Measure("pulse", "8867-4", "Pulse", signs.pulse, "/min", 4),
        _Measure("bmi", "39156-5", "Body mass index", body_mass_index(signs), "kg/m2", 5),
    )
    return [one for one in every if one.value > 0]
