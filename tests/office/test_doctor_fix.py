"""What the doctor mends: only what a person says yes to, and then it is well; without `--fix` nothing is touched."""

import asyncio
import datetime as dt
import hashlib
import json
import os
import shutil
import sqlite3
import threading
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from econnector.base.clock import SYSTEM
from econnector.base.errors import HqAway, PortTaken, VersionsDiffer
from econnector.office.awake import power
from econnector.office.awake.power import Power
from econnector.office.doctor import CHECKS, fixing
from econnector.office.doctor.access import nearest
from econnector.office.doctor.check import Check, Finding, Fix, attention, examine, from_failure, offering, ok
from econnector.office.doctor.fixing import mend
from econnector.office.doctor.scene import Scene
from econnector.office.doctor.threads import run
from econnector.office.running import NAME, Running, trouble
from econnector.office.service.services import Services
from econnector.storage.state import meta
from econnector.storage.state.base import open_state
from tests.support.ports import free_port
from tests.support.typed import typed
from tests.support.whole import built, enrolled

WAITS_FOR_NOBODY = '[hq]\nurl = "wss://hq.invalid/link"\nproxy = "none"\n'
OLD = dt.date(2020, 1, 2)
pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights of files are looked at on other systems")


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    """An office's folder; its log is kept for 30 days."""
    folder = Path(shutil.copytree(built(), tmp_path / "office"))
    settings = folder / "office.toml"
    kept = settings.read_text()
    settings.write_text(f'{kept}\n{WAITS_FOR_NOBODY}[log]\nfolder = "log"\ndays = 30\n' if "[hq]" not in kept else kept)
    settings.chmod(0o600)
    return folder


def doctor(practice: Path, *words: str, answers: str = "") -> tuple[int, str]:
    """Return the exit status of `econnector doctor` and what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")}
    mine = {"ECONNECTOR_SERVICE_FOLDER": str(practice / "services"), "ECONNECTOR_SERVICE_MANAGER": "supervised"}
    done = typed(["doctor", "--settings", str(practice / "office.toml"), *words], kept | mine, answers=answers)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def settings_of(practice: Path) -> str:
    return (practice / "office.toml").read_text()


def told(practice: Path, *words: str) -> Any:
    return json.loads(doctor(practice, "--json", *words)[1])


def finding(practice: Path, check: str) -> Any:
    return next(each for each in told(practice, "--only", check)["findings"] if each["check"] == check)


def old_log(practice: Path) -> Path:
    file = practice / "log" / "Main" / f"{OLD:%y-%m-%d}" / f"{OLD:%y-%m-%d} (001).txt"
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")
    return file


def state_of(practice: Path, running: Running | None = None) -> Path:
    """Make the state file as a connector leaves it."""

    async def make() -> None:
        state = await open_state(practice / "office.sqlite")
        if running is not None:
            await state.run(meta.write, NAME, msgspec.json.encode(running).decode())
        await state.close()

    asyncio.run(make())
    return practice / "office.sqlite"


def content(practice: Path) -> dict[str, str]:
    """Every file with its bytes' hash and its mode, and what the database holds."""
    files = {
        str(file.relative_to(practice)): f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.stat().st_mode:o}"
        for file in sorted(practice.rglob("*"))
        if file.is_file() and not file.name.endswith(("-wal", "-shm"))
    }
    with sqlite3.connect(practice / "practice.sqlite") as database:
        dump = "\n".join(database.iterdump())
    return files | {"the database": hashlib.sha256(dump.encode()).hexdigest()}


def test_without_fix_nothing_is_changed_however_much_could_be_mended(practice: Path) -> None:
    old_log(practice)
    state_of(practice).chmod(0o644)
    before = content(practice)
    offers = {each["check"]: each["fix"] for each in told(practice)["findings"] if each["fix"]}
    assert offers == {"logs": "sweep-logs", "state": "close-state"}
    doctor(practice)
    doctor(practice, "--fix", answers="n\nn\n")
    doctor(practice, "--fix", "--only", "schema", "--yes")
    assert content(practice) == before


