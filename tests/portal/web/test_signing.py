"""Signing in and out, as a browser without a screen does it."""

import re
import time

import httpx2
import pytest

from econnector.base.errors import LoginFailed, OfficeUnreachable, TooManyTries, UnknownCall
from econnector.eservices.portal import calls
from econnector.web.cookies import Cookie
from tests.support.site import PortalSite, SmallOffice, client, keys_of, signed_in, token_in

OFFICE = "smile-dental"


def try_to_sign_in(stranger: httpx2.Client, name: str, password: str, **more: str) -> httpx2.Response:
    token = token_in(stranger.get("/sign-in").text)
    return stranger.post("/sign-in", data={"user_name": name, "password": password, "form_token": token, **more})


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(stranger: httpx2.Client, office: SmallOffice) -> None:
    answer = stranger.get("/statements?person=12")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/o/smile-dental/portal/sign-in?next=%2Fstatements%3Fperson%3D12"
    form = stranger.get(answer.headers["location"].removeprefix("/o/smile-dental/portal")).text
    after = re.search(r'name="next" value="([^"]*)"', form)
    assert after
    done = try_to_sign_in(stranger, "ANN4711", office.password, next=after[1])
    assert done.headers["location"] == "/o/smile-dental/portal/statements?person=12"


def test_the_session_is_an_opaque_cookie_that_scripts_and_other_sites_never_get(
    stranger: httpx2.Client, office: SmallOffice
) -> None:
    cookie = try_to_sign_in(stranger, "ann4711", office.password).headers.get_list("set-cookie")[0]
    name, _, rest = cookie.partition("=")
    assert name == "__Host-portal-smile-dental"
    value, *flags = rest.split("; ")
    assert value in office.tokens
    assert {flag.lower() for flag in flags} == {"secure", "httponly", "path=/", "samesite=lax"}


def test_the_office_learns_who_knocked(stranger: httpx2.Client, office: SmallOffice) -> None:
    stranger.headers["user-agent"] = "Browser " + "x" * 1000
    answer = try_to_sign_in(stranger, " ann4711 ", " blanks count ")
    [(_, params, reference)] = [asked for asked in office.asked if asked[0] == "portal.sign-in"]
    assert isinstance(params, calls.SignIn)
    assert (params.user_name, params.password, params.address) == ("ann4711", " blanks count ", "127.0.0.1")
    assert len(params.agent) == 200
    assert reference == answer.headers["x-reference"]
    assert reference in answer.text


def test_a_failed_sign_in_keeps_the_name_and_never_the_password(stranger: httpx2.Client) -> None:
    answer = try_to_sign_in(stranger, 'ann"><script>', "wrong-secret")
    assert answer.status_code == 401
    assert "Login failed" in answer.text
    assert 'value="ann&#34;&gt;&lt;script&gt;"' in answer.text
    assert "wrong-secret" not in answer.text
    assert "portal-smile-dental=token" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("kind", [LoginFailed(reason="archived"), TooManyTries(tries=9, seconds=300)])
def test_every_cause_gives_one_and_the_same_answer(
    stranger: httpx2.Client, office: SmallOffice, kind: LoginFailed | TooManyTries
) -> None:
    def shape(answer: httpx2.Response) -> tuple[int, list[str], str]:
        text = re.sub(r"[2-9A-Z]{4}-[2-9A-Z]{4}|value=\"[^\"]*\"", "", answer.text)
        return answer.status_code, sorted(answer.headers), text

    wrong = try_to_sign_in(stranger, "ann4711", "wrong")
    office.failing_calls["portal.sign-in"] = kind
    assert shape(try_to_sign_in(stranger, "ann4711", "wrong")) == shape(wrong)


@pytest.mark.parametrize(
    "text", ["%", "_", "' OR 1=1 -- ", '"; DROP TABLE patient;', "*", "ann%", "\\", "\u0000", "😀"]
)
def test_wildcards_and_quotes_are_letters_like_others(stranger: httpx2.Client, text: str) -> None:
    assert try_to_sign_in(stranger, text, text).status_code in {401, 422}


def test_empty_fields_are_named_and_linked_without_asking_the_office(
    stranger: httpx2.Client, office: SmallOffice
) -> None:
    answer = try_to_sign_in(stranger, "  ", "")
    assert answer.status_code == 422
    for field, text in (("user_name", "Enter your user name."), ("password", "Enter your password.")):
        assert f'<a href="#{field}">{text}</a>' in answer.text
        assert f'id="{field}-wrong"' in answer.text
    assert "portal.sign-in" not in [name for name, _, _ in office.asked]


