"""The API described for partners' tools: OpenAPI 3.1, made from the same structs and table that answer.

`DOCUMENT` is served at `PATH` below `/api/v1/`, to anybody (`served`): it tells of no office.
"""

from typing import Any, Final

import msgspec

from econnector.base.errors import MethodRefused
from econnector.base.version import version
from econnector.eservices.api import calls
from econnector.eservices.api.web.resources import ALLOW, HIGHEST, METHODS, RESOURCES, Resource
from econnector.web.problem import MEDIA_TYPE, Problem

__all__ = ["DOCUMENT", "PATH", "served"]

PATH: Final = "openapi.json"

_ABOUT: Final = {
    "status": ("The office, and what the key may do", ""),
    "appointments": ("A day's schedule", "schedule"),
    "patients/{number}/documents": ("A patient's documents, newest first", "documents"),
    "documents/{number}": ("A document's file", "documents"),
}
"""In a line, and the right that it needs."""
_RECORDS: Final = {"patients/{number}/documents": "PatNum", "documents/{number}": "DocNum"}
_QUERY: Final[dict[str, dict[str, Any]]] = {
    "date": {
        "description": "The day; the office's today without it.",
        "schema": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    },
    "offset": {
        "description": "How many rows to skip.",
        "schema": {"type": "integer", "minimum": 0, "maximum": calls.MOST_OFFSET, "default": 0},
    },
    "limit": {
        "description": "How many rows at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": calls.MOST_ROWS, "default": calls.MOST_ROWS},
    },
}
_PROBLEMS: Final = {
    "401": "No key, or one that the office does not accept (`api-key-refused`).",
    "403": "The key lacks the right (`api-right-missing`).",
    "404": "No such address or office (`200`) or record (`record-missing`), or its file is gone (`file-missing`).",
    "422": "A parameter cannot be used (`value-rejected`); `parameter` names it.",
    "500": "A fault of the software (`unexpected`).",
    "501": "The office's eConnector is too old for this (`unknown-call`).",
    "503": "The office cannot be asked now.",
    "504": "The office did not answer in time.",
    "default": "Any other failure.",
}
_BARE: Final = {
    "400": "What came is no HTTP.",
    "408": "The request's head did not come in time.",
    "431": "The request's head is too long.",
}
_WAITING: Final = ("503", "504", "default")
_FILE_TYPES: Final = (
    "application/pdf", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp",
)  # fmt: skip


def _document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "eConnector API",
            "version": version(),
            "description": "What a partner's program may read of one dental office. Read-only.",
        },
        "servers": [{"url": "../v1"}],
        "security": [{"key": []}],
        "paths": {f"/{each.path}": {"get": _operation(each)} for each in RESOURCES},
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key that the office made: `eck_…`."}
            },
            "responses": {f"problem-{status}": _problem(status, text) for status, text in _PROBLEMS.items()}
            | {f"bare-{status}": {"description": text} for status, text in _BARE.items()},
            "headers": {
                "retry-after": {"description": "Seconds to wait, where that is known.", "schema": {"type": "integer"}},
                "x-reference": {"description": "What to tell the office or the vendor.", "schema": {"type": "string"}},
            },
        },
    }


def _operation(resource: Resource) -> dict[str, Any]:
    summary, right = _ABOUT[resource.path]
    failing = {status: {"$ref": f"#/components/responses/problem-{status}"} for status in _PROBLEMS}
    failing |= {status: {"$ref": f"#/components/responses/bare-{status}"} for status in _BARE}
    return {
        "operationId": resource.call.name.removeprefix("api."),
        "summary": summary,
        "description": f"Needs the right `{right}`." if right else "Needs a key, whatever it may do.",
        "parameters": _parameters(resource),
        "responses": {"200": _file() if resource.call.streams else _json(resource)} | failing,
    }


def _parameters(resource: Resource) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if record := _RECORDS.get(resource.path):
        number = {"type": "integer", "format": "int64", "minimum": 1, "maximum": HIGHEST}
        found.append({"name": "number", "in": "path", "required": True, "description": record, "schema": number})
    return found + [{"name": name, "in": "query"} | _QUERY[name] for name in sorted(resource.query)]


def _json(resource: Resource) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{resource.call.result.__name__}"}
    return {"description": "As asked.", "content": {"application/json": {"schema": schema}}}


def _file() -> dict[str, Any]:
    return {"description": "The file's bytes.", "content": {each: {} for each in _FILE_TYPES}}


def _problem(status: str, text: str) -> dict[str, Any]:
    names = ["x-reference", *(["retry-after"] if status in _WAITING else [])]
    return {
        "description": text,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _schemas() -> dict[str, Any]:
    """Return the results' schemas, and the problem's."""
    results = [each.call.result for each in RESOURCES if not each.call.streams]
    _, schemas = msgspec.json.schema_components([*results, Problem], ref_template="#/components/schemas/{name}")
    return schemas


DOCUMENT: Final = msgspec.json.encode(_document())


def served(method: str, path: str) -> bytes | None:
    """Return the document (`application/json`) for a request to it; None for any other. Raises `MethodRefused`."""
    if path != PATH:
        return None
    if method not in METHODS:
        raise MethodRefused(allow=ALLOW)
    return DOCUMENT
