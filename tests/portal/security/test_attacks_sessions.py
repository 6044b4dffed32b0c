"""Sessions: none is taken over, given away or kept alive; what was seen is not seen again after signing out."""

import re
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import httpx2
import msgspec
import pyotp
import pytest

from econnector.base.errors import SessionEnded
from econnector.eservices.portal import calls
from econnector.eservices.portal.web import SUBJECTS
from econnector.opendental import tables
from econnector.storage.state import portalrules
from econnector.wire.call import Call
from tests.support.practice import PASSWORD, STRONG, Cast, PortalOffice, user_name
from tests.support.realsite import RealSite, serve_practice
from tests.support.site import client, token_in

GETS = [path for subject in SUBJECTS for path, _, method in subject.PAGES if method == "GET"]
PUBLIC = {
    *("/sign-in", "/forgot", "/reset", "/invite", "/shared", "/help"),
    *("/manifest.webmanifest", "/service-worker.js", "/offline", "/unreachable"),
}
"""Pages that are shown to anybody, and hold nothing of anybody."""
BASE = "/o/practice/portal"
SESSION = "__Host-portal-practice"
FIXED = "A" * 43


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    with serve_practice(tmp_path_factory.mktemp("sessions")) as found:
        yield found


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    """Another office, in which passwords are changed."""
    with serve_practice(tmp_path_factory.mktemp("other")) as found:
        yield found


def kept(answer: httpx2.Response) -> SimpleCookie:
    """Return the cookies that an answer has the browser keep."""
    found = SimpleCookie()
    for value in answer.headers.get_list("set-cookie"):
        found.load(value)
    return found


def sign_in(browser: httpx2.Client, password: str = PASSWORD) -> httpx2.Response:
    form = {"user_name": user_name(Cast.MARIA), "password": password}
    return browser.post("/sign-in", data={**form, "form_token": token_in(browser.get("/sign-in").text)})


def as_token(site: RealSite, token: str, path: str = "/") -> httpx2.Response:
    with client(site.base) as browser:
        return browser.get(path, headers={"cookie": f"{SESSION}={token}"})


def test_a_session_that_somebody_else_chose_is_never_taken_over(site: RealSite) -> None:
    with client(site.base, headers={"cookie": f"{SESSION}={FIXED}"}) as planted:
        page = planted.get("/sign-in")
    before = kept(page)["__Host-portalform-practice"].value
    cookies = f"{SESSION}={FIXED}; __Host-portalform-practice={before}"
    fields = {"user_name": user_name(Cast.MARIA), "password": PASSWORD, "form_token": token_in(page.text)}
    with client(site.base) as browser:
        answer = browser.post("/sign-in", data=fields, headers={"cookie": cookies})
    assert answer.status_code == 303
    assert kept(answer)[SESSION].value not in {FIXED, "", before}
    assert as_token(site, FIXED).status_code == 303
    assert as_token(site, before).status_code == 303
    assert as_token(site, kept(answer)[SESSION].value).status_code == 200


def test_every_cookie_is_bound_to_this_host_and_kept_from_scripts(site: RealSite) -> None:
    with client(site.base) as browser:
        answers = [browser.get("/sign-in"), sign_in(browser), browser.get("/forgot"), browser.get("/security")]
        token = token_in(browser.get("/family").text)
        answers.append(browser.post("/sign-out", data={"form_token": token}))
    cookies = [cookie for answer in answers for cookie in kept(answer).values()]
    assert {SESSION, "__Host-portalform-practice"} <= {cookie.key for cookie in cookies}
    for cookie in cookies:
        assert cookie.key.startswith("__Host-"), cookie.key
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert cookie["secure"], cookie.key
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"].lower() in {"lax", "strict"}
        assert not cookie.value or (len(cookie.value) >= 32 and user_name(Cast.MARIA) not in cookie.value)


def test_after_signing_out_nothing_is_left_to_be_seen(site: RealSite) -> None:
    paths = [re.sub(r"\{.*?\}", "4000000001", path) for path in GETS if path not in PUBLIC]
    with site.signed_in() as browser:
        token = dict(browser.cookies)[SESSION]
        for path in paths:
            assert browser.get(path).headers["cache-control"] == "no-store", path
        answer = browser.post("/sign-out", data={"form_token": token_in(browser.get("/family").text)})
        assert kept(answer)[SESSION]["max-age"] == "0"
    with client(site.base) as thief:
        for path in paths:
            thief.cookies.clear()
            answer = thief.get(path, headers={"cookie": f"{SESSION}={token}"})
            assert answer.status_code == 303, path
            assert re.fullmatch(rf"{BASE}/(sign-in\?.*)?", answer.headers["location"]), path


