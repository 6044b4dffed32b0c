"""Turns a template and values into a page: one Jinja environment for all rooms, the same pieces everywhere.

A template is named with its room: `kit/shell.html`, `portal/home.html`. Templates of a room live in the package's
`templates` folder, its words in `texts`.
"""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Literal

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from econnector.web import formats
from econnector.web.door import Door
from econnector.web.language import ENGLISH, SPOKEN, Language, choose
from econnector.web.mark import mark
from econnector.web.static import STATIC
from econnector.web.texts import Say, Texts

__all__ = ["Audience", "Kit", "Visit"]

Audience = Literal["patient", "office"]
"""Whose words failures are told in."""


class Kit:
    """The rooms' templates and words."""

    def __init__(
        self,
        rooms: Mapping[str, tuple[str, str]],
        *,
        audience: Audience = "patient",
        languages: tuple[str, ...] = SPOKEN,
        installable: bool = False,
    ) -> None:
        """Join the kit's own room with `rooms`: name → (package with `templates`, package with `texts`).

        A room that speaks one language only may have its words in its templates, and no texts: an empty name.
        An `installable` site has `/manifest.webmanifest` and `/service-worker.js` below every office's base.
        """
        self.audience, self._languages, self.installable = audience, languages, installable
        loaders = {name: PackageLoader(templates) for name, (templates, _) in rooms.items()}
        self.environment = Environment(
            loader=PrefixLoader({"kit": PackageLoader("econnector.web"), **loaders}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.environment.filters["dialled"] = formats.dialled
        self.environment.filters["coded"] = formats.coded
        self.environment.filters["mark"] = mark
        self.texts = Texts(["econnector.web", *(texts for _, texts in rooms.values() if texts)])

    def visit(self, request: Request, reference: str, door: Door | None = None, practice_language: str = "") -> "Visit":
        """Return what the pages of one request share."""
        return Visit(self, request, reference, door, self.language(request, practice_language))

    def language(self, request: Request, practice_language: str = "") -> Language:
        """Return the language that these pages speak to whoever asks."""
        if self._languages == (ENGLISH.words,):
            return ENGLISH
        return choose(request.headers.get("accept-language", ""), practice_language or ENGLISH.tag)


class Visit:
    """One request, as its pages see it."""

    failure_page = "kit/failure.html"
    """The template of a page that shows nothing but a failure."""

    def __init__(self, kit: Kit, request: Request, reference: str, door: Door | None, language: Language) -> None:
        """`reference` is the request's correlation id; `door` is None where no office could be found."""
        self.kit, self.request, self.reference, self.door, self.language = kit, request, reference, door, language

    @property
    def base(self) -> str:
        """The prefix of every address on this site, without trailing slash."""
        return self.door.base if self.door else str(self.request.scope.get("root_path", ""))

    @property
    def say(self) -> Say:
        """Says texts in this visit's language."""
        return self.kit.texts.say(self.language.words)

    @property
    def phone(self) -> str:
        """The practice's phone as people write it, or an empty text."""
        return formats.phone(self.door.phone) if self.door else ""

    def money(self, cents: int) -> str:
        """Return an amount as this visitor writes it."""
        return formats.money(cents, self.language)

    def speak(self, practice_language: str) -> None:
        """Choose the language again, now that the practice's own is known."""
        self.language = self.kit.language(self.request, practice_language)

    def render(self, template: str, **values: object) -> str:
        """Return the page's HTML."""
        language = self.language
        shared: dict[str, object] = {
            "t": self.say,
            "language": language,
            "clock": partial(formats.clock, language=language),
            "day": partial(formats.day, language=language),
            "moment": partial(formats.moment, language=language),
            "money": self.money,
            "duration": partial(formats.duration, language=language),
            "base": self.base,
            "static": lambda name: self.base + STATIC.path(name),
            "reference": self.reference,
            "now": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MZ"),
            "installable": self.kit.installable and self.door is not None and not self.door.preview,
            "preview": self.door.preview if self.door else "",
            "practice_title": self.door.title if self.door else "",
            "practice_phone": self.phone,
        }
        return self.kit.environment.get_template(template).render(shared | values)

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """Return the page as an answer."""
        headers = {"content-language": self.language.tag}
        return HTMLResponse(self.render(template, **values), status_code=status, headers=headers)
