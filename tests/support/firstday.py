"""A first day in which everything goes wrong: as a program, it breaks one thing after the other and asks the doctor.

In a network namespace of its own (`unshare -Urnm`) it has names, port 443 and a disk to itself; where the kernel allows
none, the same things break on this machine's loopback. What it prints is one JSON line per fault.
"""

import contextlib
import json
import os
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.certificates import Authority
from tests.support.fresh import Vendor
from tests.support.front import Front
from tests.support.mariadb import MariaDb
from tests.support.ports import free_port
from tests.support.typed import typed, typed_aside

__all__ = ["INSIDE", "Fault"]

INSIDE = "FIRST_DAY_INSIDE"
"""The environment variable that says that we have a namespace to ourselves."""
USER, PASSWORD = "econnector", "S3cret-of-the-database"
RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
NAME, ADDRESS = "hq.first-day.example", "10.77.0.1"
SECONDS = 60.0
"""How long a poll may take, and the doctor's own process."""


class Fault(NamedTuple):
    """One thing that breaks."""

    name: str
    check: str
    """Whose finding it is."""
    words: str
    """What its text says of the cause."""
    broken: Callable[[], contextlib.AbstractContextManager[object]]
    """Breaks it while the block lasts, and mends it."""
    code: str = ""
    aside: bool = False
    """The doctor runs in a process of its own, as a person starts it."""


