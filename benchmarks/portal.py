"""The portal's home page and a 100 MB document: through HQ and link, against the same inside the office."""

import asyncio
import sys
import time
from typing import Any

from benchmarks.load import Load, fetch, hammer, percentile
from benchmarks.processes import Process, measured
from benchmarks.site import PORTAL, Site

__all__ = ["document", "mixed", "pages"]

_HOST = "127.0.0.1"


def _load(site: Site, port: int, cookie: str, connections: int, seconds: float, *used: Process) -> tuple[Load, float]:
    with measured(*used) as cpu:
        load = asyncio.run(hammer(_HOST, port, PORTAL, connections=connections, seconds=seconds, cookie=cookie))
    if load.failures:
        raise RuntimeError(f"{load.failures} of {len(load.latencies)} pages were not 200; see {site.folder}")
    return load, sum(cpu) / len(load.latencies)


def pages(site: Site, seconds: float) -> list[dict[str, Any]]:
    """Home page at 1 and 32 connections; each figure the better of two interleaved rounds."""
    rows: list[dict[str, Any]] = []
    through, inside = site.cookie(site.hq_port), site.cookie(site.inside_port)
    for connections in (1, 32):
        best: dict[str, tuple[Load, float]] = {}
        for _ in range(2):
            rounds = {
                "through": _load(site, site.hq_port, through, connections, seconds, site.hq, site.office),
                "inside": _load(site, site.inside_port, inside, connections, seconds, site.inside),
            }
            for name, (load, cpu) in rounds.items():
                if name not in best or cpu < best[name][1]:
                    best[name] = (load, cpu)
        (ours, ours_cpu), (base, base_cpu) = best["through"], best["inside"]
        rows.append(
            {
                "what": f"portal home page, {connections} at once",
                "ours": f"{ours.rate:.0f}/s, p99 {percentile(ours.latencies, 0.99) * 1000:.1f} ms",
                "beside": f"{base.rate:.0f}/s, p99 {percentile(base.latencies, 0.99) * 1000:.1f} ms (in the office)",
                "ratio": ours.rate / base.rate,
                "cpu_ms": [ours_cpu * 1000, base_cpu * 1000],
            }
        )
        rows.append(
            {
                "what": f"CPU per home page, {connections} at once",
                "ours": f"{ours_cpu * 1000:.2f} ms (HQ and connector)",
                "beside": f"{base_cpu * 1000:.2f} ms (inside the office)",
                "ratio": ours_cpu / base_cpu,
                "target": "≤ 1.5",
            }
        )
    return rows


def document(site: Site) -> dict[str, Any]:
    """A 100 MB document through HQ and link, against a plain file response; the best of three interleaved rounds."""
    cookie = site.cookie(site.hq_port)
    ours, plain = [], []
    for _ in range(3):
        status, size, took = asyncio.run(fetch(_HOST, site.hq_port, site.document, cookie=cookie))
        if status != 200 or size < 100_000_000:
            raise RuntimeError(f"the document came with {status} and {size} bytes")
        ours.append(size / took / 1e6)
        _, size, took = asyncio.run(fetch(_HOST, site.inside_port, "/plain"))
        plain.append(size / took / 1e6)
    return {
        "what": "100 MB document",
        "ours": f"{max(ours):.0f} MB/s",
        "beside": f"{max(plain):.0f} MB/s (plain file response)",
        "ratio": max(ours) / max(plain),
        "target": "≥ 0.35",
    }


def mixed(site: Site, seconds: float) -> dict[str, Any]:
    """p99 of small calls on a link, idle and while a 100 MB download runs on it without a pause."""
    cookie = site.cookie(site.hq_port)

    def small() -> Load:
        path = PORTAL + "help"
        return asyncio.run(hammer(_HOST, site.hq_port, path, connections=4, seconds=seconds, cookie=cookie))

    idle = small()
    command = [sys.executable, "-m", "benchmarks.load", str(site.hq_port), site.document, cookie]
    with Process(*command, log=site.folder / "puller.out") as puller:
        time.sleep(1.0)
        loaded = small()
        if not puller.running:
            raise RuntimeError(f"the download ended: see {site.folder}/puller.out")
    before, after = percentile(idle.latencies, 0.99), percentile(loaded.latencies, 0.99)
    return {
        "what": "p99 of small pages during a 100 MB download",
        "ours": f"{after * 1000:.1f} ms ({loaded.rate:.0f}/s)",
        "beside": f"{before * 1000:.1f} ms idle ({idle.rate:.0f}/s)",
        "ratio": after / before,
        "target": "≤ 10",
    }
