"""Whatever a practice recorded: nothing is lost on the way into the document, and HL7's rules accept it."""

import pytest
from hypothesis import HealthCheck, given, settings

from econnector.documents.ccd.document import build, told
from econnector.documents.ccd.elements import clean
from econnector.documents.ccd.narrative import SectionKey
from econnector.opendental.summary.records import Code, Procedure, Summary
from tests.documents.ccd.gate import judge
from tests.documents.ccd.reading import pair, read
from tests.documents.ccd.strategies import summaries

_RANDOM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_FEWER = settings(_RANDOM, max_examples=15)


@_RANDOM
@given(summaries())
def test_every_row_is_found_by_its_code_and_by_its_words_and_no_reference_dangles(summary: Summary) -> None:
    document = read(build(summary))
    assert document.dangling() == []
    assert len(set(document.ids())) == len(document.ids())
    assert len(set(document.entry_ids())) == len(document.entry_ids())
    for key, line, what, codes in rows(summary):
        cells = document.cells(key)[line]
        assert clean(what) in "\n".join(cells)
        assert {pair(one) for one in codes if one is not None} <= document.codes(key, line)


@_FEWER
@given(summaries())
def test_the_document_says_exactly_what_is_told(summary: Summary) -> None:
    document = read(build(summary))
    for section in told(summary):
        assert document.cells(section.key) == {line.id: list(line.cells) for line in section.lines}
        assert bool(section.lines) != bool(section.nothing)
        assert section.nothing in document.words(section.key)
        assert {len(line.cells) for line in section.lines} <= {len(section.columns)}


@pytest.mark.shared
@_FEWER
@given(summaries())
def test_hl7s_rules_accept_it(summary: Summary) -> None:
    assert judge(build(summary)).faults == []


def rows(summary: Summary) -> list[tuple[SectionKey, str, str, tuple[Code | None, ...]]]:
    """Return of each row where it must be, the id of its line, what must be read of it, and its codes."""
    results = [(order, result) for order in summary.labs for result in order.results]
    return [
        *(("allergies", f"allergy-{one.number}", one.what, (one.code, one.reaction_code)) for one in summary.allergies),
        *(("problems", f"problem-{one.number}", one.what, (one.code, *one.others)) for one in summary.problems),
        *(("functional", f"functional-{one.number}", one.what, (one.code,)) for one in summary.functional),
        *(("medications", f"medication-{one.number}", one.what, (one.code,)) for one in summary.medications),
        *(("medications", f"medication-{one.number}", one.instructions, ()) for one in summary.medications),
        *(("immunizations", f"vaccine-{one.number}", one.what, (one.code,)) for one in summary.vaccines),
        *((place(one), f"procedure-{one.number}", one.what, (one.code,)) for one in summary.procedures),
        *((place(one), f"procedure-{one.number}", each, ()) for one in summary.procedures for each in one.teeth),
        *(("encounters", f"encounter-{one.number}", one.what, (one.code,)) for one in summary.encounters),
        *(("plan", f"plan-{one.number}", one.instructions, (one.code,)) for one in summary.plan),
        *(("referral", f"referral-{one.number}", one.reason, ()) for one in summary.referrals),
        *(("results", f"result-{one.number}", one.what, (order.code, one.code)) for order, one in results),
        *(("results", f"result-{one.number}", one.value, ()) for _, one in results),
        *(("social", f"smoking-{one.number}", one.code.text, (one.code,)) for one in summary.smoking),
    ]


def place(procedure: Procedure) -> SectionKey:
    """Return the section that a procedure belongs to."""
    return "plan" if procedure.status == "planned" else "procedures"
