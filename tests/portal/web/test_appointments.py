"""Pages about visits: what they say, confirming in every weather, and the file for a calendar."""

import datetime as dt
import re
from typing import Any

import httpx2
import pytest

from econnector.base.errors import OfficeUnreachable
from econnector.eservices.portal import calls
from econnector.eservices.portal.web.calendar import calendar_file
from tests.support.site import PortalSite, SmallOffice, client, token_in

AT = "2026-11-24T14:30:00"
SCRIPT = '"><script>alert(1)</script>'


def confirm(browser: httpx2.Client, token: str, number: int = 501, person: str = "") -> httpx2.Response:
    return browser.post(f"/appointments/{number}/confirm{person}", data={"form_token": token, "at": AT})


def confirm_token(page: str) -> str:
    """Return the token of the page's form that confirms."""
    return token_in(page.split("/confirm")[1])


def test_home_says_what_needs_doing_and_when_the_next_visit_is(ann: httpx2.Client, office: SmallOffice) -> None:
    page = ann.get("/").text
    assert "Confirm your visit on Tue 24 Nov 2026, 2:30\N{NO-BREAK SPACE}PM" in page
    assert "A message you have not read" in page
    assert "A check-up is due since Thu 1 Oct 2026" in page
    assert "In 3 days" in page
    assert "with Amara Lindgren, DDS" in page
    assert "After that: Tue 12 Jan 2027, 9:00\N{NO-BREAK SPACE}AM" in page
    office.visits.coming, office.visits.due, office.unread = [], [], 0
    page = ann.get("/").text
    assert "Confirm your visit" not in page
    assert "No visit is planned. To make one, call (555) 010-0100." in page


def test_a_visit_far_off_is_nothing_to_do_yet(ann: httpx2.Client, office: SmallOffice) -> None:
    office.visits.coming[0].days_ahead = 15
    page = ann.get("/").text
    assert "Confirm your visit" not in page
    assert "/appointments/501/confirm" in page


def test_home_offers_only_what_may_be_seen(ann: httpx2.Client, office: SmallOffice) -> None:
    office.ann.topics = ["health"]
    page = ann.get("/").text
    assert "Next visit" not in page
    assert "Balance now" not in page


def test_appointments_are_listed_in_words(ann: httpx2.Client) -> None:
    page = ann.get("/appointments?person=12").text
    for text in (
        "Appointments of Tim Example",
        "Tue 24 Nov 2026, 2:30\N{NO-BREAK SPACE}PM",
        "50 minutes",
        "Confirmed",
        "Check-up and cleaning",
        "Gum care",
        "https://book.example.com/r/9?x=1&amp;y=2",
        "To book it, call (555) 010-0100.",
        "Wed 20 May 2026",
        "with Noah Castellanos, RDH",
        "/appointments/501/confirm?person=12",
    ):
        assert text in page, text
    assert page.count("/confirm?person=12") == 1


def test_spanish_says_the_same(ann: httpx2.Client) -> None:
    page = ann.get("/appointments", headers={"accept-language": "es-MX"}).text
    for text in (
        "Citas",
        "mar 24 nov 2026, 2:30\N{NO-BREAK SPACE}p.\N{NO-BREAK SPACE}m.",
        "Voy a ir",
        "En 3 días",
        "Revisión y limpieza",
    ):
        assert text in page, text


def test_confirming_tells_the_office_and_says_so(ann: httpx2.Client, office: SmallOffice) -> None:
    answer = confirm(ann, confirm_token(ann.get("/appointments?person=12").text), person="?person=12")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/appointments?notice=told&person=12")
    page = ann.get("/appointments?notice=told&person=12").text
    assert "The office has been told that you&#39;re coming." in page
    assert "You said you&#39;re coming" in page
    assert "/confirm" not in page
    assert office.visits.confirmed == [501]


