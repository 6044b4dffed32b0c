"""localtunnel, from npm: a pool of ten plain connections that the client keeps open to the server."""

import os
import subprocess

from benchmarks.peers.asking import Address
from benchmarks.peers.peer import PEERS_FOLDER, Peer, Program, said_by

__all__ = ["Localtunnel"]

_NODE = PEERS_FOLDER / "node"
_MODULES = _NODE / "node_modules"
_SERVER = PEERS_FOLDER.parents[1] / "benchmarks" / "peers" / "localtunnel_server.mjs"
_DOMAIN, _OFFICE = "bench.test", "office"


class Localtunnel(Peer):
    """The server is found by the visitor's Host header, and speaks HTTP itself."""

    name = "localtunnel"
    encryption = "none"
    wears_out = True  # visitors who leave with a request on its way take connections of its pool with them, for good
    needs = ("node",)

    @classmethod
    def absent(cls) -> str:
        return super().absent() or ("" if (_NODE / "installed").exists() else "could not be installed from npm")

    @classmethod
    def version(cls) -> str:
        return "localtunnel " + said_by("node", str(_MODULES / ".bin" / "lt"), "--version")

    def prepare(self) -> None:
        self.address = Address(self.link, headers={"Host": f"{_OFFICE}.{_DOMAIN}"})
        subprocess.run(
            (
                str(_MODULES / ".bin" / "esbuild"), str(_SERVER), "--bundle", "--platform=node",
                "--log-level=error", f"--outfile={self.folder / 'server.cjs'}",
            ),
            check=True,
            env={**os.environ, "NODE_PATH": str(_MODULES)},
        )  # fmt: skip

    def serving(self) -> Program:
        return Program(("node", str(self.folder / "server.cjs"), str(self.link), _DOMAIN))

    def dialling(self) -> Program:
        words = ("--port", str(self.origin.port), "--host", f"http://127.0.0.1:{self.link}", "--subdomain", _OFFICE)
        return Program(("node", str(_MODULES / ".bin" / "lt"), *words))
