"""`econnector office history | ack | stop-monitoring | settings` as they are typed, on a practice in SQLite."""

import csv
import getpass
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, create_engine, text

from econnector.cli.main import main
from econnector.opendental import practicerows, schema, signals

VERSION = "24.3.10.0"


class Office:
    """A settings file, a practice, and the command line."""

    def __init__(self, folder: Path, practice: Path) -> None:
        self.file = folder / "office.toml"
        url = f"sqlite:///{shutil.copy(practice, folder / 'practice.sqlite')}"
        self.engine = create_engine(url)
        self.file.write_text(f'machine = "FRONT-DESK"\n[database]\nurl = "{url}"\n')
        self.file.chmod(0o600)

    def do(self, work: Callable[[Connection], object]) -> None:
        with self.engine.begin() as connection:
            work(connection)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def say(self, *words: str, typed: str = "") -> Result:
        return CliRunner().invoke(main, ["office", *words, "--settings", str(self.file)], input=typed)

    def ask(self, *words: str) -> Any:
        said = self.say(*words, "--json")
        assert said.exit_code == 0, said.output
        return json.loads(said.stdout)


@pytest.fixture(scope="module")
def practice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice whose connector has worked and met two errors, made once and copied for every test."""
    file = tmp_path_factory.mktemp("desk") / "practice.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        practicerows.create(connection, VERSION)
    with engine.begin() as connection:
        found = schema.inspect(connection)
        signals.beat(connection, found)
        signals.report_error(connection, found, "=the first error")
        signals.report_error(connection, found, "the second error")
    engine.dispose()
    return file


@pytest.fixture
def office(tmp_path: Path, practice_file: Path) -> Office:
    """An office whose connector has worked and met two errors."""
    return Office(tmp_path, practice_file)


def test_the_history_is_shown_filtered_and_exported(office: Office) -> None:
    said = office.say("history").stdout
    assert ("Heartbeat Anchor" in said, "the second error" in said, "econnector office ack" in said) == (True,) * 3
    assert {row["details"] for row in office.ask("history", "--errors")} == {"the second error", "=the first error"}
    rows = office.ask("history", "--text", "HEARTBEAT")
    assert {(row["status"], row["unacknowledged"]) for row in rows} == {("Working", False)}
    assert len(office.ask("history", "--unacknowledged")) == 2
    cells = list(csv.reader(io.StringIO(office.say("history", "--csv", "--errors").stdout)))
    assert cells[0] == ["DateTime", "Status", "Details", "Acknowledged"]
    assert {row[2] for row in cells[1:]} == {"'=the first error", "the second error"}
    office.do(lambda connection: connection.execute(text("DELETE FROM eservicesignal")))
    assert "There is no such row" in office.say("history").stdout


def test_acknowledging_says_how_many_and_who(office: Office) -> None:
    assert office.ask("ack") == {"ok": True, "acknowledged": 2}
    assert "no error to acknowledge" in office.say("ack").stdout
    assert office.ask("history", "--unacknowledged") == []
    rows = office.rows("SELECT PermType, UserNum, CompName, LogText FROM securitylog")
    assert [row[:3] for row in rows] == [(91, 0, "FRONT-DESK")]
    assert f"operating-system account {getpass.getuser()}" in rows[0][3]
    assert office.rows("SELECT COUNT(*) FROM securityloghash") == [(1,)]


def test_stop_monitoring_asks_first_and_says_the_truth_about_a_minute(office: Office) -> None:
    said = office.say("stop-monitoring", typed="n\n")
    assert (said.exit_code, "next heartbeat" in said.stderr) == (130, True)
    assert office.rows("SELECT COUNT(*) FROM eservicesignal WHERE Severity = 0") == [(0,)]
    assert office.say("stop-monitoring").exit_code == 130, "nobody there to ask"
    said = office.say("stop-monitoring", typed="y\n")
    assert (said.exit_code, "up to one minute" in said.stdout) == (0, True)
    assert office.ask("stop-monitoring", "--yes")["ok"]
    assert office.rows("SELECT DISTINCT PermType, UserNum FROM securitylog") == [(24, 0)]
    found = office.say("status", "--json")
    assert json.loads(found.stdout)["status"] == "NotEnabled"


def test_settings_are_listed_with_their_origin_and_changed(office: Office) -> None:
    listed = {row["name"]: (row["value"], row["from"]) for row in office.ask("settings")}
    origin = "Open Dental's database"
    assert [listed[name] for name in ("listener", "mail-process", "log-days")] == [
        ("on", origin),
        ("off", origin),
        ("30", origin),
    ]
    told = office.ask("settings", "listener=off", "mail-process=ON", "log-days=60")
    assert told == {
        "ok": True,
        "changed": True,
        "settings": {"listener": "off", "mail-process": "on", "log-days": "60"},
    }
    assert not office.ask("settings", "log-days=60")["changed"]
    said = office.say("settings", "log-days=0")
    assert (said.exit_code, "every workstation" in said.stdout) == (0, True)
    words = office.rows("SELECT LogText FROM securitylog ORDER BY SecurityLogNum")
    assert len(words) == 2
    assert "Delete logs older than (days): 60 to 0 (command line" in words[1][0]


@pytest.mark.parametrize(
    ("change", "words", "status"),
    [
        ("log-days=36501", "between 0 and 36500", 65),
        ("log-days=-1", "between 0 and 36500", 2),
        ("log-days=many", "between 0 and 36500", 2),
        ("listener=maybe", "on or off", 2),
        ("hq.url=x", "the settings file", 2),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_written(
    office: Office, change: str, words: str, status: int
) -> None:
    said = office.say("settings", "mail-process=on", change)
    assert (said.exit_code, words in " ".join(said.output.split())) == (status, True), said.output
    assert office.rows("SELECT COUNT(*) FROM signalod") == [(0,)]
    assert office.rows("SELECT COUNT(*) FROM securitylog") == [(0,)]


def test_settings_are_listed_without_a_database_too(tmp_path: Path) -> None:
    file = tmp_path / "office.toml"
    file.write_text('[database]\nhost = "127.0.0.1"\nport = 1\n')
    file.chmod(0o600)
    said = CliRunner().invoke(main, ["office", "settings", "--settings", str(file), "--json"])
    listed = {row["name"]: row for row in json.loads(said.stdout)}
    assert said.exit_code == 0
    assert listed["listener"] == {
        "name": "listener",
        "value": "–",
        "from": "Open Dental's database (not reached: database-away)",
    }
    assert listed["database.port"]["value"] == "1"


def test_the_status_says_why_and_what_comes_next(office: Office) -> None:
    now = "UPDATE eservicesignal SET SigDateTime = datetime('now', 'localtime')"
    office.do(lambda connection: connection.execute(text(now)))
    said = office.say("status")
    assert "2 errors wait to be acknowledged" in said.stdout
    assert "`econnector office ack`" in said.stdout
    told = json.loads(office.say("status", "--json").stdout)
    assert (told["status"], told["next_step"]["action"]) == ("Error", "ack")
    assert told["why"].startswith("2 errors wait")
    assert told["since"]


@pytest.mark.parametrize("command", ["history", "ack", "stop-monitoring", "settings"])
def test_every_command_explains_itself(command: str) -> None:
    said = CliRunner().invoke(main, ["office", command, "--help"])
    assert (said.exit_code, "--json" in said.output) == (0, True)
