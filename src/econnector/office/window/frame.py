'''What a page of the window is, and what it knows of the one who looks at it.

A subject is one module beside this one, with its templates in `templates/`, and one line in `app.MODULES`::

    """Outgoing mail: what waits, and the switch that holds it."""

    async def show(visitor: Visitor) -> Response:
        waiting = await visitor.scene.state.run(queue.waiting)
        return visitor.page("window/mail.html", waiting=waiting)

    async def pause(visitor: Visitor) -> Response:
        days = visitor.form.get("days").strip()
        if not days.isdecimal():
            visitor.form.wrong("days", "Enter a number of days.")
            return await show(visitor)          # the same page again, with what was typed and what is wrong
        await visitor.scene.state.run(queue.pause, int(days))
        return visitor.go("/mail", "The queue is paused. Mails wait until somebody resumes it.")

    SECTION = Section("Mail", "/mail", "mail")
    PAGES = (Page("/mail", show), Page("/mail/pause", pause, method="POST", needs="setup"))

and `templates/mail.html`::

    {% extends "window/frame.html" %}
    {% block title %}Mail{% endblock %}
    {% block main %}
    <div class="page-head"><h1>Mail</h1></div>
    {{ kit.summary(form) }}
    <form method="post" action="/mail/pause">
      {{ window.token() }}
      {{ kit.field(form, "days", "Days") }}
      {{ window.submit("Pause", "setup") }}     {# disabled, and says why, for who may not #}
    </form>
    {{ window.act("Resume", "/mail/resume", "setup") }}   {# a form of one button #}
    {% endblock %}

Before a handler is called: the sign-in and the permission were checked; a POST came from a form of ours (its fields are
`visitor.form`). A handler may raise any `Failure`: it becomes a page with cause, code, reference and remedy. What
blocks goes through `asyncio.to_thread` or `Database.run`. The words of the window are English, in the templates.
'''

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from econnector.base.errors import Failure, PermissionMissing, SessionEnded
from econnector.base.version import version
from econnector.office.desk import Who
from econnector.office.window.scene import Scene
from econnector.web import csrf
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form
from econnector.web.kit import Kit, Visit

__all__ = ["PERMISSIONS", "PURPOSE", "Handler", "Module", "Need", "Note", "Page", "Section", "Seen", "Visitor"]

Need = Literal["nobody", "signed in", "setup", "admin"]
"""Who may: anybody at this machine, any user of Open Dental, or one with EServicesSetup or SecurityAdmin."""

PERMISSIONS = {"setup": "eServices Setup", "admin": "Security Admin"}
"""As Open Dental's security window names them."""
PURPOSE = "window"
"""What the window's form tokens are minted for."""

Handler = Callable[["Visitor"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the window."""

    path: str
    handler: Handler
    method: Literal["GET", "POST"] = "GET"
    needs: Need = "signed in"
    """A page that shows needs no more than `signed in`: who may not change anything still sees everything."""
    polled: bool = False
    """A script asks for it every few seconds: that does not keep a session alive."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the window, as the navigation shows it."""

    title: str
    path: str
    icon: str
    """Of `kit/icons.html`."""


class Module(Protocol):
    """A subject: a module with its pages."""

    @property
    def SECTION(self) -> Section | None:  # noqa: N802 - a module's constant
        """Its place in the navigation, if it has one."""

    @property
    def PAGES(self) -> tuple[Page, ...]:  # noqa: N802 - as above
        """Its addresses."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the next page says first."""

    text: str
    state: Literal["ok", "attention", "problem", "info"] = "ok"


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was found out about a request before its page is asked."""

    scene: Scene
    sections: tuple[Section, ...]
    secret: str
    """What the form tokens are bound to: the session's token, or a cookie of its own before there is one."""
    who: Who | None = None
    """None: nobody is signed in."""
    seconds: int = 0
    """Until the session ends if nobody does anything."""
    form: Form = field(default_factory=Form)
    note: Note | None = None
    token: str | None = None
    """Set by signing in (the new session's) and by signing out (empty)."""


class Visitor(Visit):
    """One request to the window, and the person who makes it."""

    failure_page = "window/failure.html"

    def __init__(self, kit: Kit, request: Request, reference: str, seen: Seen) -> None:
        """`reference` is the request's correlation id."""
        super().__init__(kit, request, reference, None, kit.language(request))
        self.seen = seen
        self.later: Note | None = None
        """What the page that this one leads to says first."""

    @property
    def scene(self) -> Scene:
        """The office's parts."""
        return self.seen.scene

    @property
    def form(self) -> Form:
        """What was posted; empty where nothing was."""
        return self.seen.form

    @property
    def signed_in(self) -> bool:
        """Whether we know who it is."""
        return self.seen.who is not None

    @property
    def who(self) -> Who:
        """The signed-in person. Raises `SessionEnded` where nobody is, which no page that needs one can meet."""
        if self.seen.who is None:
            raise SessionEnded(reference=self.reference, reason="nobody is signed in")
        return self.seen.who

    def may(self, need: Need) -> bool:
        """Return whether this visitor may do what needs that."""
        who = self.seen.who
        if need == "nobody" or who is None:
            return need == "nobody"
        return {"signed in": True, "setup": who.may_setup, "admin": who.may_admin}[need]

    def why_not(self, need: Need) -> str:
        """Return in a sentence why this visitor may not, or an empty text."""
        if self.may(need):
            return ""
        if not self.signed_in:
            return "Sign in first."
        return f"Needs the Open Dental permission {PERMISSIONS[need]}."

    def check(self, need: Need) -> None:
        """Raise `SessionEnded` or `PermissionMissing` for who may not."""
        if not self.may(need):
            raise PermissionMissing(reference=self.reference, user=self.who.name, permission=PERMISSIONS[need])

    def render(self, template: str, **values: object) -> str:
        """Return the page's HTML; templates of the window also know `visitor`, `form` and `note`."""
        shared: dict[str, object] = {
            "visitor": self,
            "form": self.form,
            "form_token": csrf.mint(self.seen.secret, PURPOSE),
            "note": self.seen.note,
            "sections": self.seen.sections if self.signed_in else (),
            "here": self.request.url.path,
            "practice_title": "eConnector Service",
            "version": version(),
        }
        return super().render(template, **(shared | values))

    def go(self, path: str, text: str = "", state: Literal["ok", "attention", "problem", "info"] = "ok") -> Response:
        """Send the browser to a page of the window, which says `text` first."""
        self.later = Note(text, state) if text else None
        return RedirectResponse(path, status_code=303)

    def failed(self, failure: Failure) -> FailureView:
        """Return what `kit.failed` shows of a failure inside a page: cause, remedy, code and reference."""
        return view(failure, self)
