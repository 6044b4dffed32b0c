"""One request to the portal: which office it is for, whose session it carries, and how the office is asked."""

import dataclasses
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from econnector.base.errors import ChangeRequired, PageMissing, SessionEnded
from econnector.eservices.portal.calls import Practice, Session
from econnector.eservices.portal.web.leaving import Leaving
from econnector.web import csrf
from econnector.web.cookies import Cookie
from econnector.web.door import Door, FindDoor
from econnector.web.failing import wants_json
from econnector.web.forms import Form
from econnector.web.guard import reference_of
from econnector.web.kit import Kit, Visit
from econnector.web.language import choose
from econnector.wire.call import Call, Download

__all__ = ["KIT", "PortalVisit", "Site", "safe_next"]

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)

_HERE = "econnector.eservices.portal"
KIT: Final = Kit({"portal": (_HERE, f"{_HERE}.web")}, installable=True)

_BACK: Final = (
    r"account appointments change documents family health(?:/summary(?:/(?:history|send))?)? help "
    r"messages(?:/(?:new|[1-9][0-9]{0,18}))? pay(?:/[0-9]{10})? payments security statements who-looked"
)
"""Pages that one may return to after signing in, besides home."""
_NEXT: Final = re.compile(rf"/(?:{_BACK.replace(' ', '|')})?(?:\?person=[1-9][0-9]{{0,18}})?")
_LONGEST_AGENT: Final = 200
_HOST_NAME: Final = re.compile(r"(?![0-9.]+$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,9}")
"""A name and no number: browsers make no passkeys for those."""
_NUMBER: Final = re.compile(r"[0-9]{1,19}")
_LARGEST_NUMBER: Final = 2**63 - 1


def safe_next(path: str) -> str:
    """Return where to go after signing in: one of our own pages, whatever was asked for."""
    return path if _NEXT.fullmatch(path) else "/"