def test_two_forms_of_a_page_are_two_asks_and_one_form_is_one(ann: httpx2.Client, office: SmallOffice) -> None:
    office.visits.coming[1].confirmation = "open"
    office.visits.coming[1].at = AT
    page = ann.get("/appointments").text
    first, second = (token_in(part) for part in page.split("/confirm")[1:])
    assert first != second
    for _ in range(2):
        assert confirm(ann, first).status_code == 303
    assert confirm(ann, second, 502).status_code == 303
    assert office.visits.confirmed == [501, 502]


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_form(ann: httpx2.Client, office: SmallOffice) -> None:
    token = confirm_token(ann.get("/appointments").text)
    office.failing_calls["portal.confirm-appointment"] = OfficeUnreachable(last_seen="2026-11-24T14:05")
    answer = confirm(ann, token)
    assert answer.status_code == 503
    assert "Confirm your visit" in answer.text
    assert "Tue 24 Nov 2026, 2:30\N{NO-BREAK SPACE}PM" in answer.text
    assert token_in(answer.text.split("/confirm")[1]) == token
    office.failing_calls.clear()
    assert confirm(ann, token).status_code == 303
    assert office.visits.confirmed == [501]


def test_a_session_that_is_gone_keeps_the_form(site: PortalSite, ann: httpx2.Client, office: SmallOffice) -> None:
    token = confirm_token(ann.get("/appointments").text)
    office.tokens.clear()
    answer = confirm(ann, token)
    assert answer.status_code == 401
    assert "what you typed is kept here" in answer.text
    with client(site.portal()) as stranger:
        assert confirm(stranger, token).status_code == 401
    assert office.visits.confirmed == []


def test_a_forged_form_confirms_nothing(ann: httpx2.Client, office: SmallOffice) -> None:
    for token in ("", "forged", confirm_token(ann.get("/appointments").text)[:-2] + "xx"):
        answer = confirm(ann, token)
        assert answer.status_code == 403 or "nothing" in answer.text or "not told yet" in answer.text
    assert office.visits.confirmed == []


def test_a_visit_that_was_moved_is_shown_as_it_is_now(ann: httpx2.Client, office: SmallOffice) -> None:
    token = confirm_token(ann.get("/appointments").text)
    office.visits.coming[0].at = "2026-11-25T10:00:00"
    answer = confirm(ann, token)
    assert answer.headers["location"].endswith("/appointments?notice=changed")
    page = ann.get("/appointments?notice=changed").text
    assert "so nothing was confirmed" in page
    assert "Wed 25 Nov 2026, 10:00" in page


def test_a_strangers_visit_is_no_page(ann: httpx2.Client) -> None:
    assert ann.get("/appointments/999/calendar").status_code == 404
    assert confirm(ann, confirm_token(ann.get("/appointments").text), 999).status_code == 404
    for path in (
        "/appointments/x/calendar",
        "/appointments/-1/calendar",
        "/appointments/99999999999999999999/calendar",
    ):
        assert ann.get(path).status_code == 404


def test_names_are_text_and_nothing_else(ann: httpx2.Client, office: SmallOffice) -> None:
    visits = office.visits
    for one in (*visits.coming, *visits.past):
        one.provider = one.place = one.address = SCRIPT
    visits.due[0].kind = SCRIPT
    visits.plans[0].heading = visits.plans[0].note = visits.lines[0].text = visits.lines[0].tooth = SCRIPT
    visits.lists["problems"].entries[0].name = visits.lists["medications"].entries[0].detail = SCRIPT
    for path in ("/", "/appointments", "/health", "/health/plans/601"):
        page = ann.get(path).text
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert" in page, path


def test_health_shows_lists_plans_and_what_none_means(ann: httpx2.Client) -> None:
    page = ann.get("/health").text
    for text in (
        "No known allergies",
        "one tablet every morning · since Mon 1 Mar 2021",
        "Resolved",
        "Nothing on file.",
        "Proposed treatment",
        "$415.00",
        "Care summary",
        "/health/plans/601",
    ):
        assert text in page, text
    plan = ann.get("/health/plans/601").text
    for text in (
        "Crown, porcelain",
        "14 (MOD)",
        "$1,550.00",
        "−$720.00",
        "Signed on Tue 6 Oct 2026",
        "Ask us anything.",
    ):
        assert text in plan, text
    assert ann.get("/health/plans/602").status_code == 404


