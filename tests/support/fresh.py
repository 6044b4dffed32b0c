"""A machine on which no eConnector was ever run: folders of its own, and the commands that people type there."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from econnector.demo.browser import Browser, Lost
from econnector.office.service.supervised import Supervised
from econnector.opendental import passwords
from tests.support.mariadb import MariaDb
from tests.support.ports import free_port
from tests.support.typed import typed, typed_aside
from tests.support.whole import until

__all__ = ["FreshMachine", "Vendor"]

NAME = "OpenDentalEConnector"


class Vendor:
    """HQ in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.link = f"ws://127.0.0.1:{self.port}/link"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")}
        mine = {"ECONNECTOR_HQ_FOLDER": str(self.folder), "ECONNECTOR_HQ_LISTEN": f"127.0.0.1:{self.port}"}
        return kept | mine | {"LANG": "C.UTF-8"}

    def start(self) -> "Vendor":
        with (self.folder / "hq.out").open("ab") as out:
            command = [sys.executable, "-m", "econnector", "hq", "run"]
            self._process = subprocess.Popen(command, stdout=out, stderr=out, env=self.environment)
        until(self._answers, 120)
        return self

    def _answers(self) -> bool:
        with contextlib.suppress(Lost):
            return Browser(f"http://127.0.0.1:{self.port}").open("/health").status == 200
        return False

    def add(self, office: str) -> str:
        """Add an office; return its registration key."""
        added = typed(["hq", "office", "add", office, "--title", "Smile Dental"], self.environment)
        found = re.search(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", added.stdout)
        assert found, added.stdout
        return found[0]

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class FreshMachine:
    """One computer of an office. Its services have no operating system's help."""

    def __init__(self, folder: Path, server: MariaDb, database: str, *, python: str = sys.executable) -> None:
        self.folder, self.server, self.database, self.python = folder, server, database, python
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = folder / "office.toml"
        self.window_port = free_port()

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")}
        return kept | {
            "LANG": "C.UTF-8",
            "STATE_DIRECTORY": str(self.folder / "data"),
            "ECONNECTOR_SERVICE_MANAGER": "supervised",
            "ECONNECTOR_SERVICE_FOLDER": str(self.folder / "services"),
            "ECONNECTOR_SETTINGS": str(self.settings),
        }

    def write(self, hq: str, more: str = "") -> None:
        """Write the settings file by hand."""
        self.settings.write_text(
            f'[hq]\nurl = "{hq}"\nproxy = "none"\n[database]\nurl = "{self.server.url(self.database)}"\n'
            f"[awake]\nkeep = false\n[window]\nport = {self.window_port}\n{more}"
        )
        self.settings.chmod(0o600)

    def popen(self, *words: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "-m", "econnector", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment | more,
        )

    def say(self, *words: str, answers: str = "", status: int | None = 0, **more: str) -> str:
        """Run a command to its end; return what it printed. `status` is what it must end with, None for anything."""
        done = self._run(words, answers, status, more)
        return done.stdout + done.stderr

    def ask(self, *words: str, answers: str = "", status: int | None = 0, **more: str) -> Any:
        """Run a command with `--json`; return what it says."""
        return json.loads(self._run((*words, "--json"), answers, status, more).stdout)

    def _run(
        self, words: tuple[str, ...], answers: str, status: int | None, more: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        if self.python == sys.executable:
            done = typed(words, self.environment | more, answers=answers)
        else:
            done = typed_aside([self.python, "-m", "econnector", *words], self.environment | more, answers=answers)
        assert status is None or done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the practice's database."""
        return self.server.sql(statement, *values, database=self.database)

    def preference(self, name: str) -> str:
        return str(self.sql("SELECT ValueString FROM preference WHERE PrefName = %s", name)[0][0])

    def set_preference(self, name: str, value: str) -> None:
        """Set one, also where this version of the database has no row for it."""
        self.sql("DELETE FROM preference WHERE PrefName = %s", name)
        self.sql("INSERT INTO preference (PrefName, ValueString, Comments) VALUES (%s, %s, '')", name, value)

    def add_user(self, name: str, password: str, *permissions: int) -> None:
        """Add a user of Open Dental in a group of their own."""
        number = 501 + int(self.sql("SELECT COUNT(*) FROM usergroup WHERE UserGroupNum > 500")[0][0])
        made = passwords.make(password)
        self.sql("INSERT INTO usergroup (UserGroupNum, Description) VALUES (%s, %s)", number, name)
        self.sql(
            "INSERT INTO userod (UserNum, UserName, Password, UserGroupNum) VALUES (%s, %s, %s, 0)", number, name, made
        )
        self.sql("INSERT INTO usergroupattach (UserNum, UserGroupNum) VALUES (%s, %s)", number, number)
        for permission in permissions:
            self.sql("INSERT INTO grouppermission (UserGroupNum, PermType) VALUES (%s, %s)", number, permission)

    def window(self, name: str, password: str) -> Browser | None:
        """Return a browser that is signed in at the window; None while nobody serves it."""
        browser = Browser(f"http://127.0.0.1:{self.window_port}/")
        try:
            page = browser.open("sign-in")
            browser.submit(page.form("/sign-in"), user_name=name, password=password)
        except Lost:
            return None
        return browser

    def signals(self) -> list[tuple[int, str]]:
        """The connector's rows, oldest first."""
        rows = self.sql(
            "SELECT Severity, Description FROM eservicesignal WHERE ServiceCode = 1"
            " ORDER BY SigDateTime, EServiceSignalNum"
        )
        return [(int(severity), str(text)) for severity, text in rows]

    def log(self) -> str:
        """Everything that its processes wrote."""
        files = [*self.folder.rglob("*.out"), *self.folder.rglob("log/**/*")]
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())

    def close(self) -> None:
        """Stop its services."""
        running = Supervised(self.folder / "services" / "run")
        for name in running.names():
            running.stop(name)
