"""Contacts are told by mail: once each, whatever dies meanwhile, with cause and next step, and never too often."""

import asyncio
import datetime as dt
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from econnector.base.clock import ManualClock
from econnector.hq.metrics import Metrics
from econnector.hq.notify import Notifier
from econnector.hq.registry import connectors, contacts, crowd, dispatch, heartbeats, history, notices, offices
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.crowd import Gone
from econnector.hq.registry.database import Registry
from econnector.hq.registry.heartbeats import Place
from econnector.hq.registry.tables import notices as notice_rows
from econnector.link.calls import Heartbeat, OfficeContact, Outage
from econnector.mail.contacts import checked
from econnector.mail.letter import Account
from tests.hq.conftest import NOW
from tests.support.mailserver import MailServer, Received, mail_server

PAT = OfficeContact("Pat Example", "Pat@Smile.example", purpose="IT")
ANA = OfficeContact("Ana Ejemplo", "ana@smile.example", "es")


class Office:
    """An office at HQ whose time is moved by hand."""

    def __init__(self, vendor: "Vendor", name: str) -> None:
        self.vendor, self.name = vendor, name
        self.office, self.key = vendor.registry.run_now(offices.add, name, vendor.clock.now(), title=f"{name} Dental")
        self.place = Place(0, 0)
        self.linked = False
        self.ahead = dt.timedelta()
        self.saying: dict[str, Any] = {}
        """What every heartbeat says."""

    def connect(self) -> None:
        identity = hashlib.sha256(self.name.encode()).hexdigest()
        who = Presented(identity, identity[:32], "FRONTDESK", key=self.key)
        granted = self.vendor.registry.run_now(connectors.admit, who, self.vendor.clock.now())
        assert isinstance(granted, Granted)
        self.place, self.linked = Place(self.office.id, granted.epoch), True

    def say(self, **values: Any) -> None:
        now, values = self.vendor.clock.now(), self.saying | values
        said = Heartbeat("0.1.0", machine="FRONTDESK", utc_offset=-480, clock=(now + self.ahead).isoformat(), **values)
        self.vendor.registry.run_now(heartbeats.save, self.place, said, now)
        if said.contacts is not None:
            self.vendor.registry.run_now(contacts.told, self.office.id, said.contacts, now)

    def lose(self, reason: str = "lost") -> None:
        now, self.linked = self.vendor.clock.now(), False
        self.vendor.registry.run_now(crowd.retire, [Gone(self.office.id, self.place.epoch, reason)], now)

    def back(self, **values: Any) -> None:
        self.connect()
        self.say(**values)

    def kinds(self) -> list[str]:
        events = self.vendor.registry.run_now(history.recent, self.office.id)
        return [each.kind for each in reversed(events)]


class Vendor:
    """HQ's notifiers on one registry, with a mail server."""

    def __init__(self, url: str, server: MailServer) -> None:
        self.clock, self.server = ManualClock(NOW), server
        self.registry = Registry(url)
        self.account = Account("127.0.0.1", server.port, "none", "", "", "eConnector <noreply@hq.example>")
        self.notifier = self.node()
        self.offices: list[Office] = []

    def node(self) -> Notifier:
        return Notifier(self.registry, self.account, Metrics(lambda: 0), 300, self.clock)

    def office(self, name: str = "smile") -> Office:
        made = Office(self, name)
        self.offices.append(made)
        made.back(contacts=[PAT])
        return made

    async def go(self, seconds: float = 0.0) -> list[Received]:
        """Let time pass: HQ looks and sends, offices with a link report. Return the mails since, but not greetings."""
        before = len(self.server.received)
        ends = self.clock.now() + dt.timedelta(seconds=seconds)
        while True:
            await self.notifier.look()
            while await self.notifier.send():
                pass
            left = (ends - self.clock.now()).total_seconds()
            if left <= 0:
                return [each for each in self.server.received[before:] if "contact" not in kind_of(each)]
            self.clock.advance(min(left, 60.0))
            for office in self.offices:
                if office.linked:
                    office.say()

    def states(self) -> list[str]:
        wanted = sa.select(notice_rows.c.state).where(notice_rows.c.kind != "named").order_by(notice_rows.c.id)
        return self.registry.run_now(lambda connection: list(connection.scalars(wanted)))


