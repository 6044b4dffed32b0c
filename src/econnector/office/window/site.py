"""Before and after every page: who it is, whether they may, whether the form is ours, what the next page says first."""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from econnector.base.errors import Failure, FormExpired, SessionEnded
from econnector.office.window.frame import PURPOSE, Note, Page, Section, Seen, Visitor
from econnector.office.window.rights import Rights
from econnector.office.window.scene import Scene
from econnector.storage.state import window_sessions as sessions
from econnector.web import csrf
from econnector.web.cookies import Cookie
from econnector.web.failing import answer, wants_json
from econnector.web.forms import Form, read_form
from econnector.web.guard import reference_of
from econnector.web.kit import Kit

__all__ = ["KIT", "Site"]

log = structlog.get_logger(__name__)

_HERE = "econnector.office.window"
KIT: Final = Kit({"window": (_HERE, "")}, audience="office", languages=("en",))


class _Notes:
    """Words for the next page, by whose it is: in memory, because they matter for one click."""

    _MOST = 200

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Note] = OrderedDict()

    def keep(self, secret: str, note: Note) -> None:
        self._kept[secret] = note
        while len(self._kept) > self._MOST:
            self._kept.popitem(last=False)

    def take(self, secret: str) -> Note | None:
        return self._kept.pop(secret, None)


class Site:
    """The window's pages over one scene."""

    def __init__(self, scene: Scene, sections: tuple[Section, ...]) -> None:
        """`sections` is what the navigation shows."""
        self.scene, self.sections = scene, sections
        # Not `Secure`: it never leaves this machine, and not every browser takes such a cookie from loopback.
        self.cookie = Cookie("window", secure=False, strict=True)
        self.before = Cookie("windowform", secure=False, strict=True)
        """Holds the secret of forms before there is a session."""
        self._owner = str(scene.port)  # cookies know no ports: two windows on one machine must not share theirs
        self._notes, self._rights = _Notes(), Rights(scene)

    def endpoint(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers requests for the page."""

        async def endpoint(request: Request) -> Response:
            visitor = await self._visitor(request, page)
            try:
                response = await self._answer(visitor, page)
            except SessionEnded:
                response = self._to_sign_in(visitor, page)
            except Failure as failure:
                log.info("failure shown", code=failure.code, route=page.path, reference=failure.reference)
                response = answer(failure, visitor)
            self._leave_word(visitor, response)
            return response

        return endpoint

    async def _visitor(self, request: Request, page: Page) -> Visitor:
        token = self.cookie.read(request, self._owner)
        now = self.scene.clock.now()
        session = await self.scene.state.run(sessions.find, token, now, not page.polled) if token else None
        who = await self._rights.of(token, session) if session else None
        secret = token if who else self.before.read(request, self._owner) or secrets.token_urlsafe(24)
        seen = Seen(scene=self.scene, sections=self.sections, secret=secret, who=who)
        seen.seconds = int(session.left) if session and who else 0
        return Visitor(KIT, request, reference_of(request), seen)

    async def _answer(self, visitor: Visitor, page: Page) -> Response:
        if page.needs != "nobody":
            _ = visitor.who
        if page.method == "POST":
            visitor.seen.form = await self._form(visitor)
        elif not page.polled:
            visitor.seen.note = self._notes.take(visitor.seen.secret)
        visitor.check(page.needs)
        return await page.handler(visitor)

    @staticmethod
    async def _form(visitor: Visitor) -> Form:
        form = await read_form(visitor.request)
        if not csrf.valid(visitor.seen.secret, PURPOSE, form.get("form_token")):
            raise FormExpired(reference=visitor.reference)
        return form

    def _to_sign_in(self, visitor: Visitor, page: Page) -> Response:
        request = visitor.request
        if wants_json(request):
            return answer(SessionEnded(reference=visitor.reference, reason="nobody is signed in"), visitor)
        if self.cookie.read(request, self._owner):
            used = "" if page.method == "GET" else " What you just sent was not used."
            visitor.later = Note(f"You were signed out, because nobody used the window for a while.{used}", "info")
        back = request.url.path if page.method == "GET" and not page.polled else "/"
        path = f"/sign-in?next={quote(back, safe='')}"
        if request.headers.get("hx-request"):  # a redirect would put the page into the middle of the page
            return Response(status_code=401, headers={"hx-redirect": path})
        return RedirectResponse(path, status_code=303)

    def _leave_word(self, visitor: Visitor, response: Response) -> None:
        """Keep what the next page needs: whose it is, and what it says first."""
        seen = visitor.seen
        secret = seen.secret
        if seen.token:
            secret = seen.token
            self.cookie.keep(response, self._owner, secret)
            self.before.drop(response, self._owner)
        elif not visitor.signed_in or seen.token is not None:
            secret = secret if not visitor.signed_in else secrets.token_urlsafe(24)
            self.before.keep(response, self._owner, secret)
            if self.cookie.read(visitor.request, self._owner):
                self.cookie.drop(response, self._owner)
        if visitor.later:
            self._notes.keep(secret, visitor.later)
