"""A failure as a page and as a problem."""

import json
import re
from typing import Any

import pytest
from starlette.requests import Request

from econnector.base.errors import (
    CATALOGUE,
    Failure,
    FileMissing,
    KeyInactive,
    NeverConnected,
    OfficeBusy,
    OfficeUnreachable,
    PasswordRejected,
    UserNameRejected,
    VersionsDiffer,
)
from econnector.eservices.portal.web.visiting import KIT
from econnector.web import failing
from econnector.web.door import Door
from econnector.web.kit import Kit, Visit
from tests.support.saying import said

DOOR = Door("smile", "/o/smile/portal", "Smile Dental", "555-0100", asker=None)  # type: ignore[arg-type]


def visit(language: str = "en-US", accept: str = "text/html", door: Door | None = DOOR, path: str = "/x") -> Visit:
    headers = [(b"accept-language", language.encode()), (b"accept", accept.encode())]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "query_string": b"a=1", "headers": headers}
    return KIT.visit(Request(scope), "7F3K-22QX", door)


def shown(failure: Failure, language: str = "en-US", door: Door | None = DOOR) -> str:
    return bytes(failing.answer(failure, visit(language, door=door)).body).decode()


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("&#39;", "'")


@pytest.mark.parametrize("language", ["en-US", "es-US"])
@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_failure_of_the_catalogue_has_a_page_without_holes_or_inside_detail(code: str, language: str) -> None:
    inside = {"path": "X:\\images\\secret.pdf", "server": "db.inside", "user": "root", "reason": "inner reason"}
    failure = CATALOGUE[code](reference="ABCD-2345", **inside)
    response = failing.answer(failure, visit(language))
    page = bytes(response.body).decode()
    assert response.status_code == failure.http
    assert "ABCD-2345" in page
    assert code in page
    assert not re.search(r"[{}]|\?\.|None", words(page)), page
    told = {fact for name, fact in inside.items() if name not in failure.public}
    assert not [fact for fact in told if fact in page]
    assert f'lang="{language}"' in page


def test_a_sentence_that_needs_a_fact_nobody_knows_is_left_out() -> None:
    bare = words(shown(OfficeUnreachable(), door=None))
    assert "We can't reach your dentist's computer right now" in bare
    assert "last reachable" not in bare
    assert "call" not in bare.lower().replace("we call", "")
    full = words(shown(OfficeUnreachable(last_seen="2026-11-24T14:05")))
    assert "It was last reachable Tue 24 Nov 2026, 2:05 PM." in full
    assert "To reach the office, call 555-0100." in full


def test_what_people_search_for_today_stays_findable() -> None:
    assert "(code 103)" in words(shown(KeyInactive(reason="support ended", since="2026-01-01")))
    assert "support ended" not in shown(KeyInactive(reason="support ended", since="2026-01-01"))


def test_spanish_names_the_rule_that_was_broken_even_when_the_office_speaks_english() -> None:
    one = failing.view(PasswordRejected(rule="length", why="Use at least 15 characters."), visit("es"))
    assert one.text == "Use al menos 15 caracteres; unas pocas palabras sin relación son fáciles de recordar."
    two = failing.view(PasswordRejected(rule="upper, digit", why="English."), visit("es"))
    assert "mayúscula" in two.text
    assert "número" in two.text
    newer = failing.view(UserNameRejected(rule="from-a-newer-office", why="Only English knows."), visit("es"))
    assert newer.text == "Only English knows."


def test_hostile_facts_are_text_and_nothing_else() -> None:
    page = shown(PasswordRejected(rule="x", why='<script>alert(1)</script>{phone}"'))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_when_it_is_known_when_to_come_back_the_browser_is_told() -> None:
    assert failing.answer(OfficeBusy(seconds=20, limit=64), visit()).headers["retry-after"] == "20"
    assert failing.answer(OfficeBusy(seconds="soon", limit=64), visit()).headers["retry-after"] == "5"
    assert failing.answer(OfficeUnreachable(), visit()).headers["retry-after"] == "5"
    assert "retry-after" not in failing.answer(VersionsDiffer(), visit()).headers
    assert "retry-after" not in failing.answer(FileMissing(), visit()).headers


def test_only_what_may_be_asked_again_offers_to() -> None:
    assert 'href="/x?a=1"' in shown(OfficeUnreachable())
    assert 'href="/x?a=1"' not in shown(VersionsDiffer())
    assert "Your other statements open as usual" in words(shown(FileMissing()))


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example/x", "///evil.example/x"])
def test_trying_again_never_leads_to_another_site(path: str) -> None:
    page = bytes(failing.answer(OfficeUnreachable(), visit(path=path)).body).decode()
    assert 'href="/evil.example/x?a=1"' in page


def test_what_never_worked_is_not_said_to_work_again() -> None:
    assert "works again" in words(shown(OfficeUnreachable()))
    page = words(shown(NeverConnected(phone="5550100100")))
    assert "(code 104)" in page
    assert "again as soon as" not in page


def test_a_program_gets_a_problem() -> None:
    response = failing.answer(OfficeUnreachable(reference="ABCD-2345"), visit(accept="application/json"))
    assert response.media_type == "application/problem+json"
    problem = json.loads(bytes(response.body))
    assert problem["status"] == response.status_code == 503
    assert problem["code"] == "office-unreachable"
    assert problem["reference"] == "ABCD-2345"
    assert problem["type"] == "urn:econnector:failure:office-unreachable"


@pytest.fixture
def broken_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("templates are gone, and this text names Ann Example")

    monkeypatch.setattr(Visit, "render", fail)


@pytest.mark.usefixtures("broken_kit")
def test_a_failure_page_never_fails_itself() -> None:
    with said() as logs:
        response = failing.answer(OfficeUnreachable(reference="ABCD-2345", last_seen="<b>"), visit())
    page = bytes(response.body).decode()
    assert response.status_code == 503
    assert "ABCD-2345" in page
    assert "<b>" not in page
    assert "Ann Example" not in page + str(logs)


OFFICE_KIT = Kit({}, audience="office", languages=("en",))


def test_in_the_office_a_failure_is_told_with_cause_and_steps_and_not_with_the_patients_words() -> None:
    headers = [(b"accept-language", b"es"), (b"accept", b"text/html")]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": headers}
    failure = FileMissing(path="X:\\images\\scan.pdf", account="LocalSystem", reason="access denied")
    page = bytes(failing.answer(failure, OFFICE_KIT.visit(Request(scope), "7F3K-22QX")).body).decode()
    assert 'lang="en-US"' in page
    assert "X:\\images\\scan.pdf" in page
    assert "What to do" in words(page)
    for step in failure.remedy_steps():
        assert step.split("`")[0] in words(page)
    assert failure.title not in words(page)
    assert failure.reference in page
    scope["headers"] = [(b"accept", b"application/json")]
    problem = json.loads(bytes(failing.answer(failure, OFFICE_KIT.visit(Request(scope), "7F3K-22QX")).body))
    assert problem["remedy"] == list(failure.remedy_steps())


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_failure_has_an_office_page(code: str) -> None:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    failure = CATALOGUE[code](reference="ABCD-2345")
    page = bytes(failing.answer(failure, OFFICE_KIT.visit(Request(scope), "7F3K-22QX")).body).decode()
    assert "What to do" in page
    assert code in page
    assert "ABCD-2345" in page
