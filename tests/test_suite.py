"""`scripts/suite.py`, which `make test` runs: what failed beside others runs once more, alone, and is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import together
from tests.support.together import WINDOW, scope

ROOT = Path(__file__).resolve().parents[1]
BESIDE = """
import os

import pytest

beside = "PYTEST_XDIST_WORKER" in os.environ


@pytest.fixture
def broken():
    assert not beside


@pytest.mark.parametrize("words", ["a b::[c]", "über\\u2028\\n-k x"])
def test_odd(words):
    assert not beside


def test_set_up(broken):
    pass


def test_crash():
    if beside:
        os._exit(1)
"""
WRONG = "def test_wrong():\n    assert False\n"


def run(folder: Path, *args: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run the suite over files of its own."""
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = -q -p xdist.plugin -p tests.support.together -p no:cacheprovider\n"
    )
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "LIST_FAILED"))}
    command = [sys.executable, str(ROOT / "scripts" / "suite.py"), *args]
    environment = kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=250, check=False
    )


def test_whatever_fails_only_beside_others_passes_and_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "-n", "2", "--dist", "loadfile", beside=BESIDE)
    assert done.returncode == 0, done.stdout + done.stderr
    named = done.stdout.partition("UNSTEADY")[2]
    assert named.count("test_beside.py::") == 4, done.stdout
    assert "test_beside.py::test_odd[a b::[c]]" in named
    assert "test_beside.py::test_set_up" in named
    assert "test_beside.py::test_crash" in named


def test_what_fails_alone_too_fails_the_run(tmp_path: Path) -> None:
    done = run(tmp_path, wrong=WRONG, beside="def test_right():\n    pass\n")
    assert done.returncode == 1, done.stdout
    assert "Once more, alone: 1 of them." in done.stdout
    assert "UNSTEADY" not in done.stdout


def test_many_failures_are_believed_at_once(tmp_path: Path) -> None:
    many = "import pytest\n\n\n@pytest.mark.parametrize('n', range(6))\ndef test_wrong(n):\n    assert False\n"
    done = run(tmp_path, wrong=many)
    assert done.returncode == 1, done.stdout
    assert "Once more" not in done.stdout


def test_what_shares_an_office_runs_in_one_process_and_any_other_file_by_itself() -> None:
    window = ROOT / "tests" / "office" / "window"
    assert all((window / name).is_file() for name in WINDOW)
    assert len({scope(f"tests/office/window/{name}::test_one[a::b]") for name in WINDOW}) == 1
    assert scope("tests/office/window/test_frame.py::test_one[a::b]") == "tests/office/window/test_frame.py"


def test_the_tests_of_this_project_are_run_so(request: pytest.FixtureRequest) -> None:
    hooks = request.config.pluginmanager.hook
    for name in ("pytest_terminal_summary", "pytest_xdist_make_scheduler"):
        there = [each.function for each in getattr(hooks, name).get_hookimpls()]
        assert getattr(together, name) in there, name
