"""How one's own sign-in is protected: the overview, setting up an app or a passkey, recovery codes, sessions."""

import re

import segno
from markupsafe import Markup
from starlette.responses import Response

from econnector.base.errors import Failure, FormExpired, PasswordRejected, SecondStepRejected, TooManyTries
from econnector.eservices.portal.calls import (
    ADD_PASSKEY,
    BEGIN_PASSKEY,
    CHANGE_TWO_STEP,
    CONFIRM_APP,
    END_SESSIONS,
    PREPARE_APP,
    SECURITY,
    AddPasskey,
    App,
    BeginPasskey,
    ChangeTwoStep,
    Codes,
    ConfirmApp,
    EndSessions,
    PrepareApp,
    Security,
    Token,
)
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES", "device"]

_NOTICES = frozenset({"app", "passkey", "off", "dropped", "ended"})
_BROWSERS = ("Edg", "OPR", "Firefox", "CriOS", "Chrome", "Safari")
_NAMES = {"Edg": "Edge", "OPR": "Opera", "CriOS": "Chrome"}
_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux")
_FORM_PAGES = {"off": "off", "codes": "codes", "drop-passkey": "drop-passkey"}


async def _overview(visit: PortalVisit) -> Response:
    """Show it all."""
    shown = await visit.ask(SECURITY, Token(visit.signed_in()))
    notice = visit.request.query_params.get("notice", "")
    return _page(visit, "security", shown, Form(), notice=notice if notice in _NOTICES else "", device=device)


async def _app_form(visit: PortalVisit) -> Response:
    """Say what is to come; where the session is not fresh, ask for the password."""
    shown = await visit.ask(SECURITY, Token(visit.signed_in()))
    return _page(visit, "app-begin", shown, Form())


async def _app(visit: PortalVisit) -> Response:
    """Make the secret and show it, or take the app into use by its first code."""
    form, shown = await _read(visit)
    if "code" in form.values:
        return await _confirm(visit, form, shown)
    try:
        app = await visit.ask(PREPARE_APP, PrepareApp(visit.token, form.get("current")), form)
    except Failure as failure:
        return _refused(visit, "app-begin", shown, form, failure)
    return _app_page(visit, shown, Form(), app)


async def _confirm(visit: PortalVisit, form: Form, shown: Security) -> Response:
    failed = None
    if not form.get("code").strip():
        form.wrong("code", visit.say("security.code-missing"))
    else:
        try:
            made = await visit.ask(CONFIRM_APP, ConfirmApp(visit.token, form.get("code")), form)
        except SecondStepRejected as failure:
            form.wrong("code", visit.say("security.code-wrong"))
            failed = failure
        else:
            return await _done(visit, made, "app")
    try:
        app = await visit.ask(PREPARE_APP, PrepareApp(visit.token, again=True))
    except SecondStepRejected:
        return _page(visit, "app-begin", shown, Form(), view(failed, visit) if failed else None)
    return _app_page(visit, shown, form.without("code"), app)


async def _passkey_form(visit: PortalVisit) -> Response:
    """Offer to make a passkey."""
    shown = await visit.ask(SECURITY, Token(visit.signed_in()))
    return await _passkey_page(visit, shown, Form())


async def _passkey(visit: PortalVisit) -> Response:
    """Keep the passkey that the browser has made."""
    form, shown = await _read(visit, shows=True)
    if visit.returned:
        return await _passkey_page(visit, shown, form)
    if not form.get("passkey"):
        form.wrong("name", visit.say("security.passkey-script"))
        return await _passkey_page(visit, shown, form)
    host, origin = visit.host
    params = AddPasskey(visit.token, form.get("passkey"), host, origin, form.get("name"), form.get("current"))
    try:
        made = await visit.ask(ADD_PASSKEY, params, form)
    except (PasswordRejected, TooManyTries):
        form.wrong("current", visit.say("change.current-wrong"))
        return await _passkey_page(visit, shown, form)
    except Failure as failure:
        return await _passkey_page(visit, shown, form, view(failure, visit))
    return await _done(visit, made, "passkey")


async def _change_form(visit: PortalVisit) -> Response:
    """Ask before something is taken away."""
    what = _what(visit)
    shown = await visit.ask(SECURITY, Token(visit.signed_in()))
    return _page(
        visit, "security-change", shown, Form({"number": visit.request.query_params.get("key", "")}), what=what
    )


