"""A concern: the act that allergies and problems are told within, as long as somebody cares about them."""

from xml.etree.ElementTree import Element

from econnector.documents.ccd import oids
from econnector.documents.ccd.elements import element, named, reference

__all__ = ["concern"]


def concern(identity: list[Element], said: str, tracked: tuple[Element, Element], observation: Element) -> Element:
    """Return a concern about an observation.

    `identity` are its template ids and its id, `said` the id of what is read of it, `tracked` its status and the time
    it was, or is, tracked: not that of the allergy or the problem itself.
    """
    return element(
        "act",
        *identity,
        named("code", "CONC", oids.ACT_CLASS),
        reference(said),
        *tracked,
        element("entryRelationship", observation, typeCode="SUBJ"),
        classCode="ACT",
        moodCode="EVN",
    )
