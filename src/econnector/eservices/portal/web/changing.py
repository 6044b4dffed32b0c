"""Choosing a user name and a password: forced at the first sign-in, free afterwards."""

from dataclasses import dataclass

from starlette.responses import Response

from econnector.base.errors import (
    ChangeRequired,
    Failure,
    PasswordRejected,
    SessionEnded,
    TooManyTries,
    UserNameRejected,
)
from econnector.eservices.portal.calls import CHANGE_SIGN_IN, HOME, ChangeSignIn, Home, PersonAsked, Session
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["PAGES"]

_CURRENT_WRONG = "current"
_TWO_STEP = "two-step"
_NEEDS = frozenset({"both", "user-name", "password"})
_PASSWORDS = ("current", "password", "repeat")


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which fields the form has: `need` is empty when the change is free."""

    need: str

    @property
    def first(self) -> bool:
        return bool(self.need)

    @property
    def name(self) -> bool:
        return self.need != "password"

    @property
    def password(self) -> bool:
        return self.need != "user-name"


async def _change_form(visit: PortalVisit) -> Response:
    """Show the form; which fields it has depends on what the office demands."""
    token = visit.signed_in()
    try:
        home = await visit.ask(HOME, PersonAsked(token))
    except ChangeRequired as required:
        if required.facts.get("need") == _TWO_STEP:
            raise  # which another page is for
        need = required.facts.get("need", "")  # a connector of before this fact leaves it out
        return _form(visit, Form(), _Wish(need if need in _NEEDS else "both"))
    values = {"user_name": home.session.user_name, "was": home.session.user_name}
    return _form(visit, Form(values), _Wish(""), home=home)


async def _change(visit: PortalVisit) -> Response:
    """Save the change. What was typed stays until it is saved, except passwords."""
    form = await read_form(visit.request)
    wish = _Wish(form.get("need") if form.get("need") in _NEEDS else "")
    visit.signed_in()
    if not visit.sent_by_us(form):
        status, notice = visit.not_sent()
        return _form(visit, form, wish, status=status, notice=notice)
    _check(visit, form, wish)
    if form.mistakes:
        return _form(visit, form, wish, status=422)
    try:
        session = await visit.ask(CHANGE_SIGN_IN, _params(visit, form), form)
    except SessionEnded:
        raise
    except Failure as failure:
        return _refused(visit, form, wish, failure)
    return _saved(visit, session)


def _saved(visit: PortalVisit, session: Session) -> Response:
    left = session.change_user_name or session.change_password
    response = visit.redirect("/change" if left else "/?notice=changed")
    visit.site.session.keep(response, visit.door.office, session.token or visit.token)
    return response


def _refused(visit: PortalVisit, form: Form, wish: _Wish, failure: Failure) -> Response:
    shown = view(failure, visit)
    if isinstance(failure, TooManyTries) or failure.facts.get("rule") == _CURRENT_WRONG:
        # Asked for though the form had no such field: the first change was made meanwhile, from another tab or twice.
        form.wrong("current", visit.say("change.current-missing" if wish.first else "change.current-wrong"))
        wish = _Wish("")
    elif isinstance(failure, PasswordRejected):
        form.wrong("password", shown.text)
    elif isinstance(failure, UserNameRejected):
        form.wrong("user_name", shown.text)
    else:
        return _form(visit, form, wish, status=shown.status, failed=shown)
    return _form(visit, form, wish, status=422)


def _params(visit: PortalVisit, form: Form) -> ChangeSignIn:
    name = form.get("user_name").strip()
    return ChangeSignIn(
        token=visit.token,
        current_password=form.get("current"),
        user_name="" if name == form.get("was") else name,
        password=form.get("password"),
    )


def _check(visit: PortalVisit, form: Form, wish: _Wish) -> None:
    name, password = form.get("user_name").strip(), form.get("password")
    if wish.name and not name:
        form.wrong("user_name", visit.say("change.user-name-missing"))
    if not wish.first and not form.get("current"):
        form.wrong("current", visit.say("change.current-missing"))
    if wish.first and wish.password and not password:
        form.wrong("password", visit.say("change.password-missing"))
    if password != form.get("repeat"):
        form.wrong("repeat", visit.say("change.repeat-differs"))
    if not wish.first and name == form.get("was") and not password:
        form.wrong("user_name", visit.say("change.nothing"))


def _form(  # noqa: PLR0913 - each is one thing the page may show
    visit: PortalVisit,
    form: Form,
    wish: _Wish,
    *,
    status: int = 200,
    failed: FailureView | None = None,
    notice: str = "",
    home: Home | None = None,
) -> Response:
    around = frame(visit, "/change", home)
    clean = form.without(*_PASSWORDS)
    token = visit.form_token(again=form)
    values = {"form_token": token, "form": clean, "wish": wish, "failed": failed, "notice": notice}
    return visit.page("portal/change.html", status, frame=around, **values)


PAGES = (("/change", _change_form, "GET"), ("/change", _change, "POST"))
