"""What idleness costs: memory per office on the gateway, and how soon offices are back after HQ was away."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import Process, free_port, wait_for_http
from econnector.base.clock import SYSTEM
from econnector.hq.registry import migrate, offices
from econnector.hq.registry.database import Registry
from tests.support.certificates import Authority

__all__ = ["gateway", "return_of_offices"]

_PATIENCE = 120.0
_SETTLE = 25.0
"""Seconds: HQ looks every ten whether a crowd has settled, and gives free memory back when it has."""


def _keys(url: str, count: int) -> list[str]:
    registry = Registry(url)
    migrate.upgrade(registry)

    def add(connection: Any) -> list[str]:
        now = SYSTEM.now()
        return [offices.add(connection, f"office-{number}", now=now)[1] for number in range(count)]

    return registry.run_now(add)


class _Site:
    """HQ, and as many offices as there are keys, each in processes of their own."""

    def __init__(self, folder: Path, count: int, *, tls: bool = False) -> None:
        self.folder, self.count = folder, count
        self.port = free_port()
        self._hq = {"ECONNECTOR_HQ_FOLDER": str(folder), "ECONNECTOR_HQ_LISTEN": f"127.0.0.1:{self.port}"}
        self._office: dict[str, str] = {}
        self._scheme = "wss" if tls else "ws"
        if tls:
            authority = Authority(folder)
            issued = authority.issue()
            self._hq |= {"ECONNECTOR_HQ_TLS_CERTIFICATE": str(issued.certificate)}
            self._hq |= {"ECONNECTOR_HQ_TLS_KEY": str(issued.key)}
            self._office["SSL_CERT_FILE"] = str(authority.file)
        self.keys = folder / "keys"
        self.keys.write_text("\n".join(_keys(f"sqlite:///{folder / 'registry.db'}", count)))

    @contextlib.contextmanager
    def hq(self) -> Iterator[Process]:
        run = [sys.executable, "-m", "econnector", "hq", "run"]
        log = self.folder / "hq.out"
        with Process(*run, log=log, **self._hq) as process:
            if self._scheme == "ws":
                wait_for_http(f"http://127.0.0.1:{self.port}/health")
            else:
                _wait(lambda: "HQ is up at" in log.read_text())
            yield process

    @contextlib.contextmanager
    def offices(self) -> Iterator[Callable[[], int]]:
        """Yield what says how many of them are connected now."""
        out = self.folder / "offices.out"
        url = f"{self._scheme}://127.0.0.1:{self.port}/link"
        command = [sys.executable, "-m", "benchmarks.offices", url, str(self.keys)]

        def connected() -> int:
            lines = out.read_text().split("\n")
            return int(lines[-2]) if len(lines) > 1 else 0

        with Process(*command, log=out, **self._office):
            yield connected


def _wait(what: Callable[[], bool]) -> float:
    """Wait until `what()`; return how long it took, in seconds."""
    began = time.perf_counter()
    while not what():
        if time.perf_counter() - began > _PATIENCE:
            raise TimeoutError(f"what was waited for did not come in {_PATIENCE:g} s")
        time.sleep(0.05)
    return time.perf_counter() - began


def gateway(folder: Path, count: int = 1000, *, tls: bool = False) -> dict[str, Any]:
    """Resident memory that HQ grows by per idle link."""
    site = _Site(folder, count, tls=tls)
    with site.hq() as hq:
        before = hq.resident_bytes
        with site.offices() as connected:
            took = _wait(lambda: connected() == count)
            time.sleep(_SETTLE)
            grown = hq.resident_bytes - before
    return {
        "what": f"memory per idle office on the gateway ({count} links, {'TLS in HQ itself' if tls else 'no TLS'})",
        "ours": f"{grown / count / 1024:.1f} KiB",
        "beside": f"all enrolled and connected in {took:.1f} s",
        "target": "≤ 60 KiB" if tls else "≤ 25 KiB",
        "kib": grown / count / 1024,
    }


def return_of_offices(folder: Path, count: int = 2000, away: float = 60.0) -> dict[str, Any]:
    """How long after HQ's return all offices are connected again; HQ is killed, and its registry is SQLite."""
    site = _Site(folder, count)
    with site.offices() as connected:
        with site.hq() as hq:
            _wait(lambda: connected() == count)
            hq.kill()
            time.sleep(away)
        with site.hq():
            began = time.perf_counter()
            _wait(lambda: connected() >= count * 0.95)
            most = time.perf_counter() - began
            _wait(lambda: connected() == count)
            took = time.perf_counter() - began
    return {
        "what": f"{count} offices connected again after HQ was away for {away:g} s",
        "ours": f"95 % in {most:.1f} s, all in {took:.1f} s",
        "target": "95 % in 12 s, all in 35 s",
        "seconds": took,
    }
