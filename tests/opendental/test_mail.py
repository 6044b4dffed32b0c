"""Mail accounts as Open Dental chooses them, its stored passwords, patients' mail, and the alert about failing mail."""

import datetime as dt

import msgspec
import pytest

from econnector.base.errors import MailOauth, MailPasswordUnreadable, SenderMissing
from econnector.opendental import alerts, emailaddresses, emailmessages, preferences
from econnector.opendental.alerts import Kind
from econnector.opendental.emailaddresses import MailAddress, decrypted, encrypted
from econnector.opendental.emailmessages import PatientMail
from tests.opendental.conftest import Practice

ACCOUNT = MailAddress(1, "mail.example.com", 587, True, "front@smile.example", encrypted("secret"), "", 0)


async def add(practice: Practice, number: int, **values: object) -> None:
    row: dict[str, object] = {
        "EmailAddressNum": number,
        "SMTPserver": "mail.example.com",
        "EmailUsername": f"user{number}@smile.example",
        "EmailPassword": encrypted("secret"),
        "ServerPort": 587,
        "UseSSL": 1,
        "SenderAddress": "",
        "Pop3ServerIncoming": "",
        "ServerPortIncoming": 0,
        "UserNum": 0,
        "AccessToken": "",
        "RefreshToken": "",
        "DownloadInbox": 0,
    }
    row |= {name: value for name, value in values.items() if practice.schema.has("emailaddress", name)}
    for name, value in (("QueryString", ""), ("AuthenticationType", 0)):
        if practice.schema.has("emailaddress", name):
            row.setdefault(name, value)
    await practice.sql(
        f"INSERT INTO emailaddress ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", **row
    )


async def chosen(practice: Practice, clinic: int = 0) -> int:
    found = await practice.run(emailaddresses.for_clinic, clinic)
    return found.number if found else 0


async def test_the_clinics_account_then_the_default_then_the_first(practice: Practice) -> None:
    await practice.sql("DELETE FROM emailaddress")
    await practice.sql("DELETE FROM clinic")
    assert await chosen(practice) == 0
    await add(practice, 3, UserNum=7)
    assert await chosen(practice) == 0  # one user's own
    await add(practice, 4)
    await add(practice, 5)
    await add(practice, 6)
    assert await chosen(practice) == 4
    await practice.run(preferences.write, "EmailDefaultAddressNum", "5")
    assert await chosen(practice) == 5
    assert await practice.run(emailaddresses.for_notices) is None
    await practice.run(preferences.write, "EmailNotifyAddressNum", "4")
    notice = await practice.run(emailaddresses.for_notices)
    assert notice is not None
    assert (notice.number, notice.password()) == (4, "secret")


async def test_a_clinic_has_its_own_account_and_its_own_name(practice: Practice) -> None:
    if practice.free.dialect == "sqlite":
        pytest.skip("there a row needs every column of the table")
    await practice.sql("DELETE FROM emailaddress")
    await add(practice, 5)
    await add(practice, 6)
    await practice.sql("DELETE FROM clinic")
    await practice.sql("INSERT INTO clinic (ClinicNum, Description, EmailAddressNum) VALUES (2, 'North', 6)")
    assert await chosen(practice, 2) == 6
    await practice.sql("UPDATE clinic SET EmailAddressNum = 99")  # an account that is gone
    assert await chosen(practice, 2) == 5
    if practice.schema.has("clinic", "EmailAliasOverride"):
        await practice.sql("UPDATE clinic SET EmailAliasOverride = 'Smile North'")
        found = await practice.run(emailaddresses.for_clinic, 2)
        assert found is not None
        assert found.sender == "Smile North <user5@smile.example>"


@pytest.mark.causes("mail-oauth")
async def test_an_account_that_signs_in_through_the_browser_is_told_apart(practice: Practice) -> None:
    await practice.sql("DELETE FROM emailaddress")
    await add(practice, 1, AuthenticationType=2, AccessToken="ya29.token")
    found = await practice.run(emailaddresses.for_clinic)
    assert found is not None
    with pytest.raises(MailOauth):
        found.check()


