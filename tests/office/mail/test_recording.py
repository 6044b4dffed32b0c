"""What Open Dental sees of mail: a patient's mail as one row, sent or failed, and the alert when too many fail."""

import asyncio

from econnector.storage.state import outbox
from tests.office.mail.conftest import Office, letter
from tests.support.mailserver import MailServer

ROWS = "SELECT PatNum, ToAddress, FromAddress, Subject, BodyText, SentOrReceived, MsgType, FailReason FROM emailmessage"
ALERTS = "SELECT ClinicNum, Description FROM alertitem WHERE Type = 22"


async def rows(office: Office, count: int) -> list[tuple[object, ...]]:
    """Wait until there are that many."""
    found: list[tuple[object, ...]] = []
    for _ in range(1200):
        found = await office.sql(f"{ROWS} ORDER BY EmailMessageNum")
        if len(found) == count:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def test_a_patients_mail_stands_in_open_dental_once(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    server.replies["bob@example.com"] = "550 no"
    await office.postbox.hand_in(letter("jane@example.com"), purpose="portal", patient=17, kind="PatPortalReset")
    await office.postbox.hand_in(letter("bob@example.com"), purpose="portal", patient=17, kind="PatPortalReset")
    await office.postbox.hand_in(letter("it@example.com"), purpose="outage")
    sender = "Smile Dental <front@smile.example>"
    same = (17, "PatPortalReset")
    async with office.sending():
        found = await rows(office, 2)
        said = [(row[0], row[6], row[1], row[2], row[3], row[4], row[5]) for row in found]
        assert said[0] == (*same, "jane@example.com", sender, "Your visit", "Hello\n", 1)
        assert said[1] == (*same, "bob@example.com", sender, "Your visit", "Hello\n", 17)
        assert "550" in str(found[1][7])
        await office.mails(lambda mails: all(mail.noted for mail in mails if mail.patient))
        await office.until(lambda counts: (counts["sent"], counts["failed"]) == (2, 1))
        texts = {mail.state: mail.text for mail in await office.postbox.list()}
        assert texts == {"sent": "", "failed": "Hello\n"}  # a failed one may be tried again
        server.replies.clear()
        (failed,) = await office.postbox.list(5, "failed")
        await office.postbox.retry(failed.id)
        await office.mails(lambda mails: all(mail.noted == "sent" for mail in mails if mail.patient))
    assert [(row[5], row[7]) for row in await rows(office, 2)] == [(1, ""), (1, "")]


async def test_a_death_between_the_row_and_its_note_makes_no_second_row(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    await office.postbox.hand_in(letter(), purpose="portal", patient=17, kind="PatPortalReset")
    async with office.sending():
        await office.mails(lambda mails: mails[0].noted == "sent")
    (mail,) = await office.postbox.list()

    def forget(connection: object) -> None:
        values = {"noted": "", "subject": "Your visit", "text": "Hello\n"}
        connection.execute(outbox.OUTBOX.update().values(values))  # type: ignore[attr-defined]

    await office.state.run(forget)
    assert (await office.state.run(outbox.to_note)) is not None
    async with office.sending():
        await office.mails(lambda mails: mails[0].noted == "sent")
    assert len(await rows(office, 1)) == 1
    assert mail.note_at


async def test_two_mails_to_one_patient_in_one_second_are_two_rows(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    for _ in range(3):
        await office.postbox.hand_in(letter(), purpose="portal", patient=17, kind="PatPortalReset")
    async with office.sending():
        await rows(office, 3)


async def test_more_than_the_allowed_failures_in_a_row_raise_the_alert_until_mail_goes_again(
    office: Office, server: MailServer
) -> None:
    await office.account(server.port)
    await office.prefer("EmailAlertMaxConsecutiveFails", "2")
    server.replies["bad@example.com"] = "550 no"
    async with office.sending():
        for count in (1, 2):
            await office.postbox.hand_in(letter("bad@example.com"), purpose="test", clinic=4)
            await office.until(lambda counts, count=count: counts["failed"] == count)  # type: ignore[misc]
        await asyncio.sleep(0.2)
        assert await office.sql(ALERTS) == []
        await office.postbox.hand_in(letter("bad@example.com"), purpose="test", clinic=4)
        for _ in range(1200):
            found = await office.sql(ALERTS)
            if found:
                break
            await asyncio.sleep(0.05)
        assert found[0][0] == 4
        assert str(found[0][1]).startswith("3 consecutive failed email sends detected. ")
        await office.postbox.hand_in(letter("good@example.com"), purpose="test", clinic=4)
        for _ in range(1200):
            if not await office.sql(ALERTS):
                break
            await asyncio.sleep(0.05)
        assert await office.sql(ALERTS) == []
