"""The reader of XML believes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econnector.base.errors import PaymentGatewayRefused, PaymentGatewaySilent
from econnector.payments.answers import Reader, spoken
from econnector.payments.contract import FINAL, PAID, Outcome
from econnector.payments.exchange import Exchange
from econnector.payments.fields import Fields, UnreadableError, amount_text, read_fields, write_fields
from econnector.payments.way import Way
from tests.payments.conftest import XWEB, new_order

NAMES = ("RESPONSECODE", "AMOUNT", "APPROVEDAMOUNT", "ORDERID", "ALIAS", "EXPDATE", "RESPONSEDESCRIPTION", "EXPMONTH")
BOMB = b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a><ResponseCode>&d;</ResponseCode></a>'


def judged(body: bytes) -> Outcome | None:
    """Return the outcome that an answer is taken for; None for one of the catalogue's failures."""
    reader = Reader(XWEB, Exchange("XWeb", Way(proxy=False)))
    try:
        return reader.outcome("https://gw.example/", new_order(), read_fields(body))
    except (UnreadableError, PaymentGatewaySilent, PaymentGatewayRefused):
        return None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    assert judged(body) is None


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=20) | st.from_regex(r"[0-9.-]{0,7}", fullmatch=True)))
def test_any_values(values: dict[str, str]) -> None:
    outcome = judged(write_fields("RESULT", {"RESPONSECODE": "0", **values}))
    if outcome is not None:
        assert (outcome.cents > 0) is (outcome.state in PAID)
        assert outcome.state in FINAL | {"pending", "unknown"}


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><ResponseCode>000</ResponseCode></a>',
        b"<a>" * 9 + b"</a>" * 9,
        b"<a>" + b"<b>1</b>" * 500 + b"</a>",
        b"<a>" + b" " * 70_000 + b"</a>",
        b"<a><ResponseCode>000</ResponseCode><ResponseCode>001</ResponseCode></a>",
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b"<a><ResponseCode>000</ResponseCode>",
    ],
)
def test_what_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_fields(body)


def test_what_is_written_is_read() -> None:
    values = {"ORDERID": "0000000001", "SuccessURL": "https://a.example/?a=1&b=<2>"}
    read = read_fields(write_fields("REQUEST", values))
    assert (read.text("ORDERID"), read.text("SUCCESSURL")) == tuple(values.values())
    assert [amount_text(cents) for cents in (100, 5, 123_456)] == ["1.00", "0.05", "1234.56"]


@pytest.mark.parametrize("amount", ["1.005", "NaN", "-1.00", "1,000.00", "Infinity", "9" * 20, "1e9"])
def test_amounts_that_are_none(amount: str) -> None:
    with pytest.raises(UnreadableError):
        Fields("a", {"AMOUNT": amount}).cents("AMOUNT")


def test_an_approval_of_less_is_a_part() -> None:
    outcome = judged(write_fields("RESULT", {"RESPONSECODE": "000", "APPROVEDAMOUNT": "100.00"}))
    assert outcome is not None
    assert (outcome.state, outcome.cents) == ("partial", 10_000)


@pytest.mark.parametrize("values", [{"RESPONSECODE": "007"}, {"RESPONSECODE": "000", "AMOUNT": "0.00"}])
def test_an_approval_of_an_unknown_amount_is_none(values: dict[str, str]) -> None:
    assert judged(write_fields("RESULT", values)) is None


def test_an_answer_about_another_order_is_none() -> None:
    assert judged(write_fields("RESULT", {"RESPONSECODE": "000", "AMOUNT": "123.45", "ORDERID": "9"})) is None
    assert judged(write_fields("RESULT", {"RESPONSECODE": "000", "AMOUNT": "123.45"})) is not None


def test_words_of_a_processor_hide_numbers_and_secrets() -> None:
    said = spoken(f"Card 4242 4242 4242 4242 with {XWEB.auth_key}\x00 refused", XWEB.auth_key)
    assert said == "Card … with … refused"
