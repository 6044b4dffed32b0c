"""Every form of the portal: what was typed is never lost, and nothing is done twice.

The link goes away in the middle, a session ends, somebody is impatient: really caused, over a real link in memory.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest

from econnector.eservices.portal.office.invitation import digest_of
from econnector.eservices.portal.web import SUBJECTS
from econnector.opendental import passwords
from tests.portal.failures.forms import ELSEWHERE, FORMS, Sheet, code_of, post
from tests.support.formpage import Form, form_in
from tests.support.linked import LinkedSite
from tests.support.practice import PASSWORD, STRONG, Cast, user_name
from tests.support.site import client

EXPECTED = {200, 303}


def test_every_form_has_its_line() -> None:
    posted = {path for subject in SUBJECTS for path, _, method in subject.PAGES if method == "POST"}
    assert {sheet.route for sheet in FORMS.values()} | ELSEWHERE.keys() == posted


@contextmanager
def opened(site: LinkedSite, sheet: Sheet) -> Iterator[tuple[httpx2.Client, Form]]:
    """Yield a browser on the page of the form."""
    if sheet.person == Cast.NON_PATIENT:  # nobody is signed in
        with client(site.base) as browser:
            yield browser, form_in(browser.get(sheet.page).text, sheet.action)
        return
    with site.signed_in(sheet.person) as browser:
        if sheet.before:
            sheet.before(site, browser)
        page = browser.get(sheet.page)
        assert page.status_code == 200, page.headers
        yield browser, form_in(page.text, sheet.action)


def kept(sheet: Sheet, page: httpx2.Response) -> Form:
    """Return the form as it came back, with everything that was typed and no secret."""
    form = form_in(page.text, sheet.action)
    for name, value in sheet.typed.items():
        assert form.fields.get(name, "").replace("\r\n", "\n") == value.replace("\r\n", "\n"), name
    assert sheet.unticked not in form.fields
    for value in sheet.secret.values():
        assert value not in page.text
    return form


@pytest.mark.parametrize("name", FORMS)
def test_a_link_that_goes_away_costs_a_press_and_nothing_is_done_twice(site: LinkedSite, name: str) -> None:
    sheet = FORMS[name]
    site.sql("UPDATE patient SET Email = 'maria@example.com' WHERE PatNum = 11")
    with opened(site, sheet) as (browser, form):
        before = sheet.count(site)
        # The office falls asleep in the middle of it.
        site.cut_in = sheet.call
        asleep = post(browser, sheet, sheet.filled(form.fields))
        assert asleep.status_code >= 500
        assert asleep.headers["x-reference"] in asleep.text
        assert "broke before it answered" in asleep.text
        assert sheet.count(site) == before
        # It is awake again, does what the form asks for, and the answer is lost.
        site.cut_after = sheet.call
        lost = post(browser, sheet, kept(sheet, asleep).fields | sheet.secret, files=False)
        assert lost.status_code >= 500, lost.text
        assert site.cut_after == ""
        assert sheet.count(site) == before + 1
        # The same form once more, impatiently: pressed twice, and the page that comes is loaded anew.
        values = kept(sheet, lost).fields | sheet.secret
        with ThreadPoolExecutor(2) as presses:
            answers = list(presses.map(lambda _: post(browser, sheet, values, files=False), range(2)))
        answers.append(post(browser, sheet, values, files=False))
        expected = EXPECTED | ({403} if sheet.renews else set())
        assert [answer.text for answer in answers if answer.status_code not in expected] == []
        assert sheet.count(site) == before + 1


@pytest.mark.parametrize("name", [name for name in FORMS if name != "reply"])
def test_two_presses_at_once_are_one(site: LinkedSite, name: str) -> None:
    sheet = FORMS[name]
    site.sql("UPDATE patient SET Email = 'maria@example.com' WHERE PatNum = 11")
    with opened(site, sheet) as (browser, form):
        before = sheet.count(site)
        values = sheet.filled(form.fields)
        with ThreadPoolExecutor(3) as presses:
            answers = list(presses.map(lambda _: post(browser, sheet, values, files=False), range(3)))
        answers.append(post(browser, sheet, values, files=False))
        assert answers[0].status_code in EXPECTED, answers[0].text
        assert sheet.count(site) == before + 1
        places = {
            answer.headers.get("location", "").partition("?")[0] for answer in answers if answer.status_code != 403
        }
        assert len(places) == 1


def invited(site: LinkedSite, code: str) -> None:
    """Let the office have sent Maria an invite with this code."""
    number, stored = site.sql("SELECT UserWebNum, Password FROM userweb WHERE FKey = ?", int(Cast.MARIA))[0]
    digest = digest_of(site.seal, code)
    row = (number, int(Cast.MARIA), digest, passwords.fingerprint(stored), "<mail>", time.time(), 0.0, 0)
    site.state(f"INSERT INTO portal_invite VALUES ({', '.join('?' * len(row))})", *row)


def test_an_invite_is_accepted_once_whatever_the_link_does_and_however_often_it_is_pressed(site: LinkedSite) -> None:
    with client(site.base) as browser, ThreadPoolExecutor(2) as presses:

        def pressed_twice(path: str, values: dict[str, str]) -> list[httpx2.Response]:
            return list(presses.map(lambda _: browser.post(path, data=values), range(2)))

        asked = form_in(browser.get("/invite").text, "/invite").fields
        invited(site, "7F3K2-2QX9M")
        shown = pressed_twice("/invite", asked | {"code": "7F3K2-2QX9M", "birth_date": "1984-01-02"})
        assert [page.status_code for page in shown] == [200, 200]
        secret = {"password": STRONG, "repeat": STRONG}
        values = form_in(shown[0].text, "/invite/accept").fields | secret
        site.cut_in = "portal.accept-invite"
        asleep = browser.post("/invite/accept", data=values)
        assert asleep.status_code >= 500
        assert site.state("SELECT used FROM portal_invite") == [(0.0,)]
        values = form_in(asleep.text, "/invite/accept").fields | secret
        site.cut_after = "portal.accept-invite"
        lost = browser.post("/invite/accept", data=values)
        assert (lost.status_code >= 500, site.cut_after) == (True, "")
        assert STRONG not in asleep.text + lost.text
        done = pressed_twice("/invite/accept", form_in(lost.text, "/invite/accept").fields | secret)
        assert [(page.status_code, page.headers["location"]) for page in done] == [
            (303, "/o/practice/portal/?notice=changed")
        ] * 2
        assert site.state("SELECT COUNT(*) FROM portal_session WHERE ended = 0") == [(1,)]
        assert browser.get("/").status_code == 200


COME_BACK = [name for name, sheet in FORMS.items() if sheet.comes_back]


def typed_after_the_end(site: LinkedSite, browser: httpx2.Client, sheet: Sheet, form: Form) -> Form:
    """Send the form after the session ended; return the sign-in form that comes."""
    site.state("UPDATE portal_session SET ended = 1, ended_why = 'idle'")
    ended = post(browser, sheet, sheet.filled(form.fields))
    assert ended.status_code == 401
    assert "what you typed is kept here" in ended.text
    return kept(sheet, ended)


def sign_in(browser: httpx2.Client, sheet: Sheet, form: Form, person: Cast, password: str) -> httpx2.Response:
    assert form.words == {"signin-user_name", "signin-password"}
    names = {"signin-user_name": user_name(person), "signin-password": password}
    return post(browser, sheet, form.fields | names, files=False)


@pytest.mark.parametrize("name", COME_BACK)
def test_a_session_that_ends_under_a_form_costs_a_sign_in_and_no_typing(site: LinkedSite, name: str) -> None:
    sheet = FORMS[name]
    with opened(site, sheet) as (browser, form):
        before = sheet.count(site)
        ended = typed_after_the_end(site, browser, sheet, form)
        wrong = sign_in(browser, sheet, ended, sheet.person, "wrong")
        assert wrong.status_code == 401
        again = sign_in(browser, sheet, kept(sheet, wrong), sheet.person, PASSWORD)
        assert again.status_code == 200, again.headers
        assert "You are signed in again" in again.text
        assert sheet.count(site) == before, "nothing is sent before the person presses the button"
        if sheet.files:
            assert "choose them again: tooth.png" in again.text
        sent = post(browser, sheet, kept(sheet, again).fields | sheet.secret)
        assert sent.status_code == 303, sent.text
        assert sheet.count(site) == before + 1
        assert browser.get("/").status_code == 200


@pytest.mark.parametrize("name", [name for name in COME_BACK if name != "reply"])
def test_nobody_else_is_shown_what_was_typed(site: LinkedSite, name: str) -> None:
    sheet, other = FORMS[name], Cast.GRETA
    site.sql("UPDATE userweb SET Password = (SELECT Password FROM userweb WHERE FKey = 11) WHERE FKey = ?", int(other))
    with opened(site, sheet) as (browser, form):
        before = sheet.count(site)
        ended = typed_after_the_end(site, browser, sheet, form)
        elsewhere = sign_in(browser, sheet, ended, other, PASSWORD)
        assert elsewhere.headers["location"].endswith("/?notice=other")
        home = browser.get("/?notice=other").text
        assert "belonged to somebody else" in home
        # Nor do the first one's pages do anything that are still open.
        late = post(browser, sheet, sheet.filled(form.fields))
        assert late.headers["location"].endswith("/?notice=other")
        for value in sheet.typed.values():
            assert len(value) < 4 or value not in home + elsewhere.text + late.text
        assert sheet.count(site) == before


def test_what_was_typed_comes_back_through_the_second_step_too(site: LinkedSite) -> None:
    sheet = FORMS["reply"]
    with site.signed_in() as browser:
        begun = form_in(browser.get("/security/app").text, "/security/app")
        scan = browser.post("/security/app", data=begun.fields).text
        secret = scan.split("secret=")[1][:32]
        codes = browser.post("/security/app", data=code_of(scan)).text.split("<code>")[1:]
        assert secret not in codes[0]
        form = form_in(browser.get(sheet.page).text, sheet.action)
        ended = typed_after_the_end(site, browser, sheet, form)
        step = sign_in(browser, sheet, ended, Cast.MARIA, PASSWORD)
        wrong = post(browser, sheet, kept(sheet, step).fields | {"code": "000000"})
        assert wrong.status_code == 403
        again = post(browser, sheet, kept(sheet, wrong).fields | {"code": codes[0][:11]})
        assert "You are signed in again" in again.text
        assert post(browser, sheet, kept(sheet, again).fields).status_code == 303
        assert sheet.count(site) == 1
