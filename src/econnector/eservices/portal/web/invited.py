"""Accepting the office's invite: the code of the mail with the birth date, then user name and password.

Opening the mail's link uses nothing up: mail scanners do that before people. The code comes from behind the link's `#`
or is typed, and is posted: it stands in no address that is sent.
"""

import datetime as dt
import re
import secrets
from typing import Final

from starlette.responses import Response

from econnector.base.errors import (
    Failure,
    FormExpired,
    InviteRejected,
    PasswordRejected,
    UserNameRejected,
)
from econnector.eservices.portal.calls import (
    ACCEPT_INVITE,
    INVITE,
    PRACTICE,
    AcceptInvite,
    Invite,
    Nothing,
    Session,
)
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]

_AMERICAN: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
"""What is typed where a browser has no field for dates."""
_LONGEST_CODE: Final = 100


async def _invite_form(visit: PortalVisit) -> Response:
    """Ask for code and birth date."""
    visit.know(await visit.ask(PRACTICE, Nothing()))
    return _show(visit, "invite", Form())


async def _invite(visit: PortalVisit) -> Response:
    """Show what there is to choose, to who has both."""
    form = await read_form(visit.request)
    if not _is_ours(visit, form):
        return _refused(visit, form, FormExpired(reference=visit.reference))
    born = _proofs(visit, form)
    if form.mistakes:
        return _show(visit, "invite", form)
    try:
        asked = Invite(form.get("code")[:_LONGEST_CODE], born, visit.address, visit.agent)
        invited = await visit.ask(INVITE, asked)
    except Failure as failure:
        return _refused(visit, form, failure)
    chosen = {"code": form.get("code"), "birth_date": born, "user_name": invited.user_name}
    return _show(visit, "invite-choose", Form(chosen))


async def _accept(visit: PortalVisit) -> Response:
    """Keep what was chosen, and sign in. What was typed stays until then, except passwords."""
    form = await read_form(visit.request)
    if not _is_ours(visit, form):
        return _refused(visit, form, FormExpired(reference=visit.reference))
    born = _proofs(visit, form)
    if form.mistakes:
        return _show(visit, "invite", form)
    _check(visit, form)
    if form.mistakes:
        return _show(visit, "invite-choose", form)
    try:
        session = await visit.ask(ACCEPT_INVITE, _params(visit, form, born), form)
    except InviteRejected as failure:
        return _refused(visit, form, failure)
    except (PasswordRejected, UserNameRejected) as failure:
        field = "password" if isinstance(failure, PasswordRejected) else "user_name"
        form.wrong(field, view(failure, visit).text)
        return _show(visit, "invite-choose", form)
    except Failure as failure:
        return _show(visit, "invite-choose", form, view(failure, visit))
    return _in(visit, session)


def _in(visit: PortalVisit, session: Session) -> Response:
    if session.ticket:
        response = visit.redirect("/second-step?next=%2F")
        visit.site.step.keep(response, visit.door.office, session.ticket)
        return response
    response = visit.redirect("/?notice=changed")
    visit.begin(session)
    visit.keep_session(response)
    return response


def _params(visit: PortalVisit, form: Form, born: str) -> AcceptInvite:
    return AcceptInvite(
        code=form.get("code")[:_LONGEST_CODE],
        birth_date=born,
        address=visit.address,
        agent=visit.agent,
        user_name=form.get("user_name").strip(),
        password=form.get("password"),
    )


def _proofs(visit: PortalVisit, form: Form) -> str:
    """Return the birth date in ISO 8601; say what is missing."""
    if not form.get("code").strip():
        form.wrong("code", visit.say("reset.code-missing"))
    born = _date(form.get("birth_date").strip())
    if not born:
        form.wrong("birth_date", visit.say("invite.birth-date-missing"))
    return born


def _date(text: str) -> str:
    if american := _AMERICAN.fullmatch(text):
        month, day, year = american.groups()
        text = f"{year}-{month:0>2}-{day:0>2}"
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _check(visit: PortalVisit, form: Form) -> None:
    if not form.get("user_name").strip():
        form.wrong("user_name", visit.say("change.user-name-missing"))
    if not form.get("password"):
        form.wrong("password", visit.say("change.password-missing"))
    if form.get("password") != form.get("repeat"):
        form.wrong("repeat", visit.say("change.repeat-differs"))


def _is_ours(visit: PortalVisit, form: Form) -> bool:
    return visit.sent_by_us(form, visit.site.before.read(visit.request, visit.door.office))


def _refused(visit: PortalVisit, form: Form, failure: Failure) -> Response:
    """Show the first page again."""
    return _show(visit, "invite", form, view(failure, visit))


def _show(visit: PortalVisit, page: str, form: Form, failed: FailureView | None = None) -> Response:
    office, before = visit.door.office, visit.site.before
    secret = before.read(visit.request, office) or secrets.token_urlsafe(24)
    status = failed.status if failed else 422 if form.mistakes else 200
    values = {"form": form.without("password", "repeat"), "form_token": visit.form_token(secret, form)}
    response = visit.page(f"portal/{page}.html", status, failed=failed, **values)
    before.keep(response, office, secret)
    return response


PAGES = (
    ("/invite", _invite_form, "GET"),
    ("/invite", _invite, "POST"),
    ("/invite/accept", _accept, "POST"),
)