def test_each_fix_is_asked_for_and_only_that_is_done(practice: Path) -> None:
    log, state = old_log(practice), state_of(practice)
    state.chmod(0o644)
    said = doctor(practice, "--fix", "--only", "state", "--only", "logs", answers="y\nn\n")[1]
    assert said.count("Do it? [y/N]") == 2
    assert "Only its owner may read" in said
    assert "Nothing was changed." in said
    assert log.exists()
    assert state.stat().st_mode & 0o777 == 0o600
    rows = sqlite3.connect(practice / "practice.sqlite").execute(
        "SELECT LogText FROM securitylog WHERE LogText LIKE 'eConnector service changed.%'"
    )
    assert ["The doctor mended state: close-state" in row[0] for row in rows] == [True]


def test_scripts_say_yes_to_all_and_read_what_became_of_it(practice: Path) -> None:
    log = old_log(practice)
    found = told(practice, "--only", "logs", "--fix", "--yes")
    assert [(each["fix"], each["outcome"], each["after"]["state"]) for each in found["mended"]] == [
        ("sweep-logs", "mended", "ok")
    ]
    assert (found["state"], found["seconds"] < 15) == ("ok", True)
    assert not log.exists()
    assert doctor(practice, "--yes")[0] == doctor(practice, "--json", "--fix")[0] == 2, "asked for with half the words"


def test_settings_that_others_may_read_are_closed_and_can_be_used_again(practice: Path) -> None:
    settings = practice / "office.toml"
    settings.write_text(settings.read_text().replace("[database]", '[database]\npassword = "s3cret"', 1))
    settings.chmod(0o644)
    found = finding(practice, "settings")
    assert (found["code"], found["fix"]) == ("setting-invalid", "close-settings")
    assert "s3cret" not in json.dumps(found)
    assert told(practice, "--only", "settings", "--fix", "--yes")["mended"][0]["outcome"] == "mended"
    assert settings.stat().st_mode & 0o777 == 0o600
    assert finding(practice, "settings")["state"] == "ok"


def test_settings_without_a_secret_are_left_open_whatever_else_is_wrong(practice: Path) -> None:
    settings = practice / "office.toml"
    settings.write_text(settings.read_text() + "\n[window]\nport = 0\n")
    settings.chmod(0o644)
    found = finding(practice, "settings")
    assert (found["code"], found["fix"]) == ("setting-invalid", "")


def test_a_password_file_that_others_may_read_is_closed(practice: Path) -> None:
    settings, secret = practice / "office.toml", practice / "database.secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o640)
    settings.write_text(settings.read_text().replace("[database]", f'[database]\npassword_file = "{secret.name}"', 1))
    found = finding(practice, "password")
    assert (found["state"], found["fix"]) == ("problem", "close-password")
    told(practice, "--only", "password", "--fix", "--yes")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert finding(practice, "password")["state"] == "ok"


def test_nobody_is_sent_in_a_circle() -> None:
    first, _, last = HqAway.remedy
    assert from_failure(HqAway(url="wss://hq.invalid/link", reason="x")).remedy == [first, last]
    looked = from_failure(VersionsDiffer(version="24.4", connector="0.1", missing="x")).remedy
    assert looked[-1] == "Run `econnector doctor` afterwards."


def test_nobody_who_answers_has_not_said_yes(practice: Path) -> None:
    state_of(practice).chmod(0o644)
    status, said = doctor(practice, "--only", "state", "--fix", answers="")
    assert "Nothing was changed." in said
    assert "Aborted" not in said
    assert status == 1
    assert (practice / "office.sqlite").stat().st_mode & 0o077


def test_only_files_that_are_ours_are_closed(practice: Path, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir(mode=0o755)
    others.chmod(0o755)
    settings = practice / "office.toml"
    settings.write_text(settings_of(practice).replace("[database]", f'[database]\npassword_file = "{others}"', 1))
    told(practice, "--fix", "--yes", "--only", "password", "--only", "settings")
    assert others.stat().st_mode & 0o777 == 0o755, "a folder is no password file"


def test_a_link_that_stands_for_the_state_file_is_not_followed(practice: Path, tmp_path: Path) -> None:
    file, others = state_of(practice), tmp_path / "others.sqlite"
    file.rename(others)
    others.chmod(0o644)
    file.symlink_to(others)
    found = told(practice, "--only", "state", "--fix", "--yes")
    assert (found["findings"][0]["state"], found["mended"]) == ("attention", [])
    assert others.stat().st_mode & 0o777 == 0o644


def test_a_port_that_was_changed_but_not_tried_is_not_changed_again(practice: Path) -> None:
    now = SYSTEM.now()
    met = trouble(PortTaken(address="127.0.0.1:30790"), now)
    state_of(practice, Running(pid=os.getpid(), written=now.isoformat(), window_trouble=met))
    assert len(told(practice, "--only", "window", "--fix", "--yes")["mended"]) == 1
    text = settings_of(practice)
    assert told(practice, "--only", "window", "--fix", "--yes")["mended"] == []
    assert settings_of(practice) == text


async def test_a_drive_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: False)
    with pytest.raises(FileNotFoundError, match="there is no"):
        await asyncio.to_thread(nearest, Path("/away/office.sqlite"))


