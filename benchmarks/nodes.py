"""Two nodes of HQ with NATS between them, against one: the same office, the same request, rounds in turn.

The office's link is at one node. Who asks that node needs no bus; who asks the other one goes through NATS.
"""

import asyncio
import contextlib
import shutil
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import Load, fetch, hammer, percentile
from benchmarks.native import DOCUMENT, SMALL, add_office, hq_settings
from benchmarks.processes import Process, free_port, measured, wait_until
from econnector.base.ids import new_token

__all__ = ["Nodes", "nodes", "run"]

ROUNDS = 5
DOCUMENT_BYTES = 100_000_000
_HOST = "127.0.0.1"


@dataclass
class Nodes:
    """What is measured."""

    gateway: Process
    page: Process
    nats: Process
    office: Process
    gateway_port: int
    page_port: int
    authorization: str


@contextlib.contextmanager
def nodes(folder: Path) -> Iterator[Nodes]:
    """Start NATS, two nodes and an office whose link is at the first; end them with the block."""
    program = shutil.which("nats-server", path="/usr/sbin:/usr/local/bin:/usr/bin:/bin")
    if program is None:
        raise RuntimeError("nats-server is missing")
    bus, ports = free_port(), (free_port(), free_port())
    registration, partner, file = folder / "registration", folder / "partner", folder / "scan.pdf"
    partner.write_text(f"eck_{new_token()}")
    file.write_bytes(bytes(DOCUMENT_BYTES))
    (folder / "hq").mkdir()
    registration.write_text(add_office(folder / "hq"))
    with contextlib.ExitStack() as stack:
        nats = stack.enter_context(Process(program, "-a", _HOST, "-p", str(bus), log=folder / "nats.out"))
        wait_until(lambda: "Server is ready" in (folder / "nats.out").read_text())
        found = [stack.enter_context(_node(folder, port, bus)) for port in ports]
        link = f"ws://{_HOST}:{ports[0]}/link"
        files = map(str, (registration, partner, partner, file))
        office = stack.enter_context(
            Process(sys.executable, "-m", "benchmarks.native", link, *files, log=folder / "office.out")
        )
        wait_until(lambda: "ready" in (folder / "office.out").read_text())
        yield Nodes(found[0], found[1], nats, office, *ports, f"Bearer {partner.read_text()}")


@contextlib.contextmanager
def _node(folder: Path, port: int, bus: int) -> Iterator[Process]:
    settings = hq_settings(folder / "hq", port) | {"ECONNECTOR_HQ_SWITCHBOARD": f"nats://{_HOST}:{bus}"}
    out = folder / f"hq-{port}.out"
    with Process(sys.executable, "-m", "econnector", "hq", "run", log=out, **settings) as process:
        wait_until(lambda: "HQ is up at" in out.read_text())
        yield process


def run(folder: Path, seconds: float) -> list[dict[str, Any]]:
    """Measure, each kind of small answers for about `seconds`; return the report's rows."""
    with nodes(folder) as found:
        return [*_small(found, seconds), _document(found)]


def _small(found: Nodes, seconds: float) -> list[dict[str, Any]]:
    """An answer of 1 kB at 1 and 32 connections."""
    rows = []
    used = (found.gateway, found.page, found.nats, found.office)
    for connections in (1, 32):
        kinds: dict[int, list[tuple[Load, float]]] = {found.gateway_port: [], found.page_port: []}
        for _ in range(ROUNDS):
            for port, loads in kinds.items():
                loads.append(_load(found, port, connections, seconds / ROUNDS / 2, used))
        one, two = (_median(loads) for loads in kinds.values())
        rows.append(
            {
                "what": f"two nodes with NATS between: answer of 1 kB, {connections} at once",
                "ours": _told(two),
                "beside": f"{_told(one)} (one node)",
                "ratio": two[0].rate / one[0].rate,
                "target": "≥ 0.6" if connections > 1 else "–",
            }
        )
    return rows


def _load(found: Nodes, port: int, connections: int, seconds: float, used: tuple[Process, ...]) -> tuple[Load, float]:
    with measured(*used) as cpu:
        load = asyncio.run(
            hammer(_HOST, port, SMALL, connections=connections, seconds=seconds, authorization=found.authorization)
        )
    if load.failures:
        raise RuntimeError(f"{load.failures} of {len(load.latencies)} answers were not 200")
    return load, sum(cpu) / len(load.latencies)


def _median(loads: list[tuple[Load, float]]) -> tuple[Load, float]:
    return sorted(loads, key=lambda each: each[0].rate)[len(loads) // 2]


def _told(measured: tuple[Load, float]) -> str:
    load, cpu = measured
    p99 = percentile(load.latencies, 0.99) * 1000
    return f"{load.rate:.0f}/s, p99 {p99:.1f} ms, {cpu * 1e6:.0f} µs CPU"


def _document(found: Nodes) -> dict[str, Any]:
    """A file of 100 MB through both nodes and through one, in turn."""
    rates: dict[int, list[float]] = {found.gateway_port: [], found.page_port: []}
    for _ in range(ROUNDS):
        for port, each in rates.items():
            status, size, took = asyncio.run(fetch(_HOST, port, DOCUMENT, authorization=found.authorization))
            if status != 200 or size != DOCUMENT_BYTES:
                raise RuntimeError(f"the document came with {status} and {size} bytes")
            each.append(size / took / 1e6)
    one, two = (statistics.median(each) for each in rates.values())
    return {
        "what": "two nodes with NATS between: 100 MB document",
        "ours": f"{two:.0f} MB/s",
        "beside": f"{one:.0f} MB/s (one node)",
        "ratio": two / one,
        "target": "–",
    }
