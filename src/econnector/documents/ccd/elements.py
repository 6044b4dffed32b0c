"""Making CDA's elements: ids, times, codes, quantities, null flavours.

Elements bear their names as they stand in the file (`sdtc:raceCode`, `xsi:type`); the document's root declares the
namespaces once. Nothing that XML cannot carry gets in: control characters and lone surrogates are dropped here.
"""

import datetime as dt
import decimal
import math
import re
from typing import Final, Literal
from xml.etree.ElementTree import Element

from econnector.documents.ccd.oids import CODE_SYSTEMS, System, Template
from econnector.opendental.summary.records import Code

__all__ = [
    "NullFlavor",
    "at",
    "clean",
    "coded",
    "day",
    "element",
    "interval",
    "measure",
    "moment",
    "named",
    "null",
    "number",
    "once",
    "reference",
    "status",
    "templates",
    "text",
]

NullFlavor = Literal["ASKU", "NA", "NI", "OTH", "UNK"]
"""Asked but unknown, not applicable, no information, not in the code system, unknown."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_UNIT: Final = "1"


def clean(value: str) -> str:
    """Return a text without what XML cannot carry and without blanks around it; lines end in a line feed."""
    if value.isprintable():
        return value.strip()
    return _NOT_XML.sub("", value).replace("\r\n", "\n").replace("\r", "\n").strip()


def element(name: str, *children: Element | None, **attributes: str) -> Element:
    """Return an element with children (None for none) and attributes (`xsi_type` for `xsi:type`; empty ones left out).

    White space within an attribute becomes one blank, since a reader of XML would make it one anyway.
    """
    made = Element(name)
    for key, value in attributes.items():
        if short := " ".join(clean(value).split()):
            made.set(key.replace("_", ":"), short)
    made.extend([child for child in children if child is not None])
    return made


def text(name: str, words: str, **attributes: str) -> Element:
    """Return an element with a text, or with the null flavour UNK where there is none."""
    words = clean(words)
    if not words:
        return element(name, nullFlavor="UNK")
    made = element(name, **attributes)
    made.text = words
    return made


def null(name: str, flavor: NullFlavor, *children: Element | None, **attributes: str) -> Element:
    """Return an element that says why it says nothing."""
    return element(name, *children, nullFlavor=flavor, **attributes)


def templates(*declared: Template) -> list[Element]:
    """Return the template ids of one or more templates, in the order of their dates."""
    return [element("templateId", root=one.root, extension=date) for one in declared for date in one.dates]


def reference(line: str, name: str = "text") -> Element:
    """Return a text, an `originalText` or an organizer's `sdtc:text`: the narrative's element with the id `line`."""
    return element(name, element("reference", value=f"#{line}"))


def coded(
    name: str, code: Code | None, *within: Element | None, flavor: NullFlavor = "OTH", xsi_type: str = ""
) -> Element:
    """Return a code with what stands within it (original text, translations); without a code, its null flavour."""
    value = "".join(clean(code.value).split()) if code is not None else ""
    if code is None or not value:
        return null(name, flavor, *within, xsi_type=xsi_type)
    return named(name, value, CODE_SYSTEMS[code.system], code.text, *within, xsi_type=xsi_type)


def named(
    name: str, value: str, system: System, words: str = "", *within: Element | None, **attributes: str
) -> Element:
    """Return a code of a system by value, with its words and with what stands within it."""
    return element(
        name,
        *within,
        code=value,
        codeSystem=system.oid,
        codeSystemName=system.name,
        displayName=words,
        **attributes,
    )


def status(code: str) -> Element:
    """Return an act's status: completed, active, aborted."""
    return element("statusCode", code=code)


def day(when: dt.date | None) -> str:
    """Return a time to the day, such as 20261120; empty for None."""
    return f"{when.year:04}{when.month:02}{when.day:02}" if when is not None else ""


def moment(when: dt.datetime | None) -> str:
    """Return a time to the minute with its offset, such as 202611201430-0800; to the day where there is no offset."""
    if when is None:
        return ""
    offset = when.utcoffset()
    if offset is None:
        return day(when)
    minutes = round(offset.total_seconds() / 60)
    return f"{day(when)}{when:%H%M}{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def at(when: dt.date | dt.datetime | None) -> str:
    """Return a day or a moment, each as exactly as it is known."""
    return moment(when) if isinstance(when, dt.datetime) else day(when)


def once(when: dt.date | dt.datetime | None, name: str = "effectiveTime") -> Element:
    """Return one point in time, or that it is unknown."""
    return _point(name, at(when))


def interval(
    low: dt.date | dt.datetime | None,
    high: dt.date | dt.datetime | None,
    *,
    over: bool = False,
    xsi_type: str = "",
) -> Element:
    """Return an interval; its beginning stands there even if unknown, its end only if known, or if it is over."""
    ended = _point("high", at(high)) if high is not None or over else None
    return element("effectiveTime", _point("low", at(low)), ended, xsi_type=xsi_type)


def measure(value: float | None, unit: str, name: str = "value", xsi_type: str = "PQ") -> Element:
    """Return a quantity with its UCUM unit, without an exponent; what is no number is unknown.

    A value without a unit is a pure number (unit 1); a dose without one stays so: it counts what is administered.
    """
    if value is None or not math.isfinite(value):
        return null(name, "UNK", xsi_type=xsi_type)
    unit = "".join(clean(unit).split()) or (_NO_UNIT if xsi_type else "")
    return element(name, xsi_type=xsi_type, value=number(value), unit=unit)


def number(value: float) -> str:
    """Return a number as people write it: 60.5, 98."""
    short = f"{decimal.Decimal(repr(value)):f}"
    return short.rstrip("0").rstrip(".") if "." in short else short


def _point(name: str, value: str) -> Element:
    return element(name, value=value) if value else null(name, "UNK")