def kind_of(mail: Received) -> str:
    return "contact" if mail.message_id.startswith("<named-") else mail.message_id[1:].split("-")[0]


def text_of(mail: Received) -> str:
    payload = mail.message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return re.sub(r"\s+", " ", payload.decode())


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
async def vendor(registry: Registry, server: MailServer) -> AsyncIterator[Vendor]:
    made = Vendor(registry.engine.url.render_as_string(hide_password=False), server)
    yield made
    await made.registry.close()


@pytest.fixture
async def small(sqlite_url: str, sqlite_registry: Registry, server: MailServer) -> AsyncIterator[Vendor]:
    """As `vendor`, on SQLite alone, for what no kind of database changes."""
    assert sqlite_registry
    made = Vendor(sqlite_url, server)
    yield made
    await made.registry.close()


async def test_a_contact_is_told_after_five_minutes_and_again_when_the_office_is_back(vendor: Vendor) -> None:
    office = vendor.office()
    await vendor.go()
    (greeting,) = vendor.server.received
    assert "You have been named as a contact of smile Dental" in text_of(greeting)
    office.lose()
    assert await vendor.go(270) == []
    (down,) = await vendor.go(60)
    assert down.recipients == ["pat@smile.example"]
    assert str(down.message["Subject"]) == "smile Dental: online services unreachable since 04:00"
    said = text_of(down)
    for part in ("Hello Pat Example,", "Last reachable: Mon 2 Mar, 04:00.", "FRONTDESK", "off, asleep", "(IT)"):
        assert part in said
    assert "`econnector doctor`" in said
    assert await vendor.go(3570) == [], "one outage is told once"

    office.back(outages=[Outage("x", "y", "hq-away", "ABCD-2345")])
    (back,) = await vendor.go(120)
    assert "are back" in str(back.message["Subject"])
    assert "(1:05 hours)" in text_of(back)
    assert "no connection from the office's computer to HQ" in text_of(back), "the cause is what the office says"
    assert office.kinds().count("contacts-told") == 3
    assert vendor.states() == ["sent", "sent"]
    assert down.message_id != back.message_id


async def test_a_short_outage_tells_nobody_and_an_office_that_comes_and_goes_is_one_outage(small: Vendor) -> None:
    office = small.office()
    office.lose()
    assert await small.go(240) == []
    office.back()
    assert await small.go(600) == []
    office.say()
    office.lose()
    (down,) = await small.go(330)
    for _ in range(5):
        office.back()
        assert await small.go(30) == []
        office.lose()
        assert await small.go(330) == [], "it has not been well for long enough to say that it is back"
    office.back()
    (back,) = await small.go(90)
    assert (kind_of(down), kind_of(back)) == ("down", "back")


async def test_many_outages_in_an_hour_are_told_in_few_letters(small: Vendor) -> None:
    office = small.office()
    mails = []
    for _ in range(6):
        office.lose()
        mails += await small.go(330)
        office.back()
        mails += await small.go(90)
    assert len(mails) == notices.PER_PERSON
    office.say()
    mails = await small.go(3600)
    assert [kind_of(each) for each in mails] == ["back"]
    assert "These were 4 outages since Mon 2 Mar" in text_of(mails[0])


