"""What attacks on pages have in common: a hostile text, a strict reader of pages, and a walk through a whole site.

Nothing here knows a page: addresses come from the route tables and from the links and forms of the pages themselves.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx2

__all__ = ["HOSTILE", "LINK", "Form", "Page", "Walk", "complaints", "patterns", "read"]

_MARK: Final = "zq"
HOSTILE: Final = (
    "zqzq<zqx onzq=1>zqzq\"onmouseover=zq zqzq'onfocus=zq zqzq></title></textarea><script>zq()</script><!--"
    "{{98765*43211}}${98765*43211}\r\nSet-Cookie: zq=1\r\n\r\n/../..\\ \u202e\x00\x1b\U0001f600."
)
"""Breaks out of text, of every kind of attribute, of titles, templates, headers, lines and file names."""
LINK: Final = f"javascript:zq()//{HOSTILE}"
"""The same for what becomes an address."""

_RAW: Final = ("zqzq<zqx", 'zqzq"on', "zqzq'on", "zqzq></")
"""What of it must never stand in a page as it is; long enough for no random token to hold it."""
_ADDRESSES: Final = frozenset({"href", "src", "action", "formaction", "data-stay", "data-ended", "hx-get", "hx-post"})
_TYPED: Final = frozenset({"text", "search", "email", "tel", "url", "password", "number", "date", ""})
_TWO: Final = 2
"""How many pages of one kind are looked at: more of them are alike."""


@dataclass
class Form:
    """A form as a browser would send it."""

    action: str
    method: str
    fields: dict[str, str]
    typed: set[str] = field(default_factory=set)
    """Fields that a person types into."""


@dataclass
class Page:
    """What a browser makes of a page."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    """What stands inside of script and style elements."""
    forms: list[Form] = field(default_factory=list)

    def links(self) -> list[str]:
        """Return where its links and GET forms lead."""
        found = [given["href"] for tag, given in self.elements if tag == "a" and given.get("href")]
        return found + [form.action for form in self.forms if form.method == "get"]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page, self._inside, self._chosen = Page(), "", ""
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.elements.append((tag, given))
        self._inside = tag if tag in {"script", "style"} else ""
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower(), {})
            self.page.forms.append(self._form)
        elif self._form and given.get("name"):
            self._field(self._form, tag, given)
        elif (
            self._form
            and tag == "option"
            and self._chosen
            and ("selected" in given or not self._form.fields[self._chosen])
        ):
            self._form.fields[self._chosen] = given.get("value", "")

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "")
        if tag == "textarea" or (tag == "input" and kind in _TYPED):
            form.typed.add(name)
        if kind not in {"checkbox", "radio", "file"} or "checked" in given:
            form.fields.setdefault(name, given.get("value", ""))
        self._chosen = name if tag == "select" else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.page.scripts.append(data)


def read(text: str) -> Page:
    """Return the page as a browser takes it apart."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.page


