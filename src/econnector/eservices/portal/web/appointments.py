"""Appointments: coming and past, confirming one, one for the calendar."""

import datetime as dt

from starlette.responses import Response

from econnector.base.errors import Failure, VisitChanged
from econnector.eservices.portal.calls import (
    APPOINTMENT,
    APPOINTMENTS,
    CONFIRM_APPOINTMENT,
    AppointmentAsked,
    ConfirmAppointment,
    PersonAsked,
)
from econnector.eservices.portal.web.calendar import calendar_file, calendar_name
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.download import disposition
from econnector.web.failing import FailureView, view
from econnector.web.formats import is_moment
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]

_NOTICES = frozenset({"told", "changed"})
_CHECK_UPS = {"prophy": "cleaning", "child prophy": "cleaning", "perio": "gums", "4bw": "x-rays", "pano": "x-rays"}
"""Open Dental's names of recall types that only people of the trade understand."""


async def _list(visit: PortalVisit) -> Response:
    """List what is coming, what is due and what has been."""
    shown = await visit.ask(APPOINTMENTS, PersonAsked(visit.signed_in(), visit.person))
    notice = visit.request.query_params.get("notice", "")
    return visit.page(
        "portal/appointments.html",
        frame=frame(visit, "/appointments", shown),
        shown=shown,
        new_token=visit.form_token,
        check_up=lambda kind: _check_up(visit, kind),
        notice=notice if notice in _NOTICES else "",
    )


def _check_up(visit: PortalVisit, kind: str) -> str:
    """Return what a check-up is called among people; the office's own name where it is none of the usual ones."""
    word = _CHECK_UPS.get(kind.casefold(), "")
    return visit.say(f"appointments.check-up-{word or 'any'}") if word or not kind else kind


async def _confirm(visit: PortalVisit) -> Response:
    """Tell the office that somebody is coming. Whatever stands in the way, the same form can be sent once more."""
    form = await read_form(visit.request)
    number, person = visit.number(visit.request.path_params["appointment"]), visit.person
    token = visit.signed_in()
    if not visit.sent_by_us(form):
        status, notice = visit.not_sent()
        return _again(visit, form, status, notice=notice)
    try:
        await visit.ask(CONFIRM_APPOINTMENT, ConfirmAppointment(token, number, form.get("at")), form)
    except VisitChanged:
        return _back(visit, person, "changed")
    except Failure as failure:
        shown = view(failure, visit)
        return _again(visit, form, shown.status, failed=shown) if failure.retry else _raise(failure)
    return _back(visit, person, "told")


def _raise(failure: Failure) -> Response:
    raise failure


def _back(visit: PortalVisit, person: int, notice: str) -> Response:
    whose = f"&person={person}" if person else ""
    return visit.redirect(f"/appointments?notice={notice}{whose}")


def _again(
    visit: PortalVisit, form: Form, status: int, *, notice: str = "", failed: FailureView | None = None
) -> Response:
    at = form.get("at") if is_moment(form.get("at")) else ""
    path = visit.request.url.path
    query = f"?person={visit.person}" if visit.person else ""
    return visit.page(
        "portal/appointment-confirm.html",
        status,
        frame=frame(visit, "/appointments/confirm"),
        form_token=visit.form_token(again=form),
        at=at,
        action=path + query,
        back=query,
        notice=notice,
        failed=failed,
    )


async def _calendar(visit: PortalVisit) -> Response:
    """Save one appointment for a calendar."""
    number = visit.number(visit.request.path_params["appointment"])
    shown = await visit.ask(APPOINTMENT, AppointmentAsked(visit.signed_in(), number))
    visit.know(shown.practice)
    phone = visit.phone
    content = calendar_file(
        shown.appointment,
        office=visit.door.office,
        title=visit.door.title,
        summary=visit.say("appointments.calendar-title", practice=visit.door.title),
        description=visit.say("appointments.calendar-text", phone=phone) if phone else "",
        now=dt.datetime.now(dt.UTC),
    )
    headers = {"content-disposition": disposition(calendar_name(shown.appointment), inline=False)}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


PAGES = (
    ("/appointments", _list, "GET"),
    ("/appointments/{appointment}/confirm", _confirm, "POST"),
    ("/appointments/{appointment}/calendar", _calendar, "GET"),
)
