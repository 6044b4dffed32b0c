"""The lean route: 1 kB and 100 MB from the office through HQ's HTTP door, against nginx that gives the same itself.

TLS is on the link, and the office checks the partner's key. Rounds of both kinds alternate in one run. `door`: whether
the TLS ends in a balancer before HQ, whose other side is plain, or in HQ itself, for everybody; the server beside it
speaks to its visitors as HQ does.
"""

import asyncio
import contextlib
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from benchmarks.native import NativeSite, native_site, small_body
from benchmarks.peers.asking import Address, ask
from benchmarks.peers.direct import Direct
from benchmarks.peers.wrk import Load, Wrk
from benchmarks.processes import measured

__all__ = ["absent", "run"]

Door = Literal["balancer", "hq"]
CONNECTIONS = {1: "≥ 0.30", 32: "≥ 0.33"}
ROUNDS = 3
_READERS, _PACE, _SLOWLY = 4, 1_000_000, 8.0
"""Slow readers: how many, bytes per second, and for how many seconds."""
_TAKEN = 64 * 1024
_MB = 1e6
_WHERE: dict[Door, str] = {"balancer": "TLS on the link", "hq": "TLS on the link and at the door"}


def absent() -> list[str]:
    """Return the programs without which nothing can be measured here."""
    return Direct.absent()


def run(seconds: float = 2.0) -> list[dict[str, Any]]:
    """Return the rows; each figure takes `seconds` per round."""
    return [row for door in _WHERE for row in _rows(door, seconds)]


def _rows(door: Door, seconds: float) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("direct", "native"):
            (folder / part).mkdir()
        direct = Direct(folder / "direct", pinned=False)
        stack.callback(direct.tree.stop)
        site = stack.enter_context(native_site(folder / "native", folder / "direct" / "www" / "file", tls=door))
        (folder / "direct" / "www" / "answer").write_bytes(small_body())
        beside = direct.addresses["direct, TLS" if site.tls else "direct"]
        beside = msgspec.structs.replace(beside, small="/answer")
        ours = Address(
            site.port, small=site.small, file=site.document, tls=site.tls, headers={"Authorization": site.authorization}
        )
        wrk = Wrk(folder, pinned=False)
        for connections, bar in CONNECTIONS.items():
            yield _small(site, wrk, ours, beside, connections, seconds, bar, _WHERE[door])
        yield _file(ours, beside, _WHERE[door])
        if door == "balancer":
            yield _mixed(wrk, ours, seconds)
            yield _slow(site, ours)


def _small(  # noqa: PLR0913, PLR0917 - what a row is of
    site: NativeSite, wrk: Wrk, ours: Address, beside: Address, connections: int, seconds: float, bar: str, where: str
) -> dict[str, Any]:
    found: dict[str, list[Load]] = {"ours": [], "beside": []}
    spent = []
    for _ in range(ROUNDS):
        found["beside"].append(wrk.load(beside, connections, seconds))
        with measured(site.hq, site.office) as cpu:
            found["ours"].append(wrk.load(ours, connections, seconds))
        spent.append([used / (found["ours"][-1].rate * seconds) * 1e6 for used in cpu])
    if failures := sum(load.failures for load in found["ours"]):
        raise RuntimeError(f"{failures} requests were not answered with 200")
    mine, other = (_middle(found[kind]) for kind in ("ours", "beside"))
    hq, office = (statistics.median(each) for each in zip(*spent, strict=True))
    return {
        "what": f"1 kB through HQ's HTTP door, lean route, {where}, {connections} at once",
        "ours": f"{mine.rate:.0f}/s, p50 {mine.p50_ms:.2f} ms, p99 {mine.p99_ms:.2f} ms,"
        f" CPU {hq:.0f} µs in HQ, {office:.0f} µs in the office",
        "beside": f"{other.rate:.0f}/s, p50 {other.p50_ms:.2f} ms, p99 {other.p99_ms:.2f} ms (nginx itself)",
        "ratio": mine.rate / other.rate,
        "target": bar,
    }


def _middle(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.rate)[len(loads) // 2]


def _file(ours: Address, beside: Address, where: str) -> dict[str, Any]:
    rates: dict[str, list[float]] = {"ours": [], "beside": []}
    for _ in range(ROUNDS):
        for kind, address in (("beside", beside), ("ours", ours)):
            got = ask(address, address.file)
            if not got.good:
                raise RuntimeError(f"the file came with {got.status} and {got.size} bytes")
            rates[kind].append(got.size / got.seconds / _MB)
    mine, other = (statistics.median(rates[kind]) for kind in ("ours", "beside"))
    return {
        "what": f"100 MB document, lean route, {where}",
        "ours": f"{mine:.0f} MB/s",
        "beside": f"{other:.0f} MB/s (nginx itself)",
        "ratio": mine / other,
        "target": "≥ 0.35",
    }


def _mixed(wrk: Wrk, ours: Address, seconds: float) -> dict[str, Any]:
    """Small answers, four at once: idle, and while one reader takes the file over and over."""
    idle, loaded = [], []
    for _ in range(ROUNDS):
        idle.append(wrk.load(ours, 4, seconds))
        with _download(ours):
            loaded.append(wrk.load(ours, 4, seconds))
    before, after = (statistics.median(load.p99_ms for load in kind) for kind in (idle, loaded))
    return {
        "what": "p99 of small answers on the lean route during a 100 MB download",
        "ours": f"{after:.2f} ms ({_middle(loaded).rate:.0f}/s)",
        "beside": f"{before:.2f} ms idle ({_middle(idle).rate:.0f}/s)",
        "ratio": after / before,
        "target": "≤ 10",
    }


@contextlib.contextmanager
def _download(address: Address) -> Iterator[None]:
    stop = threading.Event()

    def pull() -> None:
        while not stop.is_set():
            ask(address, address.file)

    thread = threading.Thread(target=pull)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _slow(site: NativeSite, ours: Address) -> dict[str, Any]:
    """Memory that HQ and the connector grow by while readers take their files slowly."""
    before = [process.resident_bytes for process in (site.hq, site.office)]
    most = list(before)

    async def reader() -> None:
        stream, writer = await asyncio.open_connection(ours.host, ours.port, limit=_TAKEN)
        writer.write(ours.request(ours.file))
        ends = time.perf_counter() + _SLOWLY
        while time.perf_counter() < ends:
            if not await stream.read(_TAKEN):
                raise RuntimeError("the file broke off")
            for place, process in enumerate((site.hq, site.office)):
                most[place] = max(most[place], process.resident_bytes)
            await asyncio.sleep(_TAKEN / _PACE)
        writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(reader() for _ in range(_READERS)))

    asyncio.run(all_of_them())
    hq, office = ((after - was) / _MB for after, was in zip(most, before, strict=True))
    return {
        "what": f"growth with {_READERS} readers of 100 MB at 1 MB/s",
        "ours": f"HQ {hq:.1f} MB, connector {office:.1f} MB",
        "target": "≤ 12 MB each",
    }


if __name__ == "__main__":
    from benchmarks.report import show

    rows = run()
    show(
        "lean route",
        ("what", "ours", "beside", "ratio", "bar"),
        [
            (
                row["what"],
                row["ours"],
                row.get("beside", "–"),
                f"{row['ratio']:.2f}" if "ratio" in row else "–",
                row["target"],
            )
            for row in rows
        ],
        160,
    )