@pytest.mark.parametrize(
    ("cause", "words", "code"),
    [
        ("stopped", "was stopped in order", "office-unreachable"),
        ("database-away", "no answer from the practice's database server", "database-away"),
        ("update-running", "Open Dental is being updated", "update-running"),
        ("inactive", "the registration key is not active (code 103)", "103"),
    ],
)
async def test_the_likely_cause_is_named_as_far_as_hq_knows_it(
    small: Vendor, cause: str, words: str, code: str
) -> None:
    office = small.office()
    if cause == "stopped":
        office.lose("closed")
    elif cause == "inactive":
        small.registry.run_now(offices.disable, "smile", "unpaid", small.clock.now())
        office.lose()
    else:
        office.saying = {"failure": cause, "failure_since": NOW.isoformat()}
        office.say()
    (mail,) = await small.go(360)
    assert words in text_of(mail)
    assert f"Code {code} · reference" in text_of(mail)
    assert await small.go(5400) == [], "nobody is mailed for ever"


async def test_the_offices_own_clock_does_not_decide_how_long_its_database_is_away(small: Vendor) -> None:
    office = small.office()
    office.ahead = dt.timedelta(hours=3)
    office.saying = {"failure": "database-away", "failure_since": (NOW + office.ahead).isoformat()}
    office.say()
    assert await small.go(270) == []
    (mail,) = await small.go(60)
    assert "Last reachable: Mon 2 Mar, 04:00" in text_of(mail)


async def test_silence_while_hq_itself_was_away_is_nobodys_outage(small: Vendor) -> None:
    office = small.office()
    office.lose("this node of HQ stopped")
    small.clock.advance(3600)
    small.notifier = small.node()
    assert await small.go(240) == []
    office.back()
    assert await small.go(300) == []

    office.lose()
    small.clock.advance(3600)  # the node was frozen, with its machine
    assert await small.go(240) == []


async def test_two_nodes_that_look_and_send_at_once_tell_everybody_once(vendor: Vendor) -> None:
    office = vendor.office()
    office.say(contacts=[PAT, ANA])
    nodes = [vendor.node() for _ in range(3)]
    office.lose()
    vendor.clock.advance(50)
    for _ in range(6):
        await asyncio.gather(*(node.look() for node in nodes))
        vendor.clock.advance(50)
    await asyncio.gather(*(node.look() for node in nodes))
    while any(await asyncio.gather(*(node.send() for node in nodes))):
        pass
    told = sorted((kind_of(each), each.recipients[0]) for each in vendor.server.received)
    people = ("ana@smile.example", "pat@smile.example")
    assert told == [(kind, who) for kind in ("contact", "down") for who in people]
    spanish = next(each for each in vendor.server.received if each.recipients == ["ana@smile.example"])
    assert "Hola, Ana Ejemplo:" in text_of(spanish)


async def test_a_claim_of_a_node_that_died_falls_and_the_mail_is_sent_with_the_same_id(vendor: Vendor) -> None:
    office = vendor.office()
    await vendor.go()
    office.lose()
    while not (await vendor.notifier.look()).begun:
        vendor.clock.advance(30)
    lost = vendor.registry.run_now(dispatch.take, vendor.clock.now())
    assert lost is not None
    assert vendor.registry.run_now(dispatch.take, vendor.clock.now()) is None, "it is claimed"
    vendor.clock.advance(notices.LEASE.total_seconds())
    (mail,) = await vendor.go()
    assert mail.message_id == lost.letter.message_id
    vendor.registry.run_now(dispatch.note, lost, "refused", None, vendor.clock.now())
    assert vendor.states() == ["sent"], "the dead node's word counts no more"


async def test_a_mail_server_that_is_away_delays_and_one_that_refuses_is_written_down(small: Vendor) -> None:
    office = small.office()
    await small.go()
    office.lose()
    small.server.replies["MAIL"] = "451 come back later"
    assert await small.go(900) == []
    assert small.states() == ["due"]
    small.server.replies.clear()
    (mail,) = await small.go(900)
    assert kind_of(mail) == "down"

    office.back()
    small.server.replies["pat@smile.example"] = "550 no such user"
    assert await small.go(600) == []
    assert small.states() == ["sent", "failed"]
    event = next(each for each in small.registry.run_now(history.recent, office.office.id) if each.cause)
    assert (event.kind, event.cause) == ("contact-not-told", "mail-refused")
    assert "pat@smile.example" not in event.detail