@cache
def _ours() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of elements and of attributes that our templates write, and what draws QR codes."""
    tags, names = (
        {"path", "svg", "g", "code"},
        {"d", "transform", "stroke", "viewbox", "width", "height", "class", "fill"},
    )
    for package in ("econnector.web", "econnector.eservices.portal", "econnector.office.window", "econnector.hq"):
        for template in files(package).joinpath("templates").iterdir():
            text = template.read_text(encoding="utf-8").lower()
            tags.update(re.findall(r"<([a-z][a-z0-9]*)", text))
            names.update(re.findall(r"""[\s"'}]([a-z][a-z0-9-]*)=["{]""", text))
            names.update(re.findall(r"[\s}]([a-z][a-z-]+)(?=[\s>{])", text))
    return frozenset(tags), frozenset(names)


def complaints(answer: httpx2.Response, base: str, *, leads_out: Iterable[str] = ()) -> list[str]:
    """Return what in an answer came from a hostile text, or would let one in; `leads_out` are sites it may link to."""
    found = [f"header {name}: {value!r}" for name, value in answer.headers.items() if _breaks(name, value)]
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return found
    text, page = answer.text, read(answer.text)
    found += [f"raw text {raw!r}: {text[max(0, text.find(raw) - 80) :][:160]!r}" for raw in _RAW if raw in text]
    found += ["a template was run"] if str(98765 * 43211) in text else []
    found += [f"inline script: {inside[:80]!r}" for inside in page.scripts]
    tags, names = _ours()
    for tag, given in page.elements:
        found += [f"element {tag}"] if tag not in tags else []
        found += [f"attribute {name} of {tag}" for name in given if name not in names or name.startswith("on")]
        found += [
            f"{tag} leads to {given[name]!r}"
            for name in _ADDRESSES & given.keys()
            if not _stays(given[name], base, leads_out)
        ]
    return found


def _breaks(name: str, value: str) -> bool:
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value) or _MARK in name:
        return True
    return name == "set-cookie" and value.startswith(f"{_MARK}=")


def _stays(address: str, base: str, leads_out: Iterable[str]) -> bool:
    """Return whether an address leads nowhere but to this site, to a telephone, or where it may."""
    if "&amp;" in address:  # escaped twice: it leads to another page than was meant
        return False
    if re.fullmatch(r"tel:[+0-9]*|#[\w-]*", address) or not address or address.startswith(tuple(leads_out)):
        return True
    return address.startswith(f"{base}/") and not address.startswith("//") and "\\" not in address


def patterns(pages: Iterable[tuple[str, str]], base: str = "") -> dict[tuple[str, str], re.Pattern[str]]:
    """Return the pattern of each route's addresses by its (path, method)."""
    made = {}
    for path, method in pages:
        parts = re.split(r"\{[^}]+\}", path)
        made[path, method] = re.compile(re.escape(base) + "[^/]+".join(re.escape(part) for part in parts))
    return made


Get = Callable[[str], Awaitable[httpx2.Response]]


class Walk:
    """A visit to every page that can be reached from some addresses, by the links and GET forms on them."""

    def __init__(self, get: Get, base: str, routes: Iterable[tuple[str, str]]) -> None:
        """`routes` are (path, method) below `base`; `get` asks for a path from the root."""
        self._get, self._base = get, base
        gets = [route for route in routes if route[1] == "GET"]
        # What is written out comes before what has a blank, as in the route table.
        self._patterns = patterns(sorted(gets, key=lambda route: route[0].count("{")), base)
        self.answers: dict[str, httpx2.Response] = {}
        self.reached: set[str] = set()
        """Paths of the routes that were reached."""
        self.forms: dict[str, Form] = {}
        """The first form found for each address that something can be sent to."""
        self._kinds: Counter[tuple[str, str]] = Counter()

    async def go(self, *seeds: str) -> "Walk":
        """Walk on from these paths, as far as it goes."""
        waiting = list(seeds)
        while waiting:
            path = waiting.pop(0)
            if path in self.answers or not self._wanted(path):
                continue
            answer = self.answers[path] = await self._get(path)
            location = answer.headers.get("location", "")
            waiting += [location] if location.startswith("/") else []
            if answer.headers.get("content-type", "").startswith("text/html"):
                waiting += self._read(path, answer.text)
        return self

    def _read(self, path: str, text: str) -> list[str]:
        page = read(text)
        for form in page.forms:
            if form.method == "post":
                self.forms.setdefault(form.action, form)
        links = (urljoin(path, link).partition("#")[0] for link in page.links())
        return [link for link in links if link.startswith(f"{self._base}/")]

    def _wanted(self, path: str) -> bool:
        split = urlsplit(path)
        route = next((route for (route, _), fits in self._patterns.items() if fits.fullmatch(split.path)), "")
        asked = ",".join(sorted(part.partition("=")[0] for part in split.query.split("&")))
        self._kinds[route, asked] += 1
        if route:
            self.reached.add(route)
        return self._kinds[route, asked] <= _TWO
