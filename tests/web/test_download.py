"""Names of files that somebody else chose."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from econnector.web.download import disposition, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Statement.pdf", "Statement.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\OpenDentImages\\S\\SmithJane12\\bill.pdf", "bill.pdf"),
        ("\\\\server\\share\\x.pdf", "x.pdf"),
        ('a"b\r\nSet-Cookie: x=1.pdf', "abSet-Cookie x=1.pdf"),
        ("", "document"),
        ("..", "document"),
        (".pdf", "pdf"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
        ("a." + "b" * 500, "a." + "b" * 118),
        ("Rechnung für Ana.pdf", "Rechnung für Ana.pdf"),
    ],
)
def test_a_name_loses_whatever_means_something_to_a_file_system(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text())
@example("\N{FULLWIDTH QUOTATION MARK}; x=\N{FULLWIDTH REVERSE SOLIDUS}\N{FULLWIDTH SOLIDUS}.pdf")
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    header = disposition(name, inline=False)
    assert header.isascii()
    assert len(safe_name(name)) <= 120
    assert re.fullmatch(r"attachment; filename=\"[^\"\\\x00-\x1f\x7f]+\"; filename\*=UTF-8''[A-Za-z0-9._~%-]+", header)


def test_the_full_name_travels_beside_the_plain_one() -> None:
    header = disposition("Año.pdf", inline=True)
    assert header == "inline; filename=\"Ano.pdf\"; filename*=UTF-8''A%C3%B1o.pdf"
