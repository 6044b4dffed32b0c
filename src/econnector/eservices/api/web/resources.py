"""Which call a request wants, and its answer as JSON. The table of addresses is `RESOURCES`; nothing here waits."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from econnector.base.errors import ApiKeyRefused, Failure, MethodRefused, UnknownAddress, ValueRejected
from econnector.eservices.api import calls
from econnector.web.problem import MEDIA_TYPE, FailureView, seconds, tell
from econnector.web.problem import problem as problem_of
from econnector.wire.call import Call

__all__ = ["ALLOW", "HIGHEST", "METHODS", "RESOURCES", "Resource", "Wanted", "body", "find", "key_of", "problem"]

ALLOW: Final = "GET, HEAD"
HIGHEST: Final = 2**63 - 1
"""The largest number of a record."""
METHODS = frozenset(ALLOW.split(", "))
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_KEY = re.compile(r"eck_[A-Za-z0-9_-]{1,96}", re.ASCII)

AnyCall = Call[Any, Any]


class Wanted(NamedTuple):
    """What a request wants of the office."""

    call: AnyCall
    params: msgspec.Struct
    streams: bool
    """Whether bytes follow: `download` it, `ask` otherwise."""


class Resource(NamedTuple):
    """One kind of address."""

    path: str
    """Below `/api/v1/`; `{number}` is a record's."""
    call: AnyCall
    params: Callable[[str, int, Mapping[str, str]], msgspec.Struct]
    """From the key, the number in the path and the query."""
    query: frozenset[str] = frozenset()


def _status(key: str, _: int, __: Mapping[str, str]) -> calls.StatusAsked:
    return calls.StatusAsked(key)


def _appointments(key: str, _: int, query: Mapping[str, str]) -> calls.AppointmentsAsked:
    return calls.AppointmentsAsked(key, _day(query), _offset(query), _limit(query))


def _documents(key: str, patient: int, query: Mapping[str, str]) -> calls.DocumentsAsked:
    return calls.DocumentsAsked(key, patient, _offset(query), _limit(query))


def _document(key: str, document: int, _: Mapping[str, str]) -> calls.DocumentAsked:
    return calls.DocumentAsked(key, document)


_PAGE = frozenset({"offset", "limit"})
RESOURCES: Final = (
    Resource("status", calls.STATUS, _status),
    Resource("appointments", calls.APPOINTMENTS, _appointments, _PAGE | {"date"}),
    Resource("patients/{number}/documents", calls.DOCUMENTS, _documents, _PAGE),
    Resource("documents/{number}", calls.DOCUMENT, _document),
)
_BY_PARTS = {tuple(each.path.split("/")): each for each in RESOURCES}


def find(method: str, path: str, query: str, key: str) -> Wanted:
    """Return what a request wants; `path` is what follows `/api/v1/`, `query` what follows `?`, both as they came.

    Raises `UnknownAddress`, `MethodRefused`, `ApiKeyRefused` for what can be no office's key, and `ValueRejected`
    with the parameter as `field`, in this order.
    """
    resource, number = _resource(path)
    if method not in METHODS:
        raise MethodRefused(allow=ALLOW)
    if not _KEY.fullmatch(key):
        raise ApiKeyRefused
    params = resource.params(key, number, _read(query, resource.query))
    return Wanted(resource.call, params, resource.call.streams)


def _resource(path: str) -> tuple[Resource, int]:
    parts = path.split("/")
    found = _BY_PARTS.get(tuple("{number}" if _NUMBER.fullmatch(part) else part for part in parts))
    if found is None or "{number}" in parts:
        raise UnknownAddress
    number = next((int(part) for part in parts if _NUMBER.fullmatch(part)), 1)
    if not 1 <= number <= HIGHEST:
        raise UnknownAddress
    return found, number


def _read(query: str, known: frozenset[str]) -> dict[str, str]:
    """Return the query's values. One that is not known is refused: a slip in a name would show another page."""
    values: dict[str, str] = {}
    if not query:
        return values
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=8)
    except ValueError as error:
        raise ValueRejected(field="query", why="The query has too many parameters.") from error
    for name, value in pairs:
        if name not in known:
            raise ValueRejected(field="query", why=f"The parameters of this address are: {_listed(known)}.")
        if name in values:
            raise ValueRejected(field=name, why=f"The parameter {name} is there twice.")
        values[name] = value
    return values


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _day(query: Mapping[str, str]) -> str:
    value = query.get("date")
    if value is None:
        return ""
    if _DAY.fullmatch(value):
        try:
            return dt.date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise ValueRejected(field="date", why="The parameter date must be a day such as 2026-11-24.")


def _offset(query: Mapping[str, str]) -> int:
    return _whole(query, "offset", 0, 0, calls.MOST_OFFSET)


def _limit(query: Mapping[str, str]) -> int:
    return _whole(query, "limit", calls.MOST_ROWS, 1, calls.MOST_ROWS)


def _whole(query: Mapping[str, str], name: str, absent: int, least: int, most: int) -> int:
    value = query.get(name)
    if value is None:
        return absent
    if _NUMBER.fullmatch(value) and least <= int(value) <= most:
        return int(value)
    raise ValueRejected(field=name, why=f"The parameter {name} must be a whole number from {least} to {most}.")


def key_of(authorization: str) -> str:
    """Return the key in an Authorization header's value (`Bearer …`); empty where there is none."""
    scheme, _, key = authorization.strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


_encode = msgspec.json.Encoder().encode


def body(call: AnyCall, result: msgspec.Struct) -> bytes:
    """Return a result as JSON (`application/json`)."""
    if not isinstance(result, call.result):
        raise TypeError(f"{call.name} is answered by {call.result.__name__}")
    return _encode(result)


def problem(failure: Failure) -> tuple[int, dict[str, str], bytes]:
    """Return a failure as status, headers and problem JSON (RFC 9457), in English and with public facts only."""
    facts = failure.public_facts()
    wait = seconds(facts)
    headers = {"content-type": MEDIA_TYPE, "x-reference": failure.reference}
    if wait:
        headers["retry-after"] = str(wait)
    if isinstance(failure, ApiKeyRefused):
        headers["www-authenticate"] = 'Bearer realm="eConnector"'
    if isinstance(failure, MethodRefused):
        headers["allow"] = (
            ALLOW  # not the fact: an office may say it, too, and a line break in it would split the answer
        )
    text = tell(failure.patient, facts)
    told = FailureView(
        code=failure.code,
        title=failure.title,
        text=text,
        reference=failure.reference,
        status=failure.http,
        still="",
        retry=failure.retry,
        wait_seconds=wait,
    )
    return failure.http, headers, _encode(problem_of(told, facts.get("field", "")))
