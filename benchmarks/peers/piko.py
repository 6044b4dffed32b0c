"""piko, one node: yamux inside a WebSocket; both ends speak HTTP."""

from benchmarks.peers.asking import Address
from benchmarks.peers.peer import Peer, Program, said_by
from benchmarks.processes import free_port

__all__ = ["Piko"]

_OFFICE = "office"


def _here(port: int) -> str:
    return f"127.0.0.1:{port}"


class Piko(Peer):
    """The office is found by a header of the visitor's."""

    name = "piko"
    encryption = "none"
    needs = ("piko",)

    @classmethod
    def version(cls) -> str:
        return "piko " + said_by("piko", "version")

    def prepare(self) -> None:
        self.address = Address(self.public, headers={"x-piko-endpoint": _OFFICE})

    def serving(self) -> Program:
        binds = {"proxy": self.public, "upstream": self.link, "admin": free_port(), "cluster.gossip": free_port()}
        flags = [word for part, port in binds.items() for word in (f"--{part}.bind-addr", _here(port))]
        return Program(("piko", "server", *flags, "--usage.disable", "--log.level", "warn"))

    def dialling(self) -> Program:
        flags = ("--connect.url", f"http://{_here(self.link)}", "--server.bind-addr", _here(free_port()))
        return Program(("piko", "agent", "http", _OFFICE, _here(self.origin.port), *flags, "--log.level", "warn"))
