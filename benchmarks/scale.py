"""`make bench-scale`: the growth curve, 10 to 10,000 offices on one gateway; under a quarter of an hour on two cores.

Each row is one `econnector sim`: an HQ of its own, offices with real links, people who open pages, HQ killed once.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmarks import report
from tests.support.mariadb import MariaDb

_HEAD = (
    *("offices", "all enrolled and connected", "HQ's memory", "KiB each", "CPU when idle"),
    *(
        "pages: half, 99 of 100",
        "heartbeats (late)",
        "HQ killed: half, 95 %, all back",
        "CPU each",
        "99 % of pages meanwhile",
    ),
)
_REST = 26.0
"""Seconds: HQ gives free memory back when nobody has come for ten."""
_PAGES = 20.0
"""A second, whatever the number of offices: what a page costs must not grow with them."""
_LONGEST = 1200.0


class Size(NamedTuple):
    """One row."""

    offices: int
    tls: bool = False
    mariadb: bool = False
    away: float = 0.0
    """Seconds that HQ stays away."""

    @property
    def name(self) -> str:
        """What the row is called."""
        said = [f"{self.offices:,}"]
        said += ["TLS in HQ itself"] * self.tls + ["registry on MariaDB"] * self.mariadb
        said += [f"HQ away for {self.away:g} s"] * bool(self.away)
        return ", ".join(said)


SIZES = (
    *(Size(offices) for offices in (10, 100, 1_000, 3_000, 10_000)),
    Size(3_000, tls=True),
    Size(3_000, mariadb=True),
    Size(2_000, away=60.0),
)


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _registry(size: Size) -> Iterator[list[str]]:
    if not size.mariadb:
        yield []
        return
    server = MariaDb()
    try:
        yield ["--registry", server.url(server.create_database())]
    finally:
        server.close()


def _simulate(size: Size, rest: float, seconds: float) -> dict[str, Any]:
    words = ["--offices", size.offices, "--calls-per-second", _PAGES, "--rest", rest, "--seconds", seconds]
    words += ["--restart-every", seconds - 1, "--away", size.away, "--json", *["--tls"] * size.tls]
    with _registry(size) as registry:
        command = [sys.executable, "-m", "econnector", "sim", *map(str, words), *registry]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"bench: {size.name}: {done.stderr[-2000:]}") from None
    return told


def _line(size: Size, told: dict[str, Any]) -> tuple[str, ...]:
    back = told["restarts"][0]
    failed = f", {told['failed']} failed" if told["failed"] else ""
    return (
        size.name,
        f"{told['connected_seconds']:g} s",
        f"{told['memory_mb']:.0f} MB",
        f"{told['memory_kib_each']:.1f}" if size.offices >= 1_000 else "–",
        f"{told['rest_cpu']:g} %",
        f"{told['p50']:.0f} ms, {told['p99']:.0f} ms{failed}",
        f"{told['heartbeats']:,} ({told['heartbeats_late']})",
        f"{back['half']:g} s, {back['most']:g} s, {back['all']:g} s",
        f"{back['cpu_ms_each']:.2f} ms" if size.offices >= 1_000 else "–",
        f"{back['p99']:.0f} ms",
    )


def main() -> None:
    """Measure, and write the table; with `--only` it is printed and not written."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", type=int, help="only rows of so many offices")
    parser.add_argument("--rest", type=float, default=_REST, help="seconds that all stand idle")
    parser.add_argument("--seconds", type=float, default=16.0, help="that people come before HQ is killed")
    wish = parser.parse_args()
    began = time.perf_counter()
    sizes = [size for size in SIZES if wish.only in {None, size.offices}]
    found = []
    for size in sizes:
        _say(f"{size.name} offices")
        found.append((size, _simulate(size, wish.rest, wish.seconds)))
    lines = [_line(size, told) for size, told in found]
    report.show("one gateway", _HEAD, lines, 220)
    if wish.only is None:
        rows = [size._asdict() | told for size, told in found]
        table = report.markdown(_HEAD, lines)
        file = report.keep(report.SCALE, {"rows": rows}, table, time.perf_counter() - began)
        _say(f"written to {file.relative_to(report.ROOT)} and docs/performance.md")


if __name__ == "__main__":
    main()
