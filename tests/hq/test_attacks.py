"""HQ under attack: by an office that says hostile things about itself, and by strangers at its door."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from econnector.base.errors import MailRefused
from econnector.cli.terminal import print_table, show_failure
from tests.hq.running import Connector, RunningHq, running_hq
from tests.support.attacking import HOSTILE, complaints

PORTAL = "/o/smile/portal"
ASKED = [
    "/",
    "/nothing",
    "/o/smile",
    "/o/smile/",
    "/o/nobody/",
    "/o/..%2f..%2fx/portal/",
    "/o/%00/portal/",
    "/health",
    "/ready",
]
ASKED += [
    "//evil.example/x",
    "/%2f%2fevil.example",
    "/a%0d%0aSet-Cookie:%20zq=1",
    f"{PORTAL}/a%0ab",
    "/o/a%0ab/portal/",
]
ASKED += [
    "/" + "x" * 5000,
    "/o/" + "x" * 5000 + "/portal/",
    "/?" + "y=1&" * 2000,
    "/%ff%fe",
    "/static/x/y",
    "/link",
    "/metrics",
]


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[RunningHq]:
    async with running_hq(tmp_path, admin="127.0.0.1:0") as running:
        yield running


def clean(answer: httpx2.Response, what: str, base: str = "") -> None:
    assert answer.status_code < 500 or answer.status_code == 503, (what, answer.status_code)
    assert complaints(answer, base) == [], what
    assert "default-src" in answer.headers["content-security-policy"], what
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], what
    assert answer.headers["x-content-type-options"] == "nosniff", what
    assert answer.headers["referrer-policy"] == "no-referrer", what
    assert not re.search(
        r"uvicorn|starlette|python|econnector/|\\d+\\.\\d+\\.\\d+",
        f"{answer.headers.get('server', '')} {answer.text}".lower(),
    ), what
    assert re.match(r"/(?![/\\\\])", answer.headers.get("location", "/")), what


async def test_what_an_office_says_of_itself_is_text(hq: RunningHq) -> None:
    _, key = await hq.add()
    async with Connector(hq.link, key).running() as connector:
        await connector.online()
        connector.office.title, connector.office.phone = HOSTILE, HOSTILE
        await connector.say(practice_title=HOSTILE, practice_phone=HOSTILE)
        async with hq.client() as browser:
            for path in ("/sign-in", "/help", "/forgot", "/reset", "/manifest.webmanifest", "/nothing"):
                clean(await browser.get(PORTAL + path), PORTAL + path, PORTAL)
            clean(await browser.post(f"{PORTAL}/sign-in", data={"user_name": HOSTILE}), f"{PORTAL}/sign-in", PORTAL)
    async with hq.client() as browser:  # the office is away: all that is known of it is what it said
        for path in ("/", "/sign-in", "/help", "/statements"):
            clean(await browser.get(PORTAL + path), PORTAL + path, PORTAL)


async def test_whatever_a_stranger_asks_gets_a_page(hq: RunningHq) -> None:
    await hq.add()
    async with hq.client() as browser:
        for path in ASKED:
            for way in ("GET", "POST", "PUT"):
                clean(await browser.request(way, path), path)
            forged = await browser.get(
                path, headers={"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
            )
            assert "evil.example" not in f"{forged.text} {forged.headers}".replace(path.lstrip("/"), ""), path
        clean(await browser.get("/", headers={"host": "evil.example"}), "/")
        assert (await browser.get("/health")).json() == {"status": "ok"}


def test_no_text_commands_the_vendors_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    said = f"{HOSTILE}\x1b]0;owned\x07\x9b2J[bold red on white][link=https://evil.example]"
    print_table(["name"], [[said]], title=said)
    show_failure(MailRefused(server=said, phase="end", reason=said))
    told = capsys.readouterr()
    assert "[bold red on white]" in told.out.replace("\n", "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", told.out + told.err)
