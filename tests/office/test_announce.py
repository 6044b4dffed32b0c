"""The office's contacts: kept here, known at HQ, and told by the connector of what HQ cannot tell."""

import asyncio
import contextlib
import datetime as dt
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from econnector.base.clock import ManualClock
from econnector.base.errors import DatabaseAway, Failure, HqAway, HqUntrusted, KeyInactive, ValueRejected
from econnector.hq import notify
from econnector.hq.registry import contacts as at_hq
from econnector.hq.registry import offices
from econnector.hq.registry.outages import Patience
from econnector.hq.settings import Contacts, Smtp
from econnector.link import dial
from econnector.link.calls import Heard
from econnector.link.identity import Install
from econnector.mail.contacts import checked
from econnector.office import announce, contacts
from econnector.office.announce import Announcer
from econnector.office.app import Office, Tempo
from econnector.office.enrol import enrol
from econnector.office.mail.postbox import Postbox
from econnector.office.outages import Outages
from econnector.office.practice import Practice
from econnector.office.report import Reporter
from econnector.office.running import trouble
from econnector.office.standing import Standing
from econnector.opendental.emailaddresses import encrypted
from econnector.storage.database import Database
from econnector.storage.state.base import join_state, open_state
from econnector.storage.state.outbox import OUTBOX, SENT, Mail
from tests.hq.running import RunningHq, running_hq
from tests.office.connector import Connector
from tests.support.mailserver import MailServer, mail_server
from tests.support.ports import free_port

PAT = checked("Pat Example", "pat@smile.example", "en", "IT")
ANA = checked("Ana Ejemplo", "ana@smile.example", "es")
QUICK = Tempo(beat=0.3, first_word=5.0, drain=1.0, goodbye=1.0)


async def until(wanted: Any, seconds: float = 40.0) -> Any:
    async with asyncio.timeout(seconds):
        while True:
            found = wanted()
            if found := (await found if asyncio.iscoroutine(found) else found):
                return found
            await asyncio.sleep(0.05)


# -- the rule, with time moved by hand -------------------------------------------------------------------------------


class Watching:
    """An announcer over a real state file; what is in trouble is said by hand."""

    def __init__(self, state: Database, folder: Path) -> None:
        self.clock, self.state = ManualClock(), state
        self.database = Database(f"sqlite:///{folder / 'none.sqlite'}")
        self.practice = Practice(self.database, self.clock, lambda: None)
        self.outages = Outages(state, self.practice, self.clock)
        self.standing = Standing(state, self.clock)
        self.standing.office, self.standing.epoch, self.standing.word = "smile", 7, "open"
        install = Install("i" * 32, "FRONT-DESK", "0.1.0")
        asker: Any = None  # nobody is asked here
        self.reporter = Reporter(asker, state, self.practice, self.outages, install, self.clock)
        self.postbox = Postbox(state, self.clock)
        self.announcer = self.started()

    def started(self) -> Announcer:
        parts = (self.state, self.postbox, self.practice, self.standing, self.reporter)
        return Announcer(*parts, 300.0, self.clock)

    def hq_tells(self) -> None:
        self.reporter.heard, self.reporter.heard_at = Heard("1", "", announces=True), "now"

    async def fails(self, kind: str, failure: Failure | None) -> None:
        """Let the database or HQ fail, or (None) be there again."""
        found = trouble(failure, self.clock.now()) if failure else None
        if kind == "hq":
            self.standing.word, self.standing.trouble = "away" if failure else "open", found
            self.standing.epoch += failure is None  # every link has one of its own
        await self.outages.note(kind, found)

    async def sent(self) -> None:
        """Let every mail leave."""

        def leave(connection: Connection) -> None:
            connection.execute(sa.update(OUTBOX).values(state=SENT))

        await self.state.run(leave)

    async def go(self, seconds: float) -> list[Mail]:
        """Let time pass; return the mails that were handed in since the beginning, in their order."""
        ends = self.clock.now() + dt.timedelta(seconds=seconds)
        while (left := (ends - self.clock.now()).total_seconds()) > 0:
            self.clock.advance(min(left, 50.0))
            await self.announcer.look()
        return sorted(await self.postbox.list(), key=lambda mail: mail.id)


@pytest.fixture
async def watching(tmp_path: Path) -> AsyncIterator[Watching]:
    state = await open_state(tmp_path / "office.sqlite")
    made = Watching(state, tmp_path)
    await contacts.add(state, PAT)
    yield made
    await made.database.close()
    await state.close()


def kinds(mails: list[Mail]) -> list[str]:
    return [mail.message_id[1:].split("-")[0] for mail in mails]


