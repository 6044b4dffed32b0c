"""A browser without a screen, from the standard library: keeps cookies, follows redirects, fills in forms.

It does what a person's browser does and nothing else, so that a journey made with it proves that the real pages work.
"""

import urllib.error
import urllib.request
from email.message import Message
from html.parser import HTMLParser
from http.client import HTTPException
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlencode, urljoin, urlsplit

__all__ = ["Browser", "Form", "Lost", "Page"]

SECONDS = 30
"""How long a page may take."""


class Lost(Exception):  # noqa: N818 - what happened to the journey
    """The page is not what was expected; the text says how, without anything private."""


class Form:
    """A form of a page: where it goes, and the fields it came with."""

    def __init__(self, action: str) -> None:
        """Begin without fields."""
        self.action = action
        self.fields: dict[str, str] = {}


class Page(HTMLParser):
    """What came back: status, headers, bytes; of HTML also title, links and forms."""

    def __init__(self, url: str, status: int, headers: Message, body: bytes) -> None:
        """Read the page."""
        super().__init__()
        self.url, self.status, self.headers, self.body = url, status, headers, body
        self.title = ""
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._in_title = False
        self.kind = headers.get_content_type()
        if self.kind == "text/html":
            self.feed(body.decode("utf-8", "replace"))

    @property
    def path(self) -> str:
        """The path of where it came from, after redirects."""
        return urlsplit(self.url).path

    def form(self, ending: str) -> Form:
        """Return the form whose action ends so. Raises `Lost`."""
        for form in self.forms:
            if form.action.endswith(ending):
                return form
        raise Lost(f"{self!r} has no form that goes to {ending}")

    def link(self, part: str, ending: str) -> str:
        """Return the first link that has `part` in it and ends with `ending`. Raises `Lost`."""
        for link in self.links:
            if part in link and link.endswith(ending):
                return link
        raise Lost(f"{self!r} has no link to {part}…{ending}")

    def __repr__(self) -> str:
        return f"page {self.path} ({self.status}, {' '.join(self.title.split()) or self.kind})"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note titles, links, forms and their fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._in_title = not self.title
        elif tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """End the title."""
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        """Collect the title."""
        if self._in_title:
            self.title += data


class Browser:
    """One browser; blocking, so to be used from a thread."""

    def __init__(self, base: str) -> None:
        """`base` is the address that links and paths count from."""
        self.base = base
        # As browsers do on loopback, cookies marked Secure are kept without TLS; no proxy lies in between.
        policy = DefaultCookiePolicy(secure_protocols=("http", "https"))
        self.cookies = CookieJar(policy)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), urllib.request.ProxyHandler({})
        )

    def open(self, link: str, fields: dict[str, str] | None = None) -> Page:
        """Return the page behind a link, sent `fields` as a form where given. Raises `Lost` if nothing answers."""
        data = None if fields is None else urlencode(fields).encode()
        address = urljoin(self.base, link)
        if urlsplit(address).scheme not in {"http", "https"}:
            raise Lost("the link is not one of the web")
        request = urllib.request.Request(address, data)  # noqa: S310 - looked at above
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                return Page(answer.url, answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Page(refused.url, refused.code, refused.headers, refused.read())
        except (OSError, HTTPException) as error:
            raise Lost(f"{urlsplit(address).path}: {type(error).__name__}") from error

    def submit(self, form: Form, **typed: str) -> Page:
        """Send a form with what was typed into it."""
        return self.open(form.action, form.fields | typed)
