"""What HQ says of its JSON is so: Schemathesis asks a running HQ, with an office behind it, by its own descriptions.

Whatever is asked, the answer has a status, a type and a body that the description names; what it excludes is refused;
nobody is let in without a key.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from tests.support.whole import OFFICE, Whole, until

PROBES = Path(__file__).parents[2] / "docs" / "hq-openapi.json"
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.unsupported_method,
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with Whole.running(tmp_path_factory.mktemp("whole")) as whole:
        yield whole


@pytest.fixture(scope="module")
def key(whole: Whole) -> str:
    """Of a program that may see everything."""
    rights = ("--right", "schedule", "--right", "documents")
    made = json.loads(whole.office_says("office", "api-keys", "add", "Bright Recall", *rights, "--json").stdout)
    return str(made["key"])


@pytest.fixture(scope="module")
def root(whole: Whole) -> str:
    return f"{whole.hq_url}/o/{OFFICE}/api/v1"


@pytest.fixture(scope="module")
def described(root: str) -> dict[str, Any]:
    """What HQ serves to anybody."""
    document: dict[str, Any] = httpx2.get(f"{root}/openapi.json").raise_for_status().json()
    return document


Operation = APIOperation[Any, Any, Any, Any]


def operations(document: dict[str, Any]) -> list[Operation]:
    """Who has no key hears of nothing else: the key is not one of the things that are made wrong here."""
    document = document | {"security": []}
    schema: Any = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


def ask(operation: Operation, mode: GenerationMode, root: str, headers: dict[str, str], allowed: set[int]) -> None:
    """Ask what the description allows, or what it does not, and hold the answers against it.

    `allowed` is what may come of that, of all that is described (the API describes every failure).
    """

    @settings(max_examples=8, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
    @given(operation.as_strategy(generation_mode=mode))
    def go(case: Case[Operation]) -> None:
        checked = CHECKS[1:] if 503 in allowed else CHECKS
        response = case.call_and_validate(base_url=root, headers=headers, checks=checked)
        assert response.status_code in allowed, response.text

    go()


def test_probes(whole: Whole) -> None:
    for operation in operations(json.loads(PROBES.read_text())):
        ask(operation, GenerationMode.POSITIVE, whole.hq_url, {}, {200})
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            refused = httpx2.request(method, f"{whole.hq_url}{operation.path}", headers={"accept": "application/json"})
            assert refused.status_code == 405
            assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
            assert refused.headers["content-type"] == "application/problem+json"


def test_the_api_with_a_key(root: str, described: dict[str, Any], key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    for operation in operations(described):
        ask(operation, GenerationMode.POSITIVE, root, headers, {200, 404} if "{number}" in operation.path else {200})
        if operation.path != "/status":  # there is nothing to be wrong in
            ask(operation, GenerationMode.NEGATIVE, root, headers, {404, 405, 422})


def test_the_api_without_a_key_lets_nobody_see_anything(root: str, described: dict[str, Any], key: str) -> None:
    wrong = key[:-4] + ("AAAA" if not key.endswith("AAAA") else "BBBB")
    for operation in operations(described):
        for headers in ({}, {"Authorization": f"Bearer {wrong}"}, {"Authorization": f"Basic {key}"}):
            case = operation.Case(path_parameters={"number": 1} if "{number}" in operation.path else {})
            response = case.call_and_validate(base_url=root, headers=headers, checks=CHECKS)
            assert response.status_code == 401
            assert response.headers["www-authenticate"]


def test_a_program_finds_its_way_by_the_description(root: str, described: dict[str, Any], key: str) -> None:
    """What is really there, not only what is not: from the office to a patient's file, every answer as described."""
    by_name = {operation.definition.raw["operationId"]: operation for operation in operations(described)}

    def get(name: str, number: int | None = None, **query: Any) -> Any:
        case = by_name[name].Case(path_parameters={} if number is None else {"number": number}, query=query)
        return case.call_and_validate(base_url=root, headers={"Authorization": f"Bearer {key}"}, checks=CHECKS)

    assert get("status").json()["rights"] == ["schedule", "documents"]
    first = get("documents", 1, limit=1).json()
    assert first["more"]
    for document in get("documents", 1).json()["documents"]:
        file = get("document", document["DocNum"])
        if document["fileSize"] is None:
            assert file.json()["code"] == "file-missing"
        else:
            assert len(file.content) == document["fileSize"]


def test_an_office_that_is_away_is_an_answer_that_the_description_has(
    whole: Whole, root: str, described: dict[str, Any], key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    whole.stop("office")
    until(lambda: httpx2.get(f"{root}/status", headers=headers).status_code == 503)
    for operation in operations(described):
        ask(operation, GenerationMode.POSITIVE, root, headers, {503})
