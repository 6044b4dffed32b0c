"""The portal's pages on a real server, with a small office behind them that answers the contract from memory."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx2
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp

from econnector.base.errors import (
    AnswerLost,
    ChangeRequired,
    Failure,
    FileMissing,
    LoginFailed,
    NotAllowed,
    PasswordRejected,
    SessionEnded,
    UnknownAddress,
)
from econnector.base.ids import new_token
from econnector.eservices.portal import calls
from econnector.eservices.portal.web import routes
from econnector.link.loopback import DirectAsker
from econnector.web.door import Door
from econnector.wire.call import Answers, Asked, Call, Download, Streamed
from tests.support.papers import Papers
from tests.support.summaries import Summaries
from tests.support.till import Till
from tests.support.visits import Visits

__all__ = [
    "PDF",
    "PLAIN",
    "PortalSite",
    "SmallOffice",
    "client",
    "keys_of",
    "serve_app",
    "serve_portal",
    "signed_in",
    "token_in",
]

P = TypeVar("P", bound=msgspec.Struct)
R = TypeVar("R", bound=msgspec.Struct)

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For browsers that meet no TLS: it trusts nobody. Reading whom the system trusts costs each of them 50 ms."""

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<<>>>>endobj\n"
    b"4 0 obj<</Length 29>>stream\n0.1 0.4 0.5 rg 40 40 200 90 re f\nendstream endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass
