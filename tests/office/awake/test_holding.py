"""The machine is held awake by a child that ends with us, however we end."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from econnector.office.awake import holding
from tests.support.whole import until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has its own way")

STAND_IN = """#!/bin/sh
echo "$@" >> "$0.said"
while [ "${1#--}" != "$1" ]; do shift; done
exec "$@"
"""


def stand_in(folder: Path, text: str = STAND_IN) -> Path:
    """A program that does what systemd-inhibit does, but for asking logind."""
    program = folder / "systemd-inhibit"
    program.write_text(text)
    program.chmod(0o755)
    return program


def child(program: Path) -> holding.Child:
    cat = shutil.which("cat")
    assert cat
    return holding.Child("systemd-inhibit", holding.inhibit_command(str(program), cat))


def cats(parent: int) -> list[psutil.Process]:
    return [each for each in psutil.Process(parent).children() if each.is_running() and each.name() == "cat"]


def test_the_commands_are_those_of_the_systems() -> None:
    assert holding.inhibit_command("/usr/bin/systemd-inhibit", "/bin/cat") == [
        "/usr/bin/systemd-inhibit",
        "--what=sleep:idle",
        "--who=eConnector",
        "--why=Patients reach the practice through this computer",
        "--mode=block",
        "/bin/cat",
    ]
    assert holding.caffeinate_command("/usr/bin/caffeinate", 42) == ["/usr/bin/caffeinate", "-i", "-w", "42"]


def test_the_program_on_the_path_is_taken_and_without_one_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = os.environ["PATH"]
    stand_in(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{usual}")
    held = holding.holder("linux")
    assert held.name == "systemd-inhibit"
    assert held.hold() == ""
    held.release()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert holding.holder("linux").hold() == "this system has no systemd-inhibit"
    assert holding.holder("darwin").hold() == "caffeinate is not there"


def test_it_holds_until_it_is_released(tmp_path: Path) -> None:
    held = child(stand_in(tmp_path))
    assert held.hold() == ""
    assert held.hold() == ""
    (cat,) = until(lambda: cats(os.getpid()))
    assert "--what=sleep:idle --who=eConnector" in (tmp_path / "systemd-inhibit.said").read_text()
    held.release()
    assert not psutil.pid_exists(cat.pid)
    held.release()


def test_one_that_is_killed_is_begun_again(tmp_path: Path) -> None:
    held = child(stand_in(tmp_path))
    held.hold()
    (cat,) = until(lambda: cats(os.getpid()))
    cat.kill()
    until(lambda: held.hold() != "")
    assert held.hold() == ""
    assert len(until(lambda: cats(os.getpid()))) == 1
    held.release()


def test_one_that_is_refused_says_so(tmp_path: Path) -> None:
    held = child(stand_in(tmp_path, "#!/bin/sh\nexit 1\n"))
    assert until(held.hold) == "systemd-inhibit ended with status 1"
    held.release()
    missing = holding.Child("systemd-inhibit", [str(tmp_path / "nowhere")])
    assert missing.hold() == "systemd-inhibit cannot be started: No such file or directory"


def test_one_that_ignores_everything_is_ended_all_the_same(tmp_path: Path) -> None:
    held = child(stand_in(tmp_path, '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 1; done\n'))
    assert held.hold() == ""
    (deaf,) = [each for each in psutil.Process().children() if "systemd-inhibit" in " ".join(each.cmdline())]
    held.release()
    assert not psutil.pid_exists(deaf.pid)


def test_it_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    program = stand_in(tmp_path)
    code = (
        "from econnector.office.awake import holding\nimport time\n"
        f"held = holding.Child('x', holding.inhibit_command({str(program)!r}, {shutil.which('cat')!r}))\n"
        "print(held.hold() or 'holds', flush=True)\ntime.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        assert process.stdout.readline() == "holds\n"
        (cat,) = until(lambda: cats(process.pid))
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not psutil.pid_exists(cat.pid) or cat.status() == psutil.STATUS_ZOMBIE)
