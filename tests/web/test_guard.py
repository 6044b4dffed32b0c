"""What every site has around it."""

import socket
import time
from collections.abc import Iterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from econnector.base.errors import OfficeBusy
from econnector.eservices.portal.web.visiting import KIT
from econnector.web import guard
from econnector.web.guard import FORM_LIMIT, Guard, reference_of
from econnector.web.headers import protect
from econnector.web.static import STATIC
from tests.support.saying import said
from tests.support.site import client, serve_app

SAFETY = {
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "permissions-policy",
    "cache-control",
    "x-reference",
}


async def fine(request: Request) -> Response:
    return PlainTextResponse(reference_of(request))


async def stored(_: Request) -> Response:
    return PlainTextResponse("x", headers={"cache-control": "max-age=1"})


async def fault(_: Request) -> Response:
    raise ZeroDivisionError("Ann Example, born 1980")


async def busy(_: Request) -> Response:
    raise OfficeBusy(seconds=7, limit=1, reference="ABCD-2345")


async def size(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def half(_: Request) -> Response:
    async def chunks() -> object:
        yield b"first half"
        raise ZeroDivisionError

    return StreamingResponse(chunks(), headers={"content-length": "20"})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    routes = [
        Route("/", fine),
        Route("/stored", stored),
        Route("/fault", fault),
        Route("/busy", busy),
        Route("/size", size, methods=["POST"]),
        Route("/half", half),
        STATIC.route(),
    ]
    # Twice, because a portal brings its own guard and HQ has one around everything.
    inner = Mount("/", routes=routes, middleware=[Middleware(Guard, kit=KIT)])
    with serve_app(Starlette(routes=[inner], middleware=[Middleware(Guard, kit=KIT)])) as address:
        yield address


@pytest.fixture
def browser(root: str) -> Iterator[httpx2.Client]:
    with client(root) as found:
        yield found


@pytest.mark.parametrize(
    "path", ["/", "/fault", "/busy", "/nowhere", "/size", "/static/x/kit.css", "/static/x/none.js"]
)
def test_every_answer_has_the_safety_headers_once(browser: httpx2.Client, path: str) -> None:
    answer = browser.get(path)
    names = [name for name, _ in answer.headers.multi_items()]
    for name in SAFETY:
        assert names.count(name) == 1, name
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_pages_are_not_stored_unless_they_say_so(browser: httpx2.Client) -> None:
    assert browser.get("/").headers["cache-control"] == "no-store"
    assert browser.get("/fault").headers["cache-control"] == "no-store"
    assert browser.get("/stored").headers["cache-control"] == "max-age=1"


def test_browsers_are_told_to_come_back_by_https_only_where_there_is_https(browser: httpx2.Client) -> None:
    assert "strict-transport-security" not in browser.get("/").headers
    response = Response()
    protect(response.headers, https=True)
    assert response.headers["strict-transport-security"].startswith("max-age=")


def test_each_request_has_a_reference_of_its_own(browser: httpx2.Client) -> None:
    first, second = browser.get("/"), browser.get("/")
    assert first.text == first.headers["x-reference"]
    assert first.text != second.text


def test_a_fault_is_a_page_with_a_reference_and_no_detail(browser: httpx2.Client) -> None:
    with said() as logs:
        answer = browser.get("/fault")
    assert answer.status_code == 500
    assert answer.headers["x-reference"] in answer.text
    assert "Something went wrong on our side" in answer.text
    for inside in ("ZeroDivision", "Ann Example", "Traceback", ".py"):
        assert inside not in answer.text
    [noted] = [entry for entry in logs if entry["event"] == "unexpected"]
    assert noted["kind"] == "ZeroDivisionError"
    assert noted["reference"] == answer.headers["x-reference"]
    assert any("fault" in frame for frame in noted["where"])
    assert "Ann Example" not in str(logs)


def test_a_failure_is_its_own_page_with_its_own_reference(browser: httpx2.Client) -> None:
    answer = browser.get("/busy")
    assert answer.status_code == 503
    assert "ABCD-2345" in answer.text
    assert answer.headers["retry-after"] == "7"


@pytest.mark.causes("page-missing")
@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/size", 405), ("PUT", "/", 405)]
)
def test_what_is_no_page_gets_a_page(browser: httpx2.Client, method: str, path: str, status: int) -> None:
    answer = browser.request(method, path)
    assert answer.status_code == status
    assert "There is no such page" in answer.text
    assert "page-missing" in answer.text
    if status == 405:
        assert answer.headers["allow"]


def test_a_program_that_asks_for_json_gets_problems(browser: httpx2.Client) -> None:
    answer = browser.get("/nowhere", headers={"accept": "application/problem+json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "page-missing"


def test_an_answer_that_breaks_off_never_looks_whole(browser: httpx2.Client) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        browser.get("/half")


def test_a_form_as_large_as_allowed_is_read(browser: httpx2.Client) -> None:
    assert browser.post("/size", content=b"x" * FORM_LIMIT).text == str(FORM_LIMIT)


@pytest.mark.causes("too-large")
def test_ten_megabytes_are_refused_with_a_page(browser: httpx2.Client) -> None:
    answer = browser.post("/size", content=b"x" * 10_000_000)
    assert answer.status_code == 413
    assert "That is too large" in answer.text
    assert "64 kB" in answer.text


def test_too_much_is_refused_before_it_is_sent(root: str) -> None:
    host, port = root.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        raw.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nonly this much")
        assert b" 413 " in raw.recv(4096).split(b"\r\n")[0]


def test_too_much_without_a_declared_length_is_refused_as_well(browser: httpx2.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    assert browser.post("/size", content=pieces()).status_code == 413


def test_a_form_that_drips_is_given_up(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_BODY_SECONDS", 0.2)
    host, port = root.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        raw.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nand then nothing")
        answer = b"".join(iter(lambda: raw.recv(65536), b""))  # to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"This page was open too long" in answer


def test_a_browser_that_goes_away_while_it_sends_is_no_fault(root: str) -> None:
    host, port = root.removeprefix("http://").split(":")
    with said() as logs:
        with socket.create_connection((host, int(port)), timeout=60) as raw:
            raw.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly this much")
        deadline = time.monotonic() + 60
        while not logs and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [entry["event"] for entry in logs] == ["went away while sending"]


@pytest.mark.causes("form-expired")
@pytest.mark.parametrize("origin", ["cross-site", "same-site"])
def test_a_write_that_another_sites_page_sent_is_refused(browser: httpx2.Client, origin: str) -> None:
    assert browser.post("/size", content=b"x", headers={"sec-fetch-site": origin}).status_code == 403
    assert browser.post("/size", content=b"x", headers={"sec-fetch-site": "same-origin"}).text == "1"
    assert browser.get("/", headers={"sec-fetch-site": origin}).status_code == 200


def test_static_files_are_kept_for_a_year_under_an_address_that_names_their_content(browser: httpx2.Client) -> None:
    answer = browser.get(STATIC.path("kit.css"))
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert "@layer" in answer.text
    old = browser.get("/static/0123456789ab/kit.css")
    assert old.text == answer.text
    assert old.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["../kit.py", "..%2fkit.py", "%2e%2e/kit.py", "kit.py", "nothing.css", "kit.css%00"])
def test_only_the_kits_own_files_are_served(browser: httpx2.Client, name: str) -> None:
    assert browser.get(f"/static/x/{name}").status_code == 404