class SmallOffice:
    """Answers the portal's calls for one family: Ann (11) sees Tim (12) and Eve (13).

    Change its fields to cause things.
    """

    title: str = "Smile Dental"
    phone: str = "(555) 010-0100"
    language: str = "en-US"
    password: str = "correct horse battery 9S"
    first_time: bool = False
    """The next sign-in must change its sign-in."""
    need: str = "both"
    """What of it: both, user-name, password."""
    failing: Failure | Exception | None = None
    """Raised by every call."""
    failing_calls: dict[str, Failure | Exception] = field(default_factory=dict)
    """Raised by these calls."""
    losing: set[str] = field(default_factory=set)
    """Calls whose next answer is lost on its way."""
    kept: dict[str, bytes] = field(default_factory=dict)
    """Remembered answers."""
    keys: list[tuple[str, str | None]] = field(default_factory=list)
    """Name and idempotency key of every changing call."""
    balance_cents: int = 12345
    idle_seconds: int = 3600
    ann: calls.Person = field(default_factory=lambda: calls.Person(11, "Ann Example", "Ann", "self", "1980-05-17", 46))
    tim: calls.Person = field(default_factory=lambda: calls.Person(12, "Tim Example", "Tim", "family", "2017-02-01", 9))
    eve: calls.Person = field(
        default_factory=lambda: calls.Person(13, "Eve Other-Longname", "Eve", "guardian", "2012-12-24", 13)
    )
    titles: tuple[str, ...] = ("Statement", "Receipt", "Statement")
    """Of the statements, newest first."""
    file: calls.FileHead = field(default_factory=lambda: calls.FileHead("Statement.pdf", "application/pdf", len(PDF)))
    chunks: list[bytes | Failure | float] = field(default_factory=lambda: [PDF[:40], PDF[40:]])
    """What a file's stream does: yields bytes, raises, or waits so many seconds."""
    tokens: dict[str, bool] = field(default_factory=dict)
    """Live sessions: whether they still must change their sign-in."""
    asked: list[tuple[str, msgspec.Struct, str]] = field(default_factory=list)
    """Every call: name, params, reference."""
    visits: Visits = field(default_factory=Visits)
    papers: Papers = field(default_factory=Papers)
    """Appointments and health."""
    summaries: Summaries = field(default_factory=Summaries)
    till: Till = field(default_factory=Till)
    unread: int = 1
    holder: str = ""
    """Who holds the account of the family; empty where it is the one who looks."""
    signed_in: int = 0
    closed_streams: int = 0

    def answers(self) -> Answers:
        """Return the office's answers."""
        answers = Answers()
        answers.to(calls.PRACTICE)(self._practice)
        answers.to(calls.SIGN_IN)(self._sign_in)
        answers.to(calls.SIGN_OUT)(self._sign_out)
        answers.to(calls.CHANGE_SIGN_IN)(self._change)
        answers.to(calls.HOME)(self._home)
        answers.to(calls.SECURITY)(self._security)
        answers.to(calls.STATEMENTS)(self._statements)
        answers.streaming(calls.STATEMENT_FILE)(self._file)
        self.visits.answer(self, answers)
        self.papers.answer(self, answers)
        self.summaries.answer(self, answers)
        self.till.answer(self, answers)
        return answers

    async def _practice(self, _asked: Asked, _params: calls.Nothing) -> calls.Practice:
        return calls.Practice(self.title, self.phone, self.language)

    async def _sign_in(self, asked: Asked, params: calls.SignIn) -> calls.Session:
        if params.user_name.lower() != "ann4711" or params.password != self.password:
            raise LoginFailed(reference=asked.reference, reason="wrong password")
        token = f"token-{new_token()}"
        self.signed_in += 1
        self.tokens[token] = self.first_time
        return self._session(token)

    async def _sign_out(self, _asked: Asked, params: calls.Token) -> calls.Nothing:
        self.tokens.pop(params.token, None)
        return calls.Nothing()

    async def _change(self, asked: Asked, params: calls.ChangeSignIn) -> calls.Session:
        first = self._live(params.token, asked, changing=True)
        if not first and params.current_password != self.password:
            raise PasswordRejected(reference=asked.reference, rule="current", why="The current password is not right.")
        if params.password and len(params.password) < 15:
            raise PasswordRejected(reference=asked.reference, why="Use at least 15 characters.", rule="length")
        self.password = params.password or self.password
        self.tokens[params.token] = False
        return self._session(params.token)

    async def _security(self, asked: Asked, params: calls.Token) -> calls.Security:
        self._live(params.token, asked)
        return calls.Security(
            practice=await self._practice(asked, calls.Nothing()),
            session=self._session(params.token),
            looking_at=self.ann,
            people=[self.ann, self.tim, self.eve],
        )

    async def _home(self, asked: Asked, params: calls.PersonAsked) -> calls.Home:
        self._live(params.token, asked)
        return calls.Home(
            practice=await self._practice(asked, calls.Nothing()),
            session=self._session(params.token),
            looking_at=self._person(params.person, asked),
            people=[self.ann, self.tim, self.eve],
            balance_cents=self.balance_cents,
            balance_known=params.person != 13 and not self.holder,
            balance_holder=self.holder,
            balance_as_of="2026-11-20",
            statement_count=len(self.titles),
            latest_statement="2026-11-18",
            coming=self.visits.coming[:2],
            check_up_due=self.visits.due[0].due if self.visits.due else "",
            unread=self.unread,
            last_sign_in="2026-11-02T09:05:00",
            payable=self.till.open,
        )

    async def _statements(self, asked: Asked, params: calls.PersonAsked) -> calls.Statements:
        self._live(params.token, asked)
        return calls.Statements(
            session=self._session(params.token),
            looking_at=self._person(params.person, asked),
            people=[self.ann, self.tim, self.eve],
            practice=await self._practice(asked, calls.Nothing()),
            items=self._items(),
            balance_cents=self.balance_cents,
            balance_known=True,
            balance_as_of="2026-11-20",
            last_statement_cents=9800,
            last_statement_date="2026-11-18",
            payable=self.till.open,
        )

    def _items(self) -> list[calls.Statement]:
        return [
            calls.Statement(900 + n, f"2026-{11 - n:02}-18", title, 11 + n % 2, "Ann Example", 9800 * n, n != 1)
            for n, title in enumerate(self.titles)
        ]

    async def _file(self, asked: Asked, params: calls.StatementFile) -> Streamed[calls.FileHead]:
        self._live(params.token, asked)
        if not 900 <= params.document < 1000:
            raise FileMissing(reference=asked.reference, path="X:\\secret", account="SYSTEM", reason="not there")
        return Streamed(self.file, self._bytes())

    async def _bytes(self) -> AsyncIterator[bytes]:
        try:
            for chunk in self.chunks:
                if isinstance(chunk, Failure):
                    raise chunk
                if isinstance(chunk, bytes):
                    yield chunk
                else:
                    await asyncio.sleep(chunk)
        finally:
            self.closed_streams += 1

    def _session(self, token: str) -> calls.Session:
        first = self.tokens.get(token, False)
        name, password = first and self.need != "password", first and self.need != "user-name"
        return calls.Session(token, 11, self.idle_seconds, 86400, name, password, "ann4711")

    def _live(self, token: str, asked: Asked, *, changing: bool = False) -> bool:
        if token not in self.tokens:
            raise SessionEnded(reference=asked.reference, reason="unknown")
        if self.tokens[token] and not changing:
            raise ChangeRequired(reference=asked.reference, need=self.need)
        return self.tokens[token]

    def _person(self, number: int, asked: Asked) -> calls.Person:
        for person in (self.ann, self.tim, self.eve):
            if person.number == (number or 11):
                return person
        raise NotAllowed(reference=asked.reference)


