"""The API's addresses and forms: which request wants what, what is refused; and the description tells the truth."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.base.errors import (
    ApiKeyRefused,
    ApiRightMissing,
    Failure,
    LinkFailure,
    MethodRefused,
    OfficeBusy,
    OfficeFailure,
    OfficeUnreachable,
    RecordMissing,
    Unexpected,
    UnknownAddress,
    ValueRejected,
    VendorFailure,
    failure_from,
    walk,
)
from econnector.eservices.api import calls
from econnector.eservices.api.web import openapi, resources
from econnector.web.problem import Problem

KEY = f"eck_k7m3q9tz_{'x' * 43}"
NOT_OF_THE_API = {"care-summary-not-set-up", "payments-off", "name-taken", "reports-too-often"}
"""Failures of calls that the API has not."""


@pytest.mark.parametrize(
    ("path", "query", "params"),
    [
        ("status", "", calls.StatusAsked(KEY)),
        ("appointments", "", calls.AppointmentsAsked(KEY, "", 0, 100)),
        ("appointments", "date=2026-11-24&limit=5&offset=10", calls.AppointmentsAsked(KEY, "2026-11-24", 10, 5)),
        ("appointments", "date=2024-02-29", calls.AppointmentsAsked(KEY, "2024-02-29")),
        ("patients/12/documents", "offset=1000000", calls.DocumentsAsked(KEY, 12, 1_000_000, 100)),
        ("documents/9223372036854775807", "", calls.DocumentAsked(KEY, 2**63 - 1)),
    ],
)
def test_an_address_is_a_call(path: str, query: str, params: msgspec.Struct) -> None:
    for method in ("GET", "HEAD"):
        wanted = resources.find(method, path, query, KEY)
        assert wanted.params == params
        assert isinstance(params, wanted.call.params)
        assert wanted.streams is wanted.call.streams is (wanted.call is calls.DOCUMENT)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "Status", "status/", "/status", "status/1", "patients", "patients/12", "patients/documents"),
        *("patients/{number}/documents", "documents/{number}", "documents/0", "documents/01", "documents/-1"),
        *("documents/9223372036854775808", "documents/1٢", "documents/1/", "documents/%31", "documents/../status"),
        *("documents/" + "9" * 5000, "x" * 5000, "openapi.json/"),
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_else(path: str) -> None:
    with pytest.raises(UnknownAddress):
        resources.find("POST", path, "x=1", "")


@pytest.mark.causes("method-refused")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", ""])
def test_everything_is_read_only(method: str) -> None:
    for path in ("status", "documents/7"):
        with pytest.raises(MethodRefused) as refused:
            resources.find(method, path, "", KEY)
        status, headers, _ = resources.problem(refused.value)
        assert (status, headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.causes("api-key-refused")
@pytest.mark.parametrize(
    "header",
    [
        *(
            "",
            "Bearer",
            "Bearer ",
            "Basic eck_a",
            f"Basic {KEY}",
            KEY,
            "Bearer x",
            "Bearer eck_",
            f"Bearer {KEY} {KEY}",
        ),
        *(f"Bearer {KEY}, Bearer {KEY}", f"Bearer eck_{'x' * 500}", "Bearer eck_é", "\x00", f"Bearer {KEY}\x00"),
    ],
)
def test_what_can_be_no_key_asks_no_office(header: str) -> None:
    with pytest.raises(ApiKeyRefused) as refused:
        resources.find("GET", "appointments", "limit=wrong", resources.key_of(header))
    status, headers, body = resources.problem(refused.value)
    assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="eConnector"')
    assert "xxx" not in body.decode()


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"  BEARER   {KEY} "])
def test_a_key_is_read_from_its_header(header: str) -> None:
    assert resources.key_of(header) == KEY


@pytest.mark.causes("value-rejected")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("date=", "date"), ("date=24.11.2026", "date"), ("date=2026-02-29", "date"), ("date=0000-01-01", "date")),
        *(("date=2026-11-24T00:00", "date"), ("date=20261124", "date"), ("date=٢٠٢٦-11-24", "date")),
        *(
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=", "limit"),
            ("limit=1e2", "limit"),
            ("limit=+5", "limit"),
        ),
        *(("offset=-1", "offset"), ("offset=1000001", "offset"), ("offset=" + "9" * 5000, "offset")),
        *(("limit=1&limit=2", "limit"), ("Limit=1", "query"), ("limt=1", "query"), ("&".join("limit=1" * 9), "query")),
        ("x=1&" * 50, "query"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(query: str, field: str) -> None:
    with pytest.raises(ValueRejected) as refused:
        resources.find("GET", "appointments", query, KEY)
    status, _, body = resources.problem(refused.value)
    problem = msgspec.json.decode(body, type=Problem)
    assert (status, problem.parameter) == (422, field)
    assert len(body) < 1000


@given(st.text(max_size=40), st.text(max_size=60), st.text(max_size=30))
def test_whatever_is_asked_is_understood_or_refused(path: str, query: str, header: str) -> None:
    for whole in (path, "appointments", f"documents/{path}", f"patients/{path}/documents"):
        try:
            resources.find("GET", whole, query, KEY)
            resources.find("GET", "status", "", resources.key_of(header))
        except Failure as failure:
            status, headers, body = resources.problem(failure)
            assert 400 <= status < 500
            assert msgspec.json.decode(body, type=Problem).status == status
            assert all("\n" not in value for value in headers.values())


def test_a_result_is_json_under_open_dentals_names() -> None:
    row = calls.Appointment(7, 12, "2026-11-24 09:00:00", "Scheduled", 30, "DOC1", "Op 1", "Confirmed")
    page = calls.Appointments("2026-11-24", 0, 100, False, [row])
    assert msgspec.json.decode(resources.body(calls.APPOINTMENTS, page)) == {
        "date": "2026-11-24",
        "offset": 0,
        "limit": 100,
        "more": False,
        "appointments": [
            {
                "AptNum": 7,
                "PatNum": 12,
                "AptDateTime": "2026-11-24 09:00:00",
                "AptStatus": "Scheduled",
                "minutes": 30,
                "provAbbr": "DOC1",
                "operatory": "Op 1",
                "confirmed": "Confirmed",
            }
        ],
    }
    with pytest.raises(TypeError):
        resources.body(calls.STATUS, page)


def test_a_failure_is_a_problem_with_its_public_facts_alone() -> None:
    status, headers, body = resources.problem(OfficeBusy(seconds=7, limit=4, reference="7F3K-22QX"))
    assert (status, headers["retry-after"], headers["x-reference"]) == (503, "7", "7F3K-22QX")
    assert headers["content-type"] == "application/problem+json"
    problem = msgspec.json.decode(body, type=Problem)
    assert (problem.code, problem.reference, problem.retry) == ("office-busy", "7F3K-22QX", True)
    assert problem.type == "urn:econnector:failure:office-busy"
    # A sentence that nobody can fill is left out, and nothing of the office's own is told.
    _, headers, body = resources.problem(OfficeUnreachable(reason="the disk of SERVER1 is full"))
    assert "retry-after" not in headers
    assert b"{" not in body[1:]
    assert b"SERVER1" not in body


def test_an_office_cannot_write_headers_with_what_it_says_of_a_failure() -> None:
    for facts in ({}, {"allow": "GET\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK"}, {"allow": "GET, \u2603"}):
        _, headers, _ = resources.problem(failure_from("method-refused", "7F3K-22QX", facts))
        assert headers["allow"] == resources.ALLOW
    for seconds in ("9" * 5000, "7\r\nx: y", "-1", "\u0667", ""):
        _, headers, _ = resources.problem(failure_from("office-busy", "7F3K-22QX", {"seconds": seconds}))
        assert "retry-after" not in headers


# -- the description ---------------------------------------------------------------------------------------------------

DESCRIBED: dict[str, Any] = msgspec.json.decode(openapi.DOCUMENT)


def _operation(resource: resources.Resource) -> dict[str, Any]:
    found: dict[str, Any] = DESCRIBED["paths"][f"/{resource.path}"]["get"]
    return found


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        mine = [node["$ref"]] if "$ref" in node else []
        return mine + [each for child in node.values() for each in _references(child)]
    return [each for child in node for each in _references(child)] if isinstance(node, list) else []


def test_every_address_is_described_and_no_other() -> None:
    assert set(DESCRIBED["paths"]) == {f"/{each.path}" for each in resources.RESOURCES}
    for each in resources.RESOURCES:
        told = {found["name"] for found in _operation(each)["parameters"]}
        assert told == each.query | ({"number"} if "{number}" in each.path else set())
    for reference in _references(DESCRIBED):
        node: Any = DESCRIBED
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node


def test_what_the_description_says_of_a_parameter_is_what_is_taken() -> None:
    for each in resources.RESOURCES:
        for found in _operation(each)["parameters"]:
            schema = found["schema"]
            for value, taken in ((schema.get("minimum"), True), (schema.get("maximum"), True)):
                if value is not None:
                    assert _taken(each, found, value) is taken
            if schema["type"] == "integer":
                assert not _taken(each, found, schema["minimum"] - 1)
                assert not _taken(each, found, schema["maximum"] + 1)
            if "default" in schema:
                asked = resources.find("GET", each.path.replace("{number}", "7"), "", KEY).params
                assert getattr(asked, found["name"]) == schema["default"]


def _taken(resource: resources.Resource, parameter: dict[str, Any], value: object) -> bool:
    number = str(value) if parameter["in"] == "path" else "7"
    query = "" if parameter["in"] == "path" else f"{parameter['name']}={value}"
    try:
        resources.find("GET", resource.path.replace("{number}", number), query, KEY)
    except (UnknownAddress, ValueRejected):
        return False
    return True


def test_every_status_that_an_office_or_hq_can_answer_is_described() -> None:
    kinds = (LinkFailure, OfficeFailure, VendorFailure)
    own = {ApiKeyRefused, ApiRightMissing, RecordMissing, ValueRejected, Unexpected}
    may = {kind for kind in walk() if issubclass(kind, kinds) and kind.code not in NOT_OF_THE_API} | own
    for each in resources.RESOURCES:
        assert {str(kind.http) for kind in may} <= set(_operation(each)["responses"])


def test_a_result_has_the_members_that_are_described() -> None:
    schemas = DESCRIBED["components"]["schemas"]
    for each in resources.RESOURCES:
        if not each.call.streams:
            fields = {field.encode_name for field in msgspec.structs.fields(each.call.result)}
            assert set(schemas[each.call.result.__name__]["properties"]) == fields
    assert schemas["Appointment"]["properties"]["AptStatus"]["enum"] == sorted(get_args(calls.AptStatus))
