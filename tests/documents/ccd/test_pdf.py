"""The care summary on paper."""

import re
import shutil
import subprocess
import zlib
from pathlib import Path

import msgspec
import pytest

from econnector.documents.ccd.document import told
from econnector.documents.ccd.narrative import Line, Told
from econnector.documents.ccd.pdf import pdf
from econnector.opendental.summary.records import Name, Summary
from tests.documents.ccd.examples import bare, full

COLUMNS = ("Procedure", "Tooth or area", "Status", "Date", "By")


def pages(content: bytes, folder: Path) -> list[str]:
    """Return the words of each page, one space between them."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (folder / "summary.pdf").write_bytes(content)
    done = subprocess.run(["pdftotext", "-layout", folder / "summary.pdf", "-"], capture_output=True, check=True)
    return [" ".join(one.split()) for one in done.stdout.decode().split("\f")[:-1]]


def insides(content: bytes) -> bytes:
    """Return the PDF with its streams unpacked."""
    found = [content]
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            found.append(zlib.decompress(match[1]))
        except zlib.error:
            continue
    return b"".join(found)


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_shows_what_the_page_shows(tmp_path: Path, language: str) -> None:
    text = " ".join(pages(pdf(full(), told(full(), language), language), tmp_path))
    words = set(text.split())
    for section in told(full(), language):
        assert section.title in text
        for line in section.lines:
            assert {word for cell in line.cells for word in cell.split()} <= words


def test_every_sheet_says_whose_it_is_and_when_it_was_made(tmp_path: Path) -> None:
    sheets = pages(pdf(full(), told(full())), tmp_path)
    assert len(sheets) > 1
    for place, sheet in enumerate(sheets, 1):
        assert sheet.startswith("Zoë María José O'Brien-Núñez · Born 4 Mar 2012 Care summary · 20 Nov 2026, 2:30 PM")
        assert sheet.endswith(f"Juniper Hill Dental · (503)555-0100 Page {place} of {len(sheets)}")


def test_it_is_a_tagged_pdf_with_language_title_and_outline() -> None:
    inside = insides(pdf(full(), told(full(), "es"), "es"))
    for part in (b"/StructTreeRoot", b"pdfuaid:part", b"/Lang", b"(es)", b"/Outlines", b"/TH", b"Resumen de atenci"):
        assert part in inside


def test_a_summary_without_any_row_says_so(tmp_path: Path) -> None:
    text = " ".join(pages(pdf(bare(), told(bare(), "es"), "es"), tmp_path))
    assert text.count("No hay nada registrado.") == len([one for one in told(bare(), "es") if not one.lines])


def test_decades_go_over_many_pages_under_the_same_headings(tmp_path: Path) -> None:
    lines = tuple(Line(f"procedure-{n}", (f"Visit {n}", "Tooth 14", "Done", "4 May 2026", "")) for n in range(1500))
    sheets = pages(pdf(full(), [Told("procedures", "Procedures", COLUMNS, lines)]), tmp_path)
    assert len(sheets) > 25
    assert all("Procedure Tooth or area Status Date By" in sheet for sheet in sheets)
    words = " ".join(sheets)
    assert [int(one) for one in re.findall(r"Visit (\d+) Tooth", words)] == list(range(1500))


def test_names_cannot_break_out_of_the_layout_nor_long_words_out_of_their_column(tmp_path: Path) -> None:
    hostile = '#panic("x") $x$ *b* _i_ @ref <label> `raw` \\u{41} // "'
    summary = full()
    subject = msgspec.structs.replace(summary.subject, name=Name((hostile,), hostile), preferred=hostile)
    section = Told("plan", hostile, (hostile, "b"), (Line("plan-1", (hostile, "y" * 300)), Line("plan-2", ("", "z"))))
    content = pdf(msgspec.structs.replace(summary, subject=subject), [section])
    assert '#panic("x") $x$ *b* _i_ @ref <label>' in " ".join(pages(content, tmp_path))
    assert b"pdfuaid:part" in insides(content)


@pytest.mark.parametrize("name", ["Ἑλένη Ωμέγα", "Оксана Їжак", "Đặng Thị Ngọc", "محمد", "李小龍"])
def test_a_name_in_another_script_gives_a_pdf(name: str) -> None:
    summary: Summary = full()
    subject = msgspec.structs.replace(summary.subject, name=Name((name,), name))
    assert pdf(msgspec.structs.replace(summary, subject=subject), told(summary)).startswith(b"%PDF-1.7")


def test_the_same_summary_gives_the_same_bytes() -> None:
    assert pdf(full(), told(full())) == pdf(full(), told(full()))
