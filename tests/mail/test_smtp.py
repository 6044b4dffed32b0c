"""Sending a letter through real SMTP servers: it arrives whole, and every failure is told apart."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from econnector.base.errors import (
    MailDelayed,
    MailFailure,
    MailLoginRefused,
    MailRefused,
    MailUncertain,
    MailUntrusted,
    SenderMissing,
)
from econnector.mail.compose import new_message_id
from econnector.mail.letter import Account, Letter
from econnector.mail.smtp import deliver, probe
from tests.support.certificates import Authority
from tests.support.mailserver import MailServer, mail_server, silent_server
from tests.support.ports import free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # TLS is there, the library cannot see it
USER, PASSWORD = "front@smile.example", "pässword 1"


def letter(*to: str, **rest: Any) -> Letter:
    fields = {"subject": "Your visit", "text": "Hello\n", "message_id": new_message_id()} | rest
    return Letter(to=list(to or ("jane@example.com",)), **fields)


def account(port: int, **rest: Any) -> Account:
    fields: dict[str, Any] = {
        "host": "localhost",
        "port": port,
        "security": "none",
        "user": "",
        "password": "",
        "sender": "Smile <front@smile.example>",
    }
    return Account(**(fields | rest))


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("mail-ca"))


def test_a_letter_arrives_whole(server: MailServer) -> None:
    text = "Grüße,\n.\n..two dots\nFrom here\n" + "x" * 3000 + "\nlast line"
    sent = letter("jane@example.com", "bob@example.com", subject="Ihr Termin – 9:00", text=text, reply_to="a@b.example")
    deliver(account(server.port), sent, 20)
    (found,) = server.received
    assert (found.sender, found.recipients) == ("front@smile.example", ["jane@example.com", "bob@example.com"])
    assert found.message_id == sent.message_id
    body = found.message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n").rstrip("\n") == text


@pytest.mark.causes("mail-login-refused")
def test_starttls_and_log_in(authority: Authority) -> None:
    certificate = authority.issue()
    with mail_server(users={USER: PASSWORD}, starttls=certificate.context(), auth_required=True) as server:
        good = account(server.port, security="starttls", user=USER, password=PASSWORD, ca=str(authority.file))
        deliver(good, letter(), 20)
        assert (server.received[0].user, server.received[0].encrypted) == (USER, True)
        assert "STARTTLS" in probe(good, 20)
        assert len(server.received) == 1
        with pytest.raises(MailLoginRefused):
            deliver(msgspec.structs.replace(good, password="wrong"), letter(), 20)
        with pytest.raises(MailUntrusted, match="certificate"):
            deliver(msgspec.structs.replace(good, ca=""), letter(), 20)
        with pytest.raises(MailLoginRefused):  # nobody logs in: the server wants it
            deliver(msgspec.structs.replace(good, user=""), letter(), 20)
        assert len(server.received) == 1


def test_tls_from_the_start(authority: Authority) -> None:
    certificate = authority.issue()
    with mail_server(users={USER: PASSWORD}, tls=certificate.context(), auth_required=True) as server:
        good = account(server.port, security="tls", user=USER, password=PASSWORD, ca=str(authority.file))
        deliver(good, letter(), 20)
        assert server.received[0].user == USER
        with pytest.raises(MailUntrusted):
            deliver(msgspec.structs.replace(good, ca=""), letter(), 20)
        with pytest.raises(MailUntrusted, match="certificate authority cannot be read"):
            deliver(msgspec.structs.replace(good, ca="/nowhere/ca.pem"), letter(), 20)


def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    with mail_server(tls=authority.issue("mail.example.com").context()) as server, pytest.raises(MailUntrusted):
        deliver(account(server.port, security="tls", ca=str(authority.file)), letter(), 20)


@pytest.mark.causes("mail-untrusted")
def test_never_silently_without_encryption(server: MailServer) -> None:
    with pytest.raises(MailUntrusted, match="STARTTLS"):
        deliver(account(server.port, security="starttls", user=USER, password=PASSWORD), letter(), 20)
    assert server.received == []


def test_a_server_that_speaks_no_tls_is_not_trusted(server: MailServer) -> None:
    with pytest.raises(MailUntrusted, match="TLS"):
        deliver(account(server.port, security="tls"), letter(), 20)


@pytest.mark.parametrize(
    ("command", "answer", "kind", "phase"),
    [
        ("MAIL", "451 4.7.1 later, please", MailDelayed, "sender"),
        ("MAIL", "553 5.7.1 not your address", MailRefused, "sender"),
        ("MAIL", "530 5.7.0 log in first", MailLoginRefused, "sender"),
        ("RCPT", "450 4.2.0 greylisted", MailDelayed, "recipients"),
        ("RCPT", "550 5.1.1 <jane@example.com> is nobody here", MailRefused, "recipients"),
        ("DATA", "!452 4.3.1 disk full", MailDelayed, "data"),
        ("DATA", "!554 5.5.1 no", MailRefused, "data"),
        ("DATA", "451 4.3.0 scanner away", MailDelayed, "data"),
        ("DATA", "554 5.7.1 spam", MailRefused, "data"),
        ("RCPT", "421 4.3.2 shutting down", MailDelayed, "recipients"),
    ],
)
def test_replies_are_told_apart(
    server: MailServer, command: str, answer: str, kind: type[MailFailure], phase: str
) -> None:
    server.replies[command] = answer
    with pytest.raises(MailFailure) as caught:
        deliver(account(server.port), letter(), 20)
    assert type(caught.value) is kind
    assert caught.value.facts["phase"] == phase
    assert answer.lstrip("!")[:3] in caught.value.facts["reason"]
    assert "jane@example.com" not in caught.value.office_text()


def test_a_recipient_who_is_refused_does_not_stop_the_others(server: MailServer) -> None:
    server.replies["bad@example.com"] = "550 no"
    deliver(account(server.port), letter("bad@example.com", "good@example.com"), 20)
    assert server.received[0].recipients == ["good@example.com"]
    server.replies["good@example.com"] = "450 later"
    with pytest.raises(MailDelayed):  # one of them may work later
        deliver(account(server.port), letter("bad@example.com", "good@example.com"), 20)


def test_a_mail_that_was_cut_off_in_the_middle_was_not_accepted(server: MailServer) -> None:
    server.cut = {"MIDDLE"}
    with pytest.raises(MailDelayed) as caught:
        deliver(account(server.port), letter(text="x" * 4_000_000), 20)
    assert type(caught.value) is MailDelayed


@pytest.mark.causes("mail-uncertain")
def test_an_answer_that_was_cut_off_is_uncertain(server: MailServer) -> None:
    server.cut = {"ANSWER"}
    with pytest.raises(MailUncertain):
        deliver(account(server.port), letter(), 20)
    assert len(server.received) == 1


def test_one_deadline_for_all_of_it(server: MailServer) -> None:
    server.hang = {"RCPT"}
    with pytest.raises(MailDelayed, match="no answer in time"):
        deliver(account(server.port), letter(), 0.5)
    server.hang = {"DATA"}
    with pytest.raises(MailUncertain):  # given the time to come that far
        deliver(account(server.port), letter(), 5)


@pytest.mark.parametrize("drip", [b"", b"2"])
def test_a_server_that_hangs_or_drips_cannot_hold_us(drip: bytes) -> None:
    others = set(threading.enumerate())
    with silent_server(drip=drip) as port, pytest.raises(MailDelayed, match="no answer in time") as caught:
        deliver(account(port), letter(), 0.7)
    assert caught.value.facts["phase"] == "connecting"
    deadline = time.monotonic() + 90
    while any(thread.name == "smtp" for thread in set(threading.enumerate()) - others):
        assert time.monotonic() < deadline, "the talk went on"
        time.sleep(0.02)


@pytest.mark.causes("mail-delayed")
def test_nobody_there() -> None:
    with pytest.raises(MailDelayed, match="nothing accepts connections"):
        deliver(account(free_port()), letter(), 20)
    with pytest.raises(MailDelayed, match="DNS"):
        deliver(account(25, host="mail.invalid"), letter(), 20)


@pytest.mark.causes("sender-missing")
@pytest.mark.parametrize("sender", ["", "   ", "front desk", "Smile <>"])
def test_a_missing_sender_is_said_in_the_words_people_search_for(sender: str) -> None:
    with pytest.raises(SenderMissing) as caught:
        deliver(account(1, sender=sender), letter(), 5)
    assert "The parameter 'address' cannot be an empty string" in caught.value.office_text()


@pytest.mark.causes("mail-refused")
def test_an_address_that_is_none_is_refused_for_good() -> None:
    for address in ("", "nobody", "a b@c.example", "a@b.example\r\nRCPT TO:<x@y.example>"):
        with pytest.raises(MailRefused):
            deliver(account(1), letter(address), 5)