def test_pages_stay_small(ann: httpx2.Client, office: SmallOffice) -> None:
    office.visits.past = office.visits.past[:1] * 40
    for path in ("/", "/appointments", "/health", "/health/plans/601"):
        assert len(ann.get(path).content) < 30_000, path


# -- the calendar ------------------------------------------------------------------------------------------------------


def test_the_calendar_file_is_saved_and_says_nothing_private(ann: httpx2.Client, office: SmallOffice) -> None:
    office.title = "Smile, Dental; Co"
    answer = ann.get("/appointments/501/calendar")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="appointment-2026-11-24.ics"')
    lines = unfolded(answer.content)
    assert lines["DTSTART"] == "20261124T223000Z"
    assert lines["DTEND"] == "20261124T232000Z"
    assert lines["SUMMARY"] == "Appointment at Smile\\, Dental\\; Co"
    assert lines["LOCATION"] == "Smile\\, Dental\\; Co\\, 12 Maple Street\\, Salem OR 97301"
    assert lines["CLASS"] == "PRIVATE"
    for word in (b"Ann", b"Example", b"Lindgren", b"501"):
        assert not re.search(rb"\b%s\b" % word, answer.content)  # a moment may have such digits within
    again = unfolded(ann.get("/appointments/501/calendar").content)
    assert again["UID"] == lines["UID"] != unfolded(ann.get("/appointments/502/calendar").content)["UID"]


def made(**changes: Any) -> bytes:
    one = calls.Appointment(501, AT, "2026-11-24T22:30:00", 50, "Dr. A", "", "12 Maple Street")
    for name in ("utc", "minutes", "place", "address"):
        if name in changes:
            setattr(one, name, changes.pop(name))
    now = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
    values: dict[str, Any] = {
        "office": "smile",
        "title": "Smile",
        "summary": "Appointment",
        "description": "Call.",
        "now": now,
    }
    return calendar_file(one, **values | changes)


def unfolded(content: bytes) -> dict[str, str]:
    """Return the properties of a file as a reader sees them."""
    text = content.decode().replace("\r\n ", "")
    return dict(line.split(":", 1) for line in text.split("\r\n") if line)


def test_without_the_zone_the_time_is_the_readers_own() -> None:
    lines = unfolded(made(utc="", minutes=0))
    assert (lines["DTSTART"], lines["DTEND"]) == ("20261124T143000", "20261124T150000")
    assert lines["DTSTAMP"] == "20261121T100000Z"


@pytest.mark.parametrize(
    "text",
    [
        "a\r\nATTENDEE:mailto:x@example.com",
        "a\nBEGIN:VALARM",
        "a\rb",
        "tab\there; comma, back\\slash",
        "\x00\x0b\x1b[31m",
        "línea " * 40,
        "🦷" * 60,
        "a\u2028END:VEVENT",
    ],
)
def test_nothing_in_a_text_can_begin_a_line(text: str) -> None:
    content = made(summary=text, description=text, title=text, address=text)
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 for line in lines)
    assert all(line.decode().isprintable() or "\t" in line.decode() for line in lines)
    names = [line.partition(b":")[0] for line in lines if not line.startswith(b" ")]
    assert names.count(b"BEGIN") == names.count(b"END") == 2
    assert b"ATTENDEE" not in names
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_a_text_comes_out_as_it_went_in() -> None:
    text = "Zähne, Zähne; und \\ noch\nmehr " * 5
    read = unfolded(made(summary=text))["SUMMARY"]
    for escape, meant in (("\\n", "\n"), ("\\,", ","), ("\\;", ";"), ("\\\\", "\\")):
        read = read.replace(escape, meant)
    assert read == text
