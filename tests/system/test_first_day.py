"""The first day: from a machine on which nothing ever ran to a connector that works, is stopped, and comes back."""

import contextlib
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.demo.browser import Lost
from econnector.opendental import audit
from tests.support.fresh import NAME, FreshMachine, Vendor
from tests.support.mariadb import shared_server
from tests.support.whole import until

USER, PASSWORD = "Ada", "Molar-42"
RUN = [(2, "Heartbeat Anchor"), (2, "Heartbeat")]


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Vendor]:
    hq = Vendor(tmp_path / "hq")
    try:
        yield hq.start()
    finally:
        hq.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[FreshMachine]:
    server = shared_server()
    fresh = FreshMachine(tmp_path / "office", server, server.open_dental("24.3"))
    server.create_user("econnector", "S3cret-of-the-database", f"SELECT, INSERT, UPDATE, DELETE ON {fresh.database}.*")
    fresh.add_user(USER, PASSWORD, 24, 91)
    try:
        yield fresh
    finally:
        fresh.close()


def window_shows(machine: FreshMachine, word: str) -> bool:
    """Whether the window says so to whoever is signed in."""
    with contextlib.suppress(Lost):
        browser = machine.window(USER, PASSWORD)
        return browser is not None and f"<title>{word}" in browser.open("/").body.decode()
    return False


def test_from_nothing_to_working_to_critical_and_back(machine: FreshMachine, vendor: Vendor) -> None:
    key = vendor.add("smile")
    # All that is there: what keeps two tests on one machine apart.
    machine.settings.write_text(f"[window]\nport = {machine.window_port}\n[awake]\nkeep = false\n")
    server = f"127.0.0.1:{machine.server.port}"
    answers = {
        "hq-url": vendor.link,
        "database-server": server,
        "database-name": machine.database,
        "database-user": "econnector",
    }
    words = [part for pair in answers.items() for part in ("--answer", "=".join(pair))]
    said = machine.say(
        *("office", "install", "--yes", *words, "--key-file", "-"),
        answers=key + "\n",
        ECONNECTOR_OFFICE_DATABASE_PASSWORD="S3cret-of-the-database",
    )
    assert "eConnector successfully installed" in said
    assert "S3cret" not in machine.settings.read_text()
    assert key not in said

    assert machine.signals() == RUN
    assert machine.ask("office", "status", status=None)["status"] == "Working"
    until(lambda: window_shows(machine, "Working"))
    assert [(each["name"], each["state"]) for each in machine.ask("service", "list")] == [(NAME, "Installed, Running")]
    assert machine.preference("WebServiceServerName") == platform.node().partition(".")[0][:15]
    audited(machine)

    machine.say("service", "stop", NAME)
    assert machine.signals()[2:] == [(5, "eConnector was stopped")], machine.log()[-6000:]
    assert machine.ask("office", "status", status=None)["status"] == "Critical"
    beside = machine.popen("office", "window", "--no-browser")
    try:
        until(lambda: window_shows(machine, "Critical"))
        machine.say("service", "start", NAME)
        until(lambda: len(machine.signals()) == 6, 120)
    finally:
        beside.kill()
        beside.communicate()
    (severity, text), *rest = machine.signals()[3:]
    assert severity == 4
    assert text.startswith("eConnector was critical for 0:0")
    assert rest == RUN
    assert machine.ask("office", "status", status=None)["status"] == "Error"
    until(lambda: window_shows(machine, "Error"))
    machine.say("office", "ack")
    assert machine.ask("office", "status")["status"] == "Working"


def audited(machine: FreshMachine) -> None:
    """The installation stands in the audit trail, and Open Dental takes the rows for untouched."""
    rows = machine.sql(
        "SELECT LogText, PermType, UserNum, LogDateTime, PatNum, LogHash FROM securitylog"
        " JOIN securityloghash USING (SecurityLogNum) WHERE PermType = 91 ORDER BY SecurityLogNum"
    )
    texts = [row[0] for row in rows]
    assert "ListenerServiceProxy" in texts[0]
    assert "Update Server" in texts[1]
    for text, permission, user, at, patient, sealed in rows:
        assert sealed == audit.log_hash(permission, user, at, text, patient)
