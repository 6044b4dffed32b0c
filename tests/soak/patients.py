"""Patients who use the portal all the time and notice everything that is not as it was."""

import html
import random
import re
import threading
import time
import urllib.request
from email.message import Message
from typing import Any

from econnector.base.errors import CATALOGUE
from econnector.demo.browser import Browser, Lost, Page
from tests.soak.account import Account, Weather

__all__ = ["ENDED", "Patient", "Reader", "Straight", "Visitor", "told"]

NEVER = ("Traceback", "SQL", "pymysql", "sqlite", "/tmp/", "127.0.0.1:", 'File "')
EXPECTED = frozenset(
    {"office-unreachable", "office-too-slow", "answer-lost", "answer-uncertain", "office-busy", "protocol-broken"}
    | {"database-away", "database-busy", "login-failed", "registry-away", "switchboard-away"}
    | {"payment-gateway-silent", "payment-gateway-refused", "payment-not-made"}
)
"""The failures that storms may cause; `unexpected` is none of them."""
NO_ROOM = frozenset({"database-damaged"})
"""And those of a disk that is full."""
TITLES = {failure.title: code for code, failure in sorted(CATALOGUE.items(), key=lambda item: item[0] in EXPECTED)}
"""Several failures look alike to a patient: then the expected one is meant; the office's own list tells them apart."""
ENDED = "/sign-in"
_SIGNED_OUT = "For your safety you were signed out before that could be saved."
_BARE = re.compile(r"<(script|style|svg|template)\b.*?</\1>|<[^>]*>", re.DOTALL)
_MOVING = re.compile(r"Last sign-in: .*?\d+:\d\d(?: [AP]M)?|Seen \w+ \d+ \w+ \d+, \d+:\d\d \w+")


def told(page: Page) -> str:
    """Return what a person reads on a page, without what differs from session to session."""
    text = html.unescape(_BARE.sub(" ", page.body.decode("utf-8", "replace")))
    return " ".join(_MOVING.sub("", " ".join(text.split())).split())


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Straight(Browser):
    """A browser that does not follow redirects: what a form's answer says counts, not the page after it."""

    def __init__(self, base: str) -> None:
        super().__init__(base)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies), urllib.request.ProxyHandler({}), _Stay()
        )

    @property
    def token(self) -> str:
        """The session's token, empty without one."""
        names = {cookie.name: cookie.value or "" for cookie in self.cookies}
        return next((value for name, value in names.items() if "portal-" in name and "portal-form" not in name), "")


