"""Nobody learns whether a name is known: not by an answer, not by its size, not by how long it takes.

Time is told by what the answer waits for and by what it asks of the databases, so that a slow machine hides nothing.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator

import httpx2
import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from econnector.base.errors import Failure
from econnector.eservices.portal import calls
from econnector.storage.state import throttle
from econnector.wire.call import Call
from tests.portal.security.conftest import MailedOffice
from tests.support.practice import PASSWORD, STRONG, Cast, user_name
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client, token_in

NAMES = {
    "unknown": "Nobody4999",
    "known": user_name(Cast.MARIA),
    "without access": user_name(Cast.ANA),
    "without a password": user_name(Cast.ROSA),
    "with a password of 13.1": user_name(Cast.OTTO),
    "merged": user_name(Cast.MERGED),
    "archived": user_name(Cast.ARCHIVED),
    "deleted": user_name(Cast.DELETED),
    "dead": user_name(Cast.DEAD),
    "a prospect": user_name(Cast.PROSPECT),
    "a pattern": "%",
}
Ask = Callable[[MailedOffice, str, str], Awaitable[object]]
ASKED: dict[str, Ask] = {
    "sign-in": lambda office, name, place: office.ask(calls.SIGN_IN, calls.SignIn(name, "wrong", place, "x")),
    "forgot": lambda office, name, place: office.ask(calls.FORGOT, calls.Forgot(name, place)),
    "reset": lambda office, name, place: office.ask(calls.RESET, calls.Reset(name, "22222-22222", STRONG, place)),
}
WITHOUT_A_NAME = {
    *("portal.practice", "portal.second-step", "portal.step", "portal.invite", "portal.accept-invite"),
    *("portal.open-share", "portal.shared-file", "portal.payment-notice"),
}
"""What may be asked without signing in, and names nobody: a ticket, a code or a processor's signature, of which there
is nothing to guess."""


async def told(office: MailedOffice, ask: Ask, name: str, place: str) -> str:
    """Return all that whoever asks gets to know."""
    try:
        answer = await ask(office, name, place)
    except Failure as failure:
        return f"{type(failure).__name__} {failure.code} {failure.http} {failure.public_facts()} {failure.patient}"
    return repr(answer)


def test_every_call_that_takes_a_name_is_tried() -> None:
    every = [call for call in vars(calls).values() if isinstance(call, Call)]
    declared = {call.name for call in every if "token" not in {one.name for one in msgspec.structs.fields(call.params)}}
    assert declared == {f"portal.{name}" for name in ASKED} | WITHOUT_A_NAME


@pytest.fixture
def asked_of_databases() -> Iterator[list[str]]:
    """The statements that were run, in order."""
    texts: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_more: object) -> None:
        texts.append(text)

    event.listen(Engine, "before_cursor_execute", note)
    yield texts
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("what", ASKED)
async def test_a_known_name_is_answered_as_an_unknown_one(
    small: MailedOffice, what: str, asked_of_databases: list[str]
) -> None:
    waits: list[float] = []
    pauses, mine = asyncio.sleep, asyncio.current_task()

    async def note(seconds: float) -> None:
        if asyncio.current_task() is mine:
            waits.append(seconds)
        await pauses(0)

    seen: dict[str, tuple[str, list[float], list[str]]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("econnector.eservices.portal.office.desk.asyncio.sleep", note)
        for number, (kind, name) in enumerate(NAMES.items()):
            for attempt in range(throttle.FREE + 2):
                waits.clear()
                asked_of_databases.clear()
                answer = await told(small, ASKED[what], name, f"198.51.100.{number}")
                tables = [re.sub(r"\s+", " ", text) for text in asked_of_databases if "userweb" in text]
                seen[f"{kind} {attempt}"] = answer, list(waits), tables[:1]
                await small.mails()
    for attempt in range(throttle.FREE + 2):
        alike = {repr(seen[f"{kind} {attempt}"]) for kind in NAMES}
        assert len(alike) == 1, alike
        assert seen[f"known {attempt}"][1] == [0.001], "it leaves on the beat"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("names")) as found:
        yield found


def shown(answer: httpx2.Response, name: str) -> str:
    """Return an answer without what is another one every time."""
    text = answer.text.replace(name.replace("%", "&#37;"), "NAME").replace(f'value="{name}"', 'value="NAME"')
    text = re.sub(r'name="form_token" value="[^"]*"', "", text.replace(answer.headers["x-reference"], "REFERENCE"))
    changing = {"date", "x-reference", "content-length", "set-cookie"}
    headers = {key: value for key, value in answer.headers.items() if key not in changing}
    cookies = re.sub(r"=[^;,]*", "", answer.headers.get("set-cookie", ""))
    return f"{answer.status_code} {sorted(headers.items())} {cookies} {text}"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sign-in", {"password": "wrong"}),
        ("/forgot", {}),
        ("/reset", {"code": "22222-22222", "password": STRONG, "repeat": STRONG}),
        ("/reset", {"code": "22222-22222", "password": "short", "repeat": "short"}),
    ],
)
def test_its_page_is_the_same_byte_for_byte(site: RealSite, path: str, fields: dict[str, str]) -> None:
    pages: dict[str, set[str]] = {}
    with client(site.base) as browser:
        token = token_in(browser.get(path).text)
        for kind, name in NAMES.items():
            sent = {**fields, "user_name": name, "form_token": f"{token}"}
            for _ in range(2):
                pages.setdefault(shown(browser.post(path, data=sent), name), set()).add(kind)
                sent["form_token"] = token_in(browser.get(path).text)
    assert len(pages) == 1, list(pages.values())


def test_a_right_password_without_access_reads_like_a_wrong_one(site: RealSite) -> None:
    pages = set()
    with client(site.base) as browser:
        for person, password in ((Cast.ARCHIVED, PASSWORD), (Cast.MERGED, PASSWORD), (Cast.MARIA, "wrong")):
            name = user_name(person)
            sent = {"user_name": name, "password": password, "form_token": token_in(browser.get("/sign-in").text)}
            pages.add(shown(browser.post("/sign-in", data=sent), name))
    assert len(pages) == 1
