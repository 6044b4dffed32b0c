"""chisel: SSH channels inside one WebSocket."""

import secrets

from benchmarks.peers.peer import Peer, Program, said_by

__all__ = ["Chisel"]


class Chisel(Peer):
    """A reverse tunnel of chisel."""

    name = "chisel"
    encryption = "link: SSH in a plain WebSocket"
    needs = ("chisel",)

    @classmethod
    def version(cls) -> str:
        return "chisel " + said_by("chisel", "--version")

    def prepare(self) -> None:
        self.auth = {"AUTH": f"office:{secrets.token_hex(16)}"}

    def serving(self) -> Program:
        command = ("chisel", "server", "--host", "127.0.0.1", "--port", str(self.link), "--reverse")
        return Program(command, self.auth)

    def dialling(self) -> Program:
        forward = f"R:127.0.0.1:{self.public}:127.0.0.1:{self.origin.port}"
        return Program(("chisel", "client", f"http://127.0.0.1:{self.link}", forward), self.auth)
