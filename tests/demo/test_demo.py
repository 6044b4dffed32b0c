"""`econnector demo` as its user runs it: a process of its own, real HTTP, a real link, a real database."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from econnector.demo.browser import Browser
from econnector.demo.practice import compose
from tests.demo.commands import demo, environment, report
from tests.demo.conftest import TODAY
from tests.support.mariadb import shared_server
from tests.support.nats import NatsServer

STEPS = [
    "make the practice",
    "start HQ",
    "enrol the office",
    "connect the office",
    "open the portal",
    "sign in",
    "home page",
    "statements",
    "download a statement",
    "compare with the file",
    "sign out",
    "stop",
]


def test_once_is_one_line_of_json_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = demo("--once", TMPDIR=str(tmp_path))
    said = report(done)
    assert said["ok"] is True, done.stdout
    assert [step["name"] for step in said["steps"]] == STEPS
    assert all(step["ms"] >= 0 for step in said["steps"])
    assert done.returncode == 0
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())


def test_an_office_whose_state_file_is_gone_is_enrolled_anew(built: Path) -> None:
    assert report(demo("--once", "--dir", built))["ok"] is True
    (built / "office.sqlite").unlink()
    assert report(demo("--once", "--dir", built))["ok"] is True


def test_a_switchboard_that_is_not_there_is_named(built: Path, nats_server: NatsServer) -> None:
    nats_server.kill()
    said = report(demo("--once", "--dir", built, "--switchboard", nats_server.url))
    assert (said["ok"], said["failed"]) == (False, "start HQ")
    assert said["code"]


def test_a_failing_step_is_named(built: Path) -> None:
    server = shared_server()
    done = demo("--once", "--dir", built, "--database", server.url("there_is_none"))
    said = report(done)
    assert (done.returncode, said["ok"], said["failed"]) == (1, False, "make the practice")
    assert said["code"] == "database-refused"
    assert "Traceback" not in done.stdout + done.stderr


def test_a_changed_file_is_noticed(built: Path) -> None:
    rows = [row for row in compose(TODAY).book.rows("document") if row["PatNum"] == 1 and row["DocCategory"] == 240]
    newest = max(rows, key=lambda row: str(row["DateCreated"]))
    file = built / "images" / "R" / "RiveraElena1" / str(newest["FileName"])
    file.write_bytes(b"not a PDF")
    said = report(demo("--once", "--dir", built))
    assert (said["ok"], said["failed"]) == (False, "download a statement")


def test_a_taken_port_is_said(built: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = report(demo("--once", "--dir", built, "--port", taken.getsockname()[1]))
    assert (said["ok"], said["failed"], said["code"]) == (False, "start HQ", "port-taken")


def test_build_only_writes(folder: Path) -> None:
    done = demo("--build", folder)
    assert done.returncode == 0, done.stderr
    assert sorted(each.name for each in folder.iterdir()) == [
        "images",
        "office.toml",
        "practice.sqlite",
    ]
    assert str(folder / "office.toml") in done.stdout.replace("\n", "")


@contextmanager
def running(
    *arguments: object, before: Sequence[str] = (), **variables: str
) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    command = [*before, sys.executable, "-m", "econnector", "demo", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**variables)
    )
    try:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        yield process, lines
    finally:
        process.kill()
        process.communicate()


def browser(folder: Path, opened: Path) -> Path:
    """A browser that notes what it was told to open."""
    script = folder / "browser.py"
    half = opened.with_suffix(".half")
    script.write_text(
        "import pathlib, sys\n"
        f"half = pathlib.Path({str(half)!r})\n"
        "half.write_text(sys.argv[1])\n"
        f"half.rename({str(opened)!r})\n"
    )
    return script


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_shows_where_and_who_and_stops_in_order(built: Path, how: signal.Signals) -> None:
    opened = built / "opened"
    # A shell lets what it starts in the background ignore Ctrl-C.
    heed = "SIG_IGN" if how is signal.SIGTERM else "SIG_DFL"
    words = f"import os, signal, sys; signal.signal(signal.SIGINT, signal.{heed}); os.execv(sys.argv[1], sys.argv[1:])"
    before = [sys.executable, "-c", words]
    opens = f"{sys.executable} {browser(built, opened)} %s"
    with running("--dir", built, "--open", before=before, BROWSER=opens) as (process, lines):
        text = "".join(lines)
        portal = next(line.split()[-1] for line in lines if line.startswith("Portal"))
        with urllib.request.urlopen(portal, timeout=60) as page:
            assert page.status == 200
            assert "Juniper Hill Dental" in page.read().decode()
        until = time.monotonic() + 60
        while not opened.exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert opened.read_text() == portal
        assert "elena.rivera" in text
        assert "Maple-Street-42" in text
        process.send_signal(how)
        _, errors = process.communicate(timeout=230)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "Stopped." in errors


def test_every_sample_sign_in_does_what_the_table_says(built: Path) -> None:
    with running("--dir", built) as (_, lines):
        portal = next(line.split()[-1] for line in lines if line.startswith("Portal"))
        for sample in compose(TODAY).sign_ins:
            browser = Browser(portal)
            form = browser.open(portal).form("/sign-in")
            page = browser.submit(form, user_name=sample.user_name, password=sample.password)
            assert (page.status == 200) is sample.works, sample.user_name
            if "must change" in sample.shows:
                assert page.path.endswith("/change")
            elif sample.works:
                listed = browser.open(portal + "statements")
                files = [browser.open(link).status for link in listed.links if link.endswith("/download")]
                assert files.count(404) == ("file is missing" in sample.shows), sample.user_name
                assert set(files) <= {200, 404}
