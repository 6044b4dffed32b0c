"""The stage of a soak: HQ, connector, database, bus, mail and cards as real processes, each hurt and healed."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.soak import linkproxy
from tests.soak.furnish import Person, furnish
from tests.soak.linkproxy import LinkProxy
from tests.soak.machine import Clocks, Disk
from tests.soak.postoffice import PostOffice
from tests.soak.practice import DATABASE, Practice
from tests.soak.schema import empty_practice
from tests.support.gateway import Gateway
from tests.support.mariadb import MariaDb
from tests.support.nats import NatsServer
from tests.support.whole import OFFICE, Whole, until

__all__ = ["AHEAD", "BACK", "Part", "Scene", "Usage", "quiet_port"]

PROCESS = ("kill", "stop", "freeze")
AHEAD, BACK = "2 h ahead", "30 min back"
_JUMPS = {AHEAD: 7200, BACK: -1800}
BEAT_SECONDS = 10


def quiet_port(dice: random.Random) -> int:
    """Return a free port below those that the kernel gives to outgoing connections: a restart finds it free."""
    while True:
        port = dice.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Usage(NamedTuple):
    """What a process holds."""

    kilobytes: int
    files: int


class Part:
    """Something that the controller may hurt in each of its `ways`."""

    def __init__(
        self, name: str, ways: tuple[str, ...], hurt: Callable[[str], None], heal: Callable[[str], None]
    ) -> None:
        self.name, self.ways = name, ways
        self.hurt, self.heal = hurt, heal

    @classmethod
    def process(
        cls,
        name: str,
        *,
        kill: Callable[[], object],
        stop: Callable[[], object],
        start: Callable[[], object],
        send: Callable[[int], object],
    ) -> "Part":
        """A process: `stop` waits for its end; `start` need not wait until it is ready."""
        hurts = {"kill": kill, "stop": stop, "freeze": lambda: send(signal.SIGSTOP)}
        heals = {"freeze": lambda: send(signal.SIGCONT)}
        return cls(name, PROCESS, lambda how: _do(hurts[how]), lambda how: _do(heals.get(how, start)))


def _do(work: Callable[[], object]) -> None:
    work()


class Stage(Whole):
    """Processes whose clocks can be moved, and a link that leads through a proxy."""

    def __init__(self, folder: Path, dice: random.Random, *, nodes: int, database: str, switchboard: str) -> None:
        self.clocks = Clocks(folder)
        super().__init__(folder, database=database, switchboard=switchboard)
        self.port = quiet_port(dice)
        self.hq_url = f"http://127.0.0.1:{self.port}"
        self.ports = [self.port, *(quiet_port(dice) for _ in range(nodes - 1))]
        self.line = LinkProxy(quiet_port(dice), self.ports, random.Random(dice.random()))

    def start(self, name: str, *words: str) -> None:
        """Start a process that stays."""
        more = self.clocks.environment(name) | {"ECONNECTOR_HQ_NODE": name}
        with (self.folder / f"{name}.out").open("ab") as out:
            command = [sys.executable, "-m", "econnector", *words]
            self.processes[name] = subprocess.Popen(command, stdout=out, stderr=out, env=self.environment | more)

    def start_office(self) -> None:
        url = f"hq.url=ws://127.0.0.1:{self.line.port}/link"
        self.start("office", "office", "run", "--settings", str(self.settings), "--set", url)

    def start_node(self, index: int) -> None:
        """Start one of HQ's nodes."""
        name = f"hq{index + 1}" if index else "hq"
        self.start(name, "hq", "run", "--listen", f"127.0.0.1:{self.ports[index]}")

    def settle(self, state: Path, cards: str) -> None:
        """Write into the settings file where the state file and the card processor are."""
        text = self.settings.read_text()
        for old, new in (
            ('state = "office.sqlite"\n', f'state = "{state}"\n'),
            ("[hq]\n", f'[window]\nenabled = false\n\n[hq]\nproxy = "none"\nheartbeat_seconds = {BEAT_SECONDS}\n'),
        ):
            assert old in text
            text = text.replace(old, new)
        head, mark, _ = text.partition("[payments]\n")
        rest = '[log]\nfolder = "log"\n'
        self.settings.write_text(f'{head}{mark}gateway = "{cards}"\n\n{rest}')


