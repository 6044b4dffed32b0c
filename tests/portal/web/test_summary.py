"""The pages of the care summary: what they show, which days, the files, and who used it."""

import datetime as dt

import httpx2
import pytest

from econnector.base.errors import AnswerLost, CareSummaryNotLoaded, CareSummaryNotSetUp, Failure
from econnector.eservices.portal import calls
from tests.support.site import SmallOffice

PAGES = ("/health/summary", "/health/summary/section/procedures", "/health/summary/history")
HERE = "/o/smile-dental/portal"


def asked(office: SmallOffice, name: str) -> list[calls.CareSummaryAsked | calls.CareSummaryFile]:
    kinds = calls.CareSummaryAsked | calls.CareSummaryFile
    return [params for call, params, _ in office.asked if call == name and isinstance(params, kinds)]


def test_health_leads_to_the_summary_of_the_same_person(ann: httpx2.Client) -> None:
    assert f'href="{HERE}/health/summary"' in ann.get("/health").text
    assert f'href="{HERE}/health/summary?person=12"' in ann.get("/health?person=12").text


def test_the_page_says_whom_it_is_about_and_lists_what_it_holds(ann: httpx2.Client) -> None:
    page = ann.get("/health/summary").text
    for text in ("Ann Example", "Sat 17 May 1980", "Ana O&#39;Hara, DMD", "Smile Dental Downtown", "Juniper Falls"):
        assert text in page
    for text in ("(555) 010-0200", "Everything on record", "Sat 21 Nov 2026, 10:00", "No medications are recorded."):
        assert text in page
    for key in ("allergies", "medications", "procedures"):
        assert f'href="#summary-{key}"' in page
        assert f'id="summary-{key}"' in page
    for text in ('data-label="Allergy"><strong>Latex</strong>', 'data-label="Tooth">3</td>', "D2392 (CDT)"):
        assert text in page
    assert "Very long texts are shown in part" in page


def test_a_long_section_says_that_it_is_a_part_and_leads_to_the_whole(ann: httpx2.Client, office: SmallOffice) -> None:
    page = ann.get("/health/summary?person=12&first=2020-01-01").text
    assert "Here are 3 of 250." in page
    assert f'href="{HERE}/health/summary/section/procedures?person=12&amp;first=2020-01-01"' in page
    assert "section/allergies" not in page
    office.summaries.more = True
    page = ann.get("/health/summary/section/procedures?person=12&first=2020-01-01&page=2").text
    assert "Procedures of Tim Example" in page
    assert f'href="{HERE}/health/summary/section/procedures?person=12&amp;first=2020-01-01&amp;page=3"' in page
    assert f'href="{HERE}/health/summary/section/procedures?person=12&amp;first=2020-01-01&amp;page=1"' in page
    last = asked(office, "portal.care-summary")[-1]
    assert isinstance(last, calls.CareSummaryAsked)
    assert (last.section, last.page, last.person, last.first) == ("procedures", 1, 12, dt.date(2020, 1, 1))
    assert ann.get("/health/summary/section/horoscope").status_code == 404
    assert ann.get("/health/summary/section/procedures?first=x").status_code == 404


def test_days_are_asked_for_and_kept_in_every_link(ann: httpx2.Client, office: SmallOffice) -> None:
    page = ann.get("/health/summary?person=12&first=2024-01-01&last=2024-12-31").text
    assert "Mon 1 Jan 2024 to Tue 31 Dec 2024" in page
    for kind in ("zip", "pdf", "html", "xml"):
        assert f'{HERE}/health/summary/download/{kind}?person=12&amp;first=2024-01-01&amp;last=2024-12-31"' in page
    assert '<input type="hidden" name="person" value="12">' in page
    assert 'value="2024-01-01"' in page
    (params,) = asked(office, "portal.care-summary")
    assert (params.person, params.first, params.last) == (12, dt.date(2024, 1, 1), dt.date(2024, 12, 31))
    assert "From Mon 1 Jan 2024" in ann.get("/health/summary?first=2024-01-01&last=").text
    assert "Until Mon 1 Jan 2024" in ann.get("/health/summary?last=2024-01-01").text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("first=2024-02-30", "Enter the day as year-month-day"),
        ("last=%3Cscript%3E", "Enter the day as year-month-day"),
        ("first=2025-01-02&last=2025-01-01", "The last day is before the first."),
    ],
)
def test_days_that_cannot_be_are_said_beside_the_field(
    ann: httpx2.Client, office: SmallOffice, query: str, says: str
) -> None:
    answer = ann.get(f"/health/summary?person=12&{query}")
    assert answer.status_code == 422
    assert says in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "You are looking at Tim Example" in answer.text
    assert "Latex" not in answer.text
    assert "<script>" not in answer.text
    assert [getattr(one, "bare", False) for one in asked(office, "portal.care-summary")] == [True]
    assert ann.get(f"/health/summary/download/zip?{query}").status_code == 404