def keys_of(office: SmallOffice, call: str) -> set[str | None]:
    """Return the keys under which a call was asked: a page that an earlier test left open may ask others."""
    return {key for name, key in office.keys if name == call}


class _Kept:
    """An office's memory of its answers (`link.once.Memory`)."""

    def __init__(self, office: SmallOffice) -> None:
        self._office = office

    async def recall(self, key: str) -> bytes | None:
        return self._office.kept.get(key)

    async def remember(self, key: str, call: str, answer: bytes) -> None:  # noqa: ARG002 - the protocol's
        self._office.kept[key] = answer


class _Noting:
    """Asks a `SmallOffice` in process; notes what was asked and causes what the office's fields say."""

    def __init__(self, office: SmallOffice) -> None:
        self._office, self._asker = office, DirectAsker(office.answers(), _Kept(office))

    async def ask(
        self,
        call: Call[P, R],
        params: P,
        *,
        within: float | None = None,
        key: str | None = None,
        reference: str | None = None,
    ) -> R:
        self._note(call, params, reference)
        if call.changes:
            self._office.keys.append((call.name, key))
        answer = await self._asker.ask(call, params, within=within, key=key, reference=reference)
        if call.name in self._office.losing:
            self._office.losing.remove(call.name)
            raise AnswerLost(reference=reference, call=call.name, reason="the link went down")
        return answer

    async def download(
        self, call: Call[P, R], params: P, *, within: float | None = None, reference: str | None = None
    ) -> Download[R]:
        self._note(call, params, reference)
        return await self._asker.download(call, params, within=within, reference=reference)

    def _note(self, call: Call[Any, Any], params: msgspec.Struct, reference: str | None) -> None:
        office = self._office
        # A sign-out with another token is an earlier test's, said again.
        if call is not calls.SIGN_OUT or getattr(params, "token", "") in office.tokens:
            office.asked.append((call.name, params, reference or ""))
        if failing := office.failing or office.failing_calls.get(call.name):
            if isinstance(failing, Failure):
                failing.reference = reference or failing.reference
            raise failing


@dataclass
class PortalSite:
    """A running server."""

    root: str
    """Address without path."""
    offices: dict[str, SmallOffice]

    def portal(self, name: str = "smile-dental") -> str:
        """Return the address of an office's portal, without trailing slash."""
        return f"{self.root}/o/{name}/portal"


@contextmanager
def serve_portal(**offices: SmallOffice) -> Iterator[PortalSite]:
    """Serve the portal for `offices` (their names with `_` for `-`) on a free port of this machine."""
    known = {name.replace("_", "-"): office for name, office in offices.items()}
    askers = {name: _Noting(office) for name, office in known.items()}

    async def find(request: Request) -> Door:
        name = request.path_params["office"]
        if name not in known:
            raise UnknownAddress
        office = known[name]
        return Door(name, f"/o/{name}/portal", office.title, office.phone, askers[name])

    pages = Mount("/o/{office}/portal", routes=routes(find, specimens=True))
    with serve_app(Starlette(routes=[pages])) as root:
        yield PortalSite(root, known)


@contextmanager
def serve_app(app: ASGIApp) -> Iterator[str]:
    """Serve an app on a free port of this machine; yields its address without path."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()


def client(base: str, **options: Any) -> httpx2.Client:
    """Return a browser without a screen: keeps cookies, and trusts loopback as browsers do."""
    # Browsers send secure cookies to loopback without TLS; Python's jar must be told.
    jar = CookieJar(DefaultCookiePolicy(secure_protocols=("https", "http")))
    headers = {"accept": "text/html", **options.pop("headers", {})}
    options.setdefault("verify", PLAIN)
    return httpx2.Client(base_url=base, cookies=jar, headers=headers, trust_env=False, timeout=60, **options)


def token_in(page: str) -> str:
    """Return the form token of a page."""
    return page.split('name="form_token" value="')[1].split('"', maxsplit=1)[0]


@contextmanager
def signed_in(site: PortalSite, name: str = "smile-dental", **options: Any) -> Iterator[httpx2.Client]:
    """Yield a browser in which Ann is signed in."""
    with client(site.portal(name), **options) as browser:
        form = {"user_name": "Ann4711", "password": site.offices[name].password}
        answer = browser.post("/sign-in", data=form | {"form_token": token_in(browser.get("/sign-in").text)})
        assert answer.status_code == 303, answer.text
        yield browser