class Scene:
    """Everything up, with a practice of its own. `nodes` HQ nodes share their offices over NATS if more than one."""

    def __init__(self, folder: Path, dice: random.Random, *, nodes: int = 1) -> None:
        # What the server said it has must survive its own end; the machine's end is not what is tried here.
        self.server = MariaDb("--innodb-flush-log-at-trx-commit=1") if _has_mariadb() else None
        self.nats = NatsServer() if nodes > 1 else None
        if self.nats is not None:
            self.nats.port = quiet_port(dice)
            self.nats.start()
        self.tables = empty_practice(self.server, DATABASE) if self.server else "SQLite (mariadbd is not installed)"
        url = self.server.url(DATABASE) if self.server else ""
        bus = self.nats.url if self.nats else "local"
        self.whole = Stage(folder, dice, nodes=nodes, database=url, switchboard=bus)
        self.portals = [f"http://127.0.0.1:{port}/o/{OFFICE}/portal/" for port in self.whole.ports]
        self.whole.portal = self.portals[0]
        self.practice = Practice(self.server, folder / "practice.sqlite")
        self.post = PostOffice(quiet_port(dice), folder / "received.jsonl")
        self.cards = Gateway(folder / "cards")
        self.cards.port = quiet_port(dice)
        self.cards.url = f"http://127.0.0.1:{self.cards.port}"
        self.disk = Disk(folder / "state", lambda: self.whole.processes["office"].pid)
        self.state = self.disk.folder / "office.sqlite"
        self.writers: list[Person] = []

    def up(self) -> None:
        """Start everything; return once every node serves the office."""
        self.writers = furnish(self.practice, self.post.port)
        self.whole.settle(self.state, self.cards.url)
        self.post.start()
        self.cards.start()
        self.whole.up()
        for index in range(1, len(self.whole.ports)):
            self.whole.start_node(index)
        until(lambda: all(self.serves(portal) for portal in self.portals), 60)

    def serves(self, portal: str) -> bool:
        """Whether the sign-in page comes through this node, from the office's database."""
        self.whole.portal = portal
        try:
            return self.whole.serves()
        finally:
            self.whole.portal = self.portals[0]

    # -- what may be hurt -----------------------------------------------------------------------------------------

    def parts(self) -> list[Part]:
        """Return what may be hurt."""
        whole, post, cards = self.whole, self.post, self.cards
        found = [self._process("connector", "office", whole.start_office)]
        for index in range(len(whole.ports)):
            name = f"hq{index + 1}" if index else "hq"
            found.append(self._process(name, name, lambda index=index: whole.start_node(index)))  # type: ignore[misc]
        if self.server is not None:
            server = self.server
            found.append(
                Part.process("mariadb", kill=server.kill, stop=server.stop, start=server.start, send=server._signal)
            )
        if self.nats is not None:
            nats = self.nats
            found.append(Part.process("nats", kill=nats.kill, stop=nats.stop, start=nats.start, send=self._signal_nats))
        mail = {"kill": post.end, "stop": lambda: post.end(signal.SIGTERM), "start": post.start, "send": post.send}
        found.append(Part.process("mail server", **mail))  # type: ignore[arg-type]
        found.append(Part("mail child", ("kill", "freeze"), self._hurt_child, self._heal_child))
        found.append(
            Part.process(
                "card processor",
                kill=lambda: cards.stop(signal.SIGKILL),
                stop=cards.stop,
                start=cards.start,
                send=self._signal_cards,
            )
        )
        found.append(Part("link", linkproxy.WAYS, whole.line.hurt, whole.line.heal))
        found.append(Part("disk", ("full",), lambda _: self.disk.full(), lambda _: self.disk.room()))
        return found + (self._clocks() if whole.clocks.there else [])

    def _clocks(self) -> list[Part]:
        clocks = self.whole.clocks

        def part(name: str, *keys: str) -> Part:
            def put(seconds: int) -> None:
                for key in keys:
                    clocks.set(key, seconds)

            return Part(name, (AHEAD, BACK), lambda how: put(_JUMPS[how]), lambda _: put(0))

        nodes = [f"hq{index + 1}" if index else "hq" for index in range(len(self.whole.ports))]
        return [part("connector's clock", "office"), part("hq's clock", *nodes)]

    def _signal_nats(self, number: int) -> None:
        if self.nats is not None and self.nats._process is not None:
            self.nats._process.send_signal(number)

    def _signal_cards(self, number: int) -> None:
        if self.cards.process is not None:
            self.cards.process.send_signal(number)

    def _children(self) -> list[int]:
        """Return the connector's processes that send mail."""
        office = self.whole.processes.get("office")
        found = []
        for file in Path(f"/proc/{office.pid}/task").glob("*/children") if office else ():
            with contextlib.suppress(OSError):
                found += [int(pid) for pid in file.read_text().split()]
        return [pid for pid in found if "mail.child" in _command(pid)]

    def _hurt_child(self, how: str) -> None:
        for child in self._children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL if how == "kill" else signal.SIGSTOP)

    def _heal_child(self, _how: str) -> None:
        for child in self._children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGCONT)

    def _process(self, name: str, key: str, start: Callable[[], None]) -> Part:
        whole = self.whole
        return Part.process(
            name,
            kill=lambda: whole.kill(key),
            stop=lambda: self._stop(key),
            start=start,
            send=lambda number: whole.signal(key, number),
        )

    def _stop(self, key: str) -> None:
        process = self.whole.processes[key]
        try:
            self.whole.stop(key, 15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    # -- how it stands --------------------------------------------------------------------------------------------

    def ended(self) -> dict[str, int]:
        """Return which of our processes have ended by themselves, with their exit status."""
        found = {name: process.poll() for name, process in self.whole.processes.items()}
        return {name: status for name, status in found.items() if status is not None}

    def revive(self, key: str) -> None:
        """Start a process that has ended by itself, as a service manager does."""
        del self.whole.processes[key]
        if key == "office":
            self.whole.start_office()
        else:
            self.whole.start_node(int(key[2:] or 1) - 1)

    def usage(self) -> dict[int, tuple[str, Usage]]:
        """Return what HQ and the connector hold now, by process id; nothing where /proc does not exist."""
        found: dict[int, tuple[str, Usage]] = {}
        for name, process in list(self.whole.processes.items()):
            folder = Path("/proc", str(process.pid))
            with contextlib.suppress(OSError, ValueError, IndexError):
                status = (folder / "status").read_text()
                kilobytes = int(status.split("VmRSS:")[1].split()[0])
                found[process.pid] = (name, Usage(kilobytes, len(list((folder / "fd").iterdir()))))
        return found

    def close(self) -> None:
        """End and remove everything."""
        self.whole.close()
        self.whole.line.close()
        self.post.end()
        self.cards.stop(signal.SIGKILL)
        if self.nats is not None:
            self.nats.kill()
        if self.server is not None:
            self.server.close()
        self.disk.close()

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: Path, dice: random.Random, *, nodes: int) -> "Iterator[Scene]":
        """Everything up while the block lasts."""
        scene = cls(folder, dice, nodes=nodes)
        try:
            scene.up()
            yield scene
        finally:
            scene.close()


def _has_mariadb() -> bool:
    return bool(shutil.which("mariadbd") or Path("/usr/sbin/mariadbd").exists())


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    return ""
