"""Real MariaDB servers for tests: private, on a free port, gone when the test process ends.

`shared_server()` is one server for the whole run: tests make databases of their own in it and leave it running.
Whoever stops, kills or freezes a server takes `own_server`.
"""

import atexit
import contextlib
import ctypes
import functools
import gzip
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Literal

import pymysql  # type: ignore[import-untyped]
import pytest
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateColumn, CreateTable

from econnector.opendental.tables import metadata
from econnector.opendental.tables.making import columns_at, exists_at
from tests.support.freezing import freeze
from tests.support.once import once
from tests.support.ports import free_port

__all__ = ["DUMP", "Kind", "MariaDb", "Version", "open_dental_url", "own_server", "practice_in", "shared_server"]

DUMP = Path(__file__).resolve().parents[3] / "shared" / "data" / "opendental-21.1.9.sql.gz"
Version = Literal["21.1", "24.3"]
Kind = Literal["sqlite", "21.1", "24.3"]
VERSIONS = {"21.1": "21.1.9.0", "24.3": "24.3.10.0"}
_FLAGS = (
    "--debug-no-sync",  # what the disk has got matters only to who pulls the plug of the machine
    "--skip-log-bin",
    "--performance-schema=off",
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=8M",
    "--innodb-log-file-size=4M",
    "--innodb-flush-log-at-trx-commit=0",
    "--key-buffer-size=8M",
    "--aria-pagecache-buffer-size=8M",
    "--table-open-cache=800",
    "--max-connections=60",
)
_INSTALL = ("--auth-root-authentication-method=normal", "--skip-test-db", "--force")
_names = itertools.count(1)


