"""SniTun, the relay of Home Assistant Cloud: the visitor's TLS goes through it unopened, to the HTTP server."""

from benchmarks.peers.asking import Address
from benchmarks.peers.peer import PEERS_FOLDER, Peer, Program, said_by

__all__ = ["SniTun"]

_PYTHON = PEERS_FOLDER / "python" / "bin" / "python"
_ENDS = PEERS_FOLDER.parents[1] / "benchmarks" / "peers" / "snitun_ends.py"


class SniTun(Peer):
    """Both ends on uvloop, which is not how it comes, and faster."""

    name = "SniTun, uvloop"
    encryption = "visitor to HTTP server: TLS; link: frame headers only"
    beside = "direct, TLS"

    @classmethod
    def absent(cls) -> str:
        return "" if (_PYTHON.parents[1] / "installed").exists() else "could not be installed from PyPI"

    @classmethod
    def version(cls) -> str:
        wanted = "from importlib.metadata import version; print(version('snitun'))"
        return "SniTun " + said_by(str(_PYTHON), "-c", wanted)

    def prepare(self) -> None:
        self.address = Address(self.link, host="localhost", tls=True)  # one port for visitors and for the client

    def serving(self) -> Program:
        return self._end("serve", str(self.link))

    def dialling(self) -> Program:
        return self._end("dial", str(self.link), str(self.origin.tls_port))

    def _end(self, *words: str) -> Program:
        return Program((str(_PYTHON), "-P", str(_ENDS), str(self.folder / "secret.json"), *words))