class Visitor(threading.Thread):
    """Somebody at a browser, in a thread."""

    def __init__(self, name: str, portals: list[str], account: Account, weather: Weather, dice: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self.portals, self.account, self.weather, self.dice = portals, account, weather, dice
        self.browser = Straight(portals[0])
        self.strangers: frozenset[str] = frozenset()
        """Names that must never stand on a page for this person."""
        self.stopping = threading.Event()
        self.kind = ""
        """The code of the last failure page."""

    def wrong(self, what: str) -> None:
        self.account.wrong(self.name, what)

    def run(self) -> None:
        """Do one thing after the other until told to stop."""
        while not self.stopping.is_set():
            try:
                self.act()
            except Exception as error:  # noqa: BLE001 - a page without the expected form is a finding, not the end
                self.wrong(f"{type(error).__name__}: {error}")
            self.stopping.wait(self.dice.uniform(0.2, 0.9))

    def act(self) -> None:
        raise NotImplementedError

    def type(self) -> None:
        """Take the time that a person takes: what is on the screen may be old when it is sent."""
        self.stopping.wait(self.dice.choice((0.0, 0.0, 0.3, 1.5)))

    def ask(
        self, action: str, link: str, fields: dict[str, str] | None = None, *, good: tuple[int, ...] = (200,)
    ) -> Page | None:
        """Return the answer if its status is one of `good`; None after a failure, which is judged and counted here."""
        self.browser.base = self.dice.choice(self.portals)
        began, self.kind = time.monotonic(), ""
        try:
            page = self.browser.open(link, fields)
        except Lost as lost:
            self.account.count(action, "no answer")
            if self.weather.was_fair(began):
                self.wrong(f"{action}: no answer in fair weather: {lost}")
            return None
        if page.status in good:
            self.account.count(action, "right")
            return page
        self._judge_failure(action, page, began)
        return None

    def _judge_failure(self, action: str, page: Page, began: float) -> None:
        text = told(page)
        found = [title for title in TITLES if title in text]
        self.kind = TITLES[max(found, key=len)] if found else ""
        self.account.count(action, "kind page", f"{page.status} {max(found, key=len)}" if found else str(page.status))
        if page.status == 303 or (page.status == 401 and _SIGNED_OUT in text):
            self.kind = "ended"
        elif self.kind not in EXPECTED and not (self.kind in NO_ROOM and self.weather.no_room(began)):
            self.wrong(f"{action}: not a failure that was caused: {page!r} {self.kind or text[:200]}")
        elif page.headers.get("x-reference", "?") not in text and self.kind != "login-failed":
            self.wrong(f"{action}: failure page without its reference: {page!r}")
        if self.kind != "ended" and self.weather.was_fair(began):
            self.wrong(f"{action}: failed in fair weather: {page!r} {self.kind}")
        for word in (*NEVER, *self.strangers):
            if word in text:
                self.wrong(f"{action}: {word!r} stands on {page!r}")


class Reader(Visitor):
    """Somebody who signs in; nobody but they, or a clock that was moved, ends their session."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._since = 0.0

    def signed_in(self) -> None:
        """A session has begun."""
        self._since = time.monotonic()

    def ended(self) -> None:
        """A session that ends though nobody ended it is wrong."""
        if self.kind == "ended":
            if not self.weather.moved(self._since):
                self.wrong("the session has ended by itself")
            self.browser.cookies.clear()


class Patient(Reader):
    """One sign-in and what it may see; changes its password and knows which one must work."""

    def __init__(self, user_name: str, password: str, *rest: Any) -> None:
        super().__init__(user_name, *rest)
        self.user_name, self.password = user_name, password
        self.maybe: list[str] = []
        """Passwords whose saving was not acknowledged and that may have become the right one."""
        self.refuted: set[str] = set()
        self.acknowledged = self.took = self.uncertain = self.resent = 0
        self.pages: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.locked: list[str] = []
        """Links of others."""
        self.signed_out: list[tuple[str, bool]] = []
        """Tokens of sessions that were ended, and whether in fair weather."""
        self.secrets = {password}

    # -- before the soak ----------------------------------------------------------------------------------------

    def learn(self) -> None:
        """See everything once while nothing is hurt: that is what is right."""
        for _ in range(2):  # what is new since the last sign-in is not new the second time
            assert self._enter(self.password) == "in", self.user_name
        pages = [page for link in ("", "statements") if (page := self.ask("learn", link))]
        assert len(pages) == 2
        self.pages = {"": told(pages[0]), "statements": told(pages[1])}
        for link in [link for link in pages[1].links if "/statements/" in link and link.endswith("/download")][:4]:
            file = self.ask("learn", link, good=(200, 404))  # one patient has a statement whose file is missing
            if file is not None and file.body.startswith(b"%PDF-"):
                self.files[link] = file.body

    # -- what one does ------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Do one thing."""
        if not self.browser.token or self.maybe:
            self.sign_in()
            return
        what = (self.look, self.look, self.look, self.download, self.download, self.peek, self.change, self.sign_out)
        self.dice.choice(what)()

    def look(self) -> None:
        """Open a page that must be as it always was."""
        link = self.dice.choice(list(self.pages))
        page = self.ask(link or "home", link)
        if page is None:
            self._ended()
        elif told(page) != self.pages[link]:
            self.wrong(f"{link or 'home'} is not what it was: {_difference(self.pages[link], told(page))}")

    def download(self) -> None:
        """Open a file that must be byte for byte what it was, or visibly broken."""
        if not self.files:
            return
        link = self.dice.choice(list(self.files))
        page = self.ask("download", link)
        if page is None:
            self._ended()
        elif page.body != self.files[link]:
            self.wrong(f"{link}: {len(page.body)} bytes taken for whole, of {len(self.files[link])}")

    def peek(self) -> None:
        """Ask for what is another's."""
        if not self.locked:
            return
        link = self.dice.choice(self.locked)
        page = self.ask("peek", link, good=(403, 404))
        if page is None:
            self._ended()
        elif any(stranger in told(page) for stranger in self.strangers):
            self.wrong(f"{link} shows another's name")

    def _ended(self) -> None:
        """While it is uncertain whether the password has changed, so is whether the session has ended."""
        if not self.maybe:
            self.ended()

    def sign_out(self) -> None:
        """Sign out; the token must be worth nothing afterwards."""
        page = self.ask("home", "")
        if page is None:
            self._ended()
            return
        self.type()
        token, began = self.browser.token, time.monotonic()
        answer = self.ask("sign out", "sign-out", page.form("/sign-out").fields, good=(303,))
        if answer is not None:
            self.signed_out.append((token, self.weather.was_fair(began)))
            self.browser.cookies.clear()

    # -- signing in, and which password works -------------------------------------------------------------------

    def sign_in(self) -> None:
        """Sign in with what must work; while a change is uncertain, find out which one does."""
        for password in [self.password, *reversed(self.maybe)]:
            if password in self.refuted:
                continue
            outcome = self._enter(password)
            if outcome == "in":
                self._settled(password)
                return
            if outcome != "refused":
                return
            self.refuted.add(password)
        self.wrong(f"no password works any more ({len(self.maybe)} uncertain)")
        self.refuted.clear()
        self.stopping.wait(5.0)

    def _settled(self, password: str) -> None:
        self.took += password != self.password
        self.password, self.maybe = password, []
        self.refuted.clear()

    def _enter(self, password: str) -> str:
        """Return `in`, `refused` or empty for anything else."""
        self.browser.cookies.clear()
        page = self.ask("sign-in page", "sign-in")
        if page is None:
            return ""
        form = page.form("/sign-in")
        self.type()
        typed = form.fields | {"user_name": self.user_name, "password": password}
        may_fail = (401,) if self.maybe else ()
        answer = self.ask("sign in", "sign-in", typed, good=(303, *may_fail))
        if answer is None:
            return "refused" if self.kind == "login-failed" else ""
        if answer.status != 303 or not self.browser.token:
            return "refused"
        self.signed_in()
        return "in"

    def change(self) -> None:
        """Choose a new password; note exactly what was said about it."""
        page = self.ask("change page", "change")
        if page is None:
            self._ended()
            return
        new = f"Wren {self.dice.getrandbits(60):015x} Quay{self.acknowledged}"
        self.secrets.add(new)
        self.type()
        typed = {"current": self.password, "password": new, "repeat": new}
        form = page.form("/change").fields | typed
        answer = self.ask("change", "change", form, good=(303,))
        while answer is None and self.kind != "ended" and self.dice.random() < 0.6 and not self.stopping.is_set():
            # The page says: try again. The same form is the same ask, however often it is sent.
            self.resent += 1
            self.stopping.wait(self.dice.uniform(0.5, 3.0))
            answer = self.ask("change again", "change", form, good=(303,))
        place = _place(answer.headers) if answer is not None else ""
        if place.endswith("notice=changed"):
            self.acknowledged += 1
            self.took += 1
            self.password = new
            return
        # Whatever the page said, the old or the new one works now, and nothing else.
        self.maybe.append(new)
        self.uncertain += 1
        if place and not place.partition("?")[0].endswith(ENDED):
            self.wrong(f"a change led to {place}")


def _place(headers: Message) -> str:
    return headers.get("location", "")


def _difference(before: str, after: str) -> str:
    """Return the first words in which two texts differ."""
    old, new = before.split(), after.split()
    at = next((i for i, (one, two) in enumerate(zip(old, new, strict=False)) if one != two), min(len(old), len(new)))
    return f"…{' '.join(old[max(at - 3, 0) : at + 6])}… became …{' '.join(new[max(at - 3, 0) : at + 6])}…"
