"""A connector as its user has it: a settings file, and the command `econnector office …` in processes of its own."""

import asyncio
import atexit
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from econnector.base.errors import Failure
from econnector.base.settings import Loaded
from econnector.office.enrol import enrol
from econnector.office.running import NAME, Running, decode
from econnector.office.settings import Settings, load_settings
from econnector.opendental import practicerows
from econnector.storage.database import Database
from econnector.storage.state import meta
from tests.support.typed import typed as run_typed

VERSION = "24.3.10.0"


@functools.cache
def _empty() -> Path:
    """A practice with nobody in it and without a name: made once, copied for every test."""
    folder = Path(tempfile.mkdtemp(prefix="ecempty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "practice.sqlite"
    file.touch()

    async def make() -> None:
        database = Database(f"sqlite:///{file}")
        await database.run(practicerows.create, VERSION)
        await database.close()

    asyncio.run(make())
    return file


async def sqlite_practice(file: Path) -> str:
    """Make a practice with nobody in it; return its URL."""
    shutil.copyfile(await asyncio.to_thread(_empty), file)
    database = Database(f"sqlite:///{file}")

    def name(connection: Connection) -> None:
        for row in (("PracticeTitle", "Smile Dental"), ("PracticePhone", "5550100"), ("DocPath", str(file.parent))):
            values = {"name": row[0], "value": row[1]}
            connection.execute(text("INSERT INTO preference (PrefName, ValueString) VALUES (:name, :value)"), values)

    await database.run(name)
    await database.close()
    return f"sqlite:///{file}"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")} | {
        "LANG": "C.UTF-8"
    }


class Connector:
    """One installation."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "office.toml"
        self.processes: list[subprocess.Popen[str]] = []

    def write(self, hq: str, database: str, machine: str = "FRONT-DESK", more: str = "") -> None:
        """Write the settings file."""
        self.file.write_text(
            f'machine = "{machine}"\nstate = "state/office.sqlite"\n'
            f'[hq]\nurl = "{hq}"\nproxy = "none"\nheartbeat_seconds = 5\n'
            f'[database]\nurl = "{database}"\n[log]\nfolder = "log"\n{more}'
        )
        self.file.chmod(0o600)

    def loaded(self) -> Loaded[Settings]:
        return load_settings(self.file, environment={})

    # -- commands -----------------------------------------------------------------------------------------------

    def popen(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "econnector", *words, "--settings", str(self.file)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        heeds = signal.getsignal(signal.SIGINT)
        if heeds == signal.SIG_IGN:  # a shell lets what it starts in the background ignore Ctrl-C, and so all below it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = subprocess.Popen(command, text=True, env=_environment(), **pipes)
        finally:
            if heeds == signal.SIG_IGN:
                signal.signal(signal.SIGINT, heeds)
        self.processes.append(process)
        return process

    async def say(self, *words: str, typed: str = "") -> tuple[int, str, str]:
        """Run a command to its end; return exit status, standard output and standard error.

        What would serve has a process of its own; a new one for every command would take most of a test's time.
        """
        if words[:2] in {("office", "run"), ("office", "window")}:
            process = self.popen(*words, stdin=subprocess.PIPE)
            out, err = await asyncio.to_thread(process.communicate, typed, 230)
            return process.returncode, out, err
        return await self.invoke(*words, typed=typed)

    async def invoke(self, *words: str, typed: str = "") -> tuple[int, str, str]:
        """As `say`, in this process."""
        command = [*words, "--settings", str(self.file)]
        done = await asyncio.to_thread(run_typed, command, _environment(), answers=typed)
        return done.returncode, done.stdout, done.stderr

    async def ask(self, *words: str) -> tuple[int, Any]:
        """Run a command with `--json`; return exit status and what it says."""
        status, out, err = await self.say(*words, "--json")
        assert out, err
        return status, msgspec.json.decode(out)

    async def enrol(self, key: str) -> None:
        """Enrol it as the command does, which tests/cli proves, without a process of its own."""
        await enrol(self.loaded(), key)

    def start(self) -> subprocess.Popen[str]:
        """Start `office run`; its words go to a file."""
        with (self.folder / "stderr.txt").open("a") as stream:
            return self.popen("office", "run", stdout=subprocess.DEVNULL, stderr=stream)

    # -- how it stands ------------------------------------------------------------------------------------------

    async def running(self) -> Running:
        """Return what the connector says about itself."""
        file = self.folder / "state" / "office.sqlite"
        if not os.path.exists(file):  # noqa: ASYNC240, PTH110 - a moment
            return Running()
        database = Database(f"sqlite:///{file}")
        try:
            return decode(await database.run(meta.read, NAME))
        except Failure:
            return Running()
        finally:
            await database.close()

    async def until(self, wanted: Callable[[Running], object], seconds: float = 60.0) -> Running:
        """Wait until the connector says so."""
        found = Running()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not wanted(found := await self.running()):  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(0.05)
                return found
        raise AssertionError(f"{found}\n{self.words()[-3000:]}")

    def words(self) -> str:
        return (self.folder / "stderr.txt").read_text()

    async def stop(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
        """Tell it to stop; return its exit status."""
        process.send_signal(number)
        return await asyncio.to_thread(process.wait, 60)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
