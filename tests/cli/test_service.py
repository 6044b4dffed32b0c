"""`econnector service …` as it is typed: real processes, real connectors, a real database."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.hq.running import RunningHq
from tests.office.connector import Connector
from tests.support.mariadb import shared_server
from tests.support.typed import typed as run_typed
from tests.support.whole import until

NAME, OTHER = "OpenDentalEConnector", "OpenDentalEConnector_North"
PASSWORD = "not-in-any-file-of-settings"


class Machine:
    """A machine without an operating system's services."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")}
        self.environment = kept | {
            "ECONNECTOR_SERVICE_MANAGER": "supervised",
            "ECONNECTOR_SERVICE_FOLDER": str(folder / "services"),
            "STATE_DIRECTORY": str(folder / "data"),
            "LANG": "C.UTF-8",
        }

    def say(self, *words: str, typed: str = "", group: str = "service") -> subprocess.CompletedProcess[str]:
        return run_typed([group, *words], self.environment, answers=typed)

    def ask(self, *words: str, typed: str = "") -> Any:
        """The same with `--json`; returns what it says."""
        done = self.say(*words, "--json", typed=typed)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def connector(self, name: str) -> int:
        """The connector's process, once there is one."""
        file = self.folder / "services" / "run" / f"{name.lower()}.run"
        return int(until(lambda: (json.loads(file.read_text())["connector"] or {}).get("pid", 0)))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    for file in (tmp_path / "services" / "run").glob("*.run"):
        with contextlib.suppress(ValueError, OSError, psutil.Error):
            psutil.Process(json.loads(file.read_text())["supervisor"]["pid"]).terminate()


@pytest.mark.causes("service-not-started")
async def test_two_offices_on_one_machine_from_add_to_uninstall(
    machine: Machine, connector: Connector, hq: RunningHq, practice: str, tmp_path: Path
) -> None:
    _, key = await hq.add("smile")
    connector.write(hq.link, practice)
    await connector.enrol(key)
    second = Connector(tmp_path / "north")
    second.write(hq.link, f"sqlite:///{tmp_path}/north.sqlite")

    ask = functools.partial(asyncio.to_thread, machine.ask)
    assert "Add one" in machine.say("list").stdout
    assert (await ask("install", NAME, "--settings", str(connector.file)))["state"] == "Installed, Stopped"
    assert (await ask("add", OTHER, "--settings", str(second.file)))["state"] == "Not installed"
    assert (await ask("start", NAME))["state"] == "Installed, Running"
    assert machine.say("status", NAME).stdout == f"{NAME}: Installed, Running\n"
    listed = {each["name"]: (each["state"], each["manager"]) for each in await ask("list")}
    assert listed == {NAME: ("Installed, Running", "supervised"), OTHER: ("Not installed", "supervised")}

    first = machine.connector(NAME)
    os.kill(first, signal.SIGKILL)
    await connector.until(lambda found: found.link == "open" and found.pid != first)
    assert (await ask("restart", NAME.lower()))["state"] == "Installed, Running", "capitals make no difference"

    never = machine.say("start", OTHER)
    assert (never.returncode, "service-missing" in never.stderr) == (69, True)
    await ask("install", OTHER)
    ended = await ask("start", OTHER)
    assert ended["code"] == "service-not-started"
    assert "code 104" in ended["cause"]

    assert (await ask("stop", NAME))["state"] == "Installed, Stopped"
    status = await asyncio.to_thread(machine.say, "status", "--settings", str(connector.file), group="office")
    assert f"`econnector service start {NAME}`" in " ".join(status.stdout.split())
    for name in (NAME, OTHER):
        assert (await ask("uninstall", name))["state"] == "Not installed"
    assert await ask("list") == []
    assert connector.file.exists()


@pytest.mark.causes(
    "service-account", "service-missing", "service-name-rejected", "service-settings-missing", "service-database-taken"
)
def test_what_cannot_be_is_said_with_its_remedy(machine: Machine, tmp_path: Path) -> None:
    settings = tmp_path / "a.toml"
    settings.write_text('[database]\nhost = "localhost"\nname = "od"\n')
    assert machine.ask("add", "Dental")["code"] == "service-name-rejected"
    assert machine.ask("add", NAME, "--settings", str(settings))["ok"]
    assert machine.ask("add", NAME.lower(), "--settings", str(settings))["code"] == "service-name-rejected"
    twin = tmp_path / "b.toml"
    twin.write_text('state = "b.sqlite"\n[database]\nhost = "127.0.0.1"\nname = "OD"\n')
    refused = machine.ask("add", OTHER, "--settings", str(twin))
    assert (refused["code"], NAME in refused["cause"]) == ("service-database-taken", True)
    assert (
        machine.ask("add", "OpenDentalX", "--settings", str(tmp_path / "c.toml"), "--account", "no-such-account")[
            "code"
        ]
        == "service-account"
    )
    assert machine.ask("add", "OpenDentalX", "--settings", str(tmp_path / "c.toml"))["ok"]
    missing = machine.ask("install", "OpenDentalX")
    assert missing["code"] == "service-settings-missing"
    assert "econnector service configure OpenDentalX" in missing["remedy"][0]
    assert machine.ask("stop", "OpenDentNone")["code"] == "service-missing"


