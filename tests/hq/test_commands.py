"""`econnector hq …` as a person at the vendor's types it."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from econnector.base.registration import checked_key
from econnector.cli.hq import settings_page
from econnector.cli.main import main
from econnector.hq.registry import connectors, heartbeats, migrate
from econnector.hq.registry.connectors import Granted, Presented
from econnector.hq.registry.database import Registry
from econnector.hq.registry.heartbeats import Place
from econnector.link.calls import Heartbeat
from tests.support.mailserver import mail_server

DOCS = Path(__file__).parents[2] / "docs"


class Person:
    """Types commands about one registry."""

    def __init__(self, url: str) -> None:
        self.url = url

    def types(self, *words: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["hq", *words, "--database", self.url])
        assert done.exit_code == status, done.output
        return done.output

    def reads(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.types(*words, "--json", status=status))

    def connect(self, key: str, machine: str = "FRONTDESK") -> Granted:
        registry = Registry(self.url)
        now = dt.datetime.now(dt.UTC)
        who = Presented(machine.lower().ljust(64, "0"), "i" * 32, machine, "0.1.0", "192.0.2.1", checked_key(key))
        granted = registry.run_now(connectors.admit, who, now)
        assert isinstance(granted, Granted)
        said = Heartbeat("0.1.0", "24.3.10.0", status="Working", practice_title="Smile Group", failure="database-away")
        registry.run_now(heartbeats.save, Place(granted.office.id, granted.epoch), said, now)
        registry.engine.dispose()
        return granted


@pytest.fixture
def person(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ECONNECTOR_HQ_URL", "https://hq.example.com")
    return Person(sqlite_url)


def test_an_office_is_added_and_its_key_and_addresses_are_printed_once(person: Person) -> None:
    said = person.types("office", "add", "smile", "--title", "Smile Dental", "--host", "portal.smile.example")
    key = said.split("stored nowhere): ")[1].split()[0]
    assert len(checked_key(key)) == 16
    assert "https://hq.example.com/o/smile/portal/" in said
    assert "https://portal.smile.example/" in said
    assert key not in person.types("office", "show", "smile")


def test_an_offices_title_and_host_names_can_be_set_later(person: Person) -> None:
    person.types("office", "add", "smile", "--host", "old.smile.example")
    said = person.types("office", "set", "smile", "--title", "Smile Dental", "--host", "portal.smile.example")
    assert "Changed Smile Dental (smile)." in said
    assert "https://portal.smile.example/" in said
    assert "old.smile.example" not in said
    assert "portal.smile.example" not in person.types("office", "set", "smile", "--no-host")
    assert "Say what to change" in person.types("office", "set", "smile", status=2)


def test_the_list_says_how_every_office_stands(person: Person) -> None:
    person.types("office", "add", "new")
    key = person.reads("office", "add", "smile")["registration_key"]
    person.connect(key)
    person.types("office", "add", "gone")
    person.types("office", "disable", "gone", "--reason", "unpaid")
    rows = {line.split()[0]: line for line in person.types("office", "list").splitlines()[1:] if line.strip()}
    assert "never (104)" in rows["new"]
    assert "✓ connected" in rows["smile"]
    assert "Smile Group" in rows["smile"]
    assert "Working" in rows["smile"]
    assert "it was disabled (unpaid)" in rows["gone"]
    listed = person.reads("office", "list")
    assert [(each["name"], each["standing"], each["connected"]) for each in listed] == [
        ("gone", "disabled", False),
        ("new", "active", False),
        ("smile", "active", True),
    ]


def test_an_office_is_shown_with_its_connector_machines_and_failure(person: Person) -> None:
    key = person.reads("office", "add", "smile", "--phone", "555-0100")["registration_key"]
    person.connect(key)
    said = person.types("office", "show", "smile")
    for part in ("Smile Group (smile)", "555-0100", "FRONTDESK", "24.3.10.0", "database-away", "owner", "192.0.2.1"):
        assert part in said
    found = person.reads("office", "show", "smile")
    assert found["machines"][0]["machine"] == "FRONTDESK"
    assert found["addresses"] == ["https://hq.example.com/o/smile/portal/"]


def test_a_key_is_disabled_enabled_and_ended(person: Person) -> None:
    person.types("office", "add", "smile")
    person.types("office", "disable", "smile", "--reason", "unpaid")
    assert person.reads("office", "show", "smile")["standing"] == "disabled"
    person.types("office", "enable", "smile")
    assert person.reads("office", "show", "smile")["standing"] == "active"
    person.types("office", "end-support", "smile", "--on", "2099-01-01")
    assert person.reads("office", "show", "smile")["standing"] == "active"
    person.types("office", "end-support", "smile")
    assert person.reads("office", "show", "smile")["standing"] == "ended"
    kinds = [event["kind"] for event in person.reads("office", "history", "smile")]
    assert kinds == ["support-ends", "support-ends", "enabled", "disabled", "added"]
    assert "unpaid" in person.types("office", "history", "smile")


def test_a_move_is_allowed_and_the_next_machine_takes_over(person: Person) -> None:
    key = person.reads("office", "add", "smile")["registration_key"]
    first = person.connect(key, "OLD")
    assert "one other machine may become the connector of smile" in person.types("office", "move", "smile")
    assert "until 20" in person.types("office", "show", "smile")
    assert person.connect(key, "NEW").epoch > first.epoch
    states = {each["machine"]: each["state"] for each in person.reads("office", "show", "smile")["machines"]}
    assert states == {"NEW": "owner", "OLD": "retired"}


def test_a_new_key_replaces_the_old_one(person: Person) -> None:
    old = person.reads("office", "add", "smile")["registration_key"]
    new = person.reads("office", "new-key", "smile")["registration_key"]
    assert new != old
    person.connect(new)


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("office", "show", "nobody"), 66, "office-unknown"),
        (("office", "disable", "nobody", "--reason", "x"), 66, "office-unknown"),
        (("office", "add", "Not A Name"), 65, "value-rejected"),
        (("office", "add", "smile"), 65, "name-taken"),
        (("office", "add", "other", "--host", "nodots"), 65, "value-rejected"),
        (("office", "move", "nobody"), 66, "office-unknown"),
    ],
)
def test_what_cannot_be_done_is_said_with_cause_remedy_and_status(
    person: Person, words: tuple[str, ...], status: int, code: str
) -> None:
    person.types("office", "add", "smile")
    said = person.types(*words, status=status)
    assert f"code {code}" in said
    assert "  1. " in said
    assert "Traceback" not in said


def test_contacts_are_added_listed_shown_and_removed(person: Person) -> None:
    person.types("office", "add", "smile")
    said = person.types("office", "contact", "add", "smile", "Pat@Example.com", "--name", "Pat", "--for", "IT")
    assert "Pat (pat@example.com) is told from now on." in said
    assert "HQ has no mail server" in said
    listed = person.types("office", "contact", "list", "smile")
    for part in ("Pat", "pat@example.com", "en", "IT", "the vendor"):
        assert part in listed
    assert "1 (HQ has no mail server: nobody is told)" in person.types("office", "show", "smile")
    assert person.reads("office", "show", "smile")["contacts"] == 1
    refused = person.types("office", "contact", "add", "smile", "pat at example", "--name", "Pat", status=65)
    assert "Only the address itself" in refused
    person.types("office", "contact", "remove", "smile", "PAT@example.com")
    assert person.reads("office", "contact", "list", "smile") == []
    assert "no contact of smile" in person.types("office", "contact", "remove", "smile", "pat@example.com", status=65)
    assert "contact-removed" in person.types("office", "history", "smile")


@pytest.mark.causes("hq-sends-no-mail")
def test_a_test_mail_shows_that_mail_gets_through_or_why_not(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("mail", "test", "--to", "you@example.com")
    assert person.reads(*words, status=78)["code"] == "hq-sends-no-mail"
    with mail_server(users={"hq": "right"}) as server:
        file = Path(person.url.removeprefix("sqlite:///")).with_name("password")
        for name, value in {"HOST": "127.0.0.1", "PORT": server.port, "SECURITY": "none", "USER": "hq"}.items():
            monkeypatch.setenv(f"ECONNECTOR_HQ_SMTP_{name}", str(value))
        monkeypatch.setenv("ECONNECTOR_HQ_SMTP_PASSWORD_FILE", str(file))
        assert "smtp.sender" in person.types(*words, status=78)
        monkeypatch.setenv("ECONNECTOR_HQ_SMTP_SENDER", "HQ <noreply@hq.example.com>")
        assert "smtp.password_file" in person.types(*words, status=78)
        file.write_text("wrong\n")
        file.chmod(0o644)
        assert "chmod 600" in person.types(*words, status=78)
        file.chmod(0o600)
        assert person.reads(*words, status=69)["code"] == "mail-login-refused"
        file.write_text("right\n")
        assert f"127.0.0.1:{server.port} took a mail to you@example.com" in person.types(*words)
        assert server.received[0].recipients == ["you@example.com"]


def test_the_history_can_be_read_on_a_terminal_of_80_columns(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    person.types("office", "add", "smile")
    reason = "unpaid since the first of the month, and nobody answers our letters about it any more"
    person.types("office", "disable", "smile", "--reason", reason)
    lines = person.types("office", "history", "smile").splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split()[2:] == ["UTC", "disabled"]
    assert " ".join(line.strip() for line in lines[1:3]) == reason
    assert lines[-1].split()[-1] == "added"


def test_migrate_says_what_it_did(person: Person) -> None:
    assert f"went from empty to {migrate.NEWEST}" in person.types("migrate")
    assert "already" in person.types("migrate")


def test_a_password_never_stands_in_a_command_line(person: Person) -> None:
    person.url = "postgresql://hq:hunter2@server/registry"
    said = person.types("office", "list", status=2)
    assert "ECONNECTOR_HQ_DATABASE" in said
    assert "hunter2" not in said


def test_settings_are_shown_with_where_they_came_from_and_without_secrets(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "hq.toml"
    file.write_text('listen = "127.0.0.1:9"\n[tls]\n')
    said = person.types("settings", "--settings", str(file))
    assert "hunter2" not in said
    assert "environment variable ECONNECTOR_HQ_URL" in said
    rows = {each["name"]: (each["value"], each["from"]) for each in person.reads("settings", "--settings", str(file))}
    assert rows["listen"] == ("127.0.0.1:9", str(file))
    assert rows["database"] == ("(secret)", "flag")
    assert rows["log.days"] == ("30", "default")


def test_a_settings_file_with_a_mistake_is_said(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "hq.toml"
    file.write_text('lisen = "127.0.0.1:9"\n')
    said = person.types("office", "list", "--settings", str(file), status=78)
    assert "did you mean listen?" in said


def test_the_page_of_settings_is_up_to_date() -> None:
    said = "run: econnector hq settings --markdown > docs/hq-settings.md"
    assert (DOCS / "hq-settings.md").read_text("utf-8") == settings_page(), said


def test_the_commands_work_as_a_program(sqlite_url: str) -> None:
    command = [sys.executable, "-m", "econnector", "hq", "office", "add", "smile", "--json", "--database", sqlite_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 65
    assert json.loads(again.stdout)["code"] == "name-taken"