async def test_hq_away_for_five_minutes_is_told_once_and_its_return_too(watching: Watching) -> None:
    watching.hq_tells()
    await watching.fails("hq", HqAway(url="wss://hq", step="tcp", reason="refused"))
    assert await watching.go(280) == []
    (down,) = await watching.go(40)
    assert (down.purpose, down.recipient) == ("outage", "pat@smile.example")
    assert "no connection from the office's computer to HQ" in down.text
    assert "FRONT-DESK" in down.text
    assert "Code hq-away" in down.text
    watching.announcer = watching.started()  # a restart forgets nothing and tells nothing twice
    assert len(await watching.go(600)) == 1
    await watching.sent()
    await watching.fails("hq", None)
    assert kinds(await watching.go(40)) == ["down", "back"]
    assert kinds(await watching.go(400)) == ["down", "back"]


async def test_a_short_outage_and_one_that_the_machine_slept_through_are_not_told(watching: Watching) -> None:
    await watching.fails("hq", HqAway(url="wss://hq", step="tcp", reason="refused"))
    assert await watching.go(280) == []
    watching.clock.advance(3600)
    assert await watching.go(280) == [], "it has just woken up"
    await watching.fails("hq", None)
    assert await watching.go(600) == []


@pytest.mark.parametrize(
    ("failure", "hq", "told"),
    [
        (HqAway(url="wss://hq", step="dns", reason="x"), True, 0),
        (HqAway(url="wss://hq", step="proxy", reason="x"), True, 0),
        (HqUntrusted(url="wss://hq", reason="x"), True, 0),
        (HqAway(url="wss://hq", step="tcp", reason="x"), True, 1),
        (HqAway(url="wss://hq", step="dns", reason="x"), False, 1),
        (DatabaseAway(server="db", reason="x"), True, 0),
        (DatabaseAway(server="db", reason="x"), False, 1),
    ],
    ids=lambda value: str(getattr(value, "facts", value)),
)
async def test_what_hq_can_tell_is_left_to_it_if_it_tells_at_all(
    watching: Watching, failure: Failure, hq: bool, told: int
) -> None:
    if hq:
        watching.hq_tells()
    await watching.fails("database" if isinstance(failure, DatabaseAway) else "hq", failure)
    mails = await watching.go(600)
    assert len(mails) == told
    if isinstance(failure, DatabaseAway) and hq:
        await watching.fails("hq", HqAway(url="wss://hq", step="tcp", reason="x"))
        await watching.fails("hq", None)
        assert await watching.go(600) == [], "HQ told it in time; a link that breaks later makes no news of it"


async def test_a_key_that_is_disabled_is_told_by_hq_or_by_nobody_else_than_us(watching: Watching) -> None:
    await watching.fails("hq", KeyInactive(reason="it was disabled", since="now"))
    watching.standing.word = "refused"
    (mail,) = await watching.go(400)
    assert "the registration key is not active" in mail.text


async def test_a_letter_that_has_not_left_is_taken_back_when_all_is_well_again(watching: Watching) -> None:
    await watching.fails("hq", HqAway(url="wss://hq", step="tcp", reason="x"))
    (down,) = await watching.go(400)
    assert down.state == "waiting"
    await watching.fails("hq", None)
    (same,) = await watching.go(40)
    assert (same.id, same.state) == (down.id, "removed")


async def test_outages_that_come_fast_are_summed_up(watching: Watching) -> None:
    for _ in range(4):
        await watching.fails("hq", HqAway(url="wss://hq", step="tcp", reason="x"))
        await watching.go(400)
        await watching.sent()
        await watching.fails("hq", None)
        mails = await watching.go(100)
    assert kinds(mails) == ["down", "back", "down", "back"]
    await watching.fails("hq", HqAway(url="wss://hq", step="tcp", reason="x"))
    mails = await watching.go(3600)
    assert "These were 3 outages since" in mails[-1].text


async def test_a_machine_in_standby_tells_nobody(watching: Watching) -> None:
    watching.standing.standby = True
    await watching.fails("database", DatabaseAway(server="db", reason="x"))
    assert await watching.go(600) == []


async def test_contacts_are_checked_and_few(watching: Watching) -> None:
    assert not await contacts.add(watching.state, PAT), "the same address is the same person"
    for number in range(9):
        assert await contacts.add(watching.state, checked("Somebody", f"who{number}@smile.example"))
    with pytest.raises(ValueRejected, match="10 contacts already"):
        await contacts.add(watching.state, ANA)
    await contacts.remove(watching.state, " PAT@smile.example ")
    with pytest.raises(ValueRejected):
        await contacts.remove(watching.state, "pat@smile.example")
    assert await contacts.add(watching.state, ANA)


