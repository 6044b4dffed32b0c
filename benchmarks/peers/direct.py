"""The HTTP server behind every tunnel, asked directly: nginx with one worker, a 1 kB answer and a 100 MB file."""

import getpass
import os
import pathlib
import shutil
import time

from benchmarks.native import small_body
from benchmarks.peers.asking import FILE_BYTES, Address, ask
from benchmarks.peers.peer import Origin, said_by
from benchmarks.peers.tree import Tree
from benchmarks.processes import free_port
from tests.support.certificates import Authority

__all__ = ["Direct"]

_CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 100000000;
    keepalive_timeout 1h;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{tls} ssl backlog=4096;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        root {folder}/www;
        default_type application/json;
        location = /small {{ return 200 '{small}'; }}
    }}
}}
"""


class Direct:
    """Two rows: the server without TLS, and with it for the tunnels whose visitors speak TLS with it."""

    needs = ("nginx", "wrk", "taskset")

    def __init__(self, folder: pathlib.Path, *, pinned: bool) -> None:
        """Start it; `pinned` to the first CPU."""
        (folder / "www").mkdir(parents=True)
        with (folder / "www" / "file").open("wb") as out:
            for _ in range(FILE_BYTES // 1_000_000):
                out.write(os.urandom(1_000_000))
        issued = Authority(folder).issue()
        self.origin = origin = Origin(free_port(), free_port(), folder / "www" / "file")
        values = {"port": origin.port, "tls": origin.tls_port, "certificate": issued.certificate, "key": issued.key}
        # Of a root's nginx the worker would be somebody who may not read this folder.
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            _CONFIGURATION.format(folder=folder, small=small_body().decode(), user=user, **values)
        )
        pin = ("taskset", "-c", "0") if pinned else ()
        self.tree = Tree(*pin, "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), log=folder / "nginx.out")
        self.addresses = {"direct": Address(origin.port), "direct, TLS": Address(origin.tls_port, tls=True)}
        for address in self.addresses.values():
            _first_answer(address)

    @classmethod
    def absent(cls) -> list[str]:
        """Return the programs without which nothing can be measured and that are not here."""
        return [program for program in cls.needs if not shutil.which(program)]

    @staticmethod
    def version() -> str:
        """Return what it says its version is."""
        return said_by("nginx", "-v").rpartition(": ")[2]


def _first_answer(address: Address) -> None:
    end = time.monotonic() + 10
    while not ask(address, address.small, within=1.0).good:
        if time.monotonic() > end:
            raise TimeoutError("nginx does not answer")
        time.sleep(0.05)
