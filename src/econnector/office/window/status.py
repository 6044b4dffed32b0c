"""The first page: how the eConnector stands, what to do about it, the last 30 days, and its settings."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import structlog
from starlette.responses import Response

from econnector.base.errors import Failure
from econnector.office.desk import ConnectorSettings, ServiceStatus
from econnector.office.history import SHOW, Show, csv_text, is_unacknowledged, matching, word_of
from econnector.office.window.frame import Page, Section, Visitor
from econnector.opendental.signals import Severity, Signal
from econnector.opendental.uptime import Uptime
from econnector.web.failing import FailureView
from econnector.web.forms import Form

__all__ = ["PAGES", "SECTION", "form_of", "show"]

log = structlog.get_logger(__name__)

State = Literal["ok", "attention", "problem", "unknown"]

_FEW = 20
"""Rows of the history before somebody asks for all of them."""
_LONGEST_SEARCH = 100
ROW_STATES: dict[int, State] = {
    Severity.NOT_ENABLED: "unknown",
    Severity.INFO: "unknown",
    Severity.WORKING: "ok",
    Severity.WARNING: "attention",
    Severity.ERROR: "attention",
    Severity.CRITICAL: "problem",
}
"""Open Dental's colours: Error is yellow, Critical is red."""
_SPAN_STATES: dict[str, State] = {"up": "ok", "down": "problem", "off": "unknown", "unknown": "unknown"}
_SPAN_WORDS = {
    "up": "worked",
    "off": "not monitored",
    "unknown": "not known",
    "stopped": "stopped",
    "silent": "silent: killed, asleep or without its database",
    "update": "stopped for an update",
}


class Row(msgspec.Struct, frozen=True):
    """A row of the history, as it is shown."""

    at: str
    word: str
    state: State
    details: str
    waits: bool
    """It is an error that nobody has acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What the page shows."""

    status: ServiceStatus
    signals: Sequence[Signal] = ()
    past: Uptime | None = None
    settings: ConnectorSettings | None = None
    failed: FailureView | None = None
    """Why the database cannot be asked."""

    @property
    def mark(self) -> str:
        """A short text that changes when what is shown changes."""
        spans = self.past.spans[:-1] if self.past else []
        status = msgspec.structs.replace(self.status, reference="")  # a new one with every look
        seen = msgspec.json.encode((status, list(self.signals), spans, self.failed is None))
        return hashlib.sha256(seen).hexdigest()[:16]


async def show(visitor: Visitor) -> Response:
    """Show everything; whoever is not signed in sees the word and Start."""
    if not visitor.signed_in:
        return visitor.page("window/status-word.html", fragment=False, stands=await visitor.scene.desk.status())
    looked = await _look(visitor)
    form = visitor.form if visitor.form.mistakes else form_of(looked.settings)
    status = 422 if visitor.form.mistakes else 200
    return visitor.page("window/status.html", status, form=form, fragment=False, **_values(visitor, looked))


async def live(visitor: Visitor) -> Response:
    """Answer the script that looks every few seconds: what changed, or nothing."""
    looked = await _look(visitor)
    if visitor.request.query_params.get("seen") == looked.mark:
        return Response(status_code=204)
    return visitor.page("window/status-live.html", fragment=True, **_values(visitor, looked))


async def word(visitor: Visitor) -> Response:
    """As `live`, for whoever is not signed in."""
    stands = await visitor.scene.desk.status()
    if visitor.request.query_params.get("seen") == stands.word:
        return Response(status_code=204)
    return visitor.page("window/status-word-live.html", fragment=True, stands=stands)


async def export(visitor: Visitor) -> Response:
    """Give the history as a file that spreadsheets open."""
    wish = _wish(visitor)
    rows = matching(await visitor.scene.desk.history(), show=wish.show, text=wish.find)
    name = f"econnector-history-{visitor.scene.clock.now():%Y-%m-%d}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    # With a byte order mark: without one, Excel takes UTF-8 for an old code page.
    return Response(csv_text(rows).encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


async def _look(visitor: Visitor) -> _Looked:
    scene = visitor.scene
    status = await scene.desk.status()
    if status.severity is None:
        return _Looked(status=status)
    try:
        signals, past, settings = await asyncio.gather(scene.desk.history(), scene.desk.uptime(), scene.desk.settings())
    except Failure as failure:
        return _Looked(status=status, failed=visitor.failed(failure))
    return _Looked(status=status, signals=signals, past=past, settings=settings)


class _Wish(msgspec.Struct, frozen=True):
    show: Show
    find: str
    every: bool


def _wish(visitor: Visitor) -> _Wish:
    query = visitor.request.query_params
    wanted = query.get("show", "all")
    chosen = wanted if wanted in SHOW else "all"
    return _Wish(chosen, query.get("find", "")[:_LONGEST_SEARCH], query.get("rows") == "all")


def _values(visitor: Visitor, looked: _Looked) -> dict[str, Any]:
    wish, stands = _wish(visitor), looked.status
    if stands.reference:
        log.info("failure shown", code=stands.code, route="/", reference=stands.reference)
    found = matching(looked.signals, show=wish.show, text=wish.find)
    shown = found if wish.every else found[:_FEW]
    return {
        "stands": stands,
        "failed": looked.failed,
        "mark": looked.mark,
        "rows": [_row(each) for each in shown],
        "found": len(found),
        "counts": {each: len(matching(looked.signals, show=each)) for each in SHOW},
        "wish": wish,
        "strip": _strip(looked.past),
        "share": looked.past.share if looked.past else None,
        "settings": looked.settings,
        "has_install": any(section.path == "/install" for section in visitor.seen.sections),
    }


def _row(signal: Signal) -> Row:
    state = ROW_STATES.get(signal.severity, "unknown")
    return Row(signal.at.isoformat(), word_of(signal), state, signal.description, is_unacknowledged(signal))


def _strip(past: Uptime | None) -> list[tuple[float, float, State, str]]:
    """Return the spans as the kit's timeline takes them: shares of the whole, state, words."""
    if past is None or not past.spans:
        return []
    first = past.spans[0].began
    whole = max((past.now - first).total_seconds(), 1.0)
    return [
        (
            (span.began - first).total_seconds() / whole,
            (span.ended - first).total_seconds() / whole,
            _SPAN_STATES[span.state],
            f"{_day_and_time(span.began)} to {_day_and_time(span.ended)}: {_SPAN_WORDS[span.why or span.state]}",
        )
        for span in past.spans
    ]


def _day_and_time(moment: dt.datetime) -> str:
    return f"{moment.day} {moment:%b, %H:%M}"


def form_of(settings: ConnectorSettings | None) -> Form:
    """Return the settings as the form's values."""
    if settings is None:
        return Form()
    checked = {"listener": settings.listener, "mail_process": settings.mail_process}
    return Form({name: "1" for name, on in checked.items() if on} | {"log_days": str(settings.log_days)})


SECTION = Section("Status", "/", "home")
PAGES = (
    Page("/", show, needs="nobody"),
    Page("/live", live, polled=True),
    Page("/word", word, needs="nobody", polled=True),
    Page("/history.csv", export),
)