def test_a_share_that_never_answers_keeps_nobody_waiting() -> None:
    never, began = threading.Event(), threading.Event()

    def stand_still() -> None:
        began.set()
        never.wait(600)

    async def look() -> str:
        task = asyncio.create_task(asyncio.to_thread(stand_still))
        await asyncio.to_thread(began.wait, 60)
        task.cancel()
        return await asyncio.to_thread(str, 5)

    assert run(look()) == "5"
    assert not never.is_set()
    never.set()


def test_a_window_whose_port_is_taken_moves_and_the_file_keeps_its_comments(practice: Path) -> None:
    now = SYSTEM.now()
    met = trouble(PortTaken(address="127.0.0.1:30790"), now)
    lives = Running(pid=os.getpid(), written=now.isoformat(), window_trouble=met)
    state_of(practice, lives)
    settings = practice / "office.toml"
    settings.write_text(f"# ours, do not touch\n{settings.read_text()}")
    found = finding(practice, "window")
    assert (found["code"], found["fix"]) == ("port-taken", "window-port")
    mended = told(practice, "--only", "window", "--fix", "--yes")["mended"][0]
    assert mended["outcome"] == "mended"
    assert "restart" in mended["text"]
    text = settings.read_text()
    assert text.startswith("# ours, do not touch\n")
    assert "\nport = 307" in text or "\nport = 308" in text
    assert "port = 30790\n" not in text


