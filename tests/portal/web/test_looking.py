"""The pages that show something."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from econnector.base.errors import FileMissing, OfficeUnreachable
from econnector.eservices.portal import calls
from econnector.eservices.portal.web import routes
from econnector.link.loopback import DirectAsker
from econnector.web.door import Door
from tests.support.site import PortalSite, SmallOffice, client, serve_app, token_in

SCRIPT = '"><script>alert(1)</script>'


def test_home_answers_in_one_glance(ann: httpx2.Client) -> None:
    page = ann.get("/").text
    assert "Hello, Ann" in page
    assert "$123.45" in page
    assert "As of Fri 20 Nov 2026" in page
    assert "There is a new paper from Wed 18 Nov 2026 in your statements." in page
    assert "To pay, call (555) 010-0100." in page
    assert "All 3 statements" in page


@pytest.mark.parametrize(("cents", "text"), [(-2500, "credit"), (0, "Nothing to pay")])
def test_a_credit_and_a_zero_are_said_in_words(ann: httpx2.Client, office: SmallOffice, cents: int, text: str) -> None:
    office.balance_cents = cents
    page = ann.get("/").text
    assert text in page
    assert "to pay." not in page


def test_whose_record_it_is_stands_on_every_page_of_somebody_else(ann: httpx2.Client) -> None:
    for path in ("/?person=12", "/statements?person=12", "/help?person=12"):
        page = ann.get(path).text
        assert "You are looking at Tim Example&#39;s record." in page, path
        assert "/appointments?person=12" in page, path
        assert "Back to your own" in page, path
    for path in ("/", "/?person=11", "/statements", "/help"):
        assert "You are looking at" not in ann.get(path).text, path


def test_the_office_decides_who_may_be_seen(ann: httpx2.Client, office: SmallOffice) -> None:
    answer = ann.get("/?person=99")
    assert answer.status_code == 404
    assert "have access to this" in answer.text
    [number, *_] = [params.person for _, params, _ in office.asked if isinstance(params, calls.PersonAsked)]
    assert number == 99


@pytest.mark.parametrize("person", ["-1", "x", "1e3", "%25", "1 OR 1=1", "9" * 30, "٣", "1;--"])
def test_a_person_that_is_no_number_is_no_page(ann: httpx2.Client, office: SmallOffice, person: str) -> None:
    before = len(office.asked)
    for path in ("/", "/statements"):
        assert ann.get(path, params={"person": person}).status_code == 404
    assert len(office.asked) == before


def test_money_of_another_family_is_not_shown(ann: httpx2.Client) -> None:
    page = ann.get("/?person=13").text
    assert "This balance is not shown to you." in page
    assert "$123.45" not in page


def test_who_does_not_hold_the_account_reads_who_does(ann: httpx2.Client, office: SmallOffice) -> None:
    office.holder = "Ida <Example>"
    page = ann.get("/").text
    assert "Ida &lt;Example&gt; holds your family&#39;s account" in page
    assert "another family" not in page
    assert "$123.45" not in page


def test_statements_are_listed_with_both_balances(ann: httpx2.Client) -> None:
    page = ann.get("/statements").text
    for text in (
        "$123.45",
        "$98.00",
        "Wed 18 Nov 2026",
        "Sun 18 Oct 2026",
        "/statements/900",
        "/statements/900/download",
    ):
        assert text in page
    assert "Open Statement from Wed 18 Nov 2026 (in a new tab)" in page


def test_the_tab_of_the_messages_says_how_many_are_not_read(ann: httpx2.Client, office: SmallOffice) -> None:
    page = ann.get("/").text
    assert "<title>(1) Home – Smile Dental</title>" in page
    assert '<span class="badge" aria-hidden="true">1</span><span class="unseen">, 1 not read</span></a>' in page
    office.unread = 120
    page = ann.get("/", headers={"accept-language": "es"}).text
    assert '>9+</span><span class="unseen">, 120 sin leer</span></a>' in page
    office.unread = 0
    assert "badge" not in ann.get("/").text


def test_no_statements_is_said_kindly(ann: httpx2.Client, office: SmallOffice) -> None:
    office.titles = ()
    assert "No statements yet" in ann.get("/statements").text
    assert "No statements yet" in ann.get("/").text


def test_names_and_titles_are_text_and_nothing_else(ann: httpx2.Client, office: SmallOffice) -> None:
    office.titles = (SCRIPT, "{{ 7 * 7 }}", "{t}")
    office.title = office.phone = SCRIPT
    for person in (office.ann, office.tim, office.eve):
        person.name = person.first_name = SCRIPT
    office.tim.relation = SCRIPT
    for path in ("/", "/?person=12", "/statements?person=12", "/help", "/change", "/nowhere"):
        page = ann.get(path).text
        assert "<script>alert" not in page, path
    assert "{{ 7 * 7 }}" in ann.get("/statements").text


def test_home_costs_one_call(ann: httpx2.Client, office: SmallOffice) -> None:
    before = len(office.asked)
    assert ann.get("/").status_code == 200
    assert [call for call, *_ in office.asked[before:]] == ["portal.home"]


def test_every_call_of_a_page_carries_the_pages_reference(ann: httpx2.Client, office: SmallOffice) -> None:
    office.asked.clear()
    reference = ann.get("/").headers["x-reference"]
    assert {asked[2] for asked in office.asked} == {reference}


def test_a_failure_shows_the_reference_that_the_office_has(ann: httpx2.Client, office: SmallOffice) -> None:
    office.failing = OfficeUnreachable(last_seen="2026-11-24T14:05")
    answer = ann.get("/statements?person=12")
    assert answer.status_code == 503
    assert office.asked[-1][2] in answer.text
    assert 'href="/o/smile-dental/portal/statements?person=12"' in answer.text
    assert "tel:5550100100" in answer.text


def test_a_fault_in_the_office_is_a_page_without_detail(ann: httpx2.Client, office: SmallOffice) -> None:
    office.failing = ValueError("Ann Example has a secret")
    answer = ann.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-reference"] in answer.text


def test_help_is_there_for_everybody_and_always(site: PortalSite, office: SmallOffice, ann: httpx2.Client) -> None:
    assert "signed out after 1 hour without use" in ann.get("/help").text
    office.failing = OfficeUnreachable()
    with client(site.portal()) as stranger:
        for reader in (ann, stranger):
            answer = reader.get("/help")
            assert answer.status_code == 200
            assert "(555) 010-0100" in answer.text


def test_pages_speak_spanish_to_who_reads_it(ann: httpx2.Client) -> None:
    page = ann.get("/", headers={"accept-language": "es-MX,es;q=0.9"}).text
    assert '<html lang="es-MX">' in page
    for text in ("Hola, Ann", "Saldo actual", "Al vie 20 nov 2026", "$123.45", "Salir"):
        assert text in page


def test_no_page_has_script_or_style_inside(ann: httpx2.Client) -> None:
    for path in ("/", "/statements", "/help", "/change", "/kit", "/nowhere", "/?person=12"):
        page = ann.get(path).text
        assert page.count("<script") == page.count("<script src=") == 1, path
        assert "<style" not in page, path
        assert " style=" not in page, path
        assert " onclick" not in page, path


def test_a_missing_file_is_explained_without_its_path(ann: httpx2.Client) -> None:
    answer = ann.get("/statements/77")
    assert answer.status_code == FileMissing.http
    assert "We couldn&#39;t open this file" in answer.text
    assert "secret" not in answer.text
    assert "SYSTEM" not in answer.text


def test_on_a_host_name_of_its_own_a_portal_has_no_prefix() -> None:
    office = SmallOffice()

    async def find(_: Request) -> Door:
        return Door("smile-dental", "", office.title, office.phone, DirectAsker(office.answers()))

    app = Starlette(routes=[Mount("", routes=routes(find, secure_cookies=False))])
    with serve_app(app) as root, client(root) as browser:
        token = token_in(browser.get("/sign-in").text)
        form = {"user_name": "ann4711", "password": office.password, "form_token": token, "next": "/statements"}
        done = browser.post("/sign-in", data=form)
        assert done.headers["location"] == "/statements"
        # Where pages are served without TLS on a real network, a secure cookie would never come back.
        assert done.headers["set-cookie"].startswith("portal-smile-dental=")
        assert "Secure" not in done.headers["set-cookie"]
        page = browser.get("/statements").text
        assert 'href="/statements/900"' in page
        assert browser.get(page.split('rel="stylesheet" href="')[1].split('"')[0]).status_code == 200
        assert browser.get("/kit").status_code == 404
