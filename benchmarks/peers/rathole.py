"""rathole: a control connection per office and a pool of data connections beside it, encrypted by Noise."""

import secrets

from benchmarks.peers.peer import Peer, Program, said_by

__all__ = ["Rathole"]

_TRANSPORT = """
[{end}.transport]
type = "noise"
[{end}.transport.noise]
pattern = "Noise_XX_25519_ChaChaPoly_BLAKE2s"
"""
_SERVER = """
[server]
bind_addr = "127.0.0.1:{link}"
[server.services.office]
token = "{token}"
bind_addr = "127.0.0.1:{public}"
"""
_CLIENT = """
[client]
remote_addr = "127.0.0.1:{link}"
[client.services.office]
token = "{token}"
local_addr = "127.0.0.1:{direct}"
"""


class Rathole(Peer):
    """One service of rathole; the two ends agree on keys and do not know each other's: Noise XX."""

    name = "rathole"
    encryption = "link: Noise"
    needs = ("rathole",)

    @classmethod
    def version(cls) -> str:
        return "rathole " + said_by("rathole", "--version")

    def prepare(self) -> None:
        values = {"link": self.link, "public": self.public, "direct": self.origin.port, "token": secrets.token_hex(16)}
        for end, text in (("server", _SERVER), ("client", _CLIENT)):
            (self.folder / f"{end}.toml").write_text(text.format(**values) + _TRANSPORT.format(end=end))

    def serving(self) -> Program:
        return Program(("rathole", "--server", str(self.folder / "server.toml")))

    def dialling(self) -> Program:
        return Program(("rathole", "--client", str(self.folder / "client.toml")))