@pytest.mark.parametrize("token", ["", "x.y", "a" * 5000])
def test_a_form_without_its_token_is_not_used_and_keeps_what_was_typed(
    stranger: httpx2.Client, office: SmallOffice, token: str
) -> None:
    stranger.get("/sign-in")
    form = {"user_name": "ann4711", "password": office.password, "form_token": token}
    answer = stranger.post("/sign-in", data=form)
    assert answer.status_code == 403
    assert 'value="ann4711"' in answer.text
    assert office.password not in answer.text
    assert "portal.sign-in" not in [name for name, _, _ in office.asked]
    assert stranger.post("/sign-in", data=form | {"form_token": token_in(answer.text)}).status_code == 303


def test_a_browser_without_cookies_is_told_so(site: PortalSite) -> None:
    with client(site.portal()) as browser:
        token = token_in(browser.get("/sign-in").text)
        browser.cookies.clear()
        answer = browser.post("/sign-in", data={"user_name": "a", "password": "b", "form_token": token})
    assert answer.status_code == 403
    assert "Allow cookies for this site" in answer.text


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/sign-out", "/?person=x"],
)
def test_after_signing_in_nobody_is_sent_away(stranger: httpx2.Client, office: SmallOffice, path: str) -> None:
    done = try_to_sign_in(stranger, "ann4711", office.password, next=path)
    assert done.headers["location"] == "/o/smile-dental/portal/"


def test_when_the_office_is_away_the_form_stays_and_so_does_the_name(
    stranger: httpx2.Client, office: SmallOffice
) -> None:
    token = token_in(stranger.get("/sign-in").text)
    office.failing = OfficeUnreachable(last_seen="2026-11-24T14:05")
    answer = stranger.post("/sign-in", data={"user_name": "ann4711", "password": "x", "form_token": token})
    assert answer.status_code == 503
    assert "Tue 24 Nov 2026, 2:05\N{NO-BREAK SPACE}PM" in answer.text
    assert 'value="ann4711"' in answer.text


def test_when_the_office_is_away_the_sign_in_page_says_so_at_once(stranger: httpx2.Client, office: SmallOffice) -> None:
    office.failing = OfficeUnreachable()
    answer = stranger.get("/sign-in")
    assert answer.status_code == 503
    assert "reach your dentist&#39;s computer right now" in answer.text
    assert "(555) 010-0100" in answer.text


def test_an_office_with_an_older_connector_is_explained(stranger: httpx2.Client, office: SmallOffice) -> None:
    office.failing = UnknownCall(call="portal.practice")
    answer = stranger.get("/sign-in")
    assert answer.status_code == 501
    assert "needs an update" in answer.text


def test_an_unknown_office_is_code_200(site: PortalSite) -> None:
    with client(site.portal("no-such-office")) as browser:
        for path in ("/", "/sign-in", "/statements", "/nowhere", "/static/x/none.css"):
            answer = browser.get(path)
            assert answer.status_code == 404, path
        assert "(code 200)" in browser.get("/").text


def test_signing_out_ends_the_session_here_and_in_the_office(site: PortalSite, office: SmallOffice) -> None:
    with signed_in(site) as browser:
        token = token_in(browser.get("/").text)
        answer = browser.post("/sign-out", data={"form_token": token})
        assert answer.status_code == 303
        assert office.tokens == {}
        assert 'portal-smile-dental=""' in answer.headers["set-cookie"]
        assert "You are signed out." in browser.get("/sign-in?signed-out=1").text
        assert browser.get("/").status_code == 303


def test_signing_out_works_here_when_the_office_is_away(site: PortalSite, office: SmallOffice) -> None:
    with signed_in(site) as browser:
        token = token_in(browser.get("/").text)
        office.failing = OfficeUnreachable()
        assert browser.post("/sign-out", data={"form_token": token}).status_code == 303
        assert "__Host-portal-smile-dental" not in {cookie.name for cookie in browser.cookies.jar}


def test_an_office_that_was_away_is_told_of_a_sign_out_and_nobody_uses_the_session_meanwhile(
    site: PortalSite, office: SmallOffice
) -> None:
    with signed_in(site) as browser:
        token = token_in(browser.get("/").text)
        kept = {cookie.name: cookie.value or "" for cookie in browser.cookies.jar}
        office.failing = OfficeUnreachable()
        browser.post("/sign-out", data={"form_token": token})
        office.failing = None
        browser.cookies.update(kept)
        assert browser.get("/", headers={"cookie": "; ".join(f"{n}={v}" for n, v in kept.items())}).status_code == 303
        ends = time.monotonic() + 60
        while office.tokens and time.monotonic() < ends:
            time.sleep(0.05)
        assert office.tokens == {}


