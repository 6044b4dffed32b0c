"""`econnector office …` as it is typed: enrolment without secrets in the command line, status, references, import."""

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from econnector.base.registration import new_key, shown
from econnector.cli.main import main
from econnector.office.addresses import database_place
from econnector.office.settings import load_settings
from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.office.test_settings import config


async def test_the_key_is_read_from_standard_input_or_a_file_however_it_is_written(
    connector: Connector, hq: RunningHq, practice: str, tmp_path: Path
) -> None:
    _, key = await hq.add("smile", title="Smile Dental")
    connector.write(hq.link, practice)
    status, said, _ = await connector.say("office", "enrol", typed=f" {shown(key).lower()}\n")
    assert (status, "This machine is the connector of Smile Dental" in said) == (0, True)
    (tmp_path / "key").write_text(key)
    status, told = await connector.ask("office", "enrol", "--key-file", str(tmp_path / "key"))
    assert (status, told["office"]) == (0, "smile"), "enrolling again does no harm"


async def test_a_key_in_the_command_line_is_refused_and_not_repeated(connector: Connector) -> None:
    key = new_key()
    status, said, told = await connector.say("office", "enrol", key)
    assert (status, said) == (2, "")
    assert "never stands in a command line" in told
    assert key not in told
    status, _, told = await connector.say("office", "run", "--set", f"database.password={key}")
    assert status == 2
    assert key not in told


async def test_a_wrong_key_an_unknown_key_and_an_hq_that_is_away_are_told_apart(
    connector: Connector, hq: RunningHq, practice: str
) -> None:
    connector.write(hq.link, practice)
    status, _, told = await connector.say("office", "enrol", "-", typed="ABCD\n")
    assert (status, "typing mistakes" in told, "ABCD" in told) == (78, True, False)
    status, said, told = await connector.say("office", "enrol", "-", typed=new_key() + "\n")
    assert (status, said, "registration-key-unknown" in told) == (78, "", True)
    connector.write("ws://127.0.0.1:1/link", practice)
    status, _, told = await connector.say("office", "enrol", "-", typed=new_key() + "\n")
    assert (status, "hq-away" in told) == (69, True)


async def test_a_connector_that_never_ran_says_what_comes_first(connector: Connector, practice: str) -> None:
    connector.write("wss://hq.invalid", practice)
    status, _, told = await connector.say("office", "run")
    assert (status, "code 104" in told, "econnector office enrol" in told) == (69, True, True)
    status, answer = await connector.ask("office", "status")
    assert (status, answer["alive"], answer["status"], answer["enrolled"]) == (2, False, "None", "")
    _, said, _ = await connector.say("office", "status")
    assert "`econnector office install`" in " ".join(said.split())
    status, said, _ = await connector.say("office", "failure", "7F3K-22QX")
    assert (status, "Nothing is known under 7F3K-22QX" in said) == (1, True)


def test_settings_are_made_from_open_dentals_config_file(tmp_path: Path) -> None:
    source = config(tmp_path, computer="server:3307", hashed="odv2e$x", ca="sky.pem")
    target = tmp_path / "made" / "office.toml"
    words = ["office", "import-config", str(source), "--output", str(target)]
    result = CliRunner().invoke(main, words, input='a "quoted" \\ pässword\n')
    assert result.exit_code == 0, result.output
    assert "quoted" not in result.output
    place = database_place(load_settings(target, environment={}))
    assert (place.url, place.password) == ("mysql://connector@server:3307/opendental", 'a "quoted" \\ pässword')
    assert place.ca == tmp_path / "sky.pem"
    if os.name != "nt":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    again = CliRunner().invoke(main, words, input="x\n")
    assert (again.exit_code, "is there already" in again.output) == (2, True)


@pytest.mark.parametrize("pair", ["hq.ulr=x", "hq.url"])
def test_a_setting_that_is_none_is_refused(pair: str) -> None:
    result = CliRunner().invoke(main, ["office", "status", "--set", pair])
    assert result.exit_code == 2
    assert "is no setting" in result.output


def test_every_setting_is_shown_with_its_place_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "office.toml"
    file.write_text('[database]\npassword = "hidden"\n')
    file.chmod(0o600)
    words = ["office", "settings", "--settings", str(file), "--set", "hq.url=wss://hq.example.com"]
    result = CliRunner().invoke(main, [*words, "--json"])
    assert result.exit_code == 0, result.output
    shown_settings = {each["name"]: (each["value"], each["from"]) for each in json.loads(result.output)}
    assert shown_settings["database.password"] == ("(secret)", str(file))
    assert shown_settings["hq.url"] == ("wss://hq.example.com", "flag")
    assert shown_settings["database.port"] == ("3306", "default")
    assert "hidden" not in CliRunner().invoke(main, words).output


def test_the_doctor_lists_what_it_checks() -> None:
    result = CliRunner().invoke(main, ["doctor", "--list"])
    assert result.exit_code == 0
    assert "database-latency" in result.output


def test_a_config_file_named_from_its_folder_keeps_what_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(tmp_path, password="p", ca="sky.pem")
    monkeypatch.chdir(tmp_path)
    words = ["office", "import-config", "OpenDentalWebConfig.xml", "--output", "made/office.toml"]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert database_place(load_settings(Path("made/office.toml"), environment={})).ca == tmp_path / "sky.pem"


def test_an_encrypted_password_that_nobody_gives_makes_no_file(tmp_path: Path) -> None:
    source, target = config(tmp_path, hashed="odv2e$x"), tmp_path / "office.toml"
    result = CliRunner().invoke(main, ["office", "import-config", str(source), "--output", str(target)], input="")
    assert (result.exit_code, target.exists()) == (2, False)
    assert "standard input" in result.output


async def test_a_state_file_that_this_account_may_not_look_for_is_said(connector: Connector, practice: str) -> None:
    connector.write("wss://hq.invalid", practice)
    place = "x" * 300  # the system refuses to look, as it does in another account's folder
    status, _, told = await connector.say("office", "status", "--set", f"state={place}")
    assert (status, "code state-locked" in told) == (78, True), told
    status, _, told = await connector.say("office", "failure", "7F3K-22QX", "--set", f"state={place}")
    assert (status, "code state-locked" in told) == (78, True), told
