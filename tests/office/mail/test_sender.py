"""What becomes of a mail: sent, waiting, failed; the account's trouble is the account's; a person can hold it all."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import ValueRejected
from econnector.base.loops import loop_factory
from econnector.mail.letter import Account
from econnector.office.mail import standing, transport
from econnector.office.mail.postbox import Postbox
from econnector.storage.state import failures, meta, outbox
from econnector.storage.state.base import join_state
from tests.office.mail.conftest import Office, letter
from tests.support.freezing import freeze
from tests.support.mailserver import MailServer, mail_server
from tests.support.ports import free_port


async def test_the_same_id_is_one_mail_and_every_recipient_gets_their_own(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    both = letter("a@example.com", "b@example.com", "a@example.com")
    await office.postbox.hand_in(both, purpose="outage")
    await office.postbox.hand_in(both, purpose="outage")
    async with office.sending():
        await office.until(lambda counts: counts["sent"] == 2)
        await office.postbox.hand_in(both, purpose="outage")
        await office.postbox.hand_in(letter("c@example.com"), purpose="outage")
        await office.until(lambda counts: counts["sent"] == 3)
    assert sorted(each.recipients for each in server.received) == [
        ["a@example.com"],
        ["b@example.com"],
        ["c@example.com"],
    ]
    assert str(server.received[0].message["From"]) == "Smile Dental <front@smile.example>"


async def test_the_oldest_goes_first_and_its_text_is_dropped(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    for number in range(4):
        await office.postbox.hand_in(letter(f"p{number}@example.com", text="secret of a patient"), purpose="test")
    async with office.sending():
        await office.until(lambda counts: counts["sent"] == 4)
    assert [each.recipients[0][:2] for each in server.received] == ["p0", "p1", "p2", "p3"]
    assert {(mail.subject, mail.text) for mail in await office.postbox.list()} == {("", "")}


async def test_a_refused_mail_fails_with_the_reason_and_can_be_tried_again(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    server.replies["gone@example.com"] = "550 5.1.1 <gone@example.com> no such user"
    await office.postbox.hand_in(letter("gone@example.com"), purpose="test")
    await office.postbox.hand_in(letter("here@example.com"), purpose="test")
    async with office.sending():
        await office.until(lambda counts: (counts["failed"], counts["sent"]) == (1, 1))
        (failed,) = await office.postbox.list(10, "failed")
        assert failed.code == "mail-refused"
        assert "550" in failed.reason
        assert "gone@example.com" not in failed.reason
        assert await office.state.run(failures.find, failed.reference)
        server.replies.clear()
        await office.postbox.retry(failed.id)
        await office.until(lambda counts: counts["sent"] == 2)
    with pytest.raises(ValueRejected):
        await office.postbox.retry(failed.id)
    with pytest.raises(ValueRejected):
        await office.postbox.remove(failed.id)


async def test_a_delayed_mail_is_tried_again_until_it_goes(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    server.replies["grey@example.com"] = "450 4.2.0 greylisted"
    await office.postbox.hand_in(letter("grey@example.com"), purpose="test")
    async with office.sending():
        (grey,) = await office.mails(lambda mails: mails[0].tries >= 3)
        assert await office.state.run(failures.find, grey.reference), "also after several tries"
        await office.postbox.hand_in(letter("other@example.com"), purpose="test")
        await office.until(lambda counts: counts["sent"] == 1)
        server.replies.clear()
        await office.until(lambda counts: counts["sent"] == 2)


async def test_a_mail_is_given_up_when_its_time_is_over(office: Office) -> None:
    clock = ManualClock()
    office = Office(office.folder, f"sqlite:///{office.folder / 'practice.sqlite'}", office.state, clock)
    await office.account(free_port())
    await office.postbox.hand_in(letter(), purpose="test", days=2)
    async with office.sending():
        await office.mails(lambda mails: mails[0].reason)
        clock.advance(2 * outbox.DAY)
        await office.until(lambda counts: counts["failed"] == 1)
    (mail,) = await office.postbox.list()
    assert "nothing accepts connections" in mail.reason
    await office.close()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"SenderAddress": "", "EmailUsername": ""}, "sender-missing"),
        ({"AuthenticationType": 2}, "mail-oauth"),
        ({"EmailPassword": "not what Open Dental writes"}, "mail-password-unreadable"),
        ({"UseSSL": 1}, "mail-untrusted"),
        ({"ServerPort": free_port()}, "mail-delayed"),
    ],
)
async def test_an_account_in_trouble_holds_its_mail_until_it_is_set_right(
    office: Office, server: MailServer, values: dict[str, object], code: str
) -> None:
    await office.account(server.port, **values)
    for _ in range(3):
        await office.postbox.hand_in(letter(), purpose="test")
    async with office.sending():
        await office.mails(lambda mails: {mail.code for mail in mails} == {code})
        counts = await office.postbox.counts()
        assert counts["waiting"] + counts["sending"] == 3
        said = standing.decode(await office.state.run(meta.read, standing.NAME))
        assert [account.code for account in said.accounts.values()] == [code]
        await office.account(server.port)
        await office.until(lambda counts: counts["sent"] == 3)
        said = standing.decode(await office.state.run(meta.read, standing.NAME))
    assert {name: account.code for name, account in said.accounts.items()} == {"front@smile.example": ""}


async def test_a_trouble_that_lasts_is_found_by_its_reference(office: Office) -> None:
    await office.account(free_port())
    for _ in range(2):
        await office.postbox.hand_in(letter(), purpose="test")
    async with office.sending():
        mails = await office.mails(lambda mails: sum(mail.tries for mail in mails) >= 3)
    said = standing.decode(await office.state.run(meta.read, standing.NAME))
    for reference in {mail.reference for mail in mails} | {each.reference for each in said.accounts.values()}:
        assert await office.state.run(failures.find, reference)


async def test_a_server_that_refuses_the_sender_refuses_no_mail(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    server.replies["MAIL"] = "553 5.7.1 sender address not owned by user"
    for _ in range(3):
        await office.postbox.hand_in(letter(), purpose="test")
    async with office.sending():
        await office.mails(lambda mails: {mail.code for mail in mails} == {"mail-refused"})
        assert (await office.postbox.counts())["failed"] == 0
        server.replies.clear()
        await office.until(lambda counts: counts["sent"] == 3)


async def test_a_wrong_password_is_the_accounts_trouble(office: Office) -> None:
    with mail_server(users={"front@smile.example": "secret words"}) as server:
        await office.account(server.port, EmailPassword="")
        for _ in range(5):
            await office.postbox.hand_in(letter(), purpose="test")
        async with office.sending():
            await office.mails(lambda mails: {mail.code for mail in mails} == {"mail-login-refused"})
            assert sum(mail.tries for mail in await office.postbox.list()) < 50
            await office.account(server.port)
            await office.until(lambda counts: counts["sent"] == 5)
        assert {each.user for each in server.received} == {"front@smile.example"}


async def test_nothing_is_sent_while_it_is_paused_also_from_another_process(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    beside = await join_state(office.folder / "state" / "office.sqlite")
    other = Postbox(beside)
    await other.pause()
    async with office.sending():
        await office.postbox.hand_in(letter("a@example.com"), purpose="test")
        await office.postbox.hand_in(letter("b@example.com"), purpose="test")
        await asyncio.sleep(0.3)
        assert server.received == []
        (first, _) = sorted(await other.list(), key=lambda mail: mail.id)
        await other.remove(first.id)
        await other.resume()
        await office.until(lambda counts: counts["sent"] == 1)
    assert server.received[0].recipients == ["b@example.com"]
    (removed,) = await other.list(5, "removed")
    assert removed.text == ""
    await beside.close()


async def test_a_pause_costs_no_mail_its_time(office: Office) -> None:
    clock = ManualClock()
    postbox = Postbox(office.state, clock)
    await postbox.hand_in(letter(), purpose="test", days=1)
    await postbox.pause()
    clock.advance(3 * outbox.DAY)
    assert await office.state.run(outbox.expire, clock.now().timestamp()) == 0
    await postbox.resume()
    assert await office.state.run(outbox.expire, clock.now().timestamp()) == 0
    clock.advance(outbox.DAY)
    assert await office.state.run(outbox.expire, clock.now().timestamp()) == 1


async def test_what_ended_is_forgotten_after_thirty_days(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    await office.postbox.hand_in(letter(), purpose="test")
    async with office.sending():
        await office.until(lambda counts: counts["sent"] == 1)
    now = office.clock.now().timestamp()
    assert await office.state.run(outbox.sweep, now + 29 * outbox.DAY) == 0
    assert await office.state.run(outbox.sweep, now + 31 * outbox.DAY) == 1


async def test_while_the_database_is_away_the_account_last_seen_is_used(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    await office.postbox.hand_in(letter(), purpose="test")
    async with office.sending():
        await office.until(lambda counts: counts["sent"] == 1)
        await office.sql("ALTER TABLE emailaddress RENAME TO gone")  # the next question fails as a lost server's does
        await office.sql("ALTER TABLE preference RENAME TO gone_too")
        await office.postbox.hand_in(letter(), purpose="outage")
        await office.until(lambda counts: counts["sent"] == 2)


async def test_the_process_is_chosen_while_the_connector_runs(
    office: Office, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_GRACE_SECONDS", 1.0)
    await office.account(server.port)
    async with office.sending():
        await office.postbox.hand_in(letter(), purpose="test")
        await office.until(lambda counts: counts["sent"] == 1)
        assert office.sender.process.pid == 0
        await office.prefer("SendEmailsInDiffProcess", "1")
        await office.postbox.hand_in(letter(), purpose="test")
        await office.until(lambda counts: counts["sent"] == 2)
        pid = office.sender.process.pid
        words = await asyncio.to_thread(
            subprocess.check_output, ["ps", "eww", "-o", "args=", "-p", str(pid)], text=True
        )
        assert "secret" not in words
        assert "ECONNECTOR" not in words
        freeze(pid)  # it hangs: it is replaced
        await office.prefer("EmailSendExternalTimeoutMs", "500")
        await office.postbox.hand_in(letter(), purpose="test")
        await office.until(lambda counts: counts["sent"] == 3, seconds=60)
        assert office.sender.process.pid not in {0, pid}
        await office.prefer("SendEmailsInDiffProcess", "0")
        await office.postbox.hand_in(letter(), purpose="test")
        await office.until(lambda counts: counts["sent"] == 4)
        assert office.sender.process.pid == 0


def test_a_process_that_was_killed_between_two_mails_is_replaced(server: MailServer) -> None:
    """On the loop that a connector runs on: it has its own word for a pipe whose other end has died."""
    account = Account("127.0.0.1", server.port, "none", "", "", "front@smile.example")

    async def twice() -> None:
        process = transport.ChildTransport()
        await process.deliver(account, letter(), 60.0, 120.0)
        os.kill(process.pid, signal.SIGKILL)
        assert process._child is not None
        await process._child.wait()
        await process.deliver(account, letter(), 60.0, 120.0)
        await process.close()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(twice())
    assert len(server.received) == 2


def test_the_process_that_sends_knows_no_database() -> None:
    code = "import sys, econnector.office.mail.child; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"sqlalchemy", "pymysql", "sqlite3", "econnector.storage"} & set(modules)


SCRIPT = """
import asyncio, sys
from pathlib import Path
from econnector.storage.state.base import open_state
from tests.office.mail.conftest import Office