# -- the whole -------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@contextlib.asynccontextmanager
async def live(connector: Connector) -> AsyncIterator[Office]:
    stop = asyncio.Event()
    office = Office(connector.loaded(), tempo=QUICK)
    task = asyncio.create_task(office.run(stop))
    try:
        yield office
    finally:
        stop.set()
        await task


def account(practice: str, port: int) -> None:
    """Give the practice a mail account."""
    row: dict[str, object] = {
        "SMTPserver": "127.0.0.1",
        "EmailUsername": "front@smile.example",
        "EmailPassword": encrypted("secret"),
    }
    row |= {"ServerPort": port, "UseSSL": 0, "SenderAddress": "front@smile.example", "EmailAddressNum": 1}
    with contextlib.closing(sqlite3.connect(practice.removeprefix("sqlite:///"))) as file:
        known = [each[1] for each in file.execute("PRAGMA table_info(emailaddress)")]
        types = {each[1]: str(each[2]).upper() for each in file.execute("PRAGMA table_info(emailaddress)")}
        values = [row.get(name, 0 if "INT" in types[name] else "") for name in known]
        file.execute(f"INSERT INTO emailaddress VALUES ({', '.join('?' * len(known))})", values)
        file.execute("INSERT INTO preference (PrefName, ValueString) VALUES ('EmailDefaultAddressNum', '1')")
        file.commit()


async def known_at(hq: RunningHq) -> list[str]:
    office = await hq.hq.registry.run(offices.get, "smile")
    return sorted(await hq.hq.registry.run(at_hq.recipients, office.id))


def subjects(server: MailServer) -> list[str]:
    return [str(each.message["Subject"]) for each in server.received]


async def test_contacts_typed_in_the_office_are_known_at_hq_within_moments_and_go_there_too(
    connector: Connector, hq: RunningHq, practice: str
) -> None:
    _, key = await hq.add("smile")
    connector.write(hq.link, practice)
    await enrol(connector.loaded(), key)
    async with live(connector) as office:
        await until(lambda: office.snapshot().link == "open")
        words = ("office", "contacts", "add", "Pat@Smile.example", "--name", "Pat Example", "--for", "IT")
        status, said, _ = await connector.say(*words)
        assert (status, "Pat Example (pat@smile.example) is told" in said) == (0, True)
        assert await until(lambda: known_at(hq)) == ["pat@smile.example"]
        beside = await join_state(connector.loaded().value.state_file)  # as a command or a window of its own does
        await contacts.remove(beside, "pat@smile.example")
        await beside.close()
        await until(lambda: _gone(hq))


async def _gone(hq: RunningHq) -> bool:
    return not await known_at(hq)


@pytest.mark.causes(row="silent: the office is away (HQ tells)", sees="history, again")
@pytest.mark.causes(row="silent: HQ is away (the connector tells)", sees="history, again")
async def test_when_hq_is_away_the_connector_mails_and_when_the_office_is_away_hq_does(
    connector: Connector, tmp_path: Path, practice: str, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(notify, "_LOOK", 0.3)
    monkeypatch.setattr(dial, "_MOST", 1.0)
    account(practice, server.port)
    smtp = Smtp(host="127.0.0.1", port=server.port, security="none", sender="HQ <noreply@hq.example>")
    # However long the connector takes to dial again, HQ does not tell of that: it is the connector's to tell.
    values = {"smtp": smtp, "contacts": Contacts(after_seconds=3600), "listen": f"127.0.0.1:{free_port()}"}
    async with running_hq(tmp_path / "hq", **values) as hq:
        _, key = await hq.add("smile", title="Smile Dental")
        connector.write(hq.link, practice, more="[contacts]\nafter_seconds = 5\n")
        await enrol(connector.loaded(), key)
        async with live(connector) as office:
            await until(lambda: office.snapshot().link == "open")
            await connector.say("office", "contacts", "add", "pat@smile.example", "--name", "Pat", "--for", "IT")
            await until(lambda: "You are told when Smile Dental is unreachable" in subjects(server))
            await hq.stop()
            await until(lambda: len(server.received) == 2, 60)
            assert server.received[1].sender == "front@smile.example"
            assert "unreachable since" in subjects(server)[1]
            await hq.start()
            await until(lambda: len(server.received) == 3, 60)
            assert subjects(server)[2] == "Smile Dental: online services are back"
            hq.hq.notifier._patience = Patience(dt.timedelta(seconds=1), dt.timedelta(seconds=1))
        await until(lambda: len(server.received) == 4, 60)
        assert server.received[3].sender == "noreply@hq.example"
        text = server.received[3].message.get_payload(decode=True)
        assert isinstance(text, bytes)
        assert b"was stopped in order" in text
