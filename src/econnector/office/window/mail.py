"""The page of outgoing mail: what waits, what failed and why, the switch that holds it all, and a test mail."""

from starlette.responses import Response

from econnector.base.errors import MailFailure, OfficeFailure, ValueRejected
from econnector.office.mail.accounts import Accounts
from econnector.office.mail.postbox import Postbox
from econnector.office.mail.queue import read_queue
from econnector.office.mail.trial import send_test
from econnector.office.running import local
from econnector.office.window.frame import Page, Section, Visitor
from econnector.web.failing import FailureView

__all__ = ["PAGES", "SECTION"]

_MOST = 100
_GONE = "That mail was sent or removed meanwhile."


async def show(visitor: Visitor, failed: FailureView | None = None) -> Response:
    """Show the queue; `failed` is what a test mail met."""
    queue = await read_queue(visitor.scene.state, limit=_MOST)
    code = 422 if visitor.form.mistakes else 200
    shown = {"queue": queue, "local": local, "failed": failed, "most": _MOST}
    return visitor.page("window/mail.html", code, **shown)


async def pause(visitor: Visitor) -> Response:
    """Hold all mail."""
    await _postbox(visitor).pause()
    return visitor.go("/mail", "Nothing is sent any more. Mails wait until somebody resumes sending.", "attention")


async def resume(visitor: Visitor) -> Response:
    """Let mail go again."""
    await _postbox(visitor).resume()
    return visitor.go("/mail", "Mail is sent again, also what was handed in meanwhile.")


async def hurry(visitor: Visitor) -> Response:
    """Try everything that waits."""
    count = await _postbox(visitor).hurry()
    return visitor.go("/mail", f"Mails that are tried within seconds: {count}.")


async def retry(visitor: Visitor) -> Response:
    """Try one mail again."""
    number = _number(visitor)
    try:
        await _postbox(visitor).retry(number)
    except ValueRejected:
        return visitor.go("/mail", _GONE, "info")
    paused = await _postbox(visitor).paused()
    return visitor.go("/mail", f"Mail {number} is tried {'when sending is resumed' if paused else 'within seconds'}.")


async def remove(visitor: Visitor) -> Response:
    """Never send one mail."""
    number = _number(visitor)
    try:
        await _postbox(visitor).remove(number)
    except ValueRejected:
        return visitor.go("/mail", _GONE, "info")
    return visitor.go("/mail", f"Mail {number} will not be sent.")


async def test(visitor: Visitor) -> Response:
    """Send a test mail and wait for what the mail server says."""
    scene = visitor.scene
    accounts = Accounts(scene.database, scene.schemas, scene.settings.mail.ca)
    try:
        tried = await send_test(accounts, visitor.form.get("to"))
    except ValueRejected as rejected:
        visitor.form.wrong("to", rejected.facts["why"])
        return await show(visitor)
    except (MailFailure, OfficeFailure) as failure:
        return await show(visitor, visitor.failed(failure))
    return visitor.go("/mail", f"The mail server {tried.server} took the test mail, from {tried.sender}.")


def _postbox(visitor: Visitor) -> Postbox:
    return Postbox(visitor.scene.state, visitor.scene.clock)


def _number(visitor: Visitor) -> int:
    text = visitor.form.get("id")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0  # noqa: PLR2004 - a row's number


SECTION = Section("Mail", "/mail", "mail")
PAGES = (
    Page("/mail", show),
    Page("/mail/pause", pause, method="POST", needs="setup"),
    Page("/mail/resume", resume, method="POST", needs="setup"),
    Page("/mail/hurry", hurry, method="POST", needs="setup"),
    Page("/mail/retry", retry, method="POST", needs="setup"),
    Page("/mail/remove", remove, method="POST", needs="setup"),
    Page("/mail/test", test, method="POST", needs="setup"),
)
