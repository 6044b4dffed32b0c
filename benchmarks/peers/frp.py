"""frp, in its two ways: a port per office that carries any TCP, and one port for all, which reads HTTP."""

import secrets

from benchmarks.peers.asking import Address
from benchmarks.peers.peer import Peer, Program, said_by

__all__ = ["FrpHttp", "FrpTcp"]

_SERVER = """
bindAddr = "127.0.0.1"
proxyBindAddr = "127.0.0.1"
bindPort = {link}
auth.token = "{token}"
transport.tls.force = true
log.level = "warn"
{more}
"""
_CLIENT = """
serverAddr = "127.0.0.1"
serverPort = {link}
auth.token = "{token}"
transport.tls.enable = true
log.level = "warn"

[[proxies]]
name = "office"
localIP = "127.0.0.1"
localPort = {direct}
{more}
"""


class FrpTcp(Peer):
    """A port per office."""

    name = "frp tcp"
    encryption = "link: TLS"
    needs = ("frps", "frpc")
    host = "office.bench.test"

    @classmethod
    def version(cls) -> str:
        return "frp " + said_by("frps", "--version")

    def more(self) -> tuple[str, str]:
        """Return what the server's and the client's configuration hold besides."""
        return "", f'type = "tcp"\nremotePort = {self.public}'

    def prepare(self) -> None:
        token = secrets.token_hex(16)
        server, client = self.more()
        (self.folder / "frps.toml").write_text(_SERVER.format(link=self.link, token=token, more=server))
        values = {"link": self.link, "token": token, "direct": self.origin.port, "more": client}
        (self.folder / "frpc.toml").write_text(_CLIENT.format(**values))

    def serving(self) -> Program:
        return Program(("frps", "-c", str(self.folder / "frps.toml")))

    def dialling(self) -> Program:
        return Program(("frpc", "-c", str(self.folder / "frpc.toml")))


class FrpHttp(FrpTcp):
    """One port for all; the office is found by the visitor's Host header."""

    name = "frp http"

    def more(self) -> tuple[str, str]:
        return f"vhostHTTPPort = {self.public}", f'type = "http"\ncustomDomains = ["{self.host}"]'

    def prepare(self) -> None:
        super().prepare()
        self.address = Address(self.public, headers={"Host": self.host})
