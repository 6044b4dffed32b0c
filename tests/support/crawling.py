"""Follows every link and every form of a site, and says what is wrong with each page."""

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx2

__all__ = ["Crawled", "crawl"]

_HOLE = re.compile(r"\{\w*\}|\bNone\b|Undefined")
_KEY = re.compile(r"\b[a-z]+(?:-[a-z]+)*\.[a-z]+-[a-z-]+\b")


class _Reading(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.posts: list[str] = []
        self.forms: list[str] = []
        self.needs: list[str] = []
        self.seen: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.pointed: set[str] = set()
        self.wrong: list[str] = []
        self.language = ""
        self.text: dict[str, str] = {}
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        self.seen[tag] += 1
        self._open.append(tag)
        if "id" in own:
            self.ids[own["id"]] += 1
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            self.pointed.update(own.get(name, "").split())
        if tag == "style" or "style" in own or any(name.startswith("on") for name in own):
            self.wrong.append(f"style or script inside <{tag}>")
        if tag == "html":
            self.language = own.get("lang", "")
        if tag == "a":
            self.links.append(own["href"])
        if tag in {"link", "script", "img"}:
            self._shared(tag, own)
        if tag == "form":
            (self.posts if own.get("method") == "post" else self.forms).append(own.get("action", ""))

    def _shared(self, tag: str, own: dict[str, str]) -> None:
        address = own.get("href") or own.get("src") or ""
        if not address:
            self.wrong.append(f"<{tag}> without an address")
        if tag == "script" or own.get("rel") == "stylesheet":
            self.needs.append(address)
        self.links.append(address)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in {"title", "h1", "body"} & {*self._open}:
            self.text[tag] = self.text.get(tag, "") + data


@dataclass
class Crawled:
    """What was found."""

    addresses: dict[str, str] = field(default_factory=dict)
    """Every address that was opened, below the base, and its media type."""
    posts: set[str] = field(default_factory=set)
    """Where forms are sent to."""
    away: set[str] = field(default_factory=set)
    """Links to other sites."""
    wrong: dict[str, list[str]] = field(default_factory=dict)
    """What is wrong, by page."""
    weight: dict[str, int] = field(default_factory=dict)
    """Bytes of each page as it travels, with its stylesheet and scripts, before images."""
    size: dict[str, int] = field(default_factory=dict)
    """Bytes of its HTML alone."""


def crawl(browser: httpx2.Client, language: str) -> Crawled:
    """Open everything that can be reached from the first page, each address once, as a browser in `language` does."""
    found, waiting, bytes_of = Crawled(), deque(["/"]), {}
    base = str(browser.base_url).rstrip("/")
    while waiting:
        path = waiting.popleft()
        if path in found.addresses:
            continue
        answer = browser.get(path, headers={"accept-language": language, "accept-encoding": "gzip"})
        kind = answer.headers.get("content-type", "").partition(";")[0]
        found.addresses[path] = kind
        bytes_of[path] = int(answer.headers.get("content-length", 0))
        wrong = [f"answered {answer.status_code}"] if answer.status_code not in {200, 303} else []
        reading = _Reading()
        if answer.status_code == 303:
            waiting.append(_below(base, path, answer.headers["location"], wrong))
        elif kind == "text/html":
            reading.feed(answer.text)
            wrong += _mistakes(reading, language)
            found.size[path] = bytes_of[path]
            found.posts |= {_below(base, path, one, wrong) for one in reading.posts}
        found.away |= {one for one in reading.links if not _ours(one, base)}
        waiting.extend(_below(base, path, one, wrong) for one in [*reading.links, *reading.forms] if _ours(one, base))
        found.weight[path] = bytes_of[path] + sum(_bytes(browser, base, one, bytes_of) for one in reading.needs)
        if wrong:
            found.wrong[path] = wrong
    found.weight = {path: weight for path, weight in found.weight.items() if path in found.size}
    return found


def _ours(address: str, base: str) -> bool:
    return urlsplit(urljoin(base, address))[:2] == urlsplit(base)[:2]


def _below(base: str, page: str, address: str, wrong: list[str]) -> str:
    """Return an address on a page as a path below the base."""
    whole, _ = urldefrag(urljoin(base + page, address))
    if not whole.startswith(base):
        wrong.append(f"leads away: {address}")
        return page
    return whole.removeprefix(base) or "/"


def _bytes(browser: httpx2.Client, base: str, address: str, known: dict[str, int]) -> int:
    path = urljoin(base, address).removeprefix(base)
    if path not in known:
        known[path] = int(browser.get(path, headers={"accept-encoding": "gzip"}).headers["content-length"])
    return known[path]


def _mistakes(page: _Reading, language: str) -> list[str]:
    """Return what is wrong with a page whatever it is about."""
    text = page.text.get("body", "")
    anchors = {one[1:] for one in page.links if one.startswith("#")}
    return [
        *page.wrong,
        *(f"id twice: {name}" for name, times in page.ids.items() if times > 1),
        *(f"points to nothing: {name}" for name in sorted((page.pointed | anchors) - {*page.ids})),
        *([f"language {page.language!r}"] if page.language.partition("-")[0] != language.partition("-")[0] else []),
        *([] if page.text.get("title", "").strip(" –\n") else ["no title"]),
        *([] if page.seen["h1"] == 1 and page.text.get("h1", "").strip() else ["not one h1"]),
        *(f"unfinished text: {one}" for one in _HOLE.findall(text)),
        *(f"a key instead of words: {one}" for one in _KEY.findall(text)),
    ]