class MariaDb:
    """One server in a folder of its own."""

    def __init__(self, *flags: str) -> None:
        for program in ("mariadbd", "mariadb-install-db", "mariadb"):
            if shutil.which(program) is None and not Path("/usr/sbin", program).exists():
                _missing(f"{program} is not installed")
        self.folder = Path(tempfile.mkdtemp(prefix="ecmaria-"))
        self.data = self.folder / "data"
        self.socket = self.folder / "s"
        self.port = free_port()
        self._flags = flags
        self._free: dict[Path, list[str]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        shutil.copytree(once("mariadb", _install), self.data)
        # Servers that share a temporary folder clear each other's files away.
        (self.folder / "tmp").mkdir()
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [
                _program("mariadbd"),
                "--no-defaults",
                f"--datadir={self.data}",
                f"--socket={self.socket}",
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--pid-file={self.folder / 'pid'}",
                f"--log-error={self.folder / 'log'}",
                f"--tmpdir={self.folder / 'tmp'}",
                *_as_user(),
                *_FLAGS,
                *self._flags,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_die_with_parent if _in_main_thread() else None,  # noqa: PLW1509 - the child only sets a flag
        )
        deadline = time.monotonic() + 90
        while True:
            try:
                self.sql("SELECT 1")
            except pymysql.MySQLError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    log = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"mariadbd did not start:\n{log}") from None
                time.sleep(0.03)
            else:
                return

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._signal(signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        """Let it shut down in order."""
        self._signal(signal.SIGTERM)
        self._gone()

    def freeze(self) -> None:
        """Let it keep its connections and say nothing."""
        assert self._process is not None
        freeze(self._process.pid)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start()

    def _gone(self) -> None:
        assert self._process is not None
        self._process.wait(60)
        self._process = None

    def close(self) -> None:
        """Kill it and remove everything."""
        atexit.unregister(self.close)
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._signal(signal.SIGCONT)
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str, *values: object, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement as root; return its rows."""
        with (
            contextlib.closing(
                # It would read the system's list of authorities for every connection, to no purpose.
                pymysql.connect(
                    unix_socket=str(self.socket),
                    user="root",
                    database=database,
                    autocommit=True,
                    charset="utf8mb4",
                    ssl_disabled=True,
                )
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SET SESSION sql_mode=''")
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def url(self, database: str = "", user: str = "root", password: str = "") -> str:
        """Return the URL that `Database` takes."""
        secret = f":{password}" if password else ""
        return f"mysql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str | None = None) -> str:
        """Return the name of a new, empty database in Open Dental's character set."""
        name = name or f"db{next(_names)}"
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database."""
        self.sql(f"DROP DATABASE IF EXISTS {name}")

    def create_user(self, name: str, password: str, *grants: str) -> None:
        """Make a user that may do only what `grants` say, such as `SELECT ON practice.*`."""
        self.sql(f"CREATE OR REPLACE USER {name}@'%%' IDENTIFIED BY %s", password)
        for grant in grants:
            self.sql(f"GRANT {grant} TO {name}@'%'")

    def open_dental(
        self,
        version: Version = "21.1",
        name: str | None = None,
        tables: Collection[str] | None = None,
    ) -> str:
        """Return the name of a fresh copy of the real database, as of 21.1.9, or with all later columns put on top.

        With `tables` only these are copied, which is much faster than all 379.
        """
        name = name or f"od{next(_names)}"

        def others(_folder: str, files: list[str]) -> list[str]:
            return [] if tables is None else [f for f in files if f != "db.opt" and f.partition(".")[0] not in tables]

        # MyISAM tables are plain files: a copy of the folder is a copy of the database.
        shutil.copytree(self._template(version), self.data / name, ignore=others)
        return name

    def _template(self, version: Version) -> Path:
        def make(folder: Path) -> None:
            if version == "21.1":
                name = self.create_database()
                self._load(name)
            else:
                name = self.open_dental("21.1")
                self._upgrade(name, VERSIONS[version])
            self.copy_out(name, folder)
            self.drop_database(name)

        return once(f"opendental-{version}", make)

    def copy_out(self, name: str, folder: Path) -> None:
        """Copy a database's files, so that they are one."""
        self._close_tables(name)
        shutil.copytree(self.data / name, folder, dirs_exist_ok=True)

    def copy_in(self, folder: Path) -> str:
        """Return the name of a new database made of what `copy_out` has copied."""
        name = f"od{next(_names)}"
        shutil.copytree(folder, self.data / name)
        return name

    def put_back(self, name: str, folder: Path) -> None:
        """Make a database again what `copy_out` has seen; nobody may use it meanwhile.

        Only what was changed since is closed and copied, all other tables stay open: a copy has its original's time of
        change, and a write gives it another.
        """
        before, now = _files(folder), _files(self.data / name)
        changed = {table for table in before.keys() | now.keys() if before.get(table) != now.get(table)}
        if closed := [f"`{name}`.`{table}`" for table in changed & now.keys()]:
            self.sql(f"FLUSH TABLES {', '.join(closed)}")
        for table in changed:
            if before.get(table, {}).keys() != now.get(table, {}).keys():  # made, dropped, or of another engine
                self.sql(f"DROP TABLE IF EXISTS `{name}`.`{table}`")
            for file in before.get(table, ()):
                shutil.copy2(folder / file, self.data / name / file)

    @contextlib.contextmanager
    def lent(self, folder: Path) -> Iterator[str]:
        """Yield the name of a database made of what `copy_out` has copied; afterwards it is put back for the next."""
        free = self._free.setdefault(folder, [])
        name = free.pop() if free else self.copy_in(folder)
        yield name
        self.put_back(name, folder)
        free.append(name)

    def prepared(
        self, version: Version, tables: Collection[str] | None, name: str, prepare: Callable[[str], None]
    ) -> Path:
        """Return the files, for `lent`, of the real database after `prepare` was called with its name; once per run."""

        def make(folder: Path) -> None:
            made = self.open_dental(version, tables=tables)
            prepare(made)
            self.copy_out(made, folder)
            self.drop_database(made)

        return once(f"{name}-{version}", make)

    def _close_tables(self, name: str) -> None:
        opened = [f"`{name}`.`{row[1]}`" for row in self.sql(f"SHOW OPEN TABLES FROM `{name}`")]
        if opened:
            self.sql(f"FLUSH TABLES {', '.join(opened)}")

    def _load(self, name: str) -> None:
        if not DUMP.exists():
            _missing(f"the real database {DUMP} is not here")
        with gzip.open(DUMP) as dump:
            as_root = (f"--socket={self.socket}", "-uroot", "--default-character-set=utf8")
            _run("mariadb", *as_root, name, stdin=dump.read())

    def _upgrade(self, name: str, version: str) -> None:
        for statement in upgrade(VERSIONS["21.1"], version):
            self.sql(statement.replace("%", "%%"), database=name)
        self.sql("UPDATE preference SET ValueString=%s WHERE PrefName='DataBaseVersion'", version, database=name)


def _files(folder: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Return time of change and size of a database's files, by table."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for entry in os.scandir(folder):
        if entry.name != "db.opt":
            seen = entry.stat()
            found.setdefault(entry.name.partition(".")[0], {})[entry.name] = (seen.st_mtime_ns, seen.st_size)
    return found


def upgrade(old: str, new: str) -> Iterator[str]:
    """Yield the statements that bring our tables from one version to another."""
    dialect = mysql.dialect()
    for table in metadata.sorted_tables:
        if not exists_at(table, old):
            yield str(CreateTable(table).compile(dialect=dialect))
            continue
        before = {column.name: column for column in columns_at(table, old)}
        after = {column.name: column for column in columns_at(table, new)}
        changes = [f"DROP COLUMN `{column}`" for column in before.keys() - after.keys()]
        for column, made in after.items():
            if before.get(column) is not made:
                how = "MODIFY" if column in before else "ADD"
                changes.append(f"{how} COLUMN {CreateColumn(made).compile(dialect=dialect)}")
        if changes:
            yield f"ALTER TABLE `{table.name}` {', '.join(changes)}"


def _install(folder: Path) -> None:
    _run("mariadb-install-db", "--no-defaults", f"--datadir={folder}", f"--tmpdir={folder}", *_as_user(), *_INSTALL)


@functools.cache
def shared_server() -> MariaDb:
    """Return the one server of this run."""
    return MariaDb()


@contextlib.contextmanager
def practice_in(kind: Kind, folder: Path, sqlite: Path, real: Callable[[Version], Path]) -> Iterator[str]:
    """Yield the URL of a practice of one's own: a copy of the file in `folder`, or what `MariaDb.prepared` made."""
    if kind == "sqlite":
        yield f"sqlite:///{shutil.copy(sqlite, folder / 'practice.db')}"
        return
    with shared_server().lent(real(kind)) as name:
        yield shared_server().url(name)


@pytest.fixture
def own_server() -> Iterator[MariaDb]:
    """A server that the test may kill."""
    server = MariaDb()
    yield server
    server.close()


@pytest.fixture(params=["21.1", "24.3"])
def open_dental_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh copy of the real database, once per version."""
    server = shared_server()
    name = server.open_dental(request.param)
    yield server.url(name)
    server.drop_database(name)


def _program(name: str) -> str:
    return shutil.which(name) or f"/usr/sbin/{name}"


def _run(program: str, *arguments: str, stdin: bytes | None = None) -> None:
    done = subprocess.run([_program(program), *arguments], input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')[-2000:]}")


def _as_user() -> tuple[str, ...]:
    return ("--user=root",) if os.geteuid() == 0 else ()


def _in_main_thread() -> bool:
    # The kernel means the thread that started the child, and a worker thread ends long before the run does.
    return threading.current_thread() is threading.main_thread()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        raise RuntimeError(what)
    pytest.skip(what)