class Site:
    """The portal's pages for all offices that `find` knows."""

    def __init__(self, find: FindDoor, *, secure_cookies: bool = True) -> None:
        """`secure_cookies` is false only where the pages are served without TLS on a real network."""
        self.find = find
        self.session = Cookie("portal", secure_cookies)
        # Not "portal-form": an office named `form-…` would have the same cookie for its sessions.
        self.before = Cookie("portalform", secure_cookies)
        """Holds the secret of the sign-in form, before there is a session."""
        self.step = Cookie("portalstep", secure_cookies)
        """Holds the ticket between the right password and the second step."""
        self.whose = Cookie("portalformof", secure_cookies)
        """Says whose the forms are that this browser is shown; it opens nothing."""
        self.leaving = Leaving()

    def page(self, handler: Callable[["PortalVisit"], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint that finds the office, then lets `handler` answer."""

        async def endpoint(request: Request) -> Response:
            state = request.scope.setdefault("state", {})
            state["door"] = None
            state["door"] = door = await self.find(request)
            visit = PortalVisit(self, request, door)
            try:
                return await handler(visit)
            except (SessionEnded, ChangeRequired) as failure:
                if wants_json(request):
                    raise
                if isinstance(failure, SessionEnded):
                    return visit.to_sign_in()
                return visit.redirect("/security" if failure.facts.get("need") == "two-step" else "/change")

        return endpoint


class PortalVisit(Visit):
    """One request as the portal's pages see it."""

    door: Door

    def __init__(self, site: Site, request: Request, door: Door) -> None:
        """Read the session's token from its cookie; only the office can say whether it is good."""
        language = choose(request.headers.get("accept-language", ""))
        super().__init__(KIT, request, reference_of(request), door, language)
        self.site = site
        token = site.session.read(request, door.office)
        self.token = "" if site.leaving.gone(token) else token
        self.whose = site.whose.read(request, door.office)
        """Who signed in last on this browser, as `csrf` notes it on forms; empty when nobody is known."""
        self.returned = False
        """Whether this request has just signed in again, so that its form was made in a session of before."""
        self.due = False
        """Whether it has, and user name or password are to be chosen before anything else."""
        self.posted: Form | None = None
        """The form that was sent, once it is read."""

    async def ask(self, call: Call[P, R], params: P, form: Form | None = None) -> R:
        """Ask the office, under this request's reference. Raises as `Asker.ask` does.

        A change names the posted `form` that it comes from: a form sent twice, or again after its answer was lost,
        is the same ask.
        """
        return await self.door.asker.ask(call, params, key=self.key_of(form), reference=self.reference)

    @staticmethod
    def key_of(form: Form | None) -> str | None:
        """Return the idempotency key of what a posted form asks for."""
        return csrf.salt_of(form.get("form_token")) if form else None

    async def download(self, call: Call[P, R], params: P) -> Download[R]:
        """Ask the office for a file. Raises as `Asker.download` does."""
        return await self.door.asker.download(call, params, reference=self.reference)

    def signed_in(self) -> str:
        """Return the session's token. Raises `SessionEnded` when the browser has none."""
        if not self.token:
            raise SessionEnded(reference=self.reference, reason="no cookie")
        return self.token

    def know(self, practice: Practice) -> None:
        """Use what the office says about itself: fresher than what HQ remembers."""
        self.door = dataclasses.replace(
            self.door, title=practice.title or self.door.title, phone=practice.phone or self.door.phone
        )
        self.speak(practice.language)

    @property
    def address(self) -> str:
        """The browser's address, for slowing down and for the list of sign-ins."""
        return self.request.client.host if self.request.client else ""

    @property
    def agent(self) -> str:
        """What the browser calls itself."""
        return self.request.headers.get("user-agent", "")[:_LONGEST_AGENT]

    @property
    def host(self) -> tuple[str, str]:
        """Host name and origin of this page as the browser sees them; empty where passkeys cannot exist."""
        url = self.request.url
        host = (url.hostname or "").lower()
        if not _HOST_NAME.fullmatch(host) or (url.scheme != "https" and host != "localhost"):
            return "", ""
        return host, f"{url.scheme}://{url.netloc.rpartition('@')[2].lower()}"

    @property
    def person(self) -> int:
        """PatNum from the address, 0 for the one who signed in. Raises `PageMissing` for anything but a number."""
        return self.number(self.request.query_params.get("person", "0"))

    @property
    def page_number(self) -> int:
        """Which page of a long list, from 0; addresses count from 1. Raises `PageMissing` for anything but a number."""
        return max(0, self.number(self.request.query_params.get("page", "1")) - 1)

    def number(self, text: str) -> int:
        """Return a key of Open Dental's from an address. Raises `PageMissing` for anything else."""
        if _NUMBER.fullmatch(text) and (number := int(text)) <= _LARGEST_NUMBER:
            return number
        raise PageMissing(reference=self.reference)

    def form_token(self, secret: str = "", again: Form | None = None) -> str:
        """Return a token for a form on this page, bound to the session or to `secret`.

        A form that is shown `again` keeps its own, so that sending it once more is the same ask.
        """
        if again and self.sent_by_us(again, secret):
            return again.get("form_token")
        return csrf.mint(secret or self.token, self.door.office, "" if secret else self.whose)

    def sent_by_us(self, form: Form, secret: str = "") -> bool:
        """Return whether a posted form came from one of our pages in this browser."""
        return csrf.valid(secret or self.token, self.door.office, form.get("form_token"))

    def not_sent(self) -> tuple[int, str]:
        """Return status and notice of a page that shows a form again which was not `sent_by_us`."""
        if not self.returned:
            return 403, "tidied"
        return 200, "due" if self.due else "back"

    def of_another(self, form: Form) -> bool:
        """Return whether the form was shown to somebody else than who is signed in on this browser now."""
        made_for = csrf.note_of(form.get("form_token"))
        return bool(made_for and self.whose) and made_for != self.whose

    def to_their_own(self) -> Response:
        """Send the browser to the start page: what somebody else typed before is neither used nor shown."""
        return self.redirect("/?notice=other")

    def begin(self, session: Session) -> None:
        """Go on in a session that has just begun."""
        self.token = session.token
        self.whose = hashlib.sha256(f"{self.door.office}\0{session.person}".encode()).hexdigest()[:32]

    def keep_session(self, response: Response) -> None:
        """Have the browser keep the session, and whose it is."""
        self.site.session.keep(response, self.door.office, self.token)
        self.site.whose.keep(response, self.door.office, self.whose)

    def redirect(self, path: str) -> Response:
        """Send the browser to another page, with GET."""
        return RedirectResponse(self.base + path, status_code=303)

    def to_sign_in(self) -> Response:
        """Send the browser to the sign-in page, and back here afterwards; say that a session ended if there was one."""
        query = self.request.url.query
        back = safe_next(self.request.url.path.removeprefix(self.base) + (f"?{query}" if query else ""))
        told = "&ended=1" if self.token else ""
        response = self.redirect(f"/sign-in?next={quote(back, safe='')}{told}")
        if self.token:
            self.site.session.drop(response, self.door.office)
        return response
