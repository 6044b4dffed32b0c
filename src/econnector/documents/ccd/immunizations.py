"""Immunizations, given or not."""

from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import (
    clean,
    coded,
    element,
    measure,
    named,
    null,
    number,
    once,
    reference,
    status,
    templates,
    text,
)
from econnector.documents.ccd.narrative import Line
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Vaccine

__all__ = ["section"]

_KIND: Final = Kind("immunizations", oids.IMMUNIZATIONS, "11369-6")
_NOT_GIVEN: Final = frozenset({"refused", "not-given"})
_ROUTES: Final = {
    "intradermal": "C38238",
    "intramuscular": "C28161",
    "nasal": "C38284",
    "intravenous": "C38276",
    "oral": "C38288",
    "subcutaneous": "C38299",
    "transdermal": "C38305",
}
"""The FDA's routes of administration, in NCI's thesaurus."""
_REASONS: Final = {"parental": "PATOBJ", "patient": "PATOBJ", "religious": "RELIG"}
"""HL7 ActReason; who objects for a child objects as the patient."""


def section(writing: Writing) -> Section:
    """Return the section."""
    return writing.section(_KIND, [_row(writing, one) for one in writing.summary.vaccines])


def _row(writing: Writing, vaccine: Vaccine) -> Row:
    words = writing.words
    line = writing.line(
        "vaccine",
        vaccine.number,
        writing.called(vaccine.what, vaccine.code),
        _status_words(writing, vaccine),
        words.day(vaccine.at),
        f"{number(vaccine.amount)} {vaccine.unit}" if vaccine.amount else "",
        words.known(f"route.{vaccine.route}"),
        _lot_words(writing, vaccine),
        vaccine.manufacturer,
        writing.named(vaccine.giver),
    )
    not_given = vaccine.status in _NOT_GIVEN
    statement = element(
        "substanceAdministration",
        *templates(oids.VACCINATION),
        writing.id("vaccinepat", vaccine.number),
        reference(line.id),
        status("aborted" if vaccine.status == "partly-given" else "completed"),
        once(vaccine.at),
        named("routeCode", _ROUTES[vaccine.route], oids.ROUTE) if vaccine.route in _ROUTES else None,
        measure(vaccine.amount, vaccine.unit, "doseQuantity", "") if vaccine.amount else None,
        _product(line, vaccine),
        None if not_given else writing.performer(vaccine.giver),
        _refusal(writing, line, vaccine) if not_given and vaccine.refusal else None,
        classCode="SBADM",
        moodCode="EVN",
        negationInd="true" if not_given else "false",
    )
    return Row((line,), statement)


def _status_words(writing: Writing, vaccine: Vaccine) -> str:
    said = writing.words(f"status.{vaccine.status}")
    # Of one that was given it was left over when somebody corrected the row.
    reason = "" if vaccine.status == "given" else writing.words.known(f"refusal.{vaccine.refusal}")
    return f"{said}: {reason}" if reason else said


def _lot_words(writing: Writing, vaccine: Vaccine) -> str:
    expires = f"{writing.words('expires')} {writing.words.day(vaccine.expires)}" if vaccine.expires else ""
    lot = clean(vaccine.lot)
    return f"{lot} ({expires})" if lot and expires else lot or expires


def _product(line: Line, vaccine: Vaccine) -> Element:
    expiry = element("sdtc:expirationTime", once(vaccine.expires, "high")) if vaccine.expires else None
    material = element(
        "manufacturedMaterial",
        coded("code", vaccine.code, reference(cell(line, 0), "originalText")),
        text("lotNumberText", vaccine.lot) if clean(vaccine.lot) else None,
        expiry,
    )
    maker = element("manufacturerOrganization", text("name", vaccine.manufacturer))
    product = element(
        "manufacturedProduct",
        *templates(oids.VACCINE_PRODUCT),
        material,
        maker if clean(vaccine.manufacturer) else None,
        classCode="MANU",
    )
    return element("consumable", product)


def _refusal(writing: Writing, line: Line, vaccine: Vaccine) -> Element:
    where = reference(cell(line, 1), "originalText")
    reason = _REASONS.get(vaccine.refusal, "")
    observation = element(
        "observation",
        *templates(oids.REFUSAL),
        writing.id("vaccinepat", vaccine.number, "refusal"),
        named("code", reason, oids.ACT_REASON, "", where) if reason else null("code", "OTH", where),
        status("completed"),
        classCode="OBS",
        moodCode="EVN",
    )
    return element("entryRelationship", observation, typeCode="RSON")