async def _change(visit: PortalVisit) -> Response:
    """Turn it off, drop a passkey, or make new recovery codes."""
    what = _what(visit)
    form, shown = await _read(visit)
    params = ChangeTwoStep(visit.token, what, form.get("number"), form.get("current"))
    try:
        made = await visit.ask(CHANGE_TWO_STEP, params, form)
    except Failure as failure:
        return _refused(visit, "security-change", shown, form, failure, what=what)
    # Of what is there afterwards, also where the same form is sent twice and it is gone already.
    last = not shown.app and all(one.number == form.get("number") for one in shown.passkeys)
    return await _done(visit, made, "off" if what == "off" or last else "dropped")


async def _end(visit: PortalVisit) -> Response:
    """End one session, or all of them and this one too."""
    form, _ = await _read(visit)
    await visit.ask(END_SESSIONS, EndSessions(visit.token, form.get("number")), form)
    if form.get("number"):
        return visit.redirect("/security?notice=ended")
    response = visit.redirect("/sign-in?signed-out=1")
    visit.site.session.drop(response, visit.door.office)
    return response


async def _done(visit: PortalVisit, made: Codes, notice: str) -> Response:
    """Show new recovery codes, the only time; without any, go back to the overview."""
    if not made.codes:
        return visit.redirect(f"/security?notice={notice}")
    shown = await visit.ask(SECURITY, Token(visit.token))
    return _page(visit, "recovery-codes", shown, Form(), codes=made.codes)


async def _read(visit: PortalVisit, *, shows: bool = False) -> tuple[Form, Security]:
    """Return the posted form, if it is ours, or if its page `shows` what comes back from signing in again.

    Raises `SessionEnded`, `FormExpired`.
    """
    form = await read_form(visit.request)
    shown = await visit.ask(SECURITY, Token(visit.signed_in()))
    visit.know(shown.practice)
    if not visit.sent_by_us(form) and not (shows and visit.returned):
        raise FormExpired(reference=visit.reference)
    return form, shown


def _refused(
    visit: PortalVisit, page: str, shown: Security, form: Form, failure: Failure, **values: object
) -> Response:
    if isinstance(failure, PasswordRejected | TooManyTries):
        form.wrong("current", visit.say("change.current-wrong" if form.get("current") else "change.current-missing"))
        return _page(visit, page, shown, form, None, **values)
    return _page(visit, page, shown, form, view(failure, visit), **values)


def _app_page(visit: PortalVisit, shown: Security, form: Form, app: App) -> Response:
    drawn = segno.make(app.uri, error="m", micro=False).svg_inline(scale=5, border=4, light="#fff", svgclass="qr")
    return _page(visit, "app-scan", shown, form, qr=Markup(drawn), secret=_in_fours(app.secret), uri=app.uri)  # noqa: S704 - drawn by us from a text that it does not hold


async def _passkey_page(visit: PortalVisit, shown: Security, form: Form, failed: FailureView | None = None) -> Response:
    host = visit.host[0]
    options = (await visit.ask(BEGIN_PASSKEY, BeginPasskey(visit.token, host))).options if host else ""
    return _page(visit, "passkey", shown, form.without("passkey"), failed, options=options)


def _page(
    visit: PortalVisit,
    name: str,
    shown: Security,
    form: Form,
    failed: FailureView | None = None,
    **values: object,
) -> Response:
    around = frame(visit, "/security", shown)
    status = failed.status if failed else 422 if form.mistakes else 200
    values = {"shown": shown, "form": form.without("current"), "failed": failed, **values}
    token = visit.form_token(again=form)
    return visit.page(f"portal/{name}.html", status, frame=around, form_token=token, **values)


def _what(visit: PortalVisit) -> str:
    return _FORM_PAGES[visit.request.url.path.rpartition("/")[2]]


def _in_fours(secret: str) -> str:
    return " ".join(re.findall(".{1,4}", secret))


def device(agent: str) -> str:
    """Return what a person recognises of a browser's own name; empty for nothing."""
    browser = next((_NAMES.get(word, word) for word in _BROWSERS if f"{word}/" in agent), "")
    system = next((word.replace("Mac OS", "Mac") for word in _SYSTEMS if word in agent), "")
    return ", ".join(word for word in (browser, system) if word) or agent[:40]


PAGES = (
    ("/security", _overview, "GET"),
    ("/security/app", _app_form, "GET"),
    ("/security/app", _app, "POST"),
    ("/security/passkey", _passkey_form, "GET"),
    ("/security/passkey", _passkey, "POST"),
    ("/security/off", _change_form, "GET"),
    ("/security/off", _change, "POST"),
    ("/security/codes", _change_form, "GET"),
    ("/security/codes", _change, "POST"),
    ("/security/drop-passkey", _change_form, "GET"),
    ("/security/drop-passkey", _change, "POST"),
    ("/security/sessions", _end, "POST"),
)
