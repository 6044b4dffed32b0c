"""Allergies and intolerances: a concern, within it what the patient does not tolerate, its status and its reaction."""

from typing import Final
from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.concerns import concern
from econnector.documents.ccd.elements import clean, coded, element, interval, named, null, reference, status, templates
from econnector.documents.ccd.narrative import Line
from econnector.documents.ccd.writing import Kind, Row, Section, Writing, cell
from econnector.opendental.summary.records import Allergy, AllergyKind

__all__ = ["section"]

_KIND: Final = Kind("allergies", oids.ALLERGIES, "48765-2")
_ANY: Final = "609328004"
"""SNOMED CT: disposition to an allergy of whatever kind. C-CDA 3.0 has it where R2.1 named allergy to a substance."""
_TYPES: Final[dict[AllergyKind, str]] = {
    "": "420134006",
    "substance-allergy": _ANY,
    "drug-allergy": "416098002",
    "drug-intolerance": "59037007",
    "food-allergy": "414285001",
    "food-intolerance": "235719002",
    "reaction": "420134006",
    "drug-reaction": "419511003",
    "food-reaction": "418471000",
    "substance-reaction": "420134006",
}
"""SNOMED CT concepts that stand in both editions' value set of allergy types."""
_REACTION: Final = 2
_ACTIVE, _INACTIVE = "55561003", "73425007"


def section(writing: Writing) -> Section:
    """Return the section."""
    summary = writing.summary
    none = ("none.allergies", lambda said: _none(writing, said)) if "allergies" in summary.none_known else None
    return writing.section(_KIND, [_row(writing, one) for one in summary.allergies], none)


def _row(writing: Writing, allergy: Allergy) -> Row:
    words = writing.words
    line = writing.line(
        "allergy",
        allergy.number,
        writing.called(allergy.what, allergy.code),
        words(f"allergy.{allergy.kind}"),
        _reaction_words(allergy),
        words("status.active" if allergy.active else "status.inactive"),
        words.day(allergy.since),
    )
    observation = element(
        "observation",
        *templates(oids.ALLERGY, oids.SUBSTANCE_ALLERGY),
        writing.id("allergy", allergy.number),
        named("code", "ASSERTION", oids.ACT_CODE),
        reference(line.id),
        status("completed"),
        interval(allergy.since, None, over=not allergy.active),
        named(
            "value",
            _TYPES[allergy.kind],
            oids.SNOMED,
            "",
            reference(cell(line, 1), "originalText"),
            xsi_type="CD",
        ),
        _substance(coded("code", allergy.code, reference(cell(line, 0), "originalText"))),
        element("entryRelationship", _status(line, allergy), typeCode="SUBJ", inversionInd="true"),
        _reaction(writing, line, allergy),
        classCode="OBS",
        moodCode="EVN",
    )
    identity = [*templates(oids.ALLERGY_CONCERN), writing.id("allergy", allergy.number, "concern")]
    over = not allergy.active
    # The row's stamp is of its last change: of one that is over that is nearer to the end than to the beginning.
    tracked = (status("completed" if over else "active"), interval(None if over else allergy.noted, None, over=over))
    return Row((line,), concern(identity, line.id, tracked, observation))


def _reaction_words(allergy: Allergy) -> str:
    code = allergy.reaction_code
    return clean(allergy.reaction) or (clean(code.text) or code.value if code is not None else "")


def _substance(code: Element) -> Element:
    entity = element("playingEntity", code, classCode="MMAT")
    return element("participant", element("participantRole", entity, classCode="MANU"), typeCode="CSM")


def _status(line: Line, allergy: Allergy) -> Element:
    code = _ACTIVE if allergy.active else _INACTIVE
    return element(
        "observation",
        *templates(oids.ALLERGY_STATUS),
        named("code", "33999-4", oids.LOINC),
        reference(cell(line, 3)),
        status("completed"),
        named("value", code, oids.SNOMED, xsi_type="CE"),
        classCode="OBS",
        moodCode="EVN",
    )


def _reaction(writing: Writing, line: Line, allergy: Allergy) -> Element | None:
    if not line.cells[_REACTION]:
        return None
    where = cell(line, _REACTION)
    observation = element(
        "observation",
        *templates(oids.REACTION),
        writing.id("allergy", allergy.number, "reaction"),
        named("code", "ASSERTION", oids.ACT_CODE),
        reference(where),
        status("completed"),
        coded("value", allergy.reaction_code, reference(where, "originalText"), xsi_type="CD"),
        classCode="OBS",
        moodCode="EVN",
    )
    return element("entryRelationship", observation, typeCode="MFST", inversionInd="true")


def _none(writing: Writing, said: str) -> Element:
    """Somebody asked, and there are none: the observation of an allergy is negated, its substance not applicable."""
    patient = writing.summary.subject.number
    observation = element(
        "observation",
        *templates(oids.ALLERGY, oids.SUBSTANCE_ALLERGY),
        element("id", root=writing.root("no-allergy", patient)),
        named("code", "ASSERTION", oids.ACT_CODE),
        reference(said),
        status("completed"),
        interval(None, None),
        named("value", _ANY, oids.SNOMED, "", reference(said, "originalText"), xsi_type="CD"),
        _substance(null("code", "NA")),
        classCode="OBS",
        moodCode="EVN",
        negationInd="true",
    )
    identity = [*templates(oids.ALLERGY_CONCERN), element("id", root=writing.root("no-allergy", patient, "concern"))]
    return concern(identity, said, (status("active"), interval(None, None)), observation)
