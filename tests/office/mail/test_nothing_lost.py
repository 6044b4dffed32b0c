"""Many mails, the process that sends them killed again and again, the mail server down twice: none is missing."""

import asyncio
import collections
import os
import signal
from collections import Counter

import pytest

from econnector.mail.compose import new_message_id
from econnector.storage.state import meta
from econnector.storage.state.outbox import Mail, put
from tests.office.mail.conftest import Office
from tests.support import mailserver
from tests.support.mailserver import MailServer, Received

MAILS, KILLS, OUTAGES = 130, 6, (40, 90)
"""Kills by turns before and after the server's answer, each outage between two of them; many more add nothing new."""


class Killer:
    """Kills the sending process at given numbers of accepted mails: in turn before and after the server's answer."""

    def __init__(self, office: Office, server: MailServer) -> None:
        self.office, self.server = office, server
        self.excused: set[str] = set()
        """Accepted by the server, and the answer never arrived."""
        self.kills = 0
        step = MAILS // (KILLS + 1)
        self._accepting = {number * step for number in range(1, KILLS, 2)}
        self._naming = {number * step for number in range(2, KILLS + 1, 2)}
        server.on_received, server.on_command = self._accepted, self._command
        self._down = collections.deque(OUTAGES)
        self.down = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def _kill(self) -> None:
        os.kill(self.office.sender.process.pid, signal.SIGKILL)
        self.kills += 1

    def _accepted(self, mail: Received) -> None:
        count = len(self.server.received)
        if count in self._accepting:
            self._accepting.discard(count)
            self.excused.add(mail.message_id)
            self._kill()
        if self._down and count >= self._down[0]:
            self._down.popleft()
            self.excused.add(mail.message_id)
            self._loop.call_soon_threadsafe(self.down.set)

    def _command(self, command: str) -> None:
        count = len(self.server.received)
        if command == "RCPT" and count in self._naming:
            self._naming.discard(count)
            self._kill()


async def hand_in(office: Office) -> None:
    """Hand in all mails at once, as one transaction: the queue is what is proved here."""
    now = office.clock.now().timestamp()
    mails = [
        Mail(
            message_id=new_message_id(),
            recipient=f"patient{number}@example.com",
            purpose="test",
            subject=f"Mail {number}",
            text=f"Body {number}\n",
            created=now,
            due=now,
            until=now + 1e6,
        )
        for number in range(MAILS)
    ]
    await office.state.run(lambda connection: [put(connection, mail) for mail in mails])


async def restart_server_each_time_it_was_missed(office: Office, server: MailServer, killer: Killer) -> None:
    for _ in OUTAGES:
        await killer.down.wait()
        killer.down.clear()
        await asyncio.to_thread(server.stop)
        await office.state.run(meta.write, "mail", "")
        while "mail-delayed" not in await office.state.run(meta.read, "mail"):  # noqa: ASYNC110 - in the state file
            await asyncio.sleep(0.03)
        await asyncio.to_thread(mailserver.start, server)


@pytest.mark.timeout(300)
async def test_every_mail_arrives_whatever_dies(office: Office, server: MailServer) -> None:
    await office.account(server.port)
    await office.prefer("SendEmailsInDiffProcess", "1")
    await hand_in(office)
    office.accounts._live = 300.0  # the account stays as it is
    killer = Killer(office, server)
    async with office.sending():
        outages = asyncio.create_task(restart_server_each_time_it_was_missed(office, server, killer))
        await office.until(lambda counts: counts["sent"] == MAILS, seconds=240)
        await outages
    assert killer.kills == KILLS

    # None is missing, each was sent under one id alone, and a second copy is only of a mail whose answer was cut off.
    subjects = {str(each.message["Subject"]) for each in server.received}
    assert subjects == {f"Mail {number}" for number in range(MAILS)}
    assert len({(str(each.message["Subject"]), each.message_id) for each in server.received}) == MAILS
    copies = {message_id for message_id, count in Counter(server.ids()).items() if count > 1}
    assert copies <= killer.excused
    assert max(Counter(server.ids()).values()) <= 2
    assert {mail.text for mail in await office.postbox.list(MAILS)} == {""}
