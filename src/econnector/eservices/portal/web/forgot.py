"""A new password by mail: asking for the code, then typing it with the password it is for."""

import secrets

from starlette.responses import Response

from econnector.base.errors import CodeRejected, Failure, FormExpired, PasswordRejected, TooManyTries
from econnector.eservices.portal.calls import FORGOT, PRACTICE, RESET, Forgot, Nothing, Reset
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]

_LONGEST_NAME = 255


async def _forgot_form(visit: PortalVisit) -> Response:
    """Ask for the user name."""
    visit.know(await visit.ask(PRACTICE, Nothing()))
    return _show(visit, "forgot", Form())


async def _forgot(visit: PortalVisit) -> Response:
    """Have a code sent; the next page says the same whoever the name belongs to."""
    form = await read_form(visit.request)
    refused = _not_ours(visit, form)
    if refused:
        return _show(visit, "forgot", form, view(refused, visit))
    if not form.get("user_name").strip():
        form.wrong("user_name", visit.say("sign-in.user-name-missing"))
        return _show(visit, "forgot", form)
    name = form.get("user_name").strip()[:_LONGEST_NAME]
    try:
        await visit.ask(FORGOT, Forgot(name, visit.address), form)
    except Failure as failure:
        return _show(visit, "forgot", form, view(failure, visit))
    return _show(visit, "reset", Form({"user_name": name}), sent=True)


async def _reset_form(visit: PortalVisit) -> Response:
    """Ask for a code that came some other way: on another device, or from the office."""
    visit.know(await visit.ask(PRACTICE, Nothing()))
    return _show(visit, "reset", Form())


async def _reset(visit: PortalVisit) -> Response:
    """Set the new password. What was typed stays, except passwords."""
    form = await read_form(visit.request)
    refused = _not_ours(visit, form)
    if refused:
        return _show(visit, "reset", form, view(refused, visit))
    for name, missing in (("user_name", "sign-in.user-name-missing"), ("code", "reset.code-missing")):
        if not form.get(name).strip():
            form.wrong(name, visit.say(missing))
    if not form.get("password"):
        form.wrong("password", visit.say("change.password-missing"))
    if form.get("password") != form.get("repeat"):
        form.wrong("repeat", visit.say("change.repeat-differs"))
    if form.mistakes:
        return _show(visit, "reset", form)
    wish = Reset(form.get("user_name").strip(), form.get("code"), form.get("password"), visit.address)
    try:
        await visit.ask(RESET, wish, form)
    except PasswordRejected as failure:
        form.wrong("password", view(failure, visit).text)
        return _show(visit, "reset", form)
    except Failure as failure:
        if isinstance(failure, TooManyTries):
            failure = CodeRejected(reference=failure.reference)
        return _show(visit, "reset", form, view(failure, visit))
    return visit.redirect("/sign-in?reset=1")


def _not_ours(visit: PortalVisit, form: Form) -> Failure | None:
    ours = visit.sent_by_us(form, visit.site.before.read(visit.request, visit.door.office))
    return None if ours else FormExpired(reference=visit.reference)


def _show(
    visit: PortalVisit, page: str, form: Form, failed: FailureView | None = None, *, sent: bool = False
) -> Response:
    office, before = visit.door.office, visit.site.before
    secret = before.read(visit.request, office) or secrets.token_urlsafe(24)
    status = failed.status if failed else 422 if form.mistakes else 200
    # After a refusal the same form may be sent again and is asked anew: a failure is never remembered.
    values = {"form": form.without("password", "repeat"), "form_token": visit.form_token(secret, form)}
    response = visit.page(f"portal/{page}.html", status, failed=failed, sent=sent, **values)
    before.keep(response, office, secret)
    return response


PAGES = (
    ("/forgot", _forgot_form, "GET"),
    ("/forgot", _forgot, "POST"),
    ("/reset", _reset_form, "GET"),
    ("/reset", _reset, "POST"),
)
