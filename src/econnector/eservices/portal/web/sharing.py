"""Sending a care summary to somebody else, and what became of what was sent."""

import datetime as dt
from typing import Final

from starlette.responses import Response

from econnector.base.errors import Failure, SessionEnded, ShareNotSent
from econnector.base.ids import new_id
from econnector.eservices.portal.calls import (
    NOTE_MOST,
    SHARE,
    SHARING,
    WITHDRAW_SHARE,
    ShareSummary,
    Sharing,
    SharingAsked,
    WithdrawShare,
)
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]

_PATH: Final = "/health/summary/send"
_HERE: Final = "/health/summary"
"""Whose tab is marked, and where choosing another person leads."""
_LONGEST_NUMBER: Final = 20
_FIELDS_OF_RULES: Final = {"address": "address", "note": "note", "period": "last", "language": "language"}


async def _form(visit: PortalVisit) -> Response:
    """Show an empty form, what was sent before, and the code of what was sent just now."""
    query = visit.request.query_params
    asked = SharingAsked(visit.signed_in(), visit.person, query.get("sent", "")[:_LONGEST_NUMBER])
    shown = await visit.ask(SHARING, asked)
    days = {name: query.get(name, "") for name in ("first", "last") if _day(query.get(name, ""))}
    values = {"draft": new_id(), "language": visit.language.words, **days}
    return _page(visit, Form(values), shown, notice=query.get("notice", ""))


async def _send(visit: PortalVisit) -> Response:
    """Send it. What was typed stays until it is sent."""
    form = await read_form(visit.request)
    token = visit.signed_in()
    if not visit.sent_by_us(form):
        status, notice = visit.not_sent()
        return await _again(visit, form, status, notice=notice)
    days = _check(visit, form)
    if form.mistakes:
        return await _again(visit, form, 422)
    params = ShareSummary(
        token,
        visit.person,
        draft=form.get("draft"),
        address=form.get("address"),
        note=form.get("note"),
        first=days["first"],
        last=days["last"],
        language=form.get("language"),
    )
    try:
        sent = await visit.ask(SHARE, params, form)
    except SessionEnded:
        raise
    except Failure as failure:
        return await _refused(visit, form, failure)
    return visit.redirect(f"{_PATH}?{_whose(visit)}sent={sent.share}#code")


async def _withdraw(visit: PortalVisit) -> Response:
    """Take something back that was sent."""
    form = await read_form(visit.request)
    token = visit.signed_in()
    if not visit.sent_by_us(form):
        status, notice = visit.not_sent()
        return await _again(visit, Form({"draft": new_id()}), status, notice=notice)
    await visit.ask(WITHDRAW_SHARE, WithdrawShare(token, form.get("share")[:_LONGEST_NUMBER]), form)
    return visit.redirect(f"{_PATH}?{_whose(visit)}notice=withdrawn")


def _whose(visit: PortalVisit) -> str:
    return f"person={visit.person}&" if visit.person else ""


def _check(visit: PortalVisit, form: Form) -> dict[str, dt.date | None]:
    """Return the days; say what cannot be used."""
    if not form.get("address").strip():
        form.wrong("address", visit.say("sharing.address-missing"))
    if len(form.get("note").strip()) > NOTE_MOST:
        form.wrong("note", visit.say("sharing.note-long", most=NOTE_MOST))
    days = {name: _day(form.get(name).strip()) for name in ("first", "last")}
    for name, found in days.items():
        if form.get(name).strip() and found is None:
            form.wrong(name, visit.say("sharing.day-wrong"))
    return days


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


async def _refused(visit: PortalVisit, form: Form, failure: Failure) -> Response:
    shown = view(failure, visit)
    field = _FIELDS_OF_RULES.get(failure.facts.get("rule", "")) if isinstance(failure, ShareNotSent) else None
    if field is None:
        return await _again(visit, form, shown.status, failed=shown)
    form.wrong(field, shown.text)
    return await _again(visit, form, 422)


async def _again(
    visit: PortalVisit, form: Form, status: int, *, failed: FailureView | None = None, notice: str = ""
) -> Response:
    """Show the form with what was typed; with the list too, if the office answers now."""
    try:
        shown = await visit.ask(SHARING, SharingAsked(visit.token, visit.person))
    except Failure:
        # Why it was not sent is told already.
        return _page(visit, form, None, status, failed=failed, notice=notice)
    return _page(visit, form, shown, status, failed=failed, notice=notice)


def _page(  # noqa: PLR0913 - each is one thing the page may show
    visit: PortalVisit,
    form: Form,
    shown: Sharing | None,
    status: int = 200,
    *,
    failed: FailureView | None = None,
    notice: str = "",
) -> Response:
    around = frame(visit, _HERE, shown)
    person = f"?person={visit.person}" if visit.person else ""
    return visit.page(
        "portal/summary-send.html",
        status,
        frame=around,
        form=form,
        form_token=visit.form_token(again=form),
        shown=shown,
        action=f"{visit.base}{_PATH}{person}",
        withdraw=f"{visit.base}{_PATH}/withdraw{person}",
        note_most=NOTE_MOST,
        failed=failed,
        notice=notice,
    )


PAGES = ((_PATH, _form, "GET"), (_PATH, _send, "POST"), (f"{_PATH}/withdraw", _withdraw, "POST"))
