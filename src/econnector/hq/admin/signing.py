"""Signing in with an account that `econnector hq admin add` made, and out again."""

import asyncio

import structlog
from starlette.responses import Response

from econnector.hq.admin.frame import Page, Visitor
from econnector.hq.registry import admins, deeds
from econnector.hq.registry.admins import Admin
from econnector.hq.registry.deeds import Deed
from econnector.web.forms import Form

__all__ = ["PAGES"]

log = structlog.get_logger(__name__)

_HASHING = asyncio.Semaphore(2)
"""Passwords looked at together: each takes 64 MiB, and whoever tries them is not signed in."""
_WRONG = "Sign-in failed. Check the name, the password and, if the account has one, the code."
_LONGEST_NAME = 63


async def ask(visitor: Visitor) -> Response:
    """Show the form."""
    back = visitor.request.query_params.get("next", "")
    if visitor.signed_in:
        return visitor.go(_below(visitor, back))
    return visitor.page("admin/sign-in.html", next=_below(visitor, back))


async def sign_in(visitor: Visitor) -> Response:
    """Try to sign in; why it failed is not said."""
    form, desk = visitor.form, visitor.desk
    name = form.get("name").strip().lower()[:_LONGEST_NAME]
    if wait := await _wait(visitor, name):
        return _again(visitor, f"Too many tries. The next one is possible in {int(wait) + 1} seconds.", 429, wait)
    # Counted before the password is looked at: else many tries at once would all be the first.
    desk.tries.failed(visitor.address)
    desk.tries.failed(f"account {name}")
    admin = await _admitted(visitor, name)
    if admin is None:
        log.info("a sign-in to the fleet pages was refused", reference=visitor.reference)
        known = await desk.registry.run(admins.account, name)
        failed = Deed(visitor.now, name if known else "unknown", "sign-in-failed", address=visitor.address)
        await desk.registry.run(deeds.note, failed)  # not what was typed: it may be the password
        return _again(visitor, _WRONG, 401)
    visitor.seen.token = await desk.registry.run(admins.begin, admin, visitor.address, visitor.now)
    return visitor.go(_below(visitor, form.get("next")))


async def _wait(visitor: Visitor, name: str) -> float:
    """Return how many seconds there are to wait, 0 for none.

    Whoever tries passwords elsewhere keeps nobody out of an account where it is used from.
    """
    tries = visitor.desk.tries
    here, anywhere = tries.wait(visitor.address), tries.wait(f"account {name}")
    if here or not anywhere:
        return max(here, anywhere)
    return 0.0 if await visitor.desk.registry.run(admins.knows, name, visitor.address, visitor.now) else anywhere


async def _admitted(visitor: Visitor, name: str) -> Admin | None:
    run, form = visitor.desk.registry.run, visitor.form
    admin = await run(admins.account, name)
    async with _HASHING:
        right = await asyncio.to_thread(admins.matches, admin, form.get("password"))
    if admin is None or not right:
        return None
    if admin.totp and not await run(admins.use_code, admin, form.get("code"), visitor.now):
        return None
    return admin


def _again(visitor: Visitor, why: str, status: int, wait: float = 0.0) -> Response:
    form = Form(visitor.form.without("password", "code").values)
    form.wrong("name", why)
    page = visitor.page("admin/sign-in.html", status, form=form, next=_below(visitor, form.get("next")))
    if wait:
        page.headers["retry-after"] = str(int(wait) + 1)
    return page


async def sign_out(visitor: Visitor) -> Response:
    """End the session."""
    await visitor.desk.registry.run(admins.end, visitor.seen.secret, visitor.who, visitor.address, visitor.now)
    visitor.seen.token = ""
    return visitor.go("/sign-in")


def _below(visitor: Visitor, wanted: str) -> str:
    """Return the part of an address below `/admin`, or the fleet: nobody is sent to another site."""
    path = wanted.removeprefix(visitor.base)
    return path if path.startswith("/") and path.isprintable() else "/"


PAGES = (
    Page("/sign-in", ask, open=True),
    Page("/sign-in", sign_in, method="POST", open=True),
    Page("/sign-out", sign_out, method="POST"),
)