async def main(folder):
    office = Office(folder, f"sqlite:///{folder / 'practice.sqlite'}", await open_state(folder / "state/office.sqlite"))
    await office.sender.run()

asyncio.run(main(Path(sys.argv[1])))
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start a connector's sender as a process of its own."""
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], cwd=Path(__file__).parents[3])


async def test_a_connector_that_dies_loses_no_mail_and_keeps_its_id(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    for number in range(12):
        await office.postbox.hand_in(letter(f"p{number}@example.com"), purpose="test")
    await office.state.close()
    process: list[subprocess.Popen[bytes]] = []

    def kill(_: object) -> None:
        if len(server.received) in {3, 8}:
            process[-1].kill()

    server.on_received = kill
    for _ in range(2):
        process.append(start(office.folder))
        assert await asyncio.to_thread(process[-1].wait, 60) == -signal.SIGKILL
    process.append(start(office.folder))
    beside = await join_state(office.folder / "state" / "office.sqlite")
    try:
        async with asyncio.timeout(60):
            while (await Postbox(beside).counts())["sent"] < 12:  # noqa: ASYNC110 - another process's file
                await asyncio.sleep(0.05)
    finally:
        process[-1].kill()
        process[-1].wait()
        await beside.close()
    assert {each.recipients[0] for each in server.received} == {f"p{number}@example.com" for number in range(12)}
    assert len(server.received) == 14  # the two whose answer nobody was left to read
    assert len(set(server.ids())) == 12


def test_a_standing_of_another_version_says_nothing() -> None:
    assert standing.decode('{"accounts": 3}') == standing.Standing()