@pytest.mark.parametrize("path", ["/sign-out", "/stay", "/change"])
def test_nothing_changes_without_the_form_token(site: PortalSite, office: SmallOffice, path: str) -> None:
    with signed_in(site) as browser:
        before = len(office.asked)
        assert browser.post(path, data={"form_token": "x.y"}).status_code == 403
        assert browser.get("/").status_code == 200
        assert {name for name, _, _ in office.asked[before:]} <= {"portal.home", "portal.statements"}


def test_one_offices_session_never_reaches_another(site: PortalSite, office: SmallOffice) -> None:
    with signed_in(site) as browser:
        away = browser.get(site.portal("oak-street") + "/")
        assert away.status_code == 303
        assert site.offices["oak-street"].asked == []
        # Even a copied cookie is only a text that the other office does not know.
        [token] = office.tokens
        with client(site.portal("oak-street"), headers={"cookie": f"__Host-portal-oak-street={token}"}) as thief:
            assert thief.get("/").headers["location"].endswith("&ended=1")


def test_a_cookie_that_cannot_be_ours_is_no_session(site: PortalSite, office: SmallOffice) -> None:
    for value in ("short", "x" * 5000, "a b c d e f g h i j k l", "{}" * 20):
        with client(site.portal(), headers={"cookie": f"__Host-portal-smile-dental={value}"}) as browser:
            assert browser.get("/").status_code == 303
    assert office.asked == []


def test_a_session_that_ended_says_so_and_leads_back(site: PortalSite, office: SmallOffice) -> None:
    with signed_in(site) as browser:
        office.tokens.clear()
        answer = browser.get("/statements")
        assert answer.headers["location"].endswith("/sign-in?next=%2Fstatements&ended=1")
        assert "For your safety you were signed out" in browser.get("/sign-in?next=%2Fstatements&ended=1").text


def test_a_program_learns_that_its_session_ended(site: PortalSite, office: SmallOffice) -> None:
    with signed_in(site, headers={"accept": "application/json"}) as browser:
        office.tokens.clear()
        answer = browser.get("/")
        assert answer.status_code == 401
        assert answer.json()["code"] == "session-ended"


def test_a_reader_can_stay_signed_in(site: PortalSite, office: SmallOffice) -> None:
    office.idle_seconds = 1234
    with signed_in(site) as browser:
        token = token_in(browser.get("/").text)
        assert browser.post("/stay", data={"form_token": token}).json() == {"seconds": 1234}


def test_the_practices_own_words_for_itself_and_its_language_are_used(
    stranger: httpx2.Client, office: SmallOffice
) -> None:
    office.language = "es-US"
    office.title = "Sonrisa <b>& Co"
    page = stranger.get("/sign-in", headers={"accept-language": "fr"}).text
    assert '<html lang="es-US">' in page
    assert "Contraseña" in page
    assert "Sonrisa &lt;b&gt;&amp; Co" in page
    assert '<html lang="en-US">' in stranger.get("/sign-in", headers={"accept-language": "en"}).text


def test_a_sign_in_form_sent_twice_or_after_a_lost_answer_opens_one_session(
    stranger: httpx2.Client, office: SmallOffice
) -> None:
    office.losing.add("portal.sign-in")
    lost = try_to_sign_in(stranger, "ann4711", office.password)
    assert lost.status_code == 503
    form = {"user_name": "ann4711", "password": office.password, "form_token": token_in(lost.text)}
    for _ in range(2):
        assert stranger.post("/sign-in", data=form).status_code == 303
    assert office.signed_in == len(office.tokens) == 1
    (key,) = keys_of(office, "portal.sign-in")
    assert key
    # What is typed anew is asked anew, under whatever form.
    assert stranger.post("/sign-in", data=form | {"password": "wrong"}).status_code == 401


def test_each_form_that_is_shown_is_an_ask_of_its_own(stranger: httpx2.Client, office: SmallOffice) -> None:
    for _ in range(2):
        assert try_to_sign_in(stranger, "ann4711", office.password).status_code == 303
    assert office.signed_in == 2
    assert len(keys_of(office, "portal.sign-in")) == 2


def test_one_offices_cookies_are_never_anothers_whatever_their_names(site: PortalSite) -> None:
    names = {
        kind.name(office) for kind in (Cookie("portal"), Cookie("portalform")) for office in ("smile", "form-smile")
    }
    assert len(names) == 4
    with client(site.portal()) as browser:
        assert "portalform-smile-dental" in browser.get("/sign-in").headers["set-cookie"]
