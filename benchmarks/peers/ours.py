"""eConnector: HQ as it is run, with its API's lean route, and an office's process that answers."""

import sys
from typing import ClassVar

from benchmarks.native import BALANCER, DOCUMENT, SMALL, add_office, hq_settings
from benchmarks.peers.asking import Address, listens
from benchmarks.peers.peer import PEERS_FOLDER, Peer, Program
from econnector.base.ids import new_token
from econnector.base.version import version
from tests.support.certificates import Authority

__all__ = ["Native", "Relay"]

_ROOT = PEERS_FOLDER.parents[1]
_PYTHONPATH = {"PYTHONPATH": str(_ROOT)}


class _Ours(Peer):
    """The office is found by the address; it checks the partner's key; the link's TLS ends in an nginx before HQ."""

    encryption = "link: TLS, ending in nginx before HQ"
    needs = ("nginx",)
    office: ClassVar[str]
    """The module that is the office's process."""

    @classmethod
    def version(cls) -> str:
        return f"eConnector {version()}"

    def prepare(self) -> None:
        hq = self.folder / "hq"
        hq.mkdir()
        self.authority = Authority(self.folder)
        issued = self.authority.issue()
        self.registration, self.partner = self.folder / "registration", self.folder / "partner"
        self.registration.write_text(add_office(hq))
        self.partner.write_text(f"eck_{new_token()}")
        ends = {"port": self.link, "hq": self.public, "certificate": issued.certificate, "key": issued.key}
        (self.folder / "balancer.conf").write_text(BALANCER.format(folder=self.folder, **ends))
        authorization = f"Bearer {self.partner.read_text()}"
        self.address = Address(self.public, small=SMALL, file=DOCUMENT, headers={"Authorization": authorization})

    def serving(self) -> Program:
        return Program((sys.executable, "-m", "econnector", "hq", "run"), hq_settings(self.folder / "hq", self.public))

    def serve(self) -> None:
        self.server = self._tree("server", self.serving())
        self._until(lambda: listens(self.public), "HQ does not listen")
        if not self.besides:
            command = ("nginx", "-p", str(self.folder), "-c", str(self.folder / "balancer.conf"))
            self.besides = [self._tree("balancer", Program(command))]
            self._until(lambda: listens(self.link), "nginx before HQ does not listen")

    def dialling(self) -> Program:
        given = (self.registration, self.partner, self.authority.file, self.source())
        words = (f"wss://127.0.0.1:{self.link}/link", *map(str, given))
        return Program((sys.executable, "-m", self.office, *words), _PYTHONPATH)

    def source(self) -> object:
        """Return where the office finds the file."""
        return self.origin.file


class Native(_Ours):
    """The office answers by itself, and reads the file from its disk."""

    name = "ours, native"
    office = "benchmarks.native"


class Relay(_Ours):
    """The office fetches each answer from the HTTP server that stands behind the tunnels."""

    name = "ours, relay"
    office = "benchmarks.peers.relay"

    def source(self) -> object:
        return self.origin.port
