"""The reference as a picture on a failure's page: where the office can look it up; small, and nothing else in it."""

import pytest

from econnector.base.errors import DatabaseAway, FileMissing, LoginFailed, NotAllowed, OfficeBusy, UnknownAddress
from econnector.web.mark import mark
from tests.web.test_failing import shown

LARGEST = 1000
"""Characters that it may add to a page."""


@pytest.mark.parametrize(
    ("language", "words"), [("en-US", "Show this to the office"), ("es-US", "Muestre esto en el consultorio")]
)
def test_what_the_office_can_look_up_has_its_reference_as_a_code_to_scan(language: str, words: str) -> None:
    for failure in (DatabaseAway(reference="ABCD-2345"), FileMissing(reference="ABCD-2345")):
        page = shown(failure, language)
        assert f"<summary>{words}</summary>" in page
        assert mark("ABCD-2345") in page
        assert '<details class="scan">' in page, "closed until somebody opens it, without a script"


def test_it_is_small_and_tells_one_reference_from_another() -> None:
    assert mark("ABCD-2345").startswith("<svg ")
    assert len(mark("ABCD-2345")) < LARGEST
    assert mark("ABCD-2345") != mark("ABCD-2346")


def test_what_the_office_cannot_look_up_has_none() -> None:
    for failure in (LoginFailed(), UnknownAddress(), NotAllowed(), OfficeBusy(seconds=2, limit=64)):
        assert "<svg width=" not in shown(failure), failure.code
        assert 'class="scan"' not in shown(failure), failure.code