async def test_hqs_own_account_in_trouble_delays_its_mails_and_ends_none(small: Vendor) -> None:
    office = small.office()
    await small.go()
    office.lose()
    small.server.replies["MAIL"] = "535 5.7.8 the password was changed"
    assert await small.go(900) == []
    small.server.replies["MAIL"] = "553 5.7.1 sender address not owned by user"
    assert await small.go(900) == []
    assert small.states() == ["due"]
    small.server.replies.clear()
    (mail,) = await small.go(900)
    assert kind_of(mail) == "down"


async def test_news_that_is_old_is_not_sent_when_the_mail_server_comes_back(small: Vendor) -> None:
    office = small.office()
    await small.go()
    office.lose()
    small.server.replies["MAIL"] = "451 come back later"
    await small.go(900)
    office.back()
    await small.go(120)
    small.server.replies.clear()
    mails = await small.go(1800)
    assert [kind_of(each) for each in mails] == ["back"], "one letter says that it was away and is back"


async def test_somebody_who_is_removed_in_the_office_hears_nothing_more(small: Vendor) -> None:
    office = small.office()
    await small.go()
    office.say(contacts=[ANA])
    office.lose()
    (mail,) = await small.go(360)
    assert mail.recipients == ["ana@smile.example"]
    office.back(contacts=[])
    assert await small.go(120) == []


async def test_the_vendors_and_the_offices_contacts_are_one_list_without_doubles(small: Vendor) -> None:
    office = small.office()
    by_vendor = checked("Pat of the vendor", "pat@smile.example")
    assert small.registry.run_now(contacts.add, "smile", by_vendor, small.clock.now())
    await small.go()
    office.say(contacts=[])
    assert [each.source for each in small.registry.run_now(contacts.every, office.office.id)] == ["hq"]
    office.say(contacts=[PAT])
    office.lose()
    (mail,) = await small.go(360)
    assert "Hello Pat of the vendor," in text_of(mail)


async def test_one_person_of_many_offices_gets_one_letter(small: Vendor) -> None:
    chain = [small.office(name) for name in ("ash", "birch", "cedar")]
    await small.go()
    for office in chain:
        office.lose()
    (mail,) = await small.go(360)
    assert str(mail.message["Subject"]).startswith("3 offices")
    for name in ("ash Dental", "birch Dental", "cedar Dental"):
        assert name in text_of(mail)


async def test_a_hostile_office_cannot_make_hq_write_to_the_world(small: Vendor) -> None:
    office = small.office()
    title = "Free\r\nBcc: all@victim.example money at http://evil.example www.evil.example evil.example/x"
    for turn in range(60):
        crowd = [OfficeContact("Win now: evil.example", f"victim{turn}-{each}@other.example") for each in range(50)]
        office.say(contacts=crowd, practice_title=title)
        await small.go()
    assert len(small.registry.run_now(contacts.every, office.office.id)) == 10
    assert len(small.server.received) <= notices.WELCOMES + 1
    office.lose()
    await small.go(420)
    assert len(small.server.received) <= notices.PER_OFFICE
    for mail in small.server.received:
        words = text_of(mail) + str(mail.message["Subject"])
        assert "evil" not in words.replace("`", "")
        assert mail.message["Bcc"] is None


async def test_very_many_offices_at_once_are_waited_for_a_little_longer(small: Vendor) -> None:
    fleet = [small.office(f"{letter}{number}") for letter in "abc" for number in range(8)]
    await small.go()
    for office in fleet:
        office.lose()
    assert await small.go(600) == [], "it may be HQ that is cut off"
    assert len(await small.go(600)) == 1
