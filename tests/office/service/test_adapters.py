"""What the operating systems are told: the exact unit, plist and calls, and how their refusals are explained."""

import os
import plistlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from econnector.base.errors import (
    ServiceFailure,
    ServiceManagerFailed,
    ServiceMissing,
    ServiceNotStarted,
    ServiceRights,
)
from econnector.office.service import launchd, systemd
from econnector.office.service.accounts import current
from econnector.office.service.contract import Definition, ServiceState
from econnector.office.service.folders import Folders, folders_of
from econnector.office.service.launchd import Launchd, plist_text
from econnector.office.service.programs import Said, run
from econnector.office.service.systemd import Systemd
from econnector.office.service.unit import unit_text
from econnector.office.service.windows import RefusedError, Windows, binary, with_everyone
from econnector.office.service.windows import by_hand as by_hand_on_windows

NAME = "OpenDentalEConnector"
SETTINGS = Path("/etc/econnector/office.toml")
PLAIN = Definition(NAME, SETTINGS)

UNIT = """\
# Written by `econnector service install OpenDentalEConnector`; installing again writes it anew.
[Unit]
Description=eConnector (OpenDentalEConnector)
Wants=network-online.target
After=network-online.target mariadb.service mysql.service mysqld.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=PYTHON -m econnector office run --settings /etc/econnector/office.toml
WorkingDirectory=/etc/econnector
User=connector
StateDirectory=econnector
StateDirectoryMode=0700
LogsDirectory=econnector
LogsDirectoryMode=0700
ReadWritePaths=-/etc/econnector
LoadCredentialEncrypted=database-password:/etc/econnector/secrets/database-password.cred
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStopSec=20
OOMScoreAdjust=-100
NoNewPrivileges=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
ProtectSystem=full
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER

[Install]
WantedBy=multi-user.target
"""
USER_UNIT = """\
# Written by `econnector service install OpenDentalEConnector`; installing again writes it anew.
[Unit]
Description=eConnector (OpenDentalEConnector)
Wants=network-online.target
After=network-online.target mariadb.service mysql.service mysqld.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=PYTHON -m econnector office run --settings "/home/ann/100%% of it/a \\"b\\" $$c.toml"
WorkingDirectory=/home/ann/100%% of it
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStopSec=20
OOMScoreAdjust=-100
NoNewPrivileges=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""
SEALED = Folders(
    Path("/var/lib/econnector"), Path("/var/log/econnector"), Path("/etc/econnector/secrets/database-password.cred")
)
ODD = Definition(NAME, Path('/home/ann/100% of it/a "b" $c.toml'))


def test_the_unit_of_a_system_service() -> None:
    made = unit_text(Definition(NAME, SETTINGS, "connector"), SEALED, user=False)
    assert made == UNIT.replace("PYTHON", sys.executable)


def test_the_unit_of_an_account_with_odd_names_in_it() -> None:
    made = unit_text(ODD, Folders(Path("/home/ann/s"), Path("/home/ann/l"), Path("/home/ann/p.secret")), user=True)
    assert made == USER_UNIT.replace("PYTHON", sys.executable)


def test_a_plain_password_file_is_handed_over_too() -> None:
    folders = Folders(Path("/srv/state"), Path("/srv/log"), Path("/etc/econnector/p.secret"))
    lines = unit_text(PLAIN, folders, user=False).splitlines()
    assert "LoadCredential=database-password:/etc/econnector/p.secret" in lines
    assert not [line for line in lines if line.startswith(("User=", "StateDirectory", "LogsDirectory"))]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("user", [False, True])
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path, user: bool) -> None:
    (tmp_path / "a folder").mkdir()
    definition = Definition(NAME, tmp_path / "a folder" / "office.toml", "" if user else "daemon")
    file = tmp_path / f"{NAME}.service"
    file.write_text(unit_text(definition, SEALED, user=user))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=one", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_us = [line for line in (done.stdout + done.stderr).splitlines() if NAME in line]
    assert about_us == []
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_what_systemd_would_not_understand_is_found_by_this_check(tmp_path: Path) -> None:
    file = tmp_path / f"{NAME}.service"
    file.write_text(unit_text(PLAIN, SEALED, user=False).replace("Type=exec", "Type=execute"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    assert f"{NAME}.service" in done.stderr


class Recorder:
    """Programs that answer as told, by their first words."""

    def __init__(self, **answers: Said) -> None:
        self.answers, self.calls = answers, list[str]()

    def __call__(self, words: Sequence[str]) -> Said:
        line = " ".join(words)
        self.calls.append(line)
        found = next((said for key, said in self.answers.items() if f" {key.replace('_', '-')}" in f" {line}"), None)
        return found or Said(0)


RUNS = Said(0, "LoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\n")
DEAD = Said(0, "LoadState=loaded\nActiveState=inactive\nSubState=dead\n")
FAILING = Said(0, "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nNRestarts=3\n")
NOT_THERE = Said(0, "LoadState=not-found\nActiveState=inactive\nSubState=dead\n")
SHOW = "systemctl --no-ask-password show OpenDentalEConnector.service --property=LoadState,ActiveState,SubState"


def manager(tmp_path: Path, **answers: Said) -> tuple[Systemd, Recorder]:
    recorder = Recorder(**answers)
    return Systemd(folder=tmp_path, runs=recorder), recorder


def test_what_systemd_is_asked(tmp_path: Path) -> None:
    units, recorder = manager(tmp_path, show=RUNS)
    units.install(PLAIN)
    assert (tmp_path / f"{NAME}.service").read_text().startswith("# Written by")
    units.start(NAME)
    recorder.answers["show"] = DEAD
    units.stop(NAME)
    units.uninstall(NAME)
    systemctl, unit = "systemctl --no-ask-password", f"{NAME}.service"
    assert recorder.calls == [
        f"{systemctl} daemon-reload",
        f"{systemctl} enable {unit}",
        f"{systemctl} reset-failed {unit}",
        f"{systemctl} start {unit}",
        SHOW,
        f"{systemctl} stop {unit}",
        SHOW,
        f"{systemctl} stop {unit}",
        SHOW,
        f"{systemctl} disable {unit}",
        f"{systemctl} daemon-reload",
        f"{systemctl} reset-failed {unit}",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "state", "restarts"),
    [
        (RUNS, "Installed, Running", 0),
        (DEAD, "Installed, Stopped", 0),
        (FAILING, "Installed, Stopped", 3),
        (NOT_THERE, "Not installed", 0),
    ],
)
def test_systemds_states_are_open_dentals_words(tmp_path: Path, said: Said, state: str, restarts: int) -> None:
    units, _ = manager(tmp_path, show=said)
    assert (units.state(NAME).value, units.restarts(NAME)) == (state, restarts)


def test_a_unit_that_systemd_does_not_take_is_undone_and_never_one_that_was_there(tmp_path: Path) -> None:
    units, recorder = manager(tmp_path, show=RUNS)
    file = tmp_path / f"{NAME}.service"
    recorder.answers["enable"] = Said(1, "", "Access denied")
    with pytest.raises(ServiceFailure):
        units.install(PLAIN)
    assert not file.exists()
    for before in ("# an older one\n", unit_text(PLAIN, folders_of(PLAIN), user=False)):
        file.write_text(before)
        with pytest.raises(ServiceFailure):
            units.install(PLAIN)
        assert file.read_text() == before


def test_every_service_of_open_dental_is_listed(tmp_path: Path) -> None:
    listed = Said(0, "OpenDentalEConnector.service enabled enabled\nOpenDentHL7.service disabled enabled\n")
    units, recorder = manager(tmp_path, list_unit_files=listed)
    assert units.names() == ["OpenDentHL7", "OpenDentalEConnector"]
    assert recorder.calls[0].endswith("--plain OpenDent*.service")


@pytest.mark.causes("service-rights", row="install: no administrator rights", sees="history")
def test_without_rights_it_says_which_and_how_to_do_it_by_hand(tmp_path: Path) -> None:
    denied = Said(4, "", "Failed to enable unit: Access denied\n")
    units, recorder = manager(tmp_path, enable=denied)
    with pytest.raises(ServiceRights) as failed:
        units.install(PLAIN)
    text = failed.value.office_text()
    assert "Failed to access registry" in text
    assert "Access denied" in text
    assert "systemctl enable --now" in failed.value.remedy_steps()[1]
    assert not (tmp_path / f"{NAME}.service").exists(), "a unit that is not enabled is not left behind"
    assert recorder.calls[-1].endswith("daemon-reload")


def test_units_of_an_account_start_with_the_machine_only_where_it_lingers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "LINGER", tmp_path)
    assert Systemd(runs=Recorder()).at_boot
    leaves = Systemd(user=True, runs=Recorder())
    assert not leaves.at_boot
    assert "loginctl enable-linger" in leaves.boot_step
    (tmp_path / current()).touch()
    stays = Systemd(user=True, runs=Recorder())
    assert (stays.at_boot, stays.boot_step) == (True, "")
    assert not Launchd(user=True, runs=Recorder()).at_boot


def test_systemd_restarts_in_one_job_that_outlives_who_asked(tmp_path: Path) -> None:
    units, recorder = manager(tmp_path, show=RUNS)
    units.restart(NAME)
    systemctl, unit = "systemctl --no-ask-password", f"{NAME}.service"
    assert recorder.calls == [f"{systemctl} reset-failed {unit}", f"{systemctl} restart {unit}", SHOW]


def test_a_unit_that_cannot_be_removed_is_not_stopped_and_how_to_remove_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, recorder = manager(tmp_path, show=RUNS)
    (tmp_path / f"{NAME}.service").write_text(unit_text(PLAIN, SEALED, user=False))
    monkeypatch.setattr(os, "access", lambda *_: False)  # as under ProtectSystem, also for root
    with pytest.raises(ServiceRights) as failed:
        units.uninstall(NAME)
    assert recorder.calls == []
    words = " ".join(failed.value.remedy_steps())
    assert f"sudo econnector service uninstall {NAME}" in words
    assert f"systemctl disable --now {NAME}.service" in words


def test_what_stays_as_it_is_is_renewed_where_nothing_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, recorder = manager(tmp_path)
    units.install(PLAIN)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(systemd, "write_text", refuse)
    units.install(PLAIN)
    assert recorder.calls[-1].endswith(f"enable {NAME}.service")
    with pytest.raises(ServiceRights, match="Read-only"):
        units.install(Definition(NAME, SETTINGS, "another"))


@pytest.mark.parametrize(
    ("action", "systemctl", "launchctl", "sc"),
    [
        ("install", "enable --now", "bootstrap", "sc create"),
        ("uninstall", "disable --now", "bootout", "sc delete"),
        ("start", "start", "bootstrap", "sc start"),
        ("stop", "stop", "bootout", "sc stop"),
    ],
)
def test_what_a_person_does_by_hand_is_what_was_refused(
    tmp_path: Path, action: str, systemctl: str, launchctl: str, sc: str
) -> None:
    units, jobs = Systemd(folder=tmp_path, runs=Recorder()), Launchd(folder=tmp_path, runs=Recorder())
    assert f"systemctl {systemctl}" in units._by_hand(NAME, action)
    assert f"launchctl {launchctl}" in jobs._by_hand(NAME, action)
    assert sc in by_hand_on_windows(NAME, action)


def test_a_folder_that_cannot_be_written_is_missing_rights(tmp_path: Path) -> None:
    (tmp_path / "units").write_text("")
    with pytest.raises(ServiceRights, match="units"):
        Systemd(folder=tmp_path / "units", runs=Recorder()).install(PLAIN)


def test_one_that_does_not_come_up_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "START_SECONDS", 0.0)
    journal = Said(0, "hello\n✗ The setting hq.url is missing (setting-missing)\n  1. Set it\n")
    units, _ = manager(tmp_path, show=FAILING, journalctl=journal)
    (tmp_path / f"{NAME}.service").write_text(unit_text(PLAIN, SEALED, user=False))
    with pytest.raises(ServiceNotStarted) as failed:
        units.start(NAME)
    assert "The setting hq.url is missing" in failed.value.office_text()
    assert "journalctl --unit OpenDentalEConnector.service" in failed.value.remedy_steps()[0]
    assert str(SETTINGS) in failed.value.remedy_steps()[1]


@pytest.mark.causes("service-manager-failed")
def test_systemd_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    units, _ = manager(tmp_path, start=Said(1, "", "Failed to connect to bus: No such file or directory"))
    with pytest.raises(ServiceManagerFailed, match="Failed to connect to bus"):
        units.start(NAME)


def test_a_program_that_is_missing_or_hangs_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not installed" in run(["econnector-no-such-program"]).reason
    monkeypatch.setattr("econnector.office.service.programs.SECONDS", 0.2)
    assert "no answer" in run([sys.executable, "-c", "import time; time.sleep(60)"]).reason


# -- macOS ------------------------------------------------------------------------------------------------------------


def test_the_plist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("econnector.office.service.command.data_folder", lambda: Path("/Library/EC"))
    made = plist_text(Definition(NAME, SETTINGS, "connector"), Path("/Library/Logs/x.log"), agent=False)
    assert made.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist')
    assert plistlib.loads(made.encode()) == {
        "Label": NAME,
        "ProgramArguments": [
            sys.executable,
            "-m",
            "econnector",
            "office",
            "run",
            "--quiet",
            "--settings",
            str(SETTINGS),
        ],
        "WorkingDirectory": "/etc/econnector",
        "EnvironmentVariables": {"STATE_DIRECTORY": "/Library/EC"},
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": 5,
        "ExitTimeOut": 20,
        "ProcessType": "Background",
        "StandardOutPath": "/Library/Logs/x.log",
        "StandardErrorPath": "/Library/Logs/x.log",
        "UserName": "connector",
        "InitGroups": True,
    }


def test_what_launchd_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launchd, "START_SECONDS", 0.0)
    unloaded, loaded = Said(113, "", "Could not find service"), Said(0, "\tstate = running\n\truns = 3\n")
    recorder = Recorder(print=unloaded)
    jobs = Launchd(folder=tmp_path, runs=recorder)
    jobs.install(PLAIN)
    assert jobs.names() == [NAME]
    assert jobs.state(NAME) is ServiceState.STOPPED
    recorder.calls.clear()
    with pytest.raises(ServiceNotStarted):
        jobs.start(NAME)
    recorder.answers["print"] = loaded
    jobs.start(NAME)
    assert (jobs.state(NAME), jobs.restarts(NAME)) == (ServiceState.RUNNING, 2)
    recorder.answers["print"] = unloaded
    jobs.uninstall(NAME)
    assert jobs.state(NAME) is ServiceState.NOT_INSTALLED
    told = [line for line in recorder.calls if " print " not in line]
    assert told == [
        f"/bin/launchctl bootstrap system {tmp_path}/{NAME}.plist",
        f"/bin/launchctl kickstart system/{NAME}",
    ]
    jobs.install(PLAIN)
    assert recorder.calls[-1] == f"/bin/launchctl enable system/{NAME}"


def test_launchd_without_rights(tmp_path: Path) -> None:
    denied = Said(1, "", "Bootstrap failed: 1: Operation not permitted")
    with pytest.raises(ServiceRights, match="not permitted") as failed:
        Launchd(folder=tmp_path, runs=Recorder(bootstrap=denied, print=Said(113))).start(NAME)
    assert "launchctl bootstrap system" in failed.value.remedy_steps()[1]


# -- Windows ----------------------------------------------------------------------------------------------------------

SDDL = "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)S:(AU;FA;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)"
OPEN = (
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;RPWPCR;;;WD)"
    "S:(AU;FA;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)"
)


class FakeScm:
    """Windows as it answers, with every call written down; `refuse` maps a call to an error number."""

    def __init__(self, **refuse: int) -> None:
        self.refuse, self.calls, self.word = refuse, list[tuple[object, ...]](), ""

    def __getattr__(self, call: str) -> Any:
        def said(*words: object) -> str:
            if call in self.refuse:
                raise RefusedError(self.refuse[call], f"error {self.refuse[call]}")
            if call not in {"query", "security", "names"}:
                self.calls.append((call, *words))
            self.word = {"create": "stopped", "start": "running", "stop": "stopped", "delete": ""}.get(call, self.word)
            return SDDL if call == "security" else self.word

        return said


def test_what_windows_is_asked() -> None:
    scm = FakeScm()
    services = Windows(scm)
    definition = Definition(NAME, SETTINGS, "connector", "log-on secret")
    services.install(definition)
    assert services.state(NAME) is ServiceState.STOPPED
    services.start(NAME)
    services.start(NAME)
    services.stop(NAME)
    services.uninstall(NAME)
    assert services.state(NAME) is ServiceState.NOT_INSTALLED
    assert scm.calls == [
        ("grant_log_on", ".\\connector"),
        ("let_read", ".\\connector", SETTINGS),
        ("create", NAME, binary(definition), ".\\connector", "log-on secret"),
        ("describe", NAME, "The bridge between this practice's Open Dental database and the web (eConnector)."),
        ("delay", NAME),
        ("restart_on_failure", NAME, (5000, 15000, 60000), 86400),
        ("secure", NAME, OPEN),
        ("start", NAME),
        ("stop", NAME),
        ("delete", NAME),
    ]
    assert "log-on secret" not in binary(definition)
    assert "log-on secret" not in repr(definition)
    assert "windows_service.py" in binary(definition)
    assert " -I " in binary(definition)


def test_everyone_may_start_and_stop_and_is_named_once() -> None:
    assert with_everyone(SDDL) == OPEN
    assert with_everyone(OPEN) == OPEN
    assert with_everyone("D:(A;;RC;;;SY)") == "D:(A;;RC;;;SY)(A;;RPWPCR;;;WD)"


def test_a_service_that_cannot_be_furnished_is_not_left_behind() -> None:
    scm = FakeScm(secure=5)
    with pytest.raises(ServiceRights, match="administrator"):
        Windows(scm).install(PLAIN)
    assert scm.calls[-1] == ("delete", NAME)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (5, ServiceRights, "Failed to access registry"),
        (1060, ServiceMissing, "not installed yet"),
        (1069, ServiceManagerFailed, "the account or its password is wrong"),
        (1072, ServiceManagerFailed, "still in use"),
        (1234, ServiceManagerFailed, "error 1234"),
    ],
)
def test_windows_refusals_are_told_apart(code: int, kind: type[ServiceFailure], said: str) -> None:
    with pytest.raises(kind, match=said):
        Windows(FakeScm(start=code)).start(NAME)