def test_a_token_of_one_office_opens_nothing_at_another(site: RealSite, other: RealSite) -> None:
    with site.signed_in() as browser:
        token = dict(browser.cookies)[SESSION]
        assert as_token(other, token).status_code == 303
        assert as_token(site, token).status_code == 200
        form = {"form_token": token_in(browser.get("/family").text), "viewer": "11"}
    with client(other.base) as elsewhere:
        answer = elsewhere.post("/family", data=form, headers={"cookie": f"{SESSION}={token}"})
    assert answer.status_code in {401, 403}


def test_the_token_is_another_one_after_every_proof_of_who_it_is(other: RealSite) -> None:
    site = other
    with client(site.base) as browser:
        first = kept(sign_in(browser))[SESSION].value
        second = kept(sign_in(browser))[SESSION].value
        assert first != second
        fields = {"current": PASSWORD, "user_name": user_name(Cast.MARIA), "was": user_name(Cast.MARIA)}
        fields |= {"password": STRONG, "repeat": STRONG, "form_token": token_in(browser.get("/change").text)}
        changed = browser.post("/change", data=fields)
        assert changed.status_code == 303, changed.text
        third = kept(changed)[SESSION].value
        assert third not in {first, second}
        assert [as_token(site, token).status_code for token in (first, second, third)] == [303, 303, 200]
        # A second step: what the right password gave is no session, and ends with the step.
        token = token_in(browser.get("/security/app").text)
        page = browser.post("/security/app", data={"current": STRONG, "form_token": token}).text
        secret = re.search(r"secret=([A-Z2-7]+)", page)
        assert secret
        code = pyotp.TOTP(secret[1])
        browser.post("/security/app", data={"code": code.now(), "form_token": token_in(page)})
    with client(site.base) as browser:
        ticket = kept(sign_in(browser, STRONG))["__Host-portalstep-practice"].value
        assert as_token(site, ticket).status_code == 303
        page = browser.get("/second-step").text
        # The code of before was used; that of the next half minute counts already.
        later = int(time.time()) + code.interval
        fields = {"code": code.at(later), "form_token": token_in(page)}
        entered = browser.post("/second-step", data=fields)
        assert entered.status_code == 303, entered.text
        assert kept(entered)[SESSION].value not in {ticket, first, second, third}
        again = browser.post("/second-step", data=fields, headers={"cookie": f"__Host-portalstep-practice={ticket}"})
        assert SESSION not in kept(again) or not kept(again)[SESSION].value


def dummy(call: Call[Any, Any], token: str) -> msgspec.Struct:
    """Return params that say nothing but whose they are."""
    values = {float: 0.0, int: 1, str: "nothing-at-all", bool: False, bytes: b""}
    fields = msgspec.structs.fields(call.params)
    given = {field.name: values.get(field.type, []) for field in fields if field.required}
    params: msgspec.Struct = msgspec.convert({**given, "token": token}, call.params)
    return params


async def test_no_call_outlives_its_session(portal_office_sqlite: PortalOffice) -> None:
    """Idle, too old, signed out, made up: every call of the contract that carries a token refuses."""
    office, rules = portal_office_sqlite, portalrules.Rules()
    declared = [call for call in vars(calls).values() if isinstance(call, Call)]
    carrying = [call for call in declared if any(one.name == "token" for one in msgspec.structs.fields(call.params))]
    assert {calls.HOME, calls.MESSAGE_SEND, calls.STATEMENT_FILE, calls.END_SESSIONS} <= set(carrying)
    old = (await office.sign_in(Cast.MARIA)).token
    for _ in range(int(rules.overall / rules.idle) * 2 + 2):
        office.clock.advance(rules.idle.total_seconds() / 2)
        try:
            await office.ask(calls.HOME, calls.PersonAsked(old))
        except SessionEnded:
            break
    else:
        raise AssertionError("a session that is used lives for ever")
    idle, out, live = [(await office.sign_in(Cast.MARIA)).token for _ in range(3)]
    await office.ask(calls.SIGN_OUT, calls.Token(out))
    for _ in range(2):
        office.clock.advance(rules.idle.total_seconds() / 2)
        await office.ask(calls.HOME, calls.PersonAsked(live))
    before = await office.rows(tables.userweb)
    for token in (old, idle, out, "' OR 1=1 --"):
        for call in carrying:
            if call is not calls.SIGN_OUT:  # which is answered alike, whoever asks
                with pytest.raises(SessionEnded):
                    await office.ask(call, dummy(call, token))
    assert await office.rows(tables.userweb) == before
    await office.ask(calls.HOME, calls.PersonAsked(live))
