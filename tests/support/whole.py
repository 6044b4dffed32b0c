"""The whole, as a vendor and an office run it: `hq run` and `office run` in processes of their own."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from econnector.demo.browser import Browser, Lost, Page
from tests.support.freezing import freeze
from tests.support.once import once
from tests.support.ports import free_port
from tests.support.typed import typed

__all__ = ["OFFICE", "Whole", "until"]

OFFICE = "juniper-hill"
T = TypeVar("T")


def until(what: Callable[[], T], seconds: float = 60.0) -> T:
    """Return `what()` once it is true; fail after `seconds`."""
    ends = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < ends, f"{what} did not come true in {seconds:g} s"
        time.sleep(0.05)
    return found


def _build(folder: Path) -> None:
    command = [sys.executable, "-m", "econnector", "demo", "--build", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def built() -> Path:
    """A practice in SQLite as `demo --build` writes it."""
    return once("built", _build)


def _enrol(folder: Path) -> None:
    whole = Whole(folder)
    try:
        whole.start_hq()
        whole.enrol()
        whole.stop("hq")
    finally:
        whole.close()
    (folder / "hq.out").unlink()


def enrolled() -> Path:
    """The same practice, and beside it the HQ that knows its office."""
    return once("enrolled", _enrol)


class Whole:
    """HQ, one office and its practice; everything in one folder, every process can be killed."""

    def __init__(self, folder: Path, *, database: str = "", switchboard: str = "local", known: bool = False) -> None:
        """`known`: HQ has enrolled the office already; only without a `database`."""
        self.folder, self.switchboard, self.known = folder, switchboard, known
        self.port = free_port()
        self.hq_url = f"http://127.0.0.1:{self.port}"
        self.portal = f"{self.hq_url}/o/{OFFICE}/portal/"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        if database:
            shutil.copytree(built() / "images", folder / "images")  # the same; drawn anew they would take seconds
            self.say("demo", "--build", str(folder), "--database", database)
        else:
            shutil.copytree(enrolled() if known else built(), folder, dirs_exist_ok=True)
        self.images = folder / "images"
        self.settings = folder / "office.toml"

    # -- commands -----------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")}
        return kept | {
            "LANG": "C.UTF-8",
            "ECONNECTOR_HQ_FOLDER": str(self.folder / "hq"),
            "ECONNECTOR_HQ_LISTEN": f"127.0.0.1:{self.port}",
            "ECONNECTOR_HQ_SWITCHBOARD": self.switchboard,
        }

    def say(self, *words: str, answers: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = self.run(words, answers)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done

    def run(self, words: Sequence[str], answers: str) -> subprocess.CompletedProcess[str]:
        """As `say`, whatever it ends with."""
        return typed(words, self.environment, answers=answers)

    def office_says(self, *words: str, answers: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on the office's machine."""
        url = f"hq.url=ws://127.0.0.1:{self.port}/link"
        return self.say(*words, "--settings", str(self.settings), "--set", url, answers=answers, check=check)

    def start(self, name: str, *words: str) -> None:
        """Start a process that stays."""
        with (self.folder / f"{name}.out").open("ab") as out:
            command = [sys.executable, "-m", "econnector", *words]
            self.processes[name] = subprocess.Popen(command, stdout=out, stderr=out, env=self.environment)

    def start_hq(self) -> None:
        self.start("hq", "hq", "run")
        until(lambda: self.reaches("/health"))

    def start_office(self) -> None:
        url = f"hq.url=ws://127.0.0.1:{self.port}/link"
        self.start("office", "office", "run", "--settings", str(self.settings), "--set", url)

    def reaches(self, path: str) -> bool:
        with contextlib.suppress(Lost):
            return Browser(self.hq_url).open(path).status == 200
        return False

    def signal(self, name: str, number: int) -> None:
        if number == signal.SIGSTOP:
            freeze(self.processes[name].pid)
        else:
            self.processes[name].send_signal(number)

    def kill(self, name: str) -> None:
        """Kill -9."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str, seconds: float = 60.0) -> int:
        """Stop in order; return the exit status. Fails when it takes longer than `seconds`."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(seconds)

    # -- the usual way ------------------------------------------------------------------------------------------

    def enrol(self) -> str:
        """Add the office at HQ and enrol the connector; return the registration key."""
        added = self.say("hq", "office", "add", OFFICE, "--title", "Juniper Hill Dental")
        found = re.search(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", added.stdout)
        assert found, added.stdout
        self.office_says("office", "enrol", "-", answers=found[0] + "\n")
        return found[0]

    def serves(self) -> bool:
        """Whether the sign-in page comes through HQ."""
        with contextlib.suppress(Lost):
            return Browser(self.portal).open("sign-in").status == 200
        return False

    def answers(self) -> bool:
        """Whether the office's database answers a sign-in."""
        with contextlib.suppress(Lost):
            return self.sign_in("elena.rivera", "Maple-Street-42")[1].status == 200
        return False

    def up(self) -> "Whole":
        """Start everything; return once the office answers."""
        self.start_hq()
        if not self.known:
            self.enrol()
        self.start_office()
        until(self.answers)
        return self

    def sign_in(self, user_name: str, password: str) -> tuple[Browser, Page]:
        browser = Browser(self.portal)
        page = browser.open("sign-in")
        if page.status != 200:
            return browser, page
        return browser, browser.submit(page.form("/sign-in"), user_name=user_name, password=password)

    @property
    def database_url(self) -> str:
        url: str = tomllib.loads(self.settings.read_text())["database"]["url"]
        return url

    def log(self) -> str:
        """Everything that any process has written."""
        files = [*self.folder.glob("*.out"), *self.folder.glob("log/**/*"), *self.folder.glob("hq/**/*.log")]
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())

    def close(self) -> None:
        for name in list(self.processes):
            with contextlib.suppress(ProcessLookupError):
                self.signal(name, signal.SIGCONT)
                self.kill(name)

    @classmethod
    @contextlib.contextmanager
    def running(cls, folder: Path, **how: Any) -> "Iterator[Whole]":
        """Everything up while the block lasts."""
        whole = cls(folder, known="database" not in how, **how)
        try:
            yield whole.up()
        finally:
            whole.close()
