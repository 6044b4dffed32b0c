"""The doctor: every failure that a check can find is found, whatever else is broken, and nothing is changed."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from econnector.base.errors import Failure, walk
from econnector.link import probe
from econnector.office.doctor import CHECKS, WITHOUT_CHECK, database
from econnector.office.doctor.check import Check, Finding, examine, ok, worst
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.storage.database import Database
from econnector.storage.server import server_facts
from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.office.test_office import enrolled, live, until
from tests.support.mariadb import shared_server
from tests.support.ports import free_port

IDS = {check.id for check in CHECKS}
PATIENT_CHECKS = [dataclasses.replace(check, limit=60.0) for check in CHECKS]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a busy machine is slow at is not found here."""
    monkeypatch.setattr(database, "SLOW_SECONDS", 60.0)
    monkeypatch.setattr(probe, "STEP_SECONDS", 60.0)


@pytest.mark.parametrize("kind", list(walk()), ids=lambda kind: kind.code)
def test_every_failure_has_a_check_or_a_reason_why_not(kind: type[Failure]) -> None:
    if kind.check:
        assert kind.check in IDS
    else:
        families = {each.__name__ for each in kind.__mro__}
        assert families & WITHOUT_CHECK.keys(), f"{kind.__name__} needs a check, or a reason in WITHOUT_CHECK"


def test_no_check_is_there_twice_and_all_end_in_time() -> None:
    assert len(IDS) == len(CHECKS)
    assert all(check.limit < 15 and check.proves.endswith(".") for check in CHECKS)


async def findings(file: Path) -> dict[str, Finding]:
    scene = Scene(file)
    try:
        return {finding.check: finding for finding in await examine(scene, PATIENT_CHECKS)}
    finally:
        await scene.close()


async def test_when_all_is_well_it_says_so(connector: Connector, hq: RunningHq, practice: str) -> None:
    await enrolled(connector, hq, practice)
    # Another test's connector may have the usual port of the window.
    connector.write(hq.link, practice, more=f"[window]\nport = {free_port()}\n")
    (connector.folder.parent / "A").mkdir()
    async with live(connector) as office:
        await until(lambda: office.snapshot().link == "open" and office.snapshot().heard)
        await connector.until(lambda running: running.link == "open" and running.heard)
        await until(office.heartbeats)
        found = await findings(connector.file)
    assert {name: each.text for name, each in found.items() if each.state != "ok"} == {}


async def test_it_works_when_nothing_else_does(connector: Connector) -> None:
    connector.write("wss://hq.invalid/link", "mysql://nobody@127.0.0.1:1/none")
    found = await findings(connector.file)
    assert (found["database"].state, found["database"].code) == ("problem", "database-away")
    assert found["schema"].state == found["clock"].state == found["images"].state == "unknown"
    assert (found["hq"].state, found["hq"].code) == ("problem", "hq-away")
    assert "DNS" in found["hq"].text
    assert found["link"].state == "problem"
    assert (found["enrolment"].state, found["enrolment"].code) == ("problem", "104")
    assert not any(file.name != "office.toml" for file in connector.folder.iterdir()), "nothing is made"


async def test_it_works_without_settings(connector: Connector) -> None:
    connector.file.write_text("[hq\n")
    found = await findings(connector.file)
    assert (found.pop("settings").code) == "setting-invalid"
    assert {finding.state for finding in found.values()} <= {"unknown", "problem"}
    status, told = await connector.ask("doctor", "--only", "settings")
    assert (status, told["state"], [each["check"] for each in told["findings"]]) == (
        2,
        "problem",
        ["settings", "password", "state"],
    )


async def test_it_does_not_disturb_a_running_connector(connector: Connector, hq: RunningHq, practice: str) -> None:
    await enrolled(connector, hq, practice)
    async with live(connector) as office:
        await until(lambda: office.snapshot().link == "open")
        since = office.snapshot().link_since
        await findings(connector.file)
        assert (office.snapshot().link, office.snapshot().link_since) == ("open", since)


