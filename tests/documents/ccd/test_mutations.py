"""The gate is alive: whatever is required, taken away, makes it fail with the rule that requires it."""

import pytest
from lxml import etree

from econnector.documents.ccd.document import build
from tests.documents.ccd.examples import full
from tests.documents.ccd.gate import broken_rules, sample

pytestmark = pytest.mark.shared

_NAMES = {"": "urn:hl7-org:v3"}
_PATIENT = "recordTarget/patientRole"
_ORGANIZATION = "custodian/assignedCustodian/representedCustodianOrganization"


def section(code: str) -> str:
    """Return the path to the component that holds a section."""
    return f"component/structuredBody/component/section/code[@code='{code}']/../.."


_REQUIRED = {
    "realmCode": "1198-16791",
    "typeId": "1198-5361",
    "id": "1198-5363",
    "code": "1198-5253",
    "title": "1198-5254",
    "effectiveTime": "1198-5256",
    "confidentialityCode": "1198-5259",
    "languageCode": "1198-5372",
    "recordTarget": "1198-5266",
    f"{_PATIENT}/id": "1198-5268",
    f"{_PATIENT}/addr": "1198-5271",
    f"{_PATIENT}/telecom": "1198-5280",
    f"{_PATIENT}/patient": "1198-5283",
    f"{_PATIENT}/patient/name": "1198-5284",
    f"{_PATIENT}/patient/administrativeGenderCode": "1198-6394",
    f"{_PATIENT}/patient/birthTime": "1198-5298",
    f"{_PATIENT}/patient/raceCode": "1198-5322",
    f"{_PATIENT}/patient/ethnicGroupCode": "1198-5323",
    "author": "1198-5444",
    "author/time": "1198-5445",
    "author/assignedAuthor/id": "1198-5449",
    "author/assignedAuthor/addr": "1198-5452",
    "author/assignedAuthor/telecom": "1198-5428",
    "custodian": "1198-5519",
    f"{_ORGANIZATION}/id": "1198-5522",
    f"{_ORGANIZATION}/name": "1198-5524",
    f"{_ORGANIZATION}/telecom": "1198-5525",
    f"{_ORGANIZATION}/addr": "1198-5559",
    "documentationOf": "1198-8452",
    "documentationOf/serviceEvent/effectiveTime": "1198-8481",
    "documentationOf/serviceEvent/effectiveTime/low": "1198-8454",
    "component": "1198-30659",
    section("48765-2"): "1198-30661",
    section("10160-0"): "1198-30663",
    section("11450-4"): "1198-30665",
    section("30954-2"): "1198-30669",
    section("29762-2"): "1198-30687",
    section("8716-3"): "1198-30689",
    ".//substanceAdministration/effectiveTime": "1098-7508",
    ".//substanceAdministration/consumable": "1098-7520",
}
"""What is taken away, and the CONF number that it is missed under."""


def without(xml: bytes, path: str) -> bytes:
    """Return the document without what stands at the path."""
    root = etree.fromstring(xml, None)
    found = root.findall(path, _NAMES)
    assert found, f"the document never had {path}"
    for one in found:
        parent = one.getparent()
        assert parent is not None
        parent.remove(one)
    return etree.tostring(root)


def numbers(xml: bytes) -> set[str]:
    """Return the CONF numbers of the rules of R2.1 that a document breaks."""
    return {"-".join(one.number.split("-")[1:3]) for one in broken_rules(xml, "r2.1")}


@pytest.mark.parametrize(("path", "number"), _REQUIRED.items())
def test_hl7s_sample_without_it_fails_by_name(path: str, number: str) -> None:
    assert number in numbers(without(sample(), path))


@pytest.fixture(scope="module")
def ours() -> bytes:
    return build(full())


@pytest.mark.parametrize(("path", "number"), _REQUIRED.items())
def test_our_full_document_without_it_fails_by_name(ours: bytes, path: str, number: str) -> None:
    assert number in numbers(without(ours, path))
