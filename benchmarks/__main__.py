"""`make bench`: every measurement, one after the other; about six minutes on two cores."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import crowd, idle, lean, link, nodes, portal, report
from benchmarks.site import Site, site

LINK_SECONDS = 45.0
PAGE_SECONDS = 5.0
CROWD_SECONDS = 8.0
NODE_SECONDS = 10.0
_READY_BAR, _MEMORY_BAR = "≤ 1.5 s", "≤ 90 MB"
_MB = 1e6


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def _link() -> list[dict[str, Any]]:
    found = link.run(LINK_SECONDS)
    rows = []
    for in_flight in link.IN_FLIGHT:
        one = found[f"in_flight_{in_flight}"]
        ours, plain = one["link"], one["plain"]
        rows.append(
            {
                "what": f"bare call on one link, 1 kB each way, {in_flight} in flight",
                "ours": f"{ours['rate']:.0f}/s, p99 {ours['p99_ms']:.2f} ms, {ours['cpu_us']:.0f} µs CPU",
                "beside": f"{plain['rate']:.0f}/s, p99 {plain['p99_ms']:.2f} ms, {plain['cpu_us']:.0f} µs CPU"
                " (the same library's echo, a message per call)",
                "ratio": one["ratio"],
                "target": "≥ 1.0" if in_flight == link.IN_FLIGHT[1] else "–",
            }
        )
    mixed = found["download"]
    rows.append(
        {
            "what": "p99 of a bare call while a download runs on the same link",
            "ours": f"{mixed['loaded_p99_ms']:.2f} ms at {mixed['mb_per_s']} MB/s",
            "beside": f"{mixed['idle_p99_ms']:.2f} ms idle",
            "ratio": mixed["p99_ratio"],
            "target": "≤ 10",
        }
    )
    return rows


def _lean() -> list[dict[str, Any]]:
    if missing := lean.absent():
        _say(f"nothing of the lean route: no {', '.join(missing)}; `python3 scripts/setup.py --peers` installs them")
        return []
    _say("the lean route beside nginx")
    return lean.run()


def _connector(found: Site) -> list[dict[str, Any]]:
    return [
        {
            "what": "connector: from its start to the first page it answered",
            "ours": f"{found.office_ready:.2f} s",
            "target": _READY_BAR,
        },
        {
            "what": "connector: memory when idle",
            "ours": f"{found.office_idle_bytes / _MB:.0f} MB",
            "target": _MEMORY_BAR,
        },
    ]


def main() -> None:
    """Measure everything and write the table."""
    began = time.perf_counter()
    _say("bare calls on one link")
    rows = _link()
    with tempfile.TemporaryDirectory() as folder:
        _say("the portal on MariaDB, through HQ and link and inside the office")
        with site(Path(folder)) as found:
            rows += _connector(found)
            rows += portal.pages(found, PAGE_SECONDS)
            _say("a 100 MB document")
            rows += [portal.document(found), portal.mixed(found, PAGE_SECONDS)]
    rows += _lean()
    with tempfile.TemporaryDirectory() as folder:
        _say("two nodes with NATS between")
        rows += nodes.run(Path(folder), NODE_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        _say("a crowd before one office, and a connector that storms")
        rows += crowd.others(Path(folder), CROWD_SECONDS)
    for tls in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            _say(f"1,000 idle offices, {'with' if tls else 'without'} TLS")
            rows.append(idle.gateway(Path(folder), tls=tls))
    file = report.write(rows, time.perf_counter() - began)
    _say(f"{time.perf_counter() - began:.0f} s; written to {file.relative_to(report.ROOT)} and docs/performance.md")


if __name__ == "__main__":
    main()