async def test_a_connector_that_is_stopped_is_a_problem_and_still_enrolled(
    connector: Connector, hq: RunningHq, practice: str
) -> None:
    await enrolled(connector, hq, practice)
    async with live(connector) as office:
        await until(lambda: office.snapshot().heard)
    found = await findings(connector.file)
    assert found["link"].state == "problem"
    assert "econnector service start" in found["link"].remedy[0]
    assert not [step for each in found.values() for step in each.remedy if "Run `econnector doctor` there" in step]
    assert found["enrolment"].text == "enrolled as smile"


async def test_a_check_that_breaks_or_hangs_hides_no_other(connector: Connector) -> None:
    async def breaks(_: Scene) -> Finding:
        raise ZeroDivisionError

    async def hangs(_: Scene) -> Finding:
        await asyncio.sleep(60)
        return ok("never")

    async def later(_: Scene) -> Finding:
        raise NotNowError("the moon is not full")

    async def works(_: Scene) -> Finding:
        return ok("fine")

    checks = [
        Check(each.__name__, "test", ".", 0.1 if each is hangs else 60, each) for each in (breaks, hangs, later, works)
    ]
    found = await examine(Scene(connector.file), checks)
    assert [each.state for each in found] == ["unknown", "unknown", "unknown", "ok"]
    assert found[0].code == "unexpected"
    assert worst(found) == "unknown"
    assert worst([]) == "ok"


@pytest.mark.shared
async def test_the_databases_rights_speed_connections_and_version_are_found(
    connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = shared_server()
    name = server.open_dental("21.1")
    try:
        server.create_user("reader", "secret", f"SELECT ON {name}.*")
        server.create_user("writer", "secret", f"SELECT, INSERT, UPDATE, DELETE ON {name}.*")
        connector.write("wss://hq.invalid/link", server.url(name, "reader", "secret"))
        found = await findings(connector.file)
        assert (found["database"].state, found["database"].code) == ("problem", "database-refused")
        assert "lacks DELETE, INSERT, UPDATE" in found["database"].text
        connector.write("wss://hq.invalid/link", server.url(name, "writer", "secret"))
        found = await findings(connector.file)
        fine = ("database", "database-latency", "schema", "clock", "connections")
        assert {found[check].state for check in fine} == {"ok"}
        monkeypatch.setattr(database, "FULL_SHARE", 0.0)
        found = await findings(connector.file)
        assert (found["connections"].state, "of 60 connections" in found["connections"].text) == ("attention", True)
        monkeypatch.setattr(database, "LEAST_CONNECTIONS", 60)
        assert (await findings(connector.file))["connections"].state == "problem"
        assert "21.1.9.0" in found["schema"].text
        assert (found["images"].state, found["images"].code) == ("problem", "file-missing")
        server.sql("ALTER TABLE userweb DROP COLUMN PasswordResetCode", database=name)
        found = await findings(connector.file)
        assert (found["schema"].state, found["schema"].code) == ("problem", "database-version")
        assert "userweb.PasswordResetCode" in found["schema"].text
        connector.write("wss://hq.invalid/link", server.url(name, "writer", "wrong"))
        found = await findings(connector.file)
        assert (found["database"].state, found["database"].code) == ("problem", "database-refused")
    finally:
        server.drop_database(name)


@pytest.mark.shared
async def test_grants_of_every_scope_are_understood() -> None:
    server = shared_server()
    name = server.create_database("grants_x")
    rights = {
        "all_of_it": (["ALL ON *.*"], ()),
        "by_pattern": (["SELECT, INSERT, UPDATE, DELETE ON `grants\\_%`.*"], ()),
        "elsewhere": (["ALL ON `other`.*", f"SELECT ON {name}.*"], ("DELETE", "INSERT", "UPDATE")),
        "most": ([f"SELECT, UPDATE, INSERT ON {name}.*"], ("DELETE",)),
    }
    try:
        for user, (grants, lacking) in rights.items():
            server.create_user(user, "secret", *grants)
            connected = Database(server.url(name, user, "secret"))
            facts = await connected.run(server_facts)
            await connected.close()
            assert facts.lacking == lacking, user
            assert facts.version.startswith("MariaDB ")
    finally:
        server.drop_database(name)
