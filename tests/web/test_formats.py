"""Dates in words, money as the reader writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.web import formats
from econnector.web.language import Language

US, SPAIN, LATIN = Language("en", "US"), Language("es", "ES"), Language("es", "US")


def test_a_day_is_said_in_words_so_that_nobody_mistakes_the_month() -> None:
    assert formats.day("2026-11-24", US) == "Tue 24 Nov 2026"
    assert formats.day("2026-11-24T09:00:00", LATIN) == "mar 24 nov 2026"
    assert formats.moment("2026-11-24T09:05:00", US) == "Tue 24 Nov 2026, 9:05\N{NO-BREAK SPACE}AM"
    assert formats.moment("2026-11-24 14:05", SPAIN) == "mar 24 nov 2026, 14:05"
    assert formats.moment("2026-11-24", US) == "Tue 24 Nov 2026"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "today at 14:05"])
def test_what_is_no_date_is_shown_as_it_is(text: str) -> None:
    assert formats.day(text, US) == text
    assert formats.moment(text, US) == text


def test_digits_alone_are_no_moment() -> None:
    assert formats.is_moment("2026-11-24T14:05")
    assert formats.is_moment("2026-11-24")
    for other in ("20261124", "2026-11-24 14:05 UTC", "today", ""):
        assert not formats.is_moment(other)


def test_money_is_written_as_the_reader_does() -> None:
    assert formats.money(123456789, US) == "$1,234,567.89"
    assert formats.money(-5, US) == "\N{MINUS SIGN}$0.05"
    assert formats.money(0, LATIN) == "$0.00"
    assert formats.money(123456, SPAIN) == "1.234,56\N{NO-BREAK SPACE}$"


@given(st.integers())
def test_no_cent_is_lost(cents: int) -> None:
    digits = "".join(letter for letter in formats.money(cents, US) if letter.isdigit())
    assert int(digits) == abs(cents)


@pytest.mark.parametrize(
    ("seconds", "english", "spanish"),
    [
        (1, "1 second", "1 segundo"),
        (90, "90 seconds", "90 segundos"),
        (60, "1 minute", "1 minuto"),
        (1500, "25 minutes", "25 minutos"),
        (3600, "1 hour", "1 hora"),
        (7300, "121 minutes", "121 minutos"),
    ],
)
def test_a_length_of_time_is_said_in_the_unit_that_fits(seconds: int, english: str, spanish: str) -> None:
    assert formats.duration(seconds, US) == english
    assert formats.duration(seconds, LATIN) == spanish


def test_a_phone_number_kept_as_digits_is_written_as_people_do() -> None:
    assert formats.phone("5035550100") == "(503) 555-0100"
    assert formats.phone("15035550100") == "1 (503) 555-0100"
    for other in ("", "555-0100", "911", "+44 20 7946 0000", "ext. 12", "٥٠٣٥٥٥٠١٠٠"):
        assert formats.phone(other) == other


def test_a_phone_number_is_dialled_by_its_digits_alone() -> None:
    assert formats.dialled("+1 (555) 010-0100 ext") == "+15550100100"
    assert formats.dialled("javascript:alert(1)") == "1"


def test_commands_in_a_sentence_become_code_and_nothing_else_becomes_html() -> None:
    assert formats.coded("Run `econnector doctor`, then <b>wait</b>.") == (
        "Run <code>econnector doctor</code>, then &lt;b&gt;wait&lt;/b&gt;."
    )
    assert formats.coded("`<i>`") == "<code>&lt;i&gt;</code>"
    assert formats.coded("one ` alone") == "one ` alone"


def test_a_time_of_day_is_said_as_people_there_do() -> None:
    assert formats.clock("2026-11-24T14:30:00", US) == "2:30\N{NO-BREAK SPACE}PM"
    assert formats.clock("2026-11-24T00:05:00", US) == "12:05\N{NO-BREAK SPACE}AM"
    assert formats.clock("2026-11-24T12:00:00", LATIN) == "12:00\N{NO-BREAK SPACE}p.\N{NO-BREAK SPACE}m."
    assert formats.clock("2026-11-24T09:30:00", SPAIN) == "9:30"
    assert formats.clock("soon", US) == "soon"
