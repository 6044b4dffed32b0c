"""Results: what a laboratory reported, value by value."""

import math
from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import (
    clean,
    coded,
    element,
    interval,
    measure,
    named,
    null,
    once,
    reference,
    status,
    templates,
    text,
)
from econnector.documents.ccd.narrative import Line
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import LabOrder, LabResult

__all__ = ["section"]

_KIND: Final = Kind("results", oids.RESULTS, "30954-2")
_REPORT: Final = 6
_FLAGS: Final = frozenset("B D U W < > A AA HH LL H L N I MS R S VS".split())  # noqa: SIM905 - as a list it fills a page
"""HL7 ObservationInterpretation, as both editions take it."""


def section(writing: Writing) -> Section:
    """Return the section."""
    return writing.section(_KIND, [_row(writing, one) for one in writing.summary.labs])


def _row(writing: Writing, order: LabOrder) -> Row:
    report = writing.called(order.what, order.code)
    made = [_result(writing, order, report, one) for one in order.results] or [_nothing(writing, order, report)]
    lines = tuple(line for line, _ in made)
    moments = [one.at for one in order.results if one.at is not None] or ([order.at] if order.at is not None else [])
    days = sorted(moments, key=lambda when: when.replace(tzinfo=None))
    final = all(one.final for one in order.results)
    organizer = element(
        "organizer",
        *templates(oids.RESULT_ORGANIZER),
        writing.id("ehrlab", order.number),
        coded("code", order.code, reference(cell(lines[0], _REPORT), "originalText")),
        status("completed" if final else "active"),
        interval(days[0], days[-1]) if days else interval(None, None, over=True),
        *(element("component", observation) for _, observation in made),
        classCode="BATTERY",
        moodCode="EVN",
    )
    return Row(lines, organizer)


def _result(writing: Writing, order: LabOrder, report: str, result: LabResult) -> tuple[Line, Element]:
    words = writing.words
    value = f"{clean(result.value)} {clean(result.unit)}".strip() if clean(result.value) else ""
    line = writing.line(
        "result",
        result.number,
        writing.called(result.what, result.code),
        value,
        result.range,
        words.known(f"flag.{result.flag}") or result.flag,
        words("status.final" if result.final else "status.preliminary"),
        words.day(result.at or order.at),
        report,
    )
    observation = element(
        "observation",
        *templates(oids.RESULT),
        writing.id("ehrlabresult", result.number),
        coded("code", result.code, reference(cell(line, 0), "originalText")),
        reference(line.id),
        status("completed" if result.final else "active"),
        once(result.at or order.at),
        _value(result),
        named("interpretationCode", result.flag, oids.INTERPRETATION) if result.flag in _FLAGS else None,
        _range(result),
        classCode="OBS",
        moodCode="EVN",
    )
    return line, observation


def _nothing(writing: Writing, order: LabOrder, report: str) -> tuple[Line, Element]:
    """A report without any value is told too."""
    line = writing.line("report", order.number, report, "", "", "", "", writing.words.day(order.at), report)
    observation = element(
        "observation",
        *templates(oids.RESULT),
        writing.id("ehrlab", order.number, "nothing"),
        coded("code", order.code, reference(cell(line, 0), "originalText")),
        reference(line.id),
        status("completed"),
        once(order.at),
        null("value", "NI", xsi_type="ST"),
        classCode="OBS",
        moodCode="EVN",
    )
    return line, observation


def _value(result: LabResult) -> Element:
    if result.quantity is not None and math.isfinite(result.quantity):
        return measure(result.quantity, result.unit)
    if not clean(result.value):
        return null("value", "NI", xsi_type="ST")
    return text("value", f"{clean(result.value)} {clean(result.unit)}", xsi_type="ST")


def _range(result: LabResult) -> Element | None:
    if not clean(result.range):
        return None
    return element("referenceRange", element("observationRange", text("value", result.range, xsi_type="ST")))