def test_files_are_saved_and_never_shown(ann: httpx2.Client, office: SmallOffice) -> None:
    for kind, content in office.summaries.files.items():
        answer = ann.get(f"/health/summary/download/{kind}?person=12&first=2024-01-01")
        assert answer.content == content
        assert answer.headers["content-disposition"].startswith(
            f'attachment; filename="Care summary Tim Example 2026-11-21.{kind}"'
        )
        kept = "application/pdf" if kind == "pdf" else "application/octet-stream"
        assert answer.headers["content-type"] == kept
        assert answer.headers["cache-control"] == "no-store"
    assert {(one.person, one.first) for one in asked(office, "portal.care-summary-file")} == {(12, dt.date(2024, 1, 1))}
    assert ann.get("/health/summary/download/exe").status_code == 404


@pytest.mark.parametrize(("wish", "sent"), [("es-MX", "es"), ("en-GB", "en"), ("de-DE", ""), ("", "")])
def test_the_office_tells_it_in_the_language_that_the_browser_wishes(
    ann: httpx2.Client, office: SmallOffice, wish: str, sent: str
) -> None:
    ann.get("/health/summary", headers={"accept-language": wish})
    ann.get("/health/summary/download/pdf", headers={"accept-language": wish})
    said = {one.language for name in ("portal.care-summary", "portal.care-summary-file") for one in asked(office, name)}
    assert said == {sent}


def test_the_history_says_who_did_what(ann: httpx2.Client) -> None:
    page = ann.get("/health/summary/history").text
    for text in ("You", "Downloaded (zip)", "Karl Example", "representative", "Sent to an e-mail address", "Somebody"):
        assert text in page
    assert "noted by another program" in page
    assert "What Tim Example does with it is for Tim Example alone" in ann.get("/health/summary/history?person=12").text


def test_a_long_history_has_pages_and_a_new_word_of_a_newer_office_breaks_nothing(
    ann: httpx2.Client, office: SmallOffice
) -> None:
    office.summaries.more = True
    office.summaries.deeds = [calls.SummaryDeed("2026-11-21T09:12:00", "engraved", 11, "Ann Example")]
    answer = ann.get("/health/summary/history?person=12&page=2")
    assert answer.status_code == 200
    assert "Used" in answer.text
    assert f'{HERE}/health/summary/history?person=12&amp;page=3"' in answer.text


def test_nobody_yet_is_said(ann: httpx2.Client, office: SmallOffice) -> None:
    office.summaries.deeds = []
    assert "Nobody yet" in ann.get("/health/summary/history").text


def test_whose_summary_it_is_stands_on_every_page_and_choosing_somebody_stays(ann: httpx2.Client) -> None:
    for path in PAGES:
        page = ann.get(f"{path}?person=12").text
        assert "You are looking at Tim Example&#39;s record." in page, path
        assert f'{HERE}/health/summary{"/history" if "history" in path else ""}?person=13"' in page, path
        assert len(page.encode()) < 30_000, path
        assert ann.get(f"{path}?person=99").status_code == 404


def test_whoever_is_not_signed_in_comes_back_after_signing_in(stranger: httpx2.Client) -> None:
    for path in ("/health/summary", "/health/summary/history"):
        answer = stranger.get(f"{path}?person=12")
        assert answer.headers["location"].endswith(f"/sign-in?next={path.replace('/', '%2F')}%3Fperson%3D12")
    assert stranger.get("/health/summary/download/zip").status_code == 303


def test_whatever_is_recorded_stays_text(ann: httpx2.Client, office: SmallOffice) -> None:
    evil, summaries = '"><script>alert(1)</script>', office.summaries
    summaries.name = evil
    summaries.sections = [calls.SummarySection("procedures", evil, [evil], [[evil]], total=2)]
    summaries.deeds = [calls.SummaryDeed("2026-11-21T09:12:00", "viewed", 77, evil, detail=evil)]
    for path in PAGES:
        page = ann.get(path).text
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;" in page, path


@pytest.mark.parametrize(("wish", "words"), [("en-US", "Contents"), ("es-MX", "Contenido")])
def test_the_page_speaks_the_browsers_language(ann: httpx2.Client, wish: str, words: str) -> None:
    assert words in ann.get("/health/summary", headers={"accept-language": wish}).text


def test_a_file_that_breaks_off_before_it_begins_is_a_page_that_says_so(
    ann: httpx2.Client, office: SmallOffice
) -> None:
    office.failing_calls["portal.care-summary-file"] = AnswerLost(call="portal.care-summary-file", reason="a test")
    answer = ann.get("/health/summary/download/zip")
    assert answer.status_code == AnswerLost.http
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    ("failure", "english", "spanish"),
    [
        (CareSummaryNotSetUp, "has to complete some details", "completar"),
        (CareSummaryNotLoaded, "has not yet loaded the lists", "listas"),
    ],
)
def test_why_there_is_none_is_said_kindly_and_what_is_missing_is_the_offices_to_know(
    ann: httpx2.Client, office: SmallOffice, failure: type[Failure], english: str, spanish: str
) -> None:
    for call in ("portal.care-summary", "portal.care-summary-file"):
        office.failing_calls[call] = failure(what="Birth date of the patient: Family module")
    for path in ("/health/summary?person=12", "/health/summary/download/zip?person=12"):
        for language, words in (("en-US", english), ("es-MX", spanish)):
            answer = ann.get(path, headers={"accept-language": language})
            assert answer.status_code == failure.http
            assert words in answer.text
            assert failure.code in answer.text
            assert answer.headers["x-reference"] in answer.text
            assert "Birth date" not in answer.text
