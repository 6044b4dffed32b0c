"""The stage of a soak: HQ, connector, database and bus as real processes, each of which can be hurt and healed."""

import contextlib
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.mariadb import DUMP, MariaDb
from tests.support.nats import NatsServer
from tests.support.whole import OFFICE, Whole, until

__all__ = ["Part", "Scene", "Usage", "quiet_port"]


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
    """One process that the controller may hurt. `stop` waits for its end; `start` need not wait until it is ready."""

    def __init__(
        self,
        name: str,
        *,
        kill: Callable[[], None],
        stop: Callable[[], object],
        start: Callable[[], None],
        send: Callable[[int], None],
    ) -> None:
        self.name = name
        self._kill, self._stop, self._start, self._send = kill, stop, start, send
        self.began = time.monotonic()

    def hurt(self, how: str) -> None:
        """`how`: kill, stop or freeze."""
        if how == "freeze":
            self._send(signal.SIGSTOP)
        elif how == "kill":
            self._kill()
        else:
            self._stop()

    def heal(self, how: str) -> None:
        """Undo `hurt(how)`."""
        if how == "freeze":
            self._send(signal.SIGCONT)
        else:
            self._start()
            self.began = time.monotonic()


class Scene:
    """Everything up, with a practice of its own. `nodes` HQ nodes share their offices over NATS if more than one."""

    def __init__(self, folder: Path, dice: random.Random, *, nodes: int = 1) -> None:
        self.server = MariaDb() if DUMP.exists() else None
        self.nats = NatsServer() if nodes > 1 else None
        if self.nats is not None:
            self.nats.port = quiet_port(dice)
            self.nats.start()
        url = "" if self.server is None else self.server.url(self.server.open_dental("21.1", "soak"))
        self.whole = Whole(folder, database=url, switchboard=self.nats.url if self.nats else "local")
        self.whole.port = quiet_port(dice)
        self.whole.hq_url = f"http://127.0.0.1:{self.whole.port}"
        self.ports = [self.whole.port, *(quiet_port(dice) for _ in range(nodes - 1))]
        self.portals = [f"http://127.0.0.1:{port}/o/{OFFICE}/portal/" for port in self.ports]
        self.whole.portal = self.portals[0]

    def up(self) -> None:
        """Start everything; return once every node serves the office."""
        self.whole.up()
        for index in range(1, len(self.ports)):
            self._start_node(index)
        until(lambda: all(self.serves(portal) for portal in self.portals), 60)

    def serves(self, portal: str) -> bool:
        """Whether the sign-in page comes through this node, from the office's database."""
        self.whole.portal = portal
        try:
            return self.whole.serves()
        finally:
            self.whole.portal = self.portals[0]

    def parts(self) -> list[Part]:
        """Return what may be hurt."""
        found = [self._process("connector", "office", self.whole.start_office)]
        for index in range(len(self.ports)):
            name = f"hq{index + 1}" if index else "hq"
            found.append(self._process(name, name, lambda index=index: self._start_node(index)))  # type: ignore[misc]
        if self.server is not None:
            server = self.server
            found.append(Part("mariadb", kill=server.kill, stop=server.stop, start=server.start, send=server._signal))
        if self.nats is not None:
            nats = self.nats

            def send(number: int) -> None:
                if nats._process is not None:
                    nats._process.send_signal(number)

            found.append(Part("nats", kill=nats.kill, stop=nats.stop, start=nats.start, send=send))
        return found

    def _process(self, name: str, key: str, start: Callable[[], None]) -> Part:
        whole = self.whole
        return Part(
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

    def _start_node(self, index: int) -> None:
        name = f"hq{index + 1}" if index else "hq"
        self.whole.start(name, "hq", "run", "--listen", f"127.0.0.1:{self.ports[index]}")

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
            self._start_node(int(key[2:] or 1) - 1)

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
        if self.nats is not None:
            self.nats.kill()
        if self.server is not None:
            self.server.close()

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
