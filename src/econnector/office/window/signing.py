"""Signing in with Open Dental's own users, and out again."""

import structlog
from starlette.responses import JSONResponse, Response

from econnector.base.errors import AccessFailure, Failure, PasswordDue, SignInFailed, SignInSlowed, TooManyTries
from econnector.office.desk import who_is
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.paths import safe_next
from econnector.opendental import times, users
from econnector.opendental.users import User
from econnector.storage.state import throttle
from econnector.storage.state import window_sessions as sessions
from econnector.web.forms import Form

__all__ = ["PAGES", "SECTION"]

log = structlog.get_logger(__name__)

_WITHIN = 8.0


async def ask(visitor: Visitor) -> Response:
    """Show the form; the database is asked first, so that nobody types for nothing."""
    back = visitor.request.query_params.get("next", "/")
    if visitor.signed_in:
        return visitor.go(safe_next(back))
    try:
        await visitor.scene.database.run(times.now, within=_WITHIN)
    except Failure as failure:
        return _form(visitor, Form({"next": back}), failure)
    return _form(visitor, Form({"next": back}))


async def sign_in(visitor: Visitor) -> Response:
    """Try to sign in. What was typed stays, except the password."""
    form = visitor.form
    if not form.get("user_name").strip():
        form.wrong("user_name", "Enter your Open Dental user name.")
        return _form(visitor, form)
    try:
        user = await _admitted(visitor)
    except Failure as failure:
        # Without the name: people type their password into the wrong field.
        log.info("a sign-in to the window was refused", code=failure.code, reference=failure.reference)
        return _form(visitor, form, failure)
    log.info("somebody signed in to the window", user=user.number, reference=visitor.reference)
    await _note(visitor, user)
    who, now = who_is(user), visitor.scene.clock.now()
    visitor.seen.token = await visitor.scene.state.run(
        sessions.begin, who.user, who.name, who.may_setup, who.may_admin, now
    )
    return visitor.go(safe_next(form.get("next")))


async def _note(visitor: Visitor, user: User) -> None:
    """Write the sign-in into Open Dental's audit trail; an account that may only read keeps nobody out."""
    try:
        await visitor.scene.desk.signed_in(user)
    except Failure as failure:
        log.warning("the sign-in is not in the audit trail", code=failure.code, reference=failure.reference)


async def sign_out(visitor: Visitor) -> Response:
    """End the session."""
    await visitor.scene.state.run(sessions.end, visitor.seen.secret)
    visitor.seen.token = ""
    return visitor.go("/sign-in", "You are signed out.")


async def _admitted(visitor: Visitor) -> User:
    """Return who signs in. Raises `SignInFailed`, `SignInSlowed`, `PasswordDue`, or why the database is away."""
    scene, form = visitor.scene, visitor.form
    client, now = visitor.request.client, scene.clock.now()
    account = f"window\0{form.get('user_name').strip().lower()}"
    # Counted anew every day: an office must not be shut out of its own window for weeks.
    attempt = await scene.state.run(
        throttle.begin, account, str(now.date()), client.host if client else "127.0.0.1", now
    )
    if not attempt.allowed:
        raise SignInSlowed(reference=visitor.reference, seconds=int(attempt.wait) + 1)
    try:
        user = await scene.database.run(users.sign_in, form.get("user_name"), form.get("password"), within=_WITHIN)
    except TooManyTries as locked:
        raise SignInSlowed(reference=visitor.reference, seconds=locked.facts["seconds"]) from None
    except Failure:
        await scene.state.run(throttle.passed, attempt, now)  # nobody looked at the password
        raise
    if user is None:
        raise SignInFailed(reference=visitor.reference)
    await scene.state.run(throttle.passed, attempt, now)
    if user.must_change:
        raise PasswordDue(reference=visitor.reference, user=user.name)
    return user


def _form(visitor: Visitor, form: Form, failure: Failure | None = None) -> Response:
    failed = visitor.failed(failure) if failure else None
    status = failed.status if failed else 422 if form.mistakes else 200
    return visitor.page(
        "window/sign-in.html",
        status,
        form=form.without("password"),
        next=safe_next(form.get("next")),
        failed=failed,
        closed=failure is not None and not isinstance(failure, AccessFailure),
    )


async def stay(visitor: Visitor) -> Response:
    """Keep the session alive for somebody who was asked whether they are still there."""
    return JSONResponse({"seconds": visitor.seen.seconds})


SECTION: Section | None = None
PAGES = (
    Page("/sign-in", ask, needs="nobody"),
    Page("/sign-in", sign_in, method="POST", needs="nobody"),
    Page("/stay", stay, method="POST"),
    Page("/sign-out", sign_out, method="POST"),
)