@pytest.mark.shared
def test_the_configuration_step_tests_saves_and_keeps_the_password_to_itself(machine: Machine, tmp_path: Path) -> None:
    server, settings = shared_server(), tmp_path / "north" / "office.toml"
    name = server.open_dental("21.1")
    server.create_user("ec_cli", PASSWORD, f"SELECT, INSERT, UPDATE, DELETE ON {name}.*")
    server.create_user("ec_cli_read", PASSWORD, f"SELECT ON {name}.*")
    words = ["configure", NAME, "--settings", str(settings), "--server", f"127.0.0.1:{server.port}"]
    words += ["--database", name, "--hq-url", "wss://hq.example.com", "--password-stdin"]

    wrong = machine.ask(*words, "--user", "ec_cli", typed="wrong\n")
    assert (wrong["code"], settings.exists()) == ("database-refused", False)
    looked = machine.ask(*words, "--user", "ec_cli", "--test", typed=f"{PASSWORD}\n")
    assert (looked["tested"]["version"], looked["saved"], settings.exists()) == ("21.1.9.0", None, False)
    reading = machine.say(*words, "--user", "ec_cli_read", typed=f"{PASSWORD}\n")
    assert (reading.returncode, settings.exists()) == (2, False)
    assert "no heartbeat can be written" in reading.stdout
    assert "may not write" in reading.stderr
    saved = machine.say(*words, "--user", "ec_cli", typed=f"{PASSWORD}\n")
    assert saved.returncode == 0, saved.stderr
    assert "lets ec_cli in" in saved.stdout
    assert PASSWORD not in settings.read_text() + saved.stdout + saved.stderr
    again = machine.ask("configure", NAME, "--user", "ec_cli")
    assert again["ok"], again["cause"] + "what is not given stays, the password too"
    for deed in ("install", "uninstall"):
        assert machine.ask(deed, NAME, *(["--settings", str(settings)] if deed == "install" else []))["ok"]
    assert machine.ask("add", NAME, "--settings", str(settings))["ok"]
    noted = server.sql(
        "SELECT PermType, UserNum, LogText FROM securitylog INNER JOIN securityloghash USING (SecurityLogNum)"
        " WHERE LogText LIKE 'eConnector service%%' ORDER BY LogDateTime, LogText",
        database=name,
    )
    assert {row[:2] for row in noted} == {(91, 0)}
    words_said = " ".join(str(row[2]) for row in noted)
    for done in ("configured", "installed", "uninstalled"):
        assert f"{NAME}: {done} (command line, operating-system account " in words_said

    twin = machine.ask(
        "configure",
        OTHER,
        "--settings",
        str(tmp_path / "b.toml"),
        *words[4:],
        "--user",
        "ec_cli",
        typed=f"{PASSWORD}\n",
    )
    assert twin["code"] == "service-database-taken"
    assert not (tmp_path / "b.toml").exists()
    server.drop_database(name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be another account")
def test_a_named_account_is_tried_before_it_runs_the_connector(machine: Machine, tmp_path: Path) -> None:
    settings = tmp_path / "office.toml"
    settings.write_text('[hq]\nurl = "wss://hq.invalid"\n[database]\nurl = "sqlite:///none.sqlite"\n')
    tmp_path.chmod(0o700)
    said = machine.ask("install", NAME, "--settings", str(settings), "--account", "daemon")
    assert said["state"] == "Installed, Stopped"
    assert {each["state"] for each in said["account_checks"]} <= {"problem", "unknown", "attention"}
    assert "daemon" in json.dumps(said["account_checks"]) or "settings" in json.dumps(said["account_checks"])


def test_it_can_be_done_by_hand(machine: Machine, tmp_path: Path) -> None:
    machine.say("add", NAME, "--settings", str(tmp_path / "office.toml"))
    printed = machine.say("unit", NAME).stdout
    assert printed.strip().endswith(f"office run --settings {tmp_path}/office.toml")
