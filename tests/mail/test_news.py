"""The letters about an outage: the same in every language, short, and no way for an office to put its own words in."""

import datetime as dt
import string

import msgspec
import pytest

from econnector.mail.contacts import LANGUAGES, checked, readable
from econnector.mail.news import News, letter, message_id, named_letter
from econnector.mail.words import CAUSES, DAYS, MONTHS, STEPS, WORDS

SINCE = dt.datetime(2026, 3, 2, 22, 5, tzinfo=dt.UTC)
DOWN = News("down", "smile", "Smile Dental", SINCE, None, "gone", "FRONTDESK", "office-unreachable", "7F3K-22QX", -480)
BACK = msgspec.structs.replace(DOWN, kind="back", until=SINCE + dt.timedelta(minutes=63))
PAT = checked("Pat Example", "pat@smile.example", purpose="IT")


def braces(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("words", [WORDS, CAUSES, STEPS], ids=["words", "causes", "steps"])
def test_every_language_says_the_same_things(words: dict[str, dict[str, str]]) -> None:
    assert set(words) == set(LANGUAGES)
    for language, texts in words.items():
        assert texts.keys() == words["en"].keys()
        for key, text in texts.items():
            assert braces(text) == braces(words["en"][key]), (language, key)


def test_every_cause_has_a_next_step_and_every_day_and_month_a_name() -> None:
    assert CAUSES["en"].keys() == STEPS["en"].keys()
    assert {len(each) for each in DAYS.values()} == {7}
    assert {len(each) for each in MONTHS.values()} == {12}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", CAUSES["en"])
def test_every_letter_is_whole_short_and_names_cause_code_and_reference(language: str, cause: str) -> None:
    who = checked("Pat", "pat@smile.example", language)
    for news in (DOWN, BACK):
        made = letter([msgspec.structs.replace(news, cause=cause)], who, "<a@b>", "office")
        assert not set("{}") & set(made.text + made.subject)
        assert "7F3K-22QX" in made.text
        assert len(made.text) < 1200
        assert len(made.subject) < 100
    assert not set("{}") & set(named_letter(DOWN, who, "<a@b>", "hq").text)


def test_times_are_the_offices_own_and_say_so_where_nobody_knows_them() -> None:
    assert "Mon 2 Mar, 14:05." in letter([DOWN], PAT, "<a@b>", "hq").text
    unknown = msgspec.structs.replace(DOWN, offset=None)
    assert "Mon 2 Mar, 22:05 (UTC)." in letter([unknown], PAT, "<a@b>", "hq").text
    assert "from Mon 2 Mar, 14:05 to Mon 2 Mar, 15:08 (1:03 hours)" in letter([BACK], PAT, "<a@b>", "hq").text


def test_a_cause_that_nobody_has_words_for_is_given_as_its_code() -> None:
    made = letter([msgspec.structs.replace(DOWN, cause="from-the-future")], PAT, "<a@b>", "hq")
    assert "a fault with the code from-the-future" in made.text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("St. Mary's Dental & Co.", "St. Mary's Dental & Co."),
        ("Smile\r\nBcc: x\u2028y", "Smile Bcc: x y"),
        ("Win at http://evil.example now", "Win at now"),
        ("evil.example", ""),
        ("(www.evil.example) Smile", "Smile"),
        ("mail me@evil.example Smile", "mail Smile"),
        ("x" * 500, "x" * 60),
    ],
)
def test_what_an_office_calls_itself_cannot_become_a_link(said: str, shown: str) -> None:
    assert readable(said) == shown


def test_the_same_news_for_the_same_person_has_the_same_id_and_no_other_has() -> None:
    ids = {
        message_id(kind, office, mark, address)
        for kind in ("down", "back")
        for office in ("smile", "grin")
        for mark in ("link 1", "link 2")
        for address in ("a@x.example", "b@x.example")
        for _ in range(2)
    }
    assert len(ids) == 16
    assert all(each.endswith((".econnector>",)) for each in ids)
