"""Reason for referral: whom the practice sent the patient to, and why."""

from typing import Final

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import clean, element, named, once, reference, status, templates, text
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Referral

__all__ = ["section"]

_KIND: Final = Kind("referral", oids.REFERRAL, "42349-1")
_REASON: Final = 1
_REFERRAL: Final = "3457005"
"""SNOMED CT: referral of a patient, to whomever."""


def section(writing: Writing) -> Section:
    """Return the section."""
    return writing.section(_KIND, [_row(writing, one) for one in writing.summary.referrals])


def _row(writing: Writing, referral: Referral) -> Row:
    to = clean(referral.to) or writing.words("unnamed")
    line = writing.line("referral", referral.number, to, referral.reason, writing.words.day(referral.date))
    receiver = element("participantRole", element("playingEntity", text("name", to)))
    statement = element(
        "act",
        *templates(oids.PATIENT_REFERRAL),
        writing.id("refattach", referral.number),
        named(
            "code",
            _REFERRAL,
            oids.SNOMED,
            "",
            reference(cell(line, _REASON if line.cells[_REASON] else 0), "originalText"),
        ),
        reference(line.id),
        status("active"),
        once(referral.date),
        element("participant", receiver, typeCode="REFT"),
        classCode="PCPR",
        moodCode="INT",
    )
    return Row((line,), statement)
