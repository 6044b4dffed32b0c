"""The gate itself: it judges HL7's sample as HL7's own tools do, and finds what those miss."""

import re

import pytest
from lxml import etree

from econnector.documents.ccd.document import build
from tests.documents.ccd.examples import bare, full
from tests.documents.ccd.gate import judge, sample

pytestmark = pytest.mark.shared

CDA = "{urn:hl7-org:v3}"


@pytest.fixture(scope="module")
def ours() -> str:
    return build(full()).decode()


def changed(xml: str, pattern: str, by: str) -> bytes:
    """Return the document with the first place that a pattern matches changed."""
    mutated, count = re.subn(pattern, by, xml, count=1, flags=re.DOTALL)
    assert count == 1, f"nothing to change: {pattern}"
    return mutated.encode()


def test_hl7s_own_sample_passes_the_edition_it_was_written_for() -> None:
    verdict = judge(sample())
    assert verdict.xsd == []
    assert verdict.broken["r2.1"] == []
    assert verdict.fired == {"r2.1": 266, "3.0": 489}


def test_hl7s_own_sample_is_known_not_to_meet_the_later_edition() -> None:
    found = judge(sample()).broken["3.0"]
    authors = [one for one in found if one.rule == "AuthorParticipation-errors-assignedAuthor"]
    assert (len(found), len(authors)) == (40, 35)


def test_a_full_summary_passes_and_many_rules_looked_at_it(ours: str) -> None:
    verdict = judge(ours.encode())
    assert verdict.faults == []
    assert verdict.fired["r2.1"] > 150
    assert verdict.fired["3.0"] > 500


def test_a_summary_without_any_row_passes() -> None:
    assert judge(build(bare())).faults == []


@pytest.mark.parametrize(
    ("pattern", "by", "fault"),
    [
        ("<title>", "<titel>a</titel><title>", "XSD .*titel"),
        ('ID="allergy-1"', 'ID="allergy-one"', "reference #allergy-1 leads nowhere"),
        ('ID="allergy-2"', 'ID="allergy-1"', "ID allergy-1 stands 2 times"),
        ('(<observation .*?<id root="([^"]*)".*?<observation .*?<id root=")[^"]*"', r'\1\2"', "id .* stands 2 times"),
        ('<reference value="#allergy-1', '<reference value="#problem-11', "#problem-11.* is not in its words"),
        ('code="195967001"', 'code="195967002"', "'195967002' is no code of 2.16.840.1.113883.6.96"),
        ('code="718-7"', 'code="718-1"', "'718-1' is no code of 2.16.840.1.113883.6.1"),
        ('extension="1679576722"', 'extension="1679576723"', "'1679576723' is no NPI"),
        ('<languageCode code="es"', '<languageCode code="Spanish"', "'Spanish' is no language"),
        ('<templateId root="2.16.840.1.113883.10.20.22.1.2" extension="2024-05-01" */>', "", "does not declare"),
        (r'\.22\.4\.78" extension="[^"]*"', '.22.4.7878" extension="2030-01-01"', "no rule for .*7878"),
    ],
)  # fmt: skip
def test_what_hl7s_rules_let_pass_is_found(ours: str, pattern: str, by: str, fault: str) -> None:
    found = judge(changed(ours, pattern, by)).faults
    assert any(re.search(fault, one) for one in found), found


@pytest.mark.parametrize("code", ["F M", "U", "M UN"])
def test_a_piece_of_a_list_of_codes_is_no_code(ours: str, code: str) -> None:
    verdict = judge(changed(ours, '<administrativeGenderCode code="F"', f'<administrativeGenderCode code="{code}"'))
    assert [one for one in verdict.broken["3.0"] if one.path.endswith("/administrativeGenderCode[1]")]


def test_an_entry_that_refers_to_no_words_is_found_in_every_section(ours: str) -> None:
    root = etree.fromstring(ours.encode(), None)
    entries = [
        one.findall(f"{CDA}entry")[0] for one in root.iter(f"{CDA}section") if one.find(f"{CDA}entry") is not None
    ]
    assert len(entries) >= 11
    for reference in [one for entry in entries for one in entry.iter(f"{CDA}reference")]:
        parent = reference.getparent()
        assert parent is not None
        parent.remove(reference)
    found = [one for one in judge(etree.tostring(root)).own if one.endswith("an entry has no words")]
    assert len({one.split(":")[0] for one in found}) == len(entries)
