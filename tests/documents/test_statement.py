import datetime as dt
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.documents.statement import Aging, Line, Party, Statement, dollars, render

PRACTICE = Party("Juniper Hill Dental", ("1420 Juniper Hill Road", "Juniper Falls, OR 97001"), "(503)555-0100")
DAY = dt.date(2026, 11, 2)


def statement(*lines: Line, **more: object) -> Statement:
    return Statement(PRACTICE, Party("Zoë O'Brien", ("12 Rose St",)), "1042", DAY, lines, **more)  # type: ignore[arg-type]


def text_of(pdf: bytes, folder: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (folder / "statement.pdf").write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", folder / "statement.pdf", "-"], capture_output=True, check=True)
    return done.stdout.decode()


def test_it_is_a_tagged_pdf_with_language_and_title() -> None:
    pdf = render(statement(Line(DAY, "Zoë", "Periodic exam", 65_00)))
    streams = b"".join(unpacked(pdf))
    assert pdf.startswith(b"%PDF-1.7")
    assert b"/StructTreeRoot" in pdf + streams
    assert b"/Lang" in pdf + streams
    assert b"pdfuaid:part" in pdf + streams
    assert b"Statement of November 2, 2026" in pdf + streams


def unpacked(pdf: bytes) -> list[bytes]:
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(match[1]))
        except zlib.error:
            found.append(match[1])
    return found


def test_what_it_says_adds_up(tmp_path: Path) -> None:
    drawn = statement(
        Line(DAY, "Zoë", "Periodic exam", 65_00),
        Line(DAY, "María José", "Insurance payment", -20_50),
        forward_cents=1_100_00,
        insurance_cents=44_50,
        aging=Aging(44_50, 0, 0, 1_100_00),
        note="Thank you.",
    )
    words = " ".join(text_of(render(drawn), tmp_path).split())
    for part in (
        "Juniper Hill Dental",
        "Zoë O'Brien",
        "Account 1042",
        "11/02/2026 María José Insurance payment $20.50",
        "Balance forward $1,100.00",
        "Balance $1,144.50",
        "still to come −$44.50",
        "Amount due $1,100.00",
        "Please pay $1,100.00",
        "Thank you.",
        "Page 1 of 1",
    ):
        assert part in words


def test_a_credit_asks_for_nothing(tmp_path: Path) -> None:
    words = " ".join(text_of(render(statement(Line(DAY, "Zoë", "Payment ahead", -30_00))), tmp_path).split())
    assert "Nothing to pay −$30.00" in words
    assert "Please pay" not in words


def test_a_long_account_goes_over_pages_and_repeats_the_heading(tmp_path: Path) -> None:
    lines = [Line(DAY - dt.timedelta(days=n), "Zoë", f"Visit {n}", 1_00) for n in range(90)]
    text = text_of(render(statement(*lines)), tmp_path)
    assert "Page 3 of 3" in text
    assert text.count("Description") > 1
    assert "Amount due" in text


def test_the_same_statement_gives_the_same_bytes() -> None:
    drawn = statement(Line(DAY, "Zoë", "Periodic exam", 65_00))
    assert render(drawn) == render(drawn)


def test_names_cannot_break_out_of_the_layout(tmp_path: Path) -> None:
    hostile = '#panic("x") $x$ *b* _i_ @ref <label> `raw` \\u{41} // "'
    words = " ".join(text_of(render(statement(Line(DAY, hostile, hostile, 1))), tmp_path).split())
    assert '#panic("x")' in words
    assert "<label>" in words


@given(st.integers(-(10**9), 10**9))
def test_dollars_can_be_read_back(cents: int) -> None:
    shown = dollars(cents)
    sign = -1 if shown.startswith("−") else 1
    assert sign * int(re.sub(r"\D", "", shown)) == cents


def test_nothing_is_loaded_before_a_document_is_drawn() -> None:
    code = "import sys, econnector.documents.statement; print('typst' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"
