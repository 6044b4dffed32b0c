"""The gate itself: it judges HL7's sample as HL7's own tools do, and finds what those miss."""

import pytest

from tests.documents.ccd.gate import judge, sample

pytestmark = pytest.mark.shared


def test_hl7s_own_sample_passes_the_edition_it_was_written_for() -> None:
    verdict = judge(sample())
    assert verdict.xsd == []
    assert verdict.broken["r2.1"] == []
    assert verdict.fired == {"r2.1": 266, "3.0": 489}


def test_hl7s_own_sample_is_known_not_to_meet_the_later_edition() -> None:
    found = judge(sample()).broken["3.0"]
    authors = [one for one in found if one.rule == "AuthorParticipation-errors-assignedAuthor"]
    assert (len(found), len(authors)) == (40, 35)