def test_the_sender_is_the_senders_address_or_the_user_name() -> None:
    assert ACCOUNT.sender == "front@smile.example"
    named = msgspec.structs.replace(ACCOUNT, sender_address=" Smile <hello@smile.example> ")
    assert named.sender == "Smile <hello@smile.example>"
    assert msgspec.structs.replace(named, alias="North").sender == "North <hello@smile.example>"
    nobody = msgspec.structs.replace(ACCOUNT, user="")
    with pytest.raises(SenderMissing, match="address' cannot be an empty string"):
        nobody.check()


def test_one_switch_and_a_port_say_how_it_is_encrypted() -> None:
    assert ACCOUNT.security == "starttls"
    assert msgspec.structs.replace(ACCOUNT, port=465, encrypted=False).security == "tls"
    assert msgspec.structs.replace(ACCOUNT, port=25, encrypted=False).security == "none"


@pytest.mark.causes("mail-password-unreadable")
def test_passwords_are_stored_as_open_dental_stores_them() -> None:
    # Made with OpenSSL: aes-128-cbc, all-zero IV, the key that Open Dental publishes.
    assert encrypted("secret") == "BJSgigrHVdQJIGshRKJW+Q=="
    assert decrypted(encrypted("pässwörd with 32 characters ....")) == "pässwörd with 32 characters ...."
    assert msgspec.structs.replace(ACCOUNT, stored="").password() == ""
    for wrong in ("secret", "####", "YWJj", encrypted("x")[:-4] + "AAAA"):
        with pytest.raises(MailPasswordUnreadable):
            msgspec.structs.replace(ACCOUNT, stored=wrong).password()
    assert "secret" not in repr(ACCOUNT)


MAIL = PatientMail(
    patient=17,
    to="jane@example.com",
    sender="front@smile.example",
    subject="Your password",
    text="It was changed.",
    kind="PatPortalReset",
    at=dt.datetime(2026, 11, 21, 9, 30),  # noqa: DTZ001 - office time
)


async def rows(practice: Practice) -> list[tuple[object, ...]]:
    columns = "PatNum, ToAddress, FromAddress, Subject, BodyText, SentOrReceived, MsgType, FailReason"
    return await practice.sql(f"SELECT {columns} FROM emailmessage")


async def test_one_mail_is_one_row_however_often_it_is_noted(practice: Practice) -> None:
    await practice.sql("DELETE FROM emailmessage")
    first = await practice.run(emailmessages.note, msgspec.structs.replace(MAIL, reason="550 " + "x" * 300))
    assert await practice.run(emailmessages.note, msgspec.structs.replace(MAIL, reason="550")) == first
    assert [row[5:] for row in await rows(practice)] == [(17, "PatPortalReset", "550")]
    assert await practice.run(emailmessages.note, MAIL) == first
    text = "It was changed."
    kept = (17, "jane@example.com", "front@smile.example", "Your password", text, 1, "PatPortalReset", "")
    assert await rows(practice) == [kept]
    later = msgspec.structs.replace(MAIL, at=MAIL.at + dt.timedelta(seconds=1))
    assert await practice.run(emailmessages.note, later) != first


async def test_the_alert_about_mail_is_there_once_per_clinic(practice: Practice) -> None:
    assert await practice.run(alerts.raise_once, Kind.MAIL_FAILS, "4 consecutive failed email sends detected.", 2)
    assert not await practice.run(alerts.raise_once, Kind.MAIL_FAILS, "5 consecutive failed email sends detected.", 2)
    assert await practice.run(alerts.raise_once, Kind.MAIL_FAILS, "4 consecutive failed email sends detected.", 3)
    found = await practice.sql("SELECT ClinicNum, Severity, Actions FROM alertitem WHERE Type = 22 ORDER BY ClinicNum")
    assert found == [(2, 2, 5), (3, 2, 5)]
    assert await practice.guarded.run(alerts.clear, Kind.MAIL_FAILS, 2) == 1
    assert await practice.sql("SELECT ClinicNum FROM alertitem WHERE Type = 22") == [(3,)]
