"""Files of the log: full ones, old ones, ones in use, and other people's."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

from econnector.base.logs import files
from econnector.base.logs.files import Writer, log_files, sweep

TODAY = dt.date(2026, 11, 21)


def names(folder: Path) -> list[str]:
    return [file.name for file in log_files(folder)]


def day_file(folder: Path, area: str, day: dt.date, text: str = "{}\n") -> Path:
    file = folder / area / f"{day:%y-%m-%d}" / f"{day:%y-%m-%d} (001).txt"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_a_full_file_is_followed_by_the_next_number(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    for _ in range(3):
        writer.write("Link", "x" * (files.FULL - 1), TODAY)
    assert names(tmp_path) == ["26-11-21 (001).txt", "26-11-21 (002).txt", "26-11-21 (003).txt"]
    assert {file.stat().st_size for file in log_files(tmp_path)} == {files.FULL}
    Writer(tmp_path).write("Link", "after a restart", TODAY)
    assert names(tmp_path)[-1] == "26-11-21 (004).txt"


def test_of_999_files_of_a_day_the_oldest_goes(tmp_path: Path) -> None:
    folder = tmp_path / "Link" / "26-11-21"
    folder.mkdir(parents=True)
    for number in range(1, files.MOST + 1):
        (folder / f"26-11-21 ({number:03}).txt").touch()
    os.truncate(folder / "26-11-21 (999).txt", files.FULL)
    writer = Writer(tmp_path)
    for line in ("one", "x" * files.FULL, "three"):
        assert writer.write("Link", line, TODAY)
    found = names(tmp_path)
    assert len(found) == files.MOST
    assert found[0] == "26-11-21 (003).txt"
    assert found[-2:] == ["26-11-21 (1000).txt", "26-11-21 (1001).txt"]


def test_a_new_day_is_a_new_folder_and_an_area_may_be_called_anything(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.write("Link", "one", TODAY)
    writer.write("Link", "two", TODAY + dt.timedelta(days=1))
    writer.write("a/b:c", "three", TODAY)
    found = [str(file.relative_to(tmp_path)) for file in log_files(tmp_path)]
    assert found == [
        "Link/26-11-21/26-11-21 (001).txt",
        "Link/26-11-22/26-11-22 (001).txt",
        "a-b-c/26-11-21/26-11-21 (001).txt",
    ]


def test_a_file_that_somebody_deleted_is_begun_again(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    first = writer.write("Link", "one", TODAY)
    assert first
    first.unlink()
    writer.write("Link", "two", TODAY)
    assert first.read_text() == "two\n"


@pytest.mark.skipif(os.name == "nt", reason="who may read is not in the mode there")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = Writer(tmp_path / "log").write("Link", "one", TODAY)
    assert file
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_several_processes_write_into_the_same_files_without_losing_a_line(tmp_path: Path) -> None:
    program = f"""
import datetime as dt, sys
from pathlib import Path
from econnector.base.logs import files
files.FULL = 5000
writer = files.Writer(Path({str(tmp_path)!r}))
for number in range(300):
    assert writer.write("Mail", f"{{sys.argv[1]}} {{number:05}} " + "x" * 40, dt.date(2026, 11, 21))
"""
    running = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "abc"]
    assert [process.wait() for process in running] == [0, 0, 0]
    lines = [line for file in log_files(tmp_path) for line in file.read_text().splitlines()]
    assert sorted(line[:7] for line in lines) == sorted(
        f"{name} {number:05}" for name in "abc" for number in range(300)
    )
    assert all(len(line) == 48 for line in lines)
    assert len(log_files(tmp_path)) > 3


@pytest.mark.parametrize(("days", "left"), [(30, 31), (1, 2), (0, 400), (36500, 400)])
def test_of_400_days_as_many_stay_as_the_preference_says(tmp_path: Path, days: int, left: int) -> None:
    for ago in range(400):
        day_file(tmp_path, "Link" if ago % 2 else "Database", TODAY - dt.timedelta(days=ago))
    swept = sweep(tmp_path, days, TODAY)
    found = log_files(tmp_path)
    assert len(found) == left
    kept = {TODAY - dt.timedelta(days=ago) for ago in range(left)}
    assert {files.day_of(file) for file in found} == kept
    assert swept.files == 400 - left
    assert swept.folders >= swept.files
    assert len(list(tmp_path.glob("*/*"))) == left, "no empty folder stays"
    assert sweep(tmp_path, days, TODAY).files == 0


def test_an_area_of_which_nothing_is_left_goes_too(tmp_path: Path) -> None:
    day_file(tmp_path, "Mail", TODAY - dt.timedelta(days=9))
    (tmp_path / "Link" / "26-11-01").mkdir(parents=True)
    sweep(tmp_path, 7, TODAY)
    assert list(tmp_path.iterdir()) == []


def test_only_what_this_software_made_goes(tmp_path: Path) -> None:
    old = f"{TODAY - dt.timedelta(days=90):%y-%m-%d}"
    others = [
        "notes.txt",
        "Link/notes.txt",
        f"Link/{old}/notes.txt",
        f"Link/{old} (001).txt",
        f"Link/26-13-99/{old} (001).txt",
        f"Link/{old}/{old} (001).txt.bak",
        "Link/99-99-99/99-99-99 (001).txt",
    ]
    for name in others:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    ours = tmp_path / f"Link/{old}/{old} (001).txt"
    ours.touch()
    assert sweep(tmp_path, 1, TODAY).files == 1
    assert not ours.exists()
    assert all((tmp_path / name).exists() for name in others)


def test_a_file_in_use_stays_until_it_is_let_go_of(tmp_path: Path) -> None:
    old = TODAY - dt.timedelta(days=9)
    program = f"""
import datetime as dt, sys
from pathlib import Path
from econnector.base.logs.files import Writer
writer = Writer(Path({str(tmp_path)!r}))
writer.write("Mail", "still here", dt.date({old.year}, {old.month}, {old.day}))
print("written", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdin
    with process:
        assert process.stdout.readline() == "written\n"
        day_file(tmp_path, "Link", old)
        swept = sweep(tmp_path, 1, TODAY)
        assert (swept.files, swept.kept) == (1, 1)
        assert names(tmp_path) == [f"{old:%y-%m-%d} (001).txt"]
        process.stdin.close()
        process.wait()
    assert sweep(tmp_path, 1, TODAY).files == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs an account that may not do everything")
def test_one_file_that_cannot_be_deleted_stops_nothing(tmp_path: Path) -> None:
    stuck = day_file(tmp_path, "Database", TODAY - dt.timedelta(days=9))
    gone = day_file(tmp_path, "Link", TODAY - dt.timedelta(days=9))
    stuck.parent.chmod(0o500)
    try:
        swept = sweep(tmp_path, 1, TODAY)
    finally:
        stuck.parent.chmod(0o700)
    assert (swept.files, swept.kept, gone.exists(), stuck.exists()) == (1, 1, False, True)


def test_a_folder_that_is_not_there_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none", 1, TODAY) == files.Swept()
