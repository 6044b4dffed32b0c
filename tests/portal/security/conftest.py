"""An office with a real postbox, and its pages on a real server, joined in one process."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from econnector.eservices.portal.office import portal_answers
from econnector.office.mail.postbox import Postbox
from econnector.opendental import tables
from econnector.opendental.schema import Schemas
from econnector.storage.state.outbox import Mail
from econnector.storage.state.sealing import Seal
from tests.support.practice import Cast, PortalOffice, portal_office, portal_office_sqlite

__all__ = ["portal_office", "portal_office_sqlite"]

MAILBOX = "maria@example.com"


class MailedOffice:
    """An office of the portal whose patient Maria has a mailbox."""

    def __init__(self, office: PortalOffice) -> None:
        self.office, self.seal = office, Seal()
        self.postbox = Postbox(office.state, office.clock)
        self.ask, self.clock, self.state = office.ask, office.clock, office.state
        self.answer_with(0.001)

    def answer_with(self, beat: float) -> None:
        """Answer from now on with this beat, as a connector that has started anew."""
        office = self.office
        office.answers = portal_answers(
            office.database, office.state, Schemas(), office.images, office.clock,
            beat=beat, post=self.postbox, seal=self.seal,
        )  # fmt: skip

    async def mails(self) -> list[Mail]:
        """Return what was handed in, oldest first, once nothing is left to be done."""
        after = {task for task in asyncio.all_tasks() if task.get_name().startswith("portal, after an answer")}
        await asyncio.gather(*after)
        return sorted(await self.postbox.list(), key=lambda mail: mail.id)

    async def code(self) -> str:
        """Return the code in the newest mail."""
        text = (await self.mails())[-1].text
        return next(word for word in text.split() if len(word) == 11 and word[5] == "-")


@pytest.fixture
async def office(portal_office: PortalOffice) -> AsyncIterator[MailedOffice]:
    """An office on every kind of database."""
    await portal_office.change(tables.patient, {"Email": MAILBOX, "Language": ""}, PatNum=Cast.MARIA)
    mailed = MailedOffice(portal_office)
    yield mailed
    await mailed.mails()
    await portal_office.change(tables.patient, {"Email": ""}, PatNum=Cast.MARIA)


@pytest.fixture
async def small(portal_office_sqlite: PortalOffice) -> AsyncIterator[MailedOffice]:
    """An office on SQLite: for what does not depend on the database."""
    await portal_office_sqlite.change(tables.patient, {"Email": MAILBOX}, PatNum=Cast.MARIA)
    mailed = MailedOffice(portal_office_sqlite)
    yield mailed
    await mailed.mails()
