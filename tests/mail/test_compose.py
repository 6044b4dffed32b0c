"""A letter as bytes: nothing that somebody typed becomes a header, and every letter is readable everywhere."""

import datetime as dt
import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from econnector.base.errors import MailRefused, SenderMissing
from econnector.mail.compose import address_of, compose, new_message_id, usable
from econnector.mail.letter import Letter

AT = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
ID = "<one@econnector.local>"


def read(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_headers_are_whole_and_seven_bit() -> None:
    data = compose(Letter(["jane@exämple.de"], "Café – 9:00", "Grüße\n", ID), "Zähne, Inc. <a@b.example>", AT)
    assert data.isascii()
    found = read(data)
    assert found["From"] == '"Zähne, Inc." <a@b.example>'
    assert found["To"] == "jane@xn--exmple-cua.de"
    assert found["Subject"] == "Café – 9:00"
    assert found["Message-ID"] == ID
    assert found["Date"] == "Sat, 21 Nov 2026 09:30:00 +0000"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found.get_content() == "Grüße\r\n"


@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=200))
def test_nothing_typed_becomes_a_header(subject: str, name: str, text: str) -> None:
    name = name.replace("<", "").replace(">", "")
    data = compose(Letter(["a@b.example"], subject + "\r\nBcc: x@y.example", text, ID), f"{name} <c@d.example>", AT)
    names = {"from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version"}
    names |= {"content-type", "content-transfer-encoding"}
    found = read(data)
    assert {key.lower() for key in found} == names
    assert [str(each) for each in found["To"].addresses] == ["a@b.example"]
    assert address_of(f"{name} <c@d.example>") == "c@d.example"
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))


@pytest.mark.parametrize("address", ["a@b", "front.desk+x@smile.example", "a@exämple.de"])
def test_addresses_that_can_be_used(address: str) -> None:
    assert usable(address)


BROKEN = [
    "",
    "a",
    "@b",
    "a@",
    "a b@c",
    "a@b@c",
    "a@b\n",
    "a@b\r\nDATA",
    "<a@b>",
    "a..b@c",
    ".a@b",
    "a.@b",
    "ä@b",
    "a@b.",
]


@pytest.mark.parametrize("address", [*BROKEN, "a,b@c"])
def test_addresses_that_cannot(address: str) -> None:
    assert not usable(address)
    with pytest.raises(MailRefused):
        compose(Letter([address], "s", "t", ID), "a@b.example", AT)


def test_a_sender_that_is_none_and_an_id_that_is_none() -> None:
    with pytest.raises(SenderMissing):
        address_of("Smile Dental")
    with pytest.raises(MailRefused):
        compose(Letter(["a@b"], "s", "t", "no id\r\nX: y"), "a@b.example", AT)
    assert new_message_id() != new_message_id()
