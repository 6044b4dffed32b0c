"""Before and after every fleet page: who it is, whether the form is ours, and whether the way there is safe."""

import ipaddress
import secrets
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from econnector.base.errors import Failure, FormExpired, SessionEnded
from econnector.hq.admin.frame import PURPOSE, Desk, Page, Seen, Visitor
from econnector.hq.registry import admins
from econnector.web import csrf
from econnector.web.cookies import Cookie
from econnector.web.failing import answer, wants_json
from econnector.web.forms import read_form
from econnector.web.guard import reference_of
from econnector.web.kit import Kit

__all__ = ["KIT", "Site"]

log = structlog.get_logger(__name__)

KIT: Final = Kit({"admin": ("econnector.hq.admin", "")}, audience="office", languages=("en",))
_OWNER = "hq"


class Site:
    """The fleet pages over one desk."""

    def __init__(self, desk: Desk) -> None:
        """Both cookies are `__Host-`: of this host alone, and of https (or loopback) alone."""
        self.desk = desk
        self.cookie, self.before = Cookie("admin", strict=True), Cookie("adminform", strict=True)

    def endpoint(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers requests for the page."""

        async def endpoint(request: Request) -> Response:
            seen = Seen(desk=self.desk, secret="")
            if not _safe(request):
                return Visitor(KIT, request, reference_of(request), seen).page("admin/unsafe.html", 403)
            visitor = await self._visitor(request)
            try:
                response = await self._answer(visitor, page)
            except SessionEnded as ended:
                response = self._to_sign_in(visitor, page, ended)
            except Failure as failure:
                log.info("failure shown", code=failure.code, route=page.path, reference=failure.reference)
                response = answer(failure, visitor)
            self._keep(visitor, response)
            return response

        return endpoint

    async def _visitor(self, request: Request) -> Visitor:
        token = self.cookie.read(request, _OWNER)
        session = await self.desk.registry.run(admins.find, token, self.desk.clock.now()) if token else None
        secret = token if session else self.before.read(request, _OWNER) or secrets.token_urlsafe(24)
        return Visitor(KIT, request, reference_of(request), Seen(desk=self.desk, secret=secret, session=session))

    async def _answer(self, visitor: Visitor, page: Page) -> Response:
        if not page.open:
            _ = visitor.who
        if page.method == "POST":
            form = await read_form(visitor.request)
            if not csrf.valid(visitor.seen.secret, PURPOSE, form.get("form_token")):
                raise FormExpired(reference=visitor.reference)
            visitor.form = form
        return await page.handler(visitor)

    @staticmethod
    def _to_sign_in(visitor: Visitor, page: Page, ended: SessionEnded) -> Response:
        if wants_json(visitor.request):
            return answer(ended, visitor)
        url = visitor.request.url
        back = f"{url.path}?{url.query}" if url.query else url.path
        wanted = f"?next={quote(back, safe='')}" if page.method == "GET" else ""
        return RedirectResponse(f"{visitor.base}/sign-in{wanted}", status_code=303)

    def _keep(self, visitor: Visitor, response: Response) -> None:
        """Have the browser keep whose it is: the session's token, or the secret of its next form."""
        token = visitor.seen.token
        if token:
            self.cookie.keep(response, _OWNER, token)
            self.before.drop(response, _OWNER)
        elif not visitor.signed_in or token is not None:
            self.before.keep(response, _OWNER, secrets.token_urlsafe(24) if visitor.signed_in else visitor.seen.secret)
            if self.cookie.read(visitor.request, _OWNER):
                self.cookie.drop(response, _OWNER)


def _safe(request: Request) -> bool:
    """Return whether a password may be typed here: over TLS, or on this machine itself."""
    host = request.url.hostname or ""
    if request.url.scheme == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
