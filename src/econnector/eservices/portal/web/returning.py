"""Coming back: what was typed outlives the session and the link under it.

A form that is sent after its session has ended is answered with the sign-in page, in which it stands hidden. Who signs
in there gets the form back as it was, if it is theirs, and sends it; somebody else gets their own start page. A form
that nobody answered is answered with a button that sends the same form once more, which is the same ask. Neither needs
a script, or anything kept at HQ, and neither holds a password or a code.
"""

import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog
from starlette.responses import Response

from econnector.base.errors import (
    Failure,
    FormExpired,
    LoginFailed,
    PasskeyRejected,
    SecondStepRejected,
    SessionEnded,
    TooManyTries,
    UnknownCall,
)
from econnector.eservices.portal.calls import (
    PRACTICE,
    SECOND_STEP,
    SIGN_IN,
    STEP,
    Nothing,
    SecondStep,
    Session,
    SignIn,
    StepAsked,
)
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web import csrf
from econnector.web.failing import view, wants_json
from econnector.web.forms import Form, read_form

__all__ = ["Carried", "returning"]

log = structlog.get_logger(__name__)

Handler = Callable[[PortalVisit], Awaitable[Response]]

_SECRETS = ("current", "password", "repeat", "code", "passkey")
_OURS = "signin-"
"""Begins the names of the sign-in's own fields beside the carried ones."""
_TOKEN, _NAME, _PASSWORD, _STEP = f"{_OURS}token", f"{_OURS}user_name", f"{_OURS}password", f"{_OURS}step"
_TROUBLE = 500
_ONLY_SECRETS = frozenset(f"/security/{page}" for page in ("app", "off", "codes", "drop-passkey", "sessions"))


@dataclass(frozen=True, slots=True)
class Carried:
    """A form that stands hidden in another one."""

    action: str
    """Where it was sent."""
    fields: tuple[tuple[str, str], ...]


class _Refused(Exception):  # noqa: N818 - it carries a page to where it is answered
    """Nobody is signed in yet; `page` asks again."""

    def __init__(self, page: Response) -> None:
        self.page = page


def returning(handler: Handler) -> Handler:
    """Return `handler`, which answers a form, with a way back for what was typed."""

    async def answer(visit: PortalVisit) -> Response:
        form = visit.posted = await _form_of(visit)
        try:
            if form and _whose(form) and form.get(_TOKEN):
                return await _come_back(visit, form, handler)
            if form and visit.of_another(form):
                return visit.to_their_own()
            return await handler(visit)
        except SessionEnded:
            # What was made for nobody is of nobody's typing, or from a page before signing in.
            if wants_json(visit.request) or _holds_nothing(visit) or not (visit.posted and _whose(visit.posted)):
                raise
            return await _ask(visit, visit.posted, notice="kept")
        except Failure as failure:
            if wants_json(visit.request) or not visit.posted or not _passes(failure):
                raise
            return _once_more(visit, visit.posted, failure)

    return answer


async def _form_of(visit: PortalVisit) -> Form | None:
    """Return the form; None for one with files, which its own page reads piece by piece."""
    if visit.request.headers.get("content-type", "").startswith("multipart/"):
        return None
    return await read_form(visit.request)


def _holds_nothing(visit: PortalVisit) -> bool:
    """Return whether nothing is typed on the page but secrets."""
    return visit.request.url.path.removeprefix(visit.base) in _ONLY_SECRETS


def _waits(visit: PortalVisit) -> bool:
    """Return whether the page can show its form while user name or password are still to be chosen."""
    return not visit.request.url.path.removeprefix(visit.base).startswith(("/change", "/security"))


def _whose(form: Form) -> str:
    """Return for whom the form was made; empty for what no signed-in page had on it."""
    return csrf.note_of(form.get("form_token"))


def _passes(failure: Failure) -> bool:
    """Return whether the same form may be answered later."""
    return failure.http >= _TROUBLE and not isinstance(failure, UnknownCall)


def _once_more(visit: PortalVisit, form: Form, failure: Failure) -> Response:
    """Show the failure with a button that sends the form again; of a secret only its empty field is in it."""
    log.info("failure shown", code=failure.code, route=visit.request.url.path, reference=failure.reference)
    fields = [(name, "" if name in _SECRETS else value) for name, value in _plain(form)]
    # "You need not do anything" is not so here: the button is still to be pressed.
    shown = replace(view(failure, visit), still="")
    carried = Carried(_action(visit), tuple(fields))
    return visit.page("portal/once-more.html", shown.status, failure=shown, again="", carried=carried)


