"""HQ, a connector and the same portal inside the office, all as processes, on one MariaDB."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.practice import fill
from benchmarks.processes import Process, free_port, wait_for_http
from econnector.demo.browser import Browser
from tests.support.mariadb import MariaDb

__all__ = ["OFFICE", "PORTAL", "Site", "site"]

OFFICE = "juniper-hill"
PORTAL = f"/o/{OFFICE}/portal/"
DOCUMENT_BYTES = 100_000_000
USER, PASSWORD = "tyler.rivera", "Kestrel-Avenue-7"
OWNER, OWNER_PASSWORD = "elena.rivera", "Maple-Street-42"


@dataclass
class Site:
    """What is measured."""

    folder: Path
    hq: Process
    office: Process
    inside: Process
    hq_port: int
    inside_port: int
    document: str
    """Path of the 100 MB document."""
    office_ready: float
    """Seconds from starting the connector to the first page that it answered."""
    office_idle_bytes: int
    """The connector's resident memory before anybody used it."""

    def cookie(self, port: int, user: str = OWNER, password: str = OWNER_PASSWORD) -> str:
        """Sign in; return the session as a Cookie header."""
        browser = Browser(f"http://127.0.0.1:{port}{PORTAL}")
        page = browser.open("sign-in")
        home = browser.submit(page.form("/sign-in"), user_name=user, password=password)
        if home.status != 200 or "sign-in" in home.path:
            raise RuntimeError(f"could not sign in: {home!r}")
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)


def _environment(folder: Path, port: int) -> dict[str, str]:
    # Everything that HQ can do is asked of one office here.
    own = {"FOLDER": str(folder / "hq"), "LISTEN": f"127.0.0.1:{port}", "LIMITS_RATE": "0"}
    return {f"ECONNECTOR_HQ_{name}": value for name, value in own.items()}


def _say(environment: dict[str, str], *words: str, typed: str = "") -> str:
    command = [sys.executable, "-m", "econnector", *words]
    env = {**os.environ, **environment}
    return subprocess.run(command, check=True, capture_output=True, text=True, input=typed, env=env).stdout


def _inflate(folder: Path, server: MariaDb, name: str) -> tuple[Path, int]:
    """Make the newest statement of the sample patient's family 100 MB long; return its file and DocNum."""
    rows = server.sql(
        "SELECT d.DocNum, d.FileName, p.ImageFolder FROM document d JOIN patient p ON p.PatNum = d.PatNum"
        " JOIN userweb u ON u.FKey = p.PatNum AND u.UserName = %s WHERE d.FileName LIKE '%%.pdf'"
        " AND d.DocCategory IN (SELECT DefNum FROM definition WHERE Category = 18 AND BINARY ItemValue LIKE '%%S%%')"
        " ORDER BY d.DateCreated DESC LIMIT 1",
        OWNER,
        database=name,
    )
    number, file_name, image_folder = rows[0]
    file = folder / "images" / image_folder[0].upper() / image_folder / file_name
    head = file.read_bytes()
    with file.open("wb") as out:
        out.write(head)
        left = DOCUMENT_BYTES - len(head)
        block = os.urandom(1 << 20)
        while left > 0:
            out.write(block[: min(left, len(block))])
            left -= len(block)
    return file, int(number)


@contextlib.contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Start everything; end it with the block."""
    server = MariaDb()
    with contextlib.ExitStack() as stack:
        stack.callback(server.close)
        url = fill(server, folder)
        file, document = _inflate(folder, server, url.rsplit("/", 1)[1])
        port, inside_port = free_port(), free_port()
        environment = _environment(folder, port)
        settings = str(folder / "office.toml")
        link = f"hq.url=ws://127.0.0.1:{port}/link"
        run = [sys.executable, "-m", "econnector"]
        hq = stack.enter_context(Process(*run, "hq", "run", log=folder / "hq.out", **environment))
        wait_for_http(f"http://127.0.0.1:{port}/health")
        added = _say(environment, "hq", "office", "add", OFFICE)
        key = re.search(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", added)
        if key is None:
            raise RuntimeError(added)
        _say({}, "office", "enrol", "-", "--settings", settings, "--set", link, typed=key[0] + "\n")
        began = time.perf_counter()
        command = [*run, "office", "run", "--settings", settings, "--set", link]
        office = stack.enter_context(Process(*command, log=folder / "office.out"))
        wait_for_http(f"http://127.0.0.1:{port}{PORTAL}sign-in")
        ready = time.perf_counter() - began
        command = [sys.executable, "-m", "benchmarks.inside", settings, str(inside_port), str(file)]
        inside = stack.enter_context(Process(*command, log=folder / "inside.out"))
        wait_for_http(f"http://127.0.0.1:{inside_port}/health")
        idle = office.resident_bytes
        path = f"{PORTAL}statements/{document}/download"
        yield Site(folder, hq, office, inside, port, inside_port, path, ready, idle)
