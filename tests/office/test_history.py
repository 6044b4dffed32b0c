"""The history: which rows are shown, and CSV that no spreadsheet runs."""

import csv
import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.office.history import csv_text, matching, word_of
from econnector.opendental.signals import Signal

AT = dt.datetime.fromisoformat("2026-11-21T14:05:09")
ROWS = [
    Signal(AT, 2, "Heartbeat", is_processed=True),
    Signal(AT, 4, "Texting failed", is_processed=False),
    Signal(AT, 4, "eConnector was critical for 1:05", is_processed=True),
    Signal(AT, 5, "eConnector was stopped", is_processed=False),
    Signal(AT, 1, "The database was away", is_processed=True),
    Signal(AT, 9, "of a newer version", is_processed=True),
]


def test_rows_are_chosen_by_kind_and_text() -> None:
    assert matching(ROWS) == ROWS
    assert matching(ROWS, show="errors") == ROWS[1:4]
    assert matching(ROWS, show="unacknowledged") == [ROWS[1]]
    assert matching(ROWS, text="  ECONNECTOR ") == ROWS[2:4]
    assert matching(ROWS, text="critical") == ROWS[2:4], "the status is looked through too"
    assert matching(ROWS, show="errors", text="texting") == [ROWS[1]]
    assert matching(ROWS, text="no such") == []


def test_words_are_open_dentals_and_an_unknown_one_is_its_number() -> None:
    assert [word_of(row) for row in ROWS] == ["Working", "Error", "Error", "Critical", "Info", "9"]


def test_csv_has_iso_times_and_says_what_is_acknowledged() -> None:
    lines = csv_text(ROWS[:4]).split("\r\n")
    assert lines == [
        "DateTime,Status,Details,Acknowledged",
        "2026-11-21T14:05:09,Working,Heartbeat,",
        "2026-11-21T14:05:09,Error,Texting failed,no",
        "2026-11-21T14:05:09,Error,eConnector was critical for 1:05,yes",
        "2026-11-21T14:05:09,Critical,eConnector was stopped,",
        "",
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  =", "＝"])
def test_no_cell_is_a_formula(start: str) -> None:
    text = csv_text([Signal(AT, 4, f"{start}HYPERLINK(1)", is_processed=False)])
    assert next(csv.reader(io.StringIO(text.split("\r\n", 1)[1], newline="")))[2] == f"'{start}HYPERLINK(1)"


@given(st.text())
def test_whatever_a_row_says_is_one_cell_and_comes_back(words: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_text([Signal(AT, 4, words, is_processed=False)]), newline="")))
    assert len(rows) == 2
    assert rows[1][2].removeprefix("'") == words.removeprefix("'")
    assert not rows[1][2].startswith(("=", "+", "-", "@"))
