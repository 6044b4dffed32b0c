"""The care summary: to read, to print, to save as files, and who did so."""

import datetime as dt
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from econnector.base.errors import PageMissing
from econnector.eservices.portal.calls import (
    CARE_SUMMARY,
    CARE_SUMMARY_FILE,
    CARE_SUMMARY_HISTORY,
    CareSummaryAsked,
    CareSummaryFile,
    PageAsked,
)
from econnector.eservices.portal.web.frame import Frame, frame
from econnector.eservices.portal.web.visiting import KIT, PortalVisit
from econnector.web import formats
from econnector.web.download import FileAnswer, FileFacts
from econnector.web.forms import Form
from econnector.web.language import SPOKEN, choose

__all__ = ["PAGES", "Days", "days_asked", "language_asked"]

_HERE: Final = "/health/summary"
_DAYS: Final = ("first", "last")


class Days:
    """The days that a summary is limited to, as the address says them."""

    def __init__(self, form: Form, first: dt.date | None, last: dt.date | None) -> None:
        """`form` is what was typed, with what is wrong about it."""
        self.form, self.first, self.last = form, first, last

    @property
    def limited(self) -> bool:
        """Whether they leave anything out."""
        return self.first is not None or self.last is not None

    def link(self, around: Frame, path: str, **more: object) -> str:
        """Return a path that keeps whose summary it is, and of which days."""
        asked: dict[str, object] = {}
        if around.elsewhere and around.looking_at:
            asked["person"] = around.looking_at.number
        asked |= {name: day for name, day in (("first", self.first), ("last", self.last)) if day}
        asked |= more
        return f"{path}?{urlencode(asked)}" if asked else path


def days_asked(visit: PortalVisit) -> Days:
    """Return the days in the address; what is wrong about them stands in its form."""
    form = Form({name: visit.request.query_params.get(name, "").strip() for name in _DAYS})
    found = {name: _day(form.get(name)) for name in _DAYS}
    for name in _DAYS:
        if form.get(name) and found[name] is None:
            form.wrong(name, visit.say("summary.day-wrong"))
    first, last = found["first"], found["last"]
    if first and last and first > last:
        form.wrong("last", visit.say("summary.days-turned"))
    return Days(form, first, last)


def language_asked(visit: PortalVisit) -> str:
    """Return the language that the browser wishes, or nothing where the practice's own decides."""
    wishes = visit.request.headers.get("accept-language", "")
    either = {choose(wishes, practice).words for practice in SPOKEN}
    return either.pop() if len(either) == 1 else ""


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


async def _summary(visit: PortalVisit) -> Response:
    """Show the summary, or ask for the days once more."""
    days = days_asked(visit)
    params = _params(visit, days)
    if days.form.mistakes:
        shown = await visit.ask(CARE_SUMMARY, CareSummaryAsked(params.token, params.person, bare=True))
        return _page(visit, days, shown, 422)
    return _page(visit, days, await visit.ask(CARE_SUMMARY, params))


async def _section(visit: PortalVisit) -> Response:
    """Show one section of a long summary, page by page."""
    days = days_asked(visit)
    if days.form.mistakes:
        raise PageMissing(reference=visit.reference)
    params = _params(visit, days)
    params.section, params.page = visit.request.path_params["section"], visit.page_number
    return _page(visit, days, await visit.ask(CARE_SUMMARY, params), one=True)


def _params(visit: PortalVisit, days: Days) -> CareSummaryAsked:
    return CareSummaryAsked(visit.signed_in(), visit.person, days.first, days.last, language_asked(visit))


def _page(visit: PortalVisit, days: Days, shown: Any, status: int = 200, *, one: bool = False) -> Response:
    around = frame(visit, _HERE, shown)
    return visit.page(
        "portal/care-summary-section.html" if one else "portal/care-summary.html",
        status,
        frame=around,
        shown=shown,
        days=days,
        phone=formats.phone(shown.phone),
        link=lambda path, **more: days.link(around, path, **more),
    )


async def _download(visit: PortalVisit) -> Response:
    """Save the summary as a file."""
    days, kind = days_asked(visit), visit.request.path_params["kind"]
    if days.form.mistakes:
        raise PageMissing(reference=visit.reference)
    asked = CareSummaryFile(
        visit.signed_in(), visit.person, kind=kind, first=days.first, last=days.last, language=language_asked(visit)
    )
    source = await visit.download(CARE_SUMMARY_FILE, asked)
    head = source.result
    return await FileAnswer.begin(FileFacts(head.name, head.media_type, head.size), source, inline=False)


async def _history(visit: PortalVisit) -> Response:
    """List who viewed, downloaded and sent it, newest first."""
    shown = await visit.ask(CARE_SUMMARY_HISTORY, PageAsked(visit.signed_in(), visit.person, visit.page_number))
    # A newer office may tell what these pages have no words for.
    words = {deed.what for deed in shown.items if KIT.texts.find("en", f"summary.did-{deed.what}")}
    around = frame(visit, f"{_HERE}/history", shown)
    return visit.page("portal/care-summary-history.html", frame=around, shown=shown, words=words)


PAGES = (
    (_HERE, _summary, "GET"),
    (f"{_HERE}/section/{{section}}", _section, "GET"),
    (f"{_HERE}/download/{{kind}}", _download, "GET"),
    (f"{_HERE}/history", _history, "GET"),
)
