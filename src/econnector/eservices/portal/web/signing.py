"""Signing in and out."""

import contextlib
import secrets
from urllib.parse import quote

from starlette.responses import Response

from econnector.base.errors import Failure, FormExpired, LoginFailed, TooManyTries
from econnector.eservices.portal.calls import PRACTICE, SIGN_IN, SIGN_OUT, Nothing, SignIn, Token
from econnector.eservices.portal.web.visiting import PortalVisit, safe_next
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]


async def _sign_in_form(visit: PortalVisit) -> Response:
    """Show the sign-in form; it asks the office first, so that nobody types for nothing."""
    visit.know(await visit.ask(PRACTICE, Nothing()))
    query = visit.request.query_params
    notice = next((name for name in ("ended", "signed-out", "reset") if query.get(name)), "")
    return _form(visit, Form({"next": query.get("next", "")}), notice=notice)


async def _sign_in(visit: PortalVisit) -> Response:
    """Try to sign in. What was typed stays, except the password."""
    form = await read_form(visit.request)
    secret = visit.site.before.read(visit.request, visit.door.office)
    if not visit.sent_by_us(form, secret):
        expired = FormExpired(reference=visit.reference)
        return await _again(visit, form, expired, notice="" if secret else "cookies")
    _check(visit, form)
    if form.mistakes:
        return await _again(visit, form)
    try:
        session = await visit.ask(SIGN_IN, _params(visit, form), form)
    except Failure as failure:
        return await _again(visit, form, failure)
    if session.ticket:
        response = visit.redirect(f"/second-step?next={quote(safe_next(form.get('next')), safe='')}")
        visit.site.step.keep(response, visit.door.office, session.ticket)
        return response
    first = session.change_user_name or session.change_password
    response = visit.redirect("/change" if first else safe_next(form.get("next")))
    visit.begin(session)
    visit.keep_session(response)
    return response


async def _sign_out(visit: PortalVisit) -> Response:
    """End the session in the office and forget it here; an office that does not answer now is told later."""
    form = await read_form(visit.request)
    if visit.token and not visit.sent_by_us(form):
        raise FormExpired(reference=visit.reference)
    response = visit.redirect("/sign-in?signed-out=1")
    visit.site.session.drop(response, visit.door.office)
    visit.site.whose.drop(response, visit.door.office)
    if visit.token:
        try:
            await visit.ask(SIGN_OUT, Token(visit.token), form)
        except Failure:
            visit.site.leaving.tell(visit.door.asker, visit.token, visit.key_of(form))
    return response


def _params(visit: PortalVisit, form: Form) -> SignIn:
    return SignIn(
        user_name=form.get("user_name").strip(),
        password=form.get("password"),
        address=visit.address,
        agent=visit.agent,
    )


def _check(visit: PortalVisit, form: Form) -> None:
    if not form.get("user_name").strip():
        form.wrong("user_name", visit.say("sign-in.user-name-missing"))
    if not form.get("password"):
        form.wrong("password", visit.say("sign-in.password-missing"))


async def _again(visit: PortalVisit, form: Form, failure: Failure | None = None, notice: str = "") -> Response:
    """Show the form again with what was typed."""
    # The page is about another failure, and works with what HQ knows of the practice.
    with contextlib.suppress(Failure):
        visit.know(await visit.ask(PRACTICE, Nothing()))
    if isinstance(failure, TooManyTries):
        # Answered exactly like a wrong password: who guesses must not learn which of them it was.
        failure = LoginFailed(reference=failure.reference)
    shown = view(failure, visit) if failure else None
    return _form(visit, form, shown, notice)


def _form(visit: PortalVisit, form: Form, failed: FailureView | None = None, notice: str = "") -> Response:
    office, before = visit.door.office, visit.site.before
    secret = before.read(visit.request, office) or secrets.token_urlsafe(24)
    status = failed.status if failed else 422 if form.mistakes else 200
    response = visit.page(
        "portal/sign-in.html",
        status,
        form=form.without("password"),
        form_token=visit.form_token(secret, form),
        next=safe_next(form.get("next")),
        failed=failed,
        notice=notice,
        carried=None,
    )
    before.keep(response, office, secret)
    return response


PAGES = (
    ("/sign-in", _sign_in_form, "GET"),
    ("/sign-in", _sign_in, "POST"),
    ("/sign-out", _sign_out, "POST"),
)
