"""What a fleet page is, and what it knows of the one who looks at it."""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import SessionEnded
from econnector.base.version import version
from econnector.hq.registry.admins import Session
from econnector.hq.registry.database import Registry
from econnector.hq.registry.deeds import Deed, Kind
from econnector.hq.tries import Tries
from econnector.web import csrf
from econnector.web.forms import Form
from econnector.web.kit import Kit, Visit
from econnector.wire.call import Asker

__all__ = ["PURPOSE", "Desk", "Handler", "Page", "Seen", "Visitor", "when"]

PURPOSE = "hq-admin"
"""What the form tokens are minted for."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the fleet pages stand on."""

    registry: Registry
    asker: Callable[[str], Asker]
    """Returns whom to ask for an office."""
    tries: Tries
    """Wrong passwords, by address and by account."""
    clock: Clock = SYSTEM


Handler = Callable[["Visitor"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One address below `/admin`."""

    path: str
    handler: Handler
    method: Literal["GET", "POST"] = "GET"
    open: bool = False
    """Nobody has to be signed in."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was found out about a request before its page is asked."""

    desk: Desk
    secret: str
    """What the form tokens are bound to: the session's token, or a cookie of its own before there is one."""
    session: Session | None = None
    form: Form = field(default_factory=Form)
    token: str | None = None
    """Set by signing in (the new session's) and by signing out (empty)."""


class Visitor(Visit):
    """One request to a fleet page, and the person who makes it."""

    failure_page = "admin/failure.html"

    def __init__(self, kit: Kit, request: Request, reference: str, seen: Seen) -> None:
        """`reference` is the request's correlation id."""
        super().__init__(kit, request, reference, None, kit.language(request))
        self.seen, self.desk, self.form = seen, seen.desk, seen.form

    @property
    def now(self) -> dt.datetime:
        """HQ's time."""
        return self.desk.clock.now()

    @property
    def signed_in(self) -> bool:
        """Whether we know who it is."""
        return self.seen.session is not None

    @property
    def who(self) -> str:
        """The account's name. Raises `SessionEnded` where nobody is signed in."""
        if self.seen.session is None:
            raise SessionEnded(reference=self.reference, reason="nobody is signed in")
        return self.seen.session.name

    @property
    def address(self) -> str:
        """From where it is asked."""
        return self.request.client.host if self.request.client else ""

    def deed(self, kind: Kind, office: str = "", detail: str = "") -> Deed:
        """Return what this person does now, to be noted in the transaction that does it."""
        return Deed(self.now, self.who, kind, office, detail, self.address)

    def render(self, template: str, **values: object) -> str:
        """Return the page's HTML; templates also know `visitor`, `form`, `form_token` and `when`."""
        shared: dict[str, object] = {
            "visitor": self,
            "form": self.form,
            "form_token": csrf.mint(self.seen.secret, PURPOSE),
            "here": self.request.url.path,
            "practice_title": "eConnector HQ",
            "version": version(),
            "when": when,
        }
        return super().render(template, **(shared | values))

    def go(self, path: str) -> Response:
        """Send the browser to a page below `/admin`."""
        return RedirectResponse(self.base + path, status_code=303)


def when(moment: dt.datetime | None) -> str:
    """Return a moment as the pages show it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"
