"""Contacts are told whatever happens to HQ: real processes, a real mail server, real links."""

import contextlib
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from econnector.base.clock import ManualClock
from econnector.base.errors import ReportsTooOften
from econnector.hq import notify, pace
from econnector.hq.pace import Pace
from econnector.hq.registry import contacts, offices
from econnector.hq.registry.database import Registry
from econnector.hq.settings import Contacts, Smtp
from econnector.link.calls import OfficeContact
from econnector.link.identity import Identity
from econnector.mail.contacts import checked
from tests.hq.conftest import NOW
from tests.hq.running import Connector, RunningHq, running_hq, until
from tests.hq.test_process import hq_run
from tests.support.mailserver import MailServer, mail_server
from tests.support.nats import NatsServer, nats_server
from tests.support.site import PLAIN

__all__ = ["nats_server"]

PAT = checked("Pat", "pat@example.com")
PAT_SAID = OfficeContact("Pat", "pat@example.com")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def smtp(server: MailServer) -> Smtp:
    return Smtp(host="127.0.0.1", port=server.port, security="none", sender="HQ <noreply@hq.example.com>")


def mails(server: MailServer, kind: str) -> list[str]:
    return [each.message_id for each in server.received if each.message_id.startswith(f"<{kind}-")]


@contextlib.asynccontextmanager
async def linked(hq: RunningHq, key: str, identity: Identity | None = None) -> AsyncIterator[Connector]:
    connector = Connector(hq.link, key, identity=identity or Identity.make())
    async with connector.running():
        await connector.online()
        yield connector


async def test_hq_that_is_killed_while_it_sends_sends_after_its_restart(
    tmp_path: Path, server: MailServer, sqlite_registry: Registry
) -> None:
    _, key = sqlite_registry.run_now(offices.add, "smile", NOW, title="Smile Dental")
    sqlite_registry.run_now(contacts.add, "smile", PAT, NOW)
    variables = {"HOST": "127.0.0.1", "PORT": str(server.port), "SECURITY": "none", "SENDER": "noreply@hq.example.com"}
    environment = {f"ECONNECTOR_HQ_SMTP_{name}": value for name, value in variables.items()}
    environment["ECONNECTOR_HQ_CONTACTS_AFTER_SECONDS"] = "5"
    with sqlite3.connect(tmp_path / "registry.db", timeout=60) as file:
        file.execute("UPDATE notices SET state = 'dropped'")  # the greeting
    async with hq_run(tmp_path, **environment) as first:
        await first.up()
        connector = Connector(f"ws://{first.url.removeprefix('http://')}/link", key)
        async with connector.running():
            await connector.online()
            await connector.say()
        server.hang.add("DATA")
        await until(lambda: _state(tmp_path) == "claimed", 60)
        first.process.send_signal(signal.SIGKILL)
        await first.ended()
    server.hang.clear()
    assert (_state(tmp_path), server.received) == ("claimed", [])
    with sqlite3.connect(tmp_path / "registry.db", timeout=60) as file:
        file.execute("UPDATE notices SET due = '2026-01-01 00:00:00.000000' WHERE state = 'claimed'")  # minutes pass
    async with hq_run(tmp_path, **environment) as second:
        await second.up()
        await until(lambda: mails(server, "down"), 60)
        await until(lambda: _state(tmp_path) == "sent", 60)
    assert len(mails(server, "down")) == 1


def _state(folder: Path) -> str:
    with contextlib.closing(sqlite3.connect(folder / "registry.db", timeout=60)) as file:
        found = file.execute("SELECT state FROM notices WHERE kind = 'down'").fetchone()
    return str(found[0]) if found else ""


async def test_two_nodes_of_one_registry_tell_once_that_an_office_is_gone_and_once_that_it_is_back(
    tmp_path: Path, server: MailServer, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "_SEND", 0.3)
    shared: dict[str, Any] = {"switchboard": nats_server.url, "database": f"sqlite:///{tmp_path / 'registry.db'}"}
    shared |= {"smtp": smtp(server), "contacts": Contacts(after_seconds=3)}
    async with running_hq(tmp_path, node="a", **shared) as a, running_hq(tmp_path, node="b", **shared) as b:
        _, key = await a.add("smile")
        async with linked(a, key) as connector:
            heard = await connector.say(contacts=[PAT_SAID])
            assert heard.announces
            await until(lambda: mails(server, "named"), 60)
        await until(lambda: mails(server, "down"), 60)
        async with linked(b, key, connector.identity) as connector:
            await connector.say()
            await until(lambda: mails(server, "back"), 60)
    assert [len(mails(server, kind)) for kind in ("named", "down", "back")] == [1, 1, 1]


async def test_hq_without_a_mail_server_keeps_contacts_and_says_that_it_tells_nobody(tmp_path: Path) -> None:
    async with running_hq(tmp_path, admin="127.0.0.1:0", contacts=Contacts(after_seconds=5)) as hq:
        _, key = await hq.add("smile")
        async with linked(hq, key) as connector:
            heard = await connector.say(contacts=[PAT_SAID])
            assert not heard.announces
            office = await hq.hq.registry.run(offices.get, "smile")
            assert list(await hq.hq.registry.run(contacts.recipients, office.id)) == ["pat@example.com"]
            await connector.say()  # an older connector says nothing about contacts
            assert list(await hq.hq.registry.run(contacts.recipients, office.id)) == ["pat@example.com"]
            await connector.say(contacts=[])
            assert list(await hq.hq.registry.run(contacts.recipients, office.id)) == []
        async with httpx2.AsyncClient(base_url=hq.admin_url, verify=PLAIN, trust_env=False) as browser:
            figures = (await browser.get("/metrics")).text
        assert "econnector_hq_notices_waiting 0.0" in figures


@pytest.mark.causes("reports-too-often")
async def test_an_office_that_reports_without_end_is_refused_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "_EACH", 3600.0)  # however slow this machine is
    async with running_hq(tmp_path) as hq:
        _, key = await hq.add("smile")
        async with linked(hq, key) as connector:
            for _ in range(60):
                await connector.say()
            with pytest.raises(ReportsTooOften):
                await connector.say()


def test_no_connector_that_works_as_it_should_meets_the_bound() -> None:
    clock = ManualClock()
    office = Pace(clock)
    for _ in range(3600):
        clock.advance(1.0)
        assert office.allows()
    clock.advance(1.0)
    assert all(office.allows() for _ in range(60)), "nor one that reports much after a pause"
    assert not all(office.allows() for _ in range(10))
    clock.advance(30)
    assert office.allows()
