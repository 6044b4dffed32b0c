"""Amounts as people type them."""

import pytest

from econnector.web.amounts import cents_of


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("120", 12000), ("$120", 12000), ("120.5", 12050), ("0,99", 99), (" $ 1,234.50 ", 123450),
        ("1.234,50 $", 123450), ("1\N{NO-BREAK SPACE}234,50", 123450), ("1,234", 123400), ("1.234.567", 123456700),
        ("007", 700),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_was_meant(text: str, cents: int) -> None:
    assert cents_of(text) == cents


@pytest.mark.parametrize(
    "text", ["", "$", "-5", "1e3", "12.345.6", "1,23,4", "1.2.3", "5 dollars", "١٢", "1" * 10, "1,234,50"]
)
def test_what_may_be_meant_otherwise_is_no_amount(text: str) -> None:
    assert cents_of(text) is None
