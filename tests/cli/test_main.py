"""The command line: quick help, failures in words, exit statuses, no traceback for people."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from econnector.base.errors import DatabaseAway
from econnector.base.logs import configure
from econnector.cli.main import COMMANDS, Root, main


@click.group(cls=Root)
def broken() -> None:
    """Commands that fail."""


@broken.command()
@click.option("--json", "as_json", is_flag=True)
def away(as_json: bool) -> None:
    del as_json
    raise DatabaseAway(server="db:3306", reason="connection refused")


@broken.command()
def fault() -> None:
    raise ZeroDivisionError("the patient is Jane Doe")


@broken.command()
def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    configure(tmp_path / "log")
    yield tmp_path
    configure(None)


def test_a_failure_is_told_with_cause_numbered_remedy_code_and_reference() -> None:
    result = CliRunner().invoke(broken, ["away"])
    assert result.exit_code == 69
    assert not result.stdout
    assert "The database server db:3306 does not answer: connection refused." in result.stderr
    assert "  1. See that the database service" in result.stderr
    assert "code database-away · reference " in result.stderr


def test_a_failure_is_told_as_json() -> None:
    result = CliRunner().invoke(broken, ["away", "--json"])
    told = msgspec.json.decode(result.stdout)
    assert (told["ok"], told["code"], told["exit"]) == (False, "database-away", 69)
    assert told["facts"] == {"server": "db:3306", "reason": "connection refused"}


@pytest.mark.causes("unexpected")
def test_a_fault_shows_its_reference_and_leaves_its_frames_in_the_log_without_its_text(home: Path) -> None:
    result = CliRunner().invoke(broken, ["fault"])
    assert result.exit_code == 70
    assert "Traceback" not in result.output
    assert "Jane" not in result.output
    line = next(line for file in (home / "log").rglob("*.txt") for line in file.read_text().splitlines())
    logged = msgspec.json.decode(line)
    assert logged["reference"] in result.stderr
    assert any("test_main.py" in frame for frame in logged["trace"])
    assert "Jane" not in line


def test_an_interrupted_command_is_quiet() -> None:
    result = CliRunner().invoke(broken, ["interrupted"])
    assert result.exit_code == 130
    assert not result.stderr.strip()


def test_help_names_every_command_and_imports_none() -> None:
    heavy = ("sqlalchemy", "rich", "starlette", "websockets", "cryptography", "asyncio", "msgspec", "structlog")
    script = f"""
import sys
from econnector.cli.main import main
try:
    main(["--help"])
except SystemExit as ended:
    assert ended.code == 0, ended.code
print([name for name in {heavy} if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "[]"
    assert all(name in told for name in COMMANDS)


def test_what_only_asks_for_services_loads_no_database() -> None:
    script = """
import sys
import econnector.cli.service, econnector.office.service.services
print([name for name in ("sqlalchemy", "pymysql", "cryptography", "starlette") if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["[]"]


def test_the_version_is_said() -> None:
    assert CliRunner().invoke(main, ["--version"]).output.startswith("econnector ")


def test_a_wrong_word_is_answered_with_status_2() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2


@pytest.mark.parametrize("group", [["office"], ["hq"], ["hq", "office"]])
def test_no_commands_line_is_cut_off(group: list[str]) -> None:
    said = CliRunner().invoke(main, [*group, "--help"]).output
    assert "..." not in said.partition("Commands:")[2]