async def _come_back(visit: PortalVisit, form: Form, handler: Handler) -> Response:
    """Sign in, then show the carried form to whose it is."""
    try:
        session = await (_second_step if form.get(_STEP) else _sign_in)(visit, form)
    except _Refused as refused:
        return refused.page
    visit.begin(session)
    if visit.of_another(form):
        response = visit.to_their_own()
    elif (due := session.change_user_name or session.change_password) and not _waits(visit):
        response = visit.redirect("/change")
    else:
        visit.returned, visit.due = True, due
        # Under the new session the form is not ready to be sent: its own page shows it.
        response = await handler(visit)
    visit.keep_session(response)
    visit.site.step.drop(response, visit.door.office)
    return response


async def _sign_in(visit: PortalVisit, form: Form) -> Session:
    """Return the new session. Raises `_Refused` with the page that asks once more."""
    secret = visit.site.before.read(visit.request, visit.door.office)
    if not visit.sent_by_us(_token_form(form), secret):
        raise _Refused(await _ask(visit, form, failure=FormExpired(reference=visit.reference)))
    typed = Form({_NAME: form.get(_NAME)})
    for name, missing in ((_NAME, "sign-in.user-name-missing"), (_PASSWORD, "sign-in.password-missing")):
        if not form.get(name).strip():
            typed.wrong(name, visit.say(missing))
    if typed.mistakes:
        raise _Refused(await _ask(visit, form, typed))
    params = SignIn(form.get(_NAME).strip(), form.get(_PASSWORD), visit.address, visit.agent)
    try:
        session = await visit.ask(SIGN_IN, params, _token_form(form))
    except Failure as failure:
        raise _Refused(await _ask(visit, form, typed, _alike(failure, LoginFailed))) from None
    if session.ticket:
        response = await _ask_step(visit, form, session.ticket)
        visit.site.step.keep(response, visit.door.office, session.ticket)
        raise _Refused(response)
    return session


async def _second_step(visit: PortalVisit, form: Form) -> Session:
    """Return the new session. Raises `_Refused` with the page that asks once more."""
    ticket = visit.site.step.read(visit.request, visit.door.office)
    if not ticket:
        raise _Refused(await _ask(visit, form, notice="kept"))
    if not visit.sent_by_us(_token_form(form), ticket):
        raise _Refused(await _ask_step(visit, form, ticket, FormExpired(reference=visit.reference)))
    host, origin = visit.host
    passkey = form.get("passkey")
    code = "" if passkey else form.get("code")
    tried = SecondStep(ticket, code, passkey, host, origin, visit.address, visit.agent)
    try:
        return await visit.ask(SECOND_STEP, tried, _token_form(form))
    except (SecondStepRejected, PasskeyRejected, TooManyTries) as failure:
        raise _Refused(await _ask_step(visit, form, ticket, _alike(failure, SecondStepRejected))) from None
    except SessionEnded:
        raise _Refused(await _ask(visit, form, notice="kept")) from None


def _alike(failure: Failure, wrong: type[Failure]) -> Failure:
    """Return the failure to show: slowed down reads like wrong, for who guesses."""
    return wrong(reference=failure.reference) if isinstance(failure, TooManyTries) else failure


async def _ask(
    visit: PortalVisit, form: Form, typed: Form | None = None, failure: Failure | None = None, notice: str = ""
) -> Response:
    """Show the sign-in page with the form in it."""
    with contextlib.suppress(Failure):
        visit.know(await visit.ask(PRACTICE, Nothing()))
    office, before = visit.door.office, visit.site.before
    secret = before.read(visit.request, office) or secrets.token_urlsafe(24)
    shown = view(failure, visit) if failure else None
    typed = typed or Form()
    response = visit.page(
        "portal/sign-in.html",
        shown.status if shown else 422 if typed.mistakes else SessionEnded.http,
        form=typed,
        form_token=visit.form_token(secret, _token_form(form)),
        next="/",
        failed=shown,
        notice=notice,
        carried=_carried(visit, form),
    )
    before.keep(response, office, secret)
    return response


async def _ask_step(visit: PortalVisit, form: Form, ticket: str, failure: Failure | None = None) -> Response:
    """Show the page of the second step with the form in it."""
    step = await visit.ask(STEP, StepAsked(ticket, visit.host[0]))
    shown = view(failure, visit) if failure else None
    return visit.page(
        "portal/second-step.html",
        shown.status if shown else SessionEnded.http,
        form=Form(),
        form_token=visit.form_token(ticket),
        next="/",
        step=step,
        failed=shown,
        carried=_carried(visit, form),
    )


def _carried(visit: PortalVisit, form: Form) -> Carried:
    return Carried(_action(visit), tuple((name, value) for name, value in _plain(form) if name not in _SECRETS))


def _plain(form: Form) -> list[tuple[str, str]]:
    return [(name, value) for name, value in form.values.items() if not name.startswith(_OURS)]


def _action(visit: PortalVisit) -> str:
    query = f"?person={visit.person}" if visit.person else ""
    return visit.request.url.path + query


def _token_form(form: Form) -> Form:
    """Return the sign-in's own token as a form has it."""
    return Form({"form_token": form.get(_TOKEN)})
