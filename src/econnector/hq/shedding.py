"""Pages of an office that is asked beyond its limits are refused at the door: a crowd costs HQ next to nothing.

Only whoever reads a page is turned away here. What somebody sends goes on to the page, which keeps what was typed.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from econnector.base.errors import OfficeBusy
from econnector.base.ids import new_reference
from econnector.hq.doors import Doors, host_of
from econnector.link.admission import Shares
from econnector.web import failing
from econnector.web.headers import protect
from econnector.web.kit import Kit

__all__ = ["Shedding"]

_KEPT_PAGES: Final = 256
_KEPT_SECONDS: Final = 1.0
_BELOW, _PARTS = "o", 3
_Key = tuple[str, bytes, str, bool, str, bool]


class Shedding:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, kit: Kit, doors: Doors, shares: Shares) -> None:
        """Wrap `app`; `kit` has the page, `shares` say who is asked too much."""
        self._app, self._kit, self._doors, self._shares = app, kit, doors, shares
        self._pages: dict[_Key, Response] = {}
        self._since = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        busy = None
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and "/static/" not in scope["path"]:
            office = self._office(scope)
            busy = self._shares.refusal(office) if office else None
        if busy is None:
            await self._app(scope, receive, send)
        else:
            await self._page(Request(scope), busy)(scope, receive, send)

    def _office(self, scope: Scope) -> str:
        parts = scope["path"].split("/", _PARTS)
        if len(parts) >= _PARTS and parts[1] == _BELOW:
            return str(parts[2])
        return self._doors.peek("", host_of(Request(scope))) or ""

    def _page(self, request: Request, busy: OfficeBusy) -> Response:
        """Return the refusal; all who ask alike within a second get the same page, and its reference."""
        language, https = self._kit.language(request).tag, request.url.scheme == "https"
        query, seconds = request.scope["query_string"], busy.facts["seconds"]
        key = (request.scope["path"], query, language, failing.wants_json(request), seconds, https)
        now = self._shares.now()
        if now - self._since > _KEPT_SECONDS or len(self._pages) >= _KEPT_PAGES:
            self._pages.clear()
            self._since = now
        page = self._pages.get(key)
        if page is None:
            busy.reference = new_reference()
            page = self._pages[key] = failing.answer(busy, self._kit.visit(request, busy.reference))
            protect(page.headers, https=https)
        return page
