"""HQ as several nodes: two that offices dial and two that browsers ask, on one NATS and one registry on MariaDB."""

import contextlib
import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

from econnector.demo.browser import Browser, Lost
from tests.support.crossing import Crossing
from tests.support.mariadb import MariaDb
from tests.support.nats import NatsServer
from tests.support.ports import free_port
from tests.support.whole import OFFICE, Whole, until

__all__ = ["GATEWAYS", "PAGES", "Cluster", "Pull"]

GATEWAYS, PAGES = ("gateway-1", "gateway-2"), ("page-1", "page-2")


class Cluster(Whole):
    """Four nodes of one program; which of them has links and which has pages is the balancers' choice alone."""

    def __init__(self, folder: Path, server: MariaDb) -> None:
        """Lay everything out; `up` starts it."""
        self.server, self.registry = server, server.create_database()
        self.nats = NatsServer()
        self.ports = {name: free_port() for name in (*GATEWAYS, *PAGES)}
        self.admins = {name: free_port() for name in self.ports}
        self.buses: dict[str, Crossing] = {}
        """Each gateway's own way to NATS."""
        super().__init__(folder)
        self.nats.start()
        self.buses = {name: Crossing(self.nats.port) for name in GATEWAYS}
        self.links = Crossing(*(self.ports[name] for name in GATEWAYS), health="/ready")
        self.balancer = Crossing(*(self.ports[name] for name in PAGES), health="/ready")
        self.port = self.links.port  # the office dials it
        self.hq_url = f"http://127.0.0.1:{self.balancer.port}"
        self.portal = f"{self.hq_url}/o/{OFFICE}/portal/"

    @property
    def environment(self) -> dict[str, str]:
        """As the nodes share it; the rest stands in each node's settings."""
        kept = {name: value for name, value in super().environment.items() if not name.startswith("ECONNECTOR")}
        return kept | {"ECONNECTOR_HQ_DATABASE": self.server.url(self.registry)}

    # -- nodes --------------------------------------------------------------------------------------------------

    def up(self) -> "Cluster":
        """Start everything; return once the office answers through each node."""
        for name in self.ports:
            self.begin(name)
            if name == GATEWAYS[0]:
                self.ready(name)  # the first one makes the registry's tables
        self.ready(*self.ports)
        self.enrol()
        self.start_office()
        self.whole()
        return self

    def begin(self, name: str) -> None:
        """Start a node without waiting for it."""
        bus = self.buses[name].port if name in self.buses else self.nats.port
        settings = self.folder / f"hq-{name}.toml"
        settings.write_text(
            f'listen = "127.0.0.1:{self.ports[name]}"\nurl = "http://127.0.0.1:{self.links.port}"\nnode = "{name}"\n'
            f'admin = "127.0.0.1:{self.admins[name]}"\n'
            f'switchboard = "nats://127.0.0.1:{bus}"\nfolder = "{self.folder / name}"\n'
        )
        self.start(name, "hq", "run", "--settings", str(settings))

    def ready(self, *names: str) -> None:
        """Wait until these nodes say that they take work."""
        for name in names:
            until(lambda name=name: self.status(name, "/ready") == 200)  # type: ignore[misc]

    def whole(self) -> None:
        """Wait until the office answers through every node."""
        for name in self.ports:
            until(lambda name=name: self.status(name, f"/o/{OFFICE}/portal/sign-in") == 200)  # type: ignore[misc]

    def status(self, name: str, path: str) -> int:
        """Return the status of a page of one node, 0 where nothing answers."""
        with contextlib.suppress(Lost):
            return self.at(name).open(path).status
        return 0

    def at(self, name: str) -> Browser:
        """Return a browser that asks this node alone."""
        return Browser(f"http://127.0.0.1:{self.ports[name]}/o/{OFFICE}/portal/")

    # -- what is known ------------------------------------------------------------------------------------------

    def owner(self) -> tuple[str, int]:
        """Return the node that has the office's link by the registry's word, and the link's epoch."""
        node, epoch = self.server.sql("SELECT node, epoch FROM owners", database=self.registry)[0]
        return node.rpartition("-")[0], epoch

    def other(self) -> str:
        """Return the gateway that has not got the office's link."""
        return next(name for name in GATEWAYS if name != self.owner()[0])

    def history(self) -> list[tuple[str, str]]:
        """Return kind and detail of the office's history, oldest first."""
        rows = self.server.sql("SELECT kind, detail FROM history ORDER BY id", database=self.registry)
        return [(kind, detail) for kind, detail in rows]

    def joined(self, name: str) -> bool:
        """Return whether a node reaches the others, by its metrics."""
        page = Browser(f"http://127.0.0.1:{self.admins[name]}").open("/metrics")
        return b"econnector_hq_joined 1.0" in page.body

    def said(self, name: str) -> str:
        """Return what a node has written so far."""
        return (self.folder / f"{name}.out").read_text(errors="replace")

    def close(self) -> None:
        """End everything."""
        super().close()
        for crossing in (*self.buses.values(), self.links, self.balancer):
            crossing.close()
        self.nats.kill()
        self.server.drop_database(self.registry)


class Pull:
    """A download that is read as slowly as a test wants: what is not read waits in the office."""

    def __init__(self, browser: Browser, path: str) -> None:
        """Ask for the file; reads nothing of it yet."""
        address = urlsplit(browser.base)
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        raw.settimeout(60)
        raw.connect((str(address.hostname), int(address.port or 80)))
        self._connection = http.client.HTTPConnection(address.netloc)
        self._connection.sock = raw
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
        self._connection.request("GET", path, headers={"Cookie": cookie})
        self.answer = self._connection.getresponse()
        self.size = int(self.answer.headers["content-length"])

    def read(self, size: int) -> bytes:
        """Return so many bytes. Raises `http.client.IncompleteRead` where the file breaks off."""
        data = self.answer.read(size)
        if len(data) < size:
            raise http.client.IncompleteRead(data, size - len(data))
        return data

    def close(self) -> None:
        """Give it up."""
        self._connection.close()
