"""Whatever is asked, in whatever form: a page that says what is wrong, never a fault, a foreign host or a bare answer.

Routes come from the route tables, query parameters from the pages' own source, fields from the forms that are shown.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from urllib.parse import quote, quote_from_bytes

import httpx2
import pytest

from econnector.base.errors import OfficeUnreachable, Unexpected
from econnector.eservices.portal.web import SUBJECTS, visiting
from econnector.web.static import STATIC
from tests.support.attacking import HOSTILE, Form, Walk, complaints
from tests.support.practice import PASSWORD, Cast, user_name
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client, token_in

ROUTES = [(path, method) for subject in SUBJECTS for path, _, method in subject.PAGES]
GETS = [path for path, method in ROUTES if method == "GET"]
BASE = "/o/practice/portal"
ODD = [
    *(
        "",
        "0",
        "-1",
        "+1",
        "1e9",
        "0x10",
        "1" * 400,
        str(2**63),
        str(2**64),
        "\u0661\u0662",
        "\uff11",
        "1 OR 1=1",
        "1;--",
    ),
    *("../../etc/passwd", "..\\..\\x", "//evil.example", "\\\\evil.example", "https:evil.example", "javascript:zq()"),
    *("\0", "1\0", "a\r\nSet-Cookie: zq=1", "{}", "[]", "${98765*43211}", "\U0001f600", "\u202e", "null", HOSTILE),
]
RAW = [quote(text, safe="") for text in ODD] + [quote_from_bytes(b"\xff\xfe\xc0\xaf"), "%", "%zz", "%u0031", "%2525"]
ELSEWHERE = [
    *("//evil.example", "/\\evil.example", "\\/evil.example", "https:evil.example", "https://evil.example", "///evil"),
    *("/%2f/evil.example", "/..//evil.example", "/\t/evil.example", "/\n/evil.example", "http:evil", "@evil.example"),
    *("/help@evil.example", "/help?person=1&x=//evil", "/help#//evil", "/help\r\nLocation: //evil", "javascript:zq()"),
    *("data:text/html,zq", "/help/../..//evil", "/sign-out", "/\u2044evil", "/help\0", " //evil", "/" * 3000, HOSTILE),
]
LEADS_OUT = ("https://book.example/", "otpauth://totp/")
ALWAYS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=()",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("requests")) as found:
        yield found


@pytest.fixture(scope="module")
def maria(site: RealSite) -> Iterator[httpx2.Client]:
    with site.signed_in() as found:
        yield found


def parameters(path: str) -> list[str]:
    """Return the query parameters that the source of a page asks for."""
    handlers = [handler for subject in SUBJECTS for place, handler, _ in subject.PAGES if place == path]
    source = "".join(inspect.getsource(sys.modules[name]) for name in {visiting.__name__, handlers[0].__module__})
    written = re.findall(r'(?:query|query_params)\.get\("([\w-]+)"', source)
    return sorted({*written, *(("ended", "signed-out", "reset") if path == "/sign-in" else ())})


def clean(answer: httpx2.Response, what: str) -> None:
    """Assert that an answer is one of ours, with everything that protects it."""
    assert answer.status_code < 500, (what, answer.status_code)
    assert complaints(answer, BASE, leads_out=LEADS_OUT) == [], what
    protected(answer, what)
    location = answer.headers.get("location", f"{BASE}/")
    assert location.startswith(f"{BASE}/"), (what, location)
    assert "Traceback" not in answer.text, what


def protected(answer: httpx2.Response, what: str) -> None:
    for name, value in ALWAYS.items():
        assert answer.headers.get(name, "").startswith(value), (what, name)
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html"):
        assert "unsafe" not in policy, what
        assert answer.headers["cache-control"] == "no-store", what
    assert not re.search(r"\d", answer.headers.get("server", "")), "no version of anything"
    assert "x-powered-by" not in answer.headers


def test_the_parameters_are_found() -> None:
    found = {name for path in GETS for name in parameters(path)}
    assert {"person", "page", "next", "box", "reply", "key", "notice"} <= found


def test_every_odd_value_is_tried_as_a_number_in_an_address() -> None:
    assert {odd for place in range(len(GETS)) for odd in _some(place)} == set(RAW)


def _some(place: int) -> list[str]:
    """Return some odd values for the page at this place in the table: together, the pages see them all."""
    return [RAW[(place * 4 + step) % len(RAW)] for step in range(4)]


@pytest.mark.parametrize("path", GETS)
def test_no_part_of_an_address_breaks_a_page(maria: httpx2.Client, path: str) -> None:
    there, root = re.sub(r"\{.*?\}", "1001", path), str(maria.base_url).rstrip("/")
    # A line's end matches no mount: such an address never comes as far as the portal.
    asked = [re.sub(r"\{.*?\}", odd, path) for odd in RAW if there != path and "%0A" not in odd]
    asked += [f"{there}?{name}={odd}&{name}=1" for odd in _some(GETS.index(path)) for name in parameters(path)]
    for each in asked:
        clean(maria.get(root + each), each)


async def test_no_text_in_any_field_breaks_an_answer(site: RealSite) -> None:
    root = site.base.removesuffix(BASE)
    with site.signed_in(Cast.LUIS) as luis:

        async def get(path: str) -> httpx2.Response:
            return luis.get(root + path)

        forms = (await Walk(get, BASE, ROUTES).go(*(BASE + path for path in GETS if "{" not in path))).forms
        forms.pop(f"{BASE}/sign-out")
        last = f"{BASE}/security/sessions"  # ends every session
        assert len(forms) > 7
        in_order = sorted(forms.items(), key=lambda one: one[0] == last)
        for place, (action, form) in enumerate(in_order):
            assert luis.get("/").status_code == 200, f"signed out before {action}"
            # Together, the forms see everything; the one with most fields sees it alone.
            step = 1 if action.endswith("/messages/new") else 3
            for odd in (*ODD, "x" * 30_000)[place % step :: step]:
                clean(luis.post(root + action, data=_filled(form, odd)), f"{action} {odd[:20]!r}")
            for kind, body in _bodies(form)[place % step :: step]:
                answer = luis.post(root + action, content=body, headers={"content-type": kind})
                clean(answer, f"{action} {kind} {body[:20]!r}")
    with site.signed_in(Cast.LUIS) as luis:
        assert luis.get("/").status_code == 200


def _filled(form: Form, odd: str) -> dict[str, str]:
    """Return the form with every field but its token filled with something odd; passwords stay empty."""
    kept = {"form_token", "current", "password", "repeat"}
    return {name: value if name in kept else odd for name, value in form.fields.items()}


def _bodies(form: Form) -> list[tuple[str, bytes]]:
    """Return bodies that are no form, or a strange one."""
    token = form.fields.get("form_token", "").encode()
    plain, many = "application/x-www-form-urlencoded", "multipart/form-data; boundary=zq"
    part = b'--zq\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n' + token + b"\r\n"
    nested = (
        part + b'--zq\r\nContent-Disposition: form-data; name="files"; filename="x"\r\nContent-Type: ' + many.encode()
    )
    return [
        (plain, b"form_token=" + token + b"&" + b"&".join(b"a%d=1" % number for number in range(3000))),
        (plain, b"form_token=" + token + b"&text=%ff%fe%00&subject=%c0%af&provider=%"),
        (plain, b"form_token=" + token + b"&form_token=x&number=1&number=2"),
        (plain, b"\xff\xfe\x00" * 50),
        ("application/json", b'{"form_token": []}'),
        (many, part * 300 + b"--zq--\r\n"),
        (many, nested + b"\r\n\r\n" + part * 50),
        (many, b"--zq\r\n" + b"X: " + b"y" * 20_000 + b"\r\n\r\n--zq--"),
        ("multipart/form-data; boundary=" + "z" * 500, b"--" + b"z" * 500),
        ("multipart/form-data", part),
        ("text/html; charset=zq", b"<form>"),
    ]


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=lambda text: ascii(text)[:30])
def test_signing_in_leads_to_no_other_site(site: RealSite, elsewhere: str) -> None:
    with client(site.base) as browser:
        shown = browser.get("/sign-in", params={"next": elsewhere[:2000]})
        clean(shown, "the form")
        fields = {"user_name": user_name(Cast.ANA), "password": "wrong", "next": elsewhere}
        fields["form_token"] = token_in(shown.text)
        clean(browser.post("/sign-in", data=fields), "refused")
        answer = browser.post("/sign-in", data={**fields, "user_name": user_name(Cast.MARIA), "password": PASSWORD})
        assert answer.status_code == 303
        assert re.fullmatch(rf"{BASE}/(help)?", answer.headers["location"]), answer.headers["location"]


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/sign-in/", "/statements/", "/nothing", "//evil.example/%2e%2e", "/health"]
)
def test_the_host_that_a_request_names_is_nowhere_in_its_answer(maria: httpx2.Client, path: str) -> None:
    forged = {
        "host": "evil.example",
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "javascript",
        "x-original-url": "/evil",
        "x-rewrite-url": "/evil",
        "forwarded": "host=evil.example",
    }
    answer = maria.get(str(maria.base_url).rstrip("/") + path, headers=forged)
    assert "evil" not in f"{answer.text} {answer.headers}".replace("evil.example/%2e%2e", "").replace(path, "")
    assert answer.headers.get("location", BASE).startswith(BASE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cookie", b'__Host-portal-practice=\xff\xfe; ;=; __Host-portal-practice="a\\"b"; x'),
        ("cookie", b"__Host-portal-practice=" + b"A" * 6000),
        ("cookie", b"__Host-portal-practice=../../x; __Host-portalform-practice=;;;;"),
        ("accept-language", b"\xff\xfe;q=zq, *;q=" + b"9" * 500),
        ("accept", b"\xff/json, */*;q=\xfe"),
        ("user-agent", HOSTILE.replace("\r\n", " ").replace("\0", "").replace("\x1b", "").encode()),
        ("content-length", b"0"),
        ("range", b"bytes=0-0,-1,5-"),
        ("if-none-match", b"*"),
        ("sec-fetch-site", b"\xff"),
        ("x-reference", b"zq"),
        ("hx-request", b"true"),
    ],
)
def test_no_header_breaks_a_page(site: RealSite, name: str, value: bytes) -> None:
    with client(site.base) as browser:
        for path in ("/sign-in", "/", "/statements/100", "/nothing"):
            clean(browser.get(path, headers=[(name.encode(), value)]), path)


def test_every_answer_is_protected(site: RealSite, maria: httpx2.Client) -> None:
    asked = [
        ("GET", STATIC.path("kit.css")),
        ("GET", "/static/x/y"),
        ("GET", "/static/x/..%2f..%2fkit.py"),
        ("PUT", "/"),
    ]
    asked += [(way, re.sub(r"\{.*?\}", "1001", path)) for path, way in ROUTES] + [("HEAD", "/"), ("TRACE", "/help")]
    with client(site.base) as nobody:
        for browser in (maria, nobody):
            for way, path in asked:
                answer = browser.request(way, path)
                assert answer.status_code < 500, path
                protected(answer, f"{way} {path}")
    protected(maria.post("/help", content=b"x" * 100_000), "too large")
    for failure in (Unexpected(kind="KeyError"), OfficeUnreachable()):
        site.failing["portal.home"] = failure
        answer = maria.get("/")
        site.failing.clear()
        assert answer.status_code >= 500
        protected(answer, "a fault")
