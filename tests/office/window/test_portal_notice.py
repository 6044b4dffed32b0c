"""The notice of a new message, worded at the window: what Open Dental's preferences hold afterwards."""

import html
import re

import httpx2
import pytest

from econnector.opendental import webmailnotice
from econnector.opendental.webmailnotice import Notice
from tests.office.window.bare import Window, post, token_in

HTML = 'Please <b>look</b>:\r\n<a href="[URL]">[URL]</a>\r\n\r\n[EmailDisclaimer]'


async def prefer(window: Window, **values: str) -> None:
    for name, value in values.items():
        await window.sql("DELETE FROM preference WHERE PrefName=:name", name=name)
        await window.sql(
            "INSERT INTO preference (PrefName, ValueString, Comments) VALUES (:name, :value, '')",
            name=name,
            value=value,
        )


@pytest.fixture
async def worded(window: Window) -> Window:
    """A practice with a notice of its own."""
    await prefer(
        window,
        PatientPortalNotifySubject="News",
        PatientPortalNotifyBody=HTML,
        PatientPortalURL="https://portal.example.com/o/bright",
        EmailDisclaimerIsOn="1",
        EmailDisclaimerTemplate="Sent by [PostalAddress].",
        PracticeTitle="Bright Smile",
        PracticeAddress="1 Elm St",
    )
    return window


async def stored(window: Window) -> tuple[object, object]:
    rows = await window.sql("SELECT ValueString FROM preference WHERE PrefName LIKE 'PatientPortalNotify%' ORDER BY 1")
    texts = sorted((str(row[0]) for row in rows), key=len)
    return texts[0], texts[1]


async def sent(browser: httpx2.AsyncClient, subject: str, text: str, do: str = "save") -> httpx2.Response:
    page = (await browser.get("/portal/notice")).text
    mark = re.search(r'name="before" value="([^"]+)"', page)
    assert mark is not None
    form = {"form_token": token_in(page), "before": mark[1], "subject": subject, "text": text, "do": do}
    return await browser.post("/portal/notice", data=form)


async def test_the_notice_is_seen_as_the_patient_reads_it(worded: Window) -> None:
    async with worded.signed_in("Vera") as browser:
        page = html.unescape((await browser.get("/portal/notice")).text)
    seen = page.partition("How a patient reads it")[2]
    assert "Please look:" in seen
    assert "<p>https://portal.example.com/o/bright</p>" in seen
    assert "Sent by Bright Smile, 1 Elm St." in seen
    assert "[URL]" not in seen


async def test_what_is_saved_stands_in_open_dental_and_workstations_are_told(worded: Window) -> None:
    async with worded.signed_in("Frank") as browser:
        answer = await sent(browser, "A message", "Sign in: [URL]\nEntre: [URL]")
        assert answer.status_code == 303, answer.text
        assert "Saved." in (await browser.get("/portal/notice")).text
        again = await sent(browser, "A message", "Sign in: [URL]\r\nEntre: [URL]")
        assert "Nothing was changed" in (await browser.get(again.headers["location"])).text
    assert await stored(worded) == ("A message", "Sign in: [URL]\r\nEntre: [URL]")
    assert await worded.sql("SELECT DISTINCT IType FROM signalod") == [(5,)]
    said = [row for row in await worded.audit() if "notice" in str(row[2])]
    assert said == [(502, 91, "Patient portal: notice of new messages changed: subject and text.")]


async def test_a_look_and_the_usual_text_save_nothing(worded: Window) -> None:
    before = await stored(worded)
    async with worded.signed_in("Frank") as browser:
        looked = (await sent(browser, "Look", "Here: [URL]", "preview")).text
        assert "Not saved yet" in looked
        assert "Here: https://portal.example.com" in looked
        usual = html.unescape((await sent(browser, "Look", "Here", "usual")).text)
        assert 'value="You have a secure message waiting for you"' in usual
        assert '<a href="[URL]">[URL]</a>' in usual
    assert await stored(worded) == before
    assert await worded.sql("SELECT COUNT(*) FROM signalod") == [(0,)]


REFUSED = [
    ("", "Look: [URL]", "Write a subject"),
    ("News", " \r\n ", "Write a text"),
    ("News", "Dear [NameF], look: [URL]", "does not know [NameF]"),
    ("News", "Look: [url]", "does not know [url]"),
    ("News at [URL]", "Look", "A subject takes no placeholder"),
    ("News\r\nBcc: all@example.com", "Look", "The subject is one line"),
    ("News \U0001f600", "Look", "cannot keep a character of the subject"),
    ("News", "x" * 4001, "may have 4,000 characters"),
]


async def test_what_open_dental_could_not_send_is_refused_and_stays_typed(worded: Window) -> None:
    before = await stored(worded)
    async with worded.signed_in("Frank") as browser:
        for subject, text, why in REFUSED:
            answer = await sent(browser, subject, text)
            assert answer.status_code == 422, why
            assert why in html.unescape(answer.text)
            assert text.strip() in html.unescape(answer.text)
    assert await stored(worded) == before


async def test_a_change_that_open_dental_made_meanwhile_is_not_overwritten(worded: Window) -> None:
    async with worded.signed_in("Frank") as browser:
        page = (await browser.get("/portal/notice")).text
        mark = re.search(r'name="before" value="([^"]+)"', page)
        assert mark is not None
        await prefer(worded, PatientPortalNotifySubject="From Open Dental")
        form = {"form_token": token_in(page), "before": mark[1], "subject": "Mine", "text": "Look: [URL]", "do": "save"}
        answer = await browser.post("/portal/notice", data=form)
        assert answer.status_code == 422
        assert "changed meanwhile in Open Dental" in answer.text
        assert 'value="Mine"' in answer.text
        assert (await sent(browser, "Mine", "Look: [URL]")).status_code == 303


async def test_who_may_only_look_words_nothing(worded: Window) -> None:
    before = await stored(worded)
    async with worded.signed_in("Vera") as browser:
        answer = await post(browser, "/portal/notice", "/portal/notice", subject="Mine", text="Look")
    assert answer.status_code == 403
    assert await stored(worded) == before


def test_double_brackets_and_numbers_are_no_placeholders() -> None:
    assert webmailnotice.check(Notice("News", "[[img]] see [1] and [our page here]: [URL] [EmailDisclaimer]")) == []
