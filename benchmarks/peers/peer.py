"""What a tunnel is to the benchmark: two programs with a link between them, and an address where the world asks."""

import abc
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import ClassVar

import msgspec

from benchmarks.peers.asking import Address, ask, listens
from benchmarks.peers.tree import Tree
from benchmarks.processes import free_port

__all__ = ["PEERS_FOLDER", "Origin", "Peer", "Program", "said_by"]

PEERS_FOLDER = pathlib.Path(__file__).resolve().parents[2] / ".cache" / "peers"
"""Where `scripts/setup.py --peers` puts what no Debian package holds."""
_PATIENCE = 30.0


class Origin(msgspec.Struct, frozen=True):
    """The HTTP server behind every tunnel."""

    port: int
    tls_port: int
    file: pathlib.Path
    """What it serves as the file."""


class Program(msgspec.Struct, frozen=True):
    """A command line with what it finds in its environment."""

    command: tuple[str, ...]
    environment: dict[str, str] = {}


def said_by(*command: str) -> str:
    """Return the first line that a command prints, which is how programs tell their version."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else "?"


class Peer(abc.ABC):
    """A tunnel: `server` stands in the world, `client` dials it from where the HTTP server is."""

    name: ClassVar[str]
    encryption: ClassVar[str]
    """What is encrypted between whom, for the table."""
    beside: ClassVar[str] = "direct"
    """The row whose figures its own are divided by: the direct server, spoken to as this tunnel's is."""
    wears_out: ClassVar[bool] = False
    """Whether it must be started anew before each cell, as what a load leaves behind spoils the next."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Programs that must be on PATH."""

    def __init__(self, folder: pathlib.Path, origin: Origin) -> None:
        """`folder`: its own, yet to be made."""
        self.folder, self.origin = folder, origin
        self.public, self.link = free_port(), free_port()
        self.server: Tree | None = None
        self.client: Tree | None = None
        self.besides: list[Tree] = []
        """What stands beside the server, and outlives it."""
        self.address = Address(self.public)

    @classmethod
    def absent(cls) -> str:
        """Return why it is not here; nothing where it is."""
        missing = [program for program in cls.needs if not shutil.which(program)]
        return f"{', '.join(missing)} not on PATH" if missing else ""

    @classmethod
    @abc.abstractmethod
    def version(cls) -> str:
        """Return what the program says its version is."""

    @abc.abstractmethod
    def prepare(self) -> None:
        """Write the configuration of both ends into `folder`."""

    @abc.abstractmethod
    def serving(self) -> Program:
        """Return the server's program."""

    @abc.abstractmethod
    def dialling(self) -> Program:
        """Return the client's program."""

    def start(self) -> None:
        """Start both ends; return when the first answer came through."""
        self.folder.mkdir()
        self.prepare()
        self.serve()
        self.dial()
        self.wait()

    def serve(self) -> None:
        """Start the server; return when it listens for its client."""
        self.server = self._tree("server", self.serving())
        self._until(lambda: listens(self.link), "the server does not listen")

    def dial(self) -> None:
        """Start the client."""
        self.client = self._tree("client", self.dialling())

    def wait(self) -> None:
        """Return when an answer comes through."""
        self._until(lambda: ask(self.address, self.address.small, within=2.0).good, "no answer comes through")

    def renew(self) -> None:
        """Start both ends again."""
        self.stop()
        self.serve()
        self.dial()
        self.wait()

    def stop(self) -> None:
        """End both."""
        for tree in (self.client, self.server, *self.besides):
            if tree is not None:
                tree.thaw()
                tree.stop()

    def _tree(self, end: str, program: Program) -> Tree:
        return Tree(*program.command, log=self.folder / f"{end}-{time.monotonic_ns()}.out", **program.environment)

    def _until(self, what: Callable[[], bool], else_: str) -> None:
        end = time.monotonic() + _PATIENCE
        while not what():
            if time.monotonic() > end:
                raise TimeoutError(f"{else_}; its ends printed: {self._printed()}")
            time.sleep(0.05)

    def _printed(self) -> str:
        texts = (file.read_text(errors="replace").strip()[-200:] for file in sorted(self.folder.glob("*.out")))
        return " | ".join(text for text in texts if text) or "nothing"
