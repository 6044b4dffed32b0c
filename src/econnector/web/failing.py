"""A failure as people and programs see it: a page, or a JSON problem (RFC 9457). Showing one never fails."""

import html
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from econnector.base.errors import Failure, FileMissing, LinkFailure, NeverConnected, OfficeFailure
from econnector.web import formats
from econnector.web.kit import Visit
from econnector.web.problem import MEDIA_TYPE, FailureView, first_sentence, problem, seconds, tell

__all__ = ["FailureView", "answer", "view", "wants_json"]

log = structlog.get_logger(__name__)

_BETWEEN_RULES = re.compile(r"[,\s]+")
_AWAY, _SOON = 503, 5
"""What is away only for a moment, as when a node restarts, is worth asking again after so many seconds."""


def view(failure: Failure, visit: Visit, status: int = 0) -> FailureView:
    """Return the failure in the words of who visits; `status` replaces the failure's own HTTP status."""
    if visit.kit.audience == "office":
        return _office_view(failure, status)
    facts = failure.public_facts()
    facts["phone"] = formats.phone(facts.get("phone", "")) or visit.phone
    title = _written(failure, visit, "title") or failure.title
    # Many texts begin with the title, so that they stand alone on a command line; below the title they need not.
    text = tell(_template(failure, visit), _worded(facts, visit)).removeprefix(f"{title}.").lstrip()
    return FailureView(
        code=failure.code,
        title=title,
        text=text,
        reference=failure.reference,
        status=status or failure.http,
        still=_still(failure, visit),
        retry=failure.retry,
        wait_seconds=seconds(facts),
    )


def _office_view(failure: Failure, status: int) -> FailureView:
    """Return cause and remedy; the title is left out, because it speaks to patients."""
    cause, more = first_sentence(failure.office_text())
    return FailureView(
        code=failure.code,
        title=cause,
        text=more,
        reference=failure.reference,
        status=status or failure.http,
        still="",
        retry=failure.retry,
        wait_seconds=seconds(failure.facts),
        steps=failure.remedy_steps(),
    )


def answer(failure: Failure, visit: Visit, status: int = 0, headers: Mapping[str, str] | None = None) -> Response:
    """Return the failure as a page, or as a JSON problem for a program that asks for JSON."""
    try:
        shown = view(failure, visit, status)
        response = _problem(shown) if wants_json(visit.request) else _page(shown, visit)
    except Exception as error:  # noqa: BLE001 - the last resort must not need anything that can break
        # Without the traceback: its values may be a patient's.
        log.error("failure page failed", kind=type(error).__name__, reference=failure.reference)  # noqa: TRY400
        response = _last_resort(failure, visit, status)
    else:
        if wait := shown.wait_seconds or (_SOON if shown.status == _AWAY and shown.retry else 0):
            response.headers["retry-after"] = str(wait)
    response.headers.update(headers or {})
    # The request's own would lead nowhere: what is on the page is what people read out.
    response.headers["x-reference"] = failure.reference
    return response


def _template(failure: Failure, visit: Visit) -> str:
    """Return the failure's sentences in the visitor's language."""
    return _rules(failure, visit) or _written(failure, visit, "text") or failure.patient


def _written(failure: Failure, visit: Visit, part: str) -> str | None:
    """Return what the language's texts have for the failure, or for the kind it belongs to; English is its class."""
    find, words = visit.kit.texts.find, visit.language.words
    kinds = (kind for kind in type(failure).__mro__ if issubclass(kind, Failure))
    keys = (f"failure.{kind.code}" if "code" in vars(kind) else f"kind.{kind.__name__}" for kind in kinds)
    return next((text for key in keys if (text := find(words, f"{key}.{part}"))), None)


def _rules(failure: Failure, visit: Visit) -> str:
    """Return what a refused choice broke, from the stable words in its `rule`; empty unless all are known."""
    texts, words = visit.kit.texts, visit.language.words
    rules = _BETWEEN_RULES.split(failure.facts.get("rule", ""))
    said = [texts.find(words, f"rule.{failure.code}.{rule}") for rule in rules]
    return " ".join(text for text in said if text) if all(said) else ""


def _worded(facts: Mapping[str, str], visit: Visit) -> dict[str, str]:
    """Return the facts with moments in words."""
    return {
        name: formats.moment(value, visit.language) if formats.is_moment(value) else value
        for name, value in facts.items()
    }


def _still(failure: Failure, visit: Visit) -> str:
    if isinstance(failure, FileMissing):
        return visit.say("failing.still.file")
    # "Works again" is no word for what never worked.
    if isinstance(failure, LinkFailure | OfficeFailure) and failure.retry and not isinstance(failure, NeverConnected):
        return visit.say("failing.still.reach")
    return ""


def wants_json(request: Request) -> bool:
    """Return whether a program asks, that wants JSON rather than a page."""
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def _problem(shown: FailureView) -> Response:
    return Response(msgspec.json.encode(problem(shown)), status_code=shown.status, media_type=MEDIA_TYPE)


def _page(shown: FailureView, visit: Visit) -> Response:
    again = _here(visit.request) if shown.retry and visit.request.method in {"GET", "HEAD"} else ""
    return visit.page(visit.failure_page, shown.status, failure=shown, again=again)


def _here(request: Request) -> str:
    """Return this page's address on this site: two slashes at its front would name another site."""
    query = request.scope["query_string"].decode("latin-1")
    return "/" + quote(request.scope["path"].lstrip("/\\")) + (f"?{query}" if query else "")


_LAST_RESORT: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title></head><body><main><h1>{title}</h1><p>{text}</p><p>Reference: {reference}</p>"
    "</main></body></html>"
)


def _last_resort(failure: Failure, visit: Visit, status: int) -> Response:
    office = visit.kit.audience == "office"
    told = failure.office_text() if office else tell(failure.patient, failure.public_facts())
    content = {"title": "eConnector" if office else failure.title, "text": told, "reference": failure.reference}
    safe = {name: html.escape(str(value)) for name, value in content.items()}
    return HTMLResponse(_LAST_RESORT.format_map(safe), status_code=status or failure.http)