class Day:
    """HQ, an office's database and its connector, in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.inside = folder, os.environ.get(INSIDE) == "1"
        self.images, self.log = folder / "images", folder / "log"
        self.hosts = folder / "hosts"
        (self.images / "A").mkdir(parents=True)
        self.log.mkdir()
        if self.inside:
            self._move_in()
        self.server = MariaDb()
        self.database = self.server.open_dental("24.3")
        self._fill()
        self.server.create_user(USER, PASSWORD, f"{RIGHTS} ON {self.database}.*")
        host, port = (NAME, 443) if self.inside else ("localhost", free_port())
        public = host if port == 443 else f"{host}:{port}"
        self.url = f"wss://{public}/link"
        self.authority = Authority(folder, "First Day CA")
        self.certificate = self.authority.issue(host).context()
        self.vendor = Front443(folder / "hq", f"https://{public}").start()
        self.front = Front(ADDRESS if self.inside else "127.0.0.1", port, self.vendor.port)
        self.front.show(self.certificate)
        self.host, self.window_port = host, free_port()
        self.settings = self.write(folder / "office.toml")
        self.connector: subprocess.Popen[bytes] | None = None

    def _move_in(self) -> None:
        """Make the namespace a network with one host in it."""
        self.hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {NAME}\n")
        for words in (
            "ip link set lo up",
            f"ip address add {ADDRESS}/32 dev lo",
            f"mount --bind {self.hosts} /etc/hosts",
        ):
            run(words)

    def _fill(self) -> None:
        """Give the practice what it must say about itself."""
        for name, value in {
            "PracticeTitle": "Smile Dental",
            "DocPath": str(self.images),
            "AtoZfolderUsed": "1",
        }.items():
            wanted = "UPDATE preference SET ValueString = %s WHERE PrefName = %s"
            self.server.sql(wanted, value, name, database=self.database)

    def write(self, file: Path, **more: str) -> Path:
        """Write a settings file; `more` are lines of `[hq]` and the password, where they differ."""
        password = more.pop("password", PASSWORD)
        machine = more.pop("machine", "FRONT-DESK")
        lines = "".join(f'{name} = "{value}"\n' for name, value in ({"url": self.url, "proxy": "none"} | more).items())
        file.write_text(
            f'machine = "{machine}"\nstate = "{file.stem}-state/office.sqlite"\n[hq]\n{lines}'
            f'ca = "{self.authority.file}"\nheartbeat_seconds = 5\n'
            f'[database]\nhost = "127.0.0.1"\nport = {self.server.port}\nname = "{self.database}"\nuser = "{USER}"\n'
            f'password = "{password}"\n[log]\nfolder = "{self.log}"\n[awake]\nkeep = false\n'
            f"[window]\nport = {self.window_port}\n"
        )
        file.chmod(0o600)
        return file

    # -- what is said and done ----------------------------------------------------------------------------------

    def econnector(self, *words: str, answers: str = "", file: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [*words, "--settings", str(file or self.settings)]
        return typed(command, self.environment, answers=answers)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ECONNECTOR")}
        return kept | {"LANG": "C.UTF-8", "ECONNECTOR_SERVICE_FOLDER": str(self.folder / "services")}

    def hq(self, *words: str) -> None:
        done = typed(["hq", "office", *words], self.vendor.environment)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"

    def open(self) -> None:
        """Enrol, start the connector, and wait until the doctor finds nothing."""
        self.key = self.vendor.add("smile")
        enrolled = self.econnector("office", "enrol", "-", answers=self.key + "\n")
        assert enrolled.returncode == 0, enrolled.stderr
        with (self.folder / "connector.out").open("ab") as out:
            command = [sys.executable, "-m", "econnector", "office", "run", "--settings", str(self.settings)]
            self.connector = subprocess.Popen(command, stdout=out, stderr=out, env=self.environment)
        self.well()

    def well(self) -> None:
        """Wait until the doctor finds nothing."""
        try:
            poll(lambda: self.doctor()["ok"])
        except AssertionError:
            found = self.doctor()["findings"]
            raise AssertionError({each["check"]: each["text"] for each in found if each["state"] != "ok"}) from None

    def doctor(self, *only: str, aside: bool = False) -> Any:
        words = ["doctor", "--json", *(part for each in only for part in ("--only", each))]
        if aside:
            command = [sys.executable, "-m", "econnector", *words, "--settings", str(self.settings)]
            return json.loads(typed_aside(command, self.environment).stdout)
        return json.loads(self.econnector(*words).stdout)

    def finding(self, check: str) -> Any:
        return next(each for each in self.doctor(check)["findings"] if each["check"] == check)

    def meet(self, fault: Fault) -> dict[str, Any]:
        """Break it, ask the doctor, mend it, ask again."""
        with fault.broken():
            poll(lambda: self.finding(fault.check)["state"] in {"problem", "attention"})
            told = self.doctor(aside=fault.aside)
        found = next(each for each in told["findings"] if each["check"] == fault.check)
        poll(lambda: self.finding(fault.check)["state"] == "ok")
        return {"fault": fault.name, "seconds": told["seconds"], "found": found, "well again": True}

    def close(self) -> None:
        if self.connector is not None:
            self.connector.kill()
            self.connector.wait()
        self.vendor.close()
        self.server.close()

    # -- what breaks --------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def written(self, **more: str) -> Iterator[None]:
        """Settings that say something else."""
        self.write(self.settings, **more)
        try:
            yield
        finally:
            self.write(self.settings)

    @contextlib.contextmanager
    def no_name(self) -> Iterator[None]:
        if not self.inside:
            with self.written(url="wss://hq.first-day.invalid/link"):
                yield
            return
        kept = self.hosts.read_text()
        self.hosts.write_text("127.0.0.1 localhost\n")
        yield
        self.hosts.write_text(kept)

    @contextlib.contextmanager
    def port_blocked(self) -> Iterator[None]:
        """Nothing comes back, as behind a firewall that drops; without a namespace, the port is closed."""
        if not self.inside:
            with self.shown(None):
                yield
            return
        for words in ("link add hole type ifb", "address add 10.77.0.9/32 dev hole", "link set hole up"):
            run(f"ip {words}")
        run(f"ip address del {ADDRESS}/32 dev lo")
        run(f"ip route add {ADDRESS}/32 dev hole")
        yield
        run("ip link del hole")
        run(f"ip address add {ADDRESS}/32 dev lo")

    @contextlib.contextmanager
    def shown(self, context: ssl.SSLContext | None) -> Iterator[None]:
        self.front.show(context)
        yield
        self.front.show(self.certificate)

    @contextlib.contextmanager
    def sql(self, broken: str, mended: str) -> Iterator[None]:
        self.server.sql(broken)
        yield
        self.server.sql(mended)

    @contextlib.contextmanager
    def database_stopped(self) -> Iterator[None]:
        self.server.stop()
        yield
        self.server.start()

    @contextlib.contextmanager
    def renamed(self, folder: Path) -> Iterator[None]:
        away = folder.rename(folder.with_name("away"))
        yield
        away.rename(folder)

    @contextlib.contextmanager
    def told_hq(self, broken: str, mended: str) -> Iterator[None]:
        self.hq(*broken.split())
        yield
        self.hq(*mended.split())

    @contextlib.contextmanager
    def second_machine(self) -> Iterator[None]:
        """Somebody installs it on another computer too; an hour and a quarter after it is gone, HQ forgets it."""
        other = self.write(self.folder / "other.toml", machine="BACK-OFFICE")
        self.econnector("office", "enrol", "-", answers=self.key + "\n", file=other)
        yield
        with sqlite3.connect(self.vendor.folder / "registry.db", timeout=SECONDS) as registry:
            registry.execute("UPDATE history SET at = datetime(at, '-75 minutes') WHERE kind = 'second-machine'")

    @contextlib.contextmanager
    def disk_full(self) -> Iterator[None]:
        """The log is on a disk of its own, with room for a megabyte."""
        run(f"mount -t tmpfs -o size=1m none {self.log}")
        yield
        run(f"umount {self.log}")

    @contextlib.contextmanager
    def mistyped(self) -> Iterator[None]:
        kept = self.settings.read_text()
        self.settings.write_text(kept.replace("proxy =", "proxi ="))
        yield
        self.settings.write_text(kept)

    def faults(self) -> list[Fault]:
        """Return what breaks, one after the other."""
        stranger = Authority(self.folder, "Sophos SSL CA").issue(self.host).context()
        expired = self.authority.issue(self.host, days=-1).context()
        shift = "SET GLOBAL init_connect = '{}'"
        other = f"ALTER USER {USER}@'%' IDENTIFIED BY "
        grant = f"DELETE ON {self.database}.*"
        found = [
            Fault("the name is not found", "hq", "DNS", self.no_name, "hq-away", aside=True),
            Fault("port 443 is blocked", "hq", "TCP", self.port_blocked, "hq-away"),
            Fault(
                "a proxy that is not there",
                "hq",
                "to the proxy 127.0.0.1:1",
                lambda: self.written(proxy="http://127.0.0.1:1"),
                "hq-away",
            ),
            Fault("TLS is opened on the way", "certificate", "Sophos", lambda: self.shown(stranger)),
            Fault("HQ's certificate has expired", "hq", "expired", lambda: self.shown(expired), "hq-untrusted"),
            Fault(
                "the clocks differ",
                "clock",
                "the database says",
                lambda: self.sql(shift.format("SET timestamp = UNIX_TIMESTAMP() + 900"), shift.format("")),
                "clock-drift",
            ),
            Fault(
                "the database is stopped",
                "database",
                "does not answer",
                self.database_stopped,
                "database-away",
                aside=True,
            ),
            Fault(
                "the database's password was changed",
                "database",
                "password",
                lambda: self.sql(f"{other} 'another'", f"{other} '{PASSWORD}'"),
                "database-refused",
            ),
            Fault(
                "a right was taken",
                "database",
                "lacks DELETE",
                lambda: self.sql(f"REVOKE {grant} FROM {USER}@'%'", f"GRANT {grant} TO {USER}@'%'"),
                "database-refused",
            ),
            Fault(
                "the images folder was renamed", "images", "images", lambda: self.renamed(self.images), "file-missing"
            ),
            Fault("a setting is mistyped", "settings", "line 5", self.mistyped, "setting-invalid"),
            Fault("a second connector", "owner", "BACK-OFFICE", self.second_machine),
            Fault(
                "the key is disabled",
                "registration-key",
                "disabled",
                lambda: self.told_hq("disable smile --reason Unpaid", "enable smile"),
                "103",
            ),
            Fault(
                "support has ended",
                "registration-key",
                "support ended",
                lambda: self.told_hq("end-support smile", "enable smile"),
                "103",
            ),
        ]
        full = Fault("the disk is full", "logs", "the disk is full", self.disk_full, "log-folder")
        return [*found, full] if self.inside else found


class Front443(Vendor):
    """HQ behind something that ends TLS for it, so that it has another name than where it listens."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self._url = url

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"ECONNECTOR_HQ_URL": self._url}


def run(words: str) -> None:
    done = subprocess.run(words.split(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def poll(what: Callable[[], bool]) -> None:
    """Wait until it is so: asking costs more than waiting."""
    ends = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < ends, f"it did not come true in {SECONDS:g} s"
        time.sleep(0.5)


def main(folder: Path) -> None:
    """Live through the day."""
    day = Day(folder)
    try:
        day.open()
        for fault in day.faults():
            say(day.meet(fault) | {"wanted": [fault.check, fault.words, fault.code]})
        day.well()
        say({"fault": "", "well again": True, "inside": day.inside})
    finally:
        day.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