def test_a_computer_that_may_sleep_is_kept_awake(practice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allows = Power(known=True, allows=("it sleeps after 30 minutes without use",), remedy=("Do not.",))
    monkeypatch.setattr(power, "look", lambda: allows)
    settings = practice / "office.toml"
    settings.write_text(settings.read_text().replace("[awake]\nkeep = false\n", "") + "\n[awake]\nkeep = false\n")
    assert finding(practice, "sleep")["fix"] == "keep-awake"
    told(practice, "--only", "sleep", "--fix", "--yes")
    assert "keep = true" in settings.read_text()
    assert not finding(practice, "sleep")["fix"]


def test_a_service_that_was_stopped_is_started(tmp_path: Path) -> None:
    practice = Path(shutil.copytree(enrolled(), tmp_path / "office"))
    with (practice / "office.toml").open("a") as settings:
        settings.write(f"\n[window]\nport = {free_port()}\n" if "[window]" not in settings_of(practice) else "")
    services_at = practice / "services"
    before = {name: os.environ.get(name) for name in ("ECONNECTOR_SERVICE_FOLDER", "ECONNECTOR_SERVICE_MANAGER")}
    os.environ |= {"ECONNECTOR_SERVICE_FOLDER": str(services_at), "ECONNECTOR_SERVICE_MANAGER": "supervised"}
    services = Services()
    try:
        services.add("OpenDentalEConnector", practice / "office.toml")
        services.install("OpenDentalEConnector")
        found = finding(practice, "service")
        assert (found["state"], found["fix"]) == ("attention", "start-service")
        assert "OpenDentalEConnector" in found["mend"]
        mended = told(practice, "--only", "service", "--fix", "--yes")["mended"][0]
        assert mended["outcome"] == "mended", mended
        assert "runs" in mended["after"]["text"]
    finally:
        services.uninstall("OpenDentalEConnector")
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


async def test_what_is_well_meanwhile_is_left_alone_and_what_breaks_is_said() -> None:
    done: list[str] = []

    async def deed(_: Scene) -> str:
        done.append("once")
        raise PermissionError(13, "Permission denied")

    fix = Fix("thing", "Do the thing.", deed)

    async def sick(_: Scene) -> Finding:
        return offering(attention("it is sick", []), fix)

    async def well(_: Scene) -> Finding:
        return ok("it is well")

    scenes = lambda: Scene(None)  # noqa: E731 - one word
    assert (await mend(scenes, Check("t", "t", ".", 60, well, (fix,)))).outcome == "needless"
    assert not done
    failed = await mend(scenes, Check("t", "t", ".", 60, sick, (fix,)))
    assert (failed.outcome, failed.after.text) == ("failed", "it is sick")
    assert "Permission denied" in failed.text
    assert fixing.trace(failed) == "The doctor mended t: thing"


def test_every_fix_is_told_in_one_sentence_and_stands_beside_one_check() -> None:
    fixes = [(fix.id, fix.does) for check in CHECKS for fix in check.fixes]
    assert len({name for name, _ in fixes}) == len(fixes) >= 8
    assert all(does[0].isupper() and does.endswith(".") for _, does in fixes)


# -- the zip for support ----------------------------------------------------------------------------------------------


def test_the_zip_holds_what_was_found_and_its_path_is_told(practice: Path, tmp_path: Path) -> None:
    file = tmp_path / "help.zip"
    status, said = doctor(practice, "--only", "settings", "--bundle", str(file))
    assert (status, str(file) in said) == (doctor(practice, "--only", "settings")[0], True)
    with zipfile.ZipFile(file) as archive:
        found = json.loads(archive.read("doctor.json"))
        assert [each["check"] for each in found] == ["settings", "password", "state"]
        assert "settings.json" in archive.namelist()
    assert file.stat().st_mode & 0o077 == 0
    assert doctor(practice, "--bundle", str(file))[0] == 2, "a file that is there is not written over"


def test_there_is_a_zip_also_without_settings_that_can_be_used(practice: Path, tmp_path: Path) -> None:
    (practice / "office.toml").write_text("[hq\n")
    file = tmp_path / "help.zip"
    found = told(practice, "--bundle", str(file))
    assert found["bundle"] == str(file)
    with zipfile.ZipFile(file) as archive:
        assert "setting-invalid" in archive.read("doctor.json").decode()
        assert "no more than this" in archive.read("README.txt").decode()


# -- half the world is broken -----------------------------------------------------------------------------------------


def test_everything_wrong_in_a_settings_file_is_told_with_its_line(practice: Path) -> None:
    (practice / "office.toml").write_text('[hq]\nurll = "x"\nheartbeat_seconds = "often"\n[window]\nport = 0\n')
    found = finding(practice, "settings")
    assert [line.split(":")[0:2] for line in found["details"]] == [
        ["line 2", " hq.urll"],
        ["line 3", " hq.heartbeat_seconds"],
        ["line 5", " window.port"],
    ]
    assert "(line 2)" in found["text"]


@pytest.mark.parametrize("how", ["garbage", "folder", "no settings", "settings are a folder"])
def test_whatever_is_broken_it_ends_and_says_so(practice: Path, how: str) -> None:
    settings, state = practice / "office.toml", practice / "office.sqlite"
    state.unlink(missing_ok=True)
    if how == "garbage":
        state.write_bytes(os.urandom(4096))
    elif how == "folder":
        state.mkdir()
    else:
        settings.unlink()
    if how == "settings are a folder":
        settings.mkdir()
    found = told(practice)
    assert found["state"] == "problem"
    assert {each["code"] for each in found["findings"]} & {"state-locked", "setting-invalid", "state-newer"}
    assert not [each for each in found["findings"] if each["code"] == "unexpected"]


@pytest.mark.skipif(os.geteuid() != 0 if os.name != "nt" else True, reason="only root can be somebody else")
def test_who_may_read_nothing_is_told_what_and_no_more(practice: Path) -> None:
    """Run as an account without any right, where only the checks themselves run: no interpreter may start there."""
    practice.chmod(0o700)
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

        async def look() -> list[Finding]:
            scene = Scene(practice / "office.toml")
            try:
                return await examine(scene, CHECKS)
            finally:
                await scene.close()

        found = asyncio.run(look())
        bad = [each for each in found if each.code == "unexpected"]
        os._exit(0 if not bad and any(each.code == "setting-invalid" for each in found) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
