"""The figures as people read them: a row per tunnel."""

import statistics
from collections.abc import Sequence

from benchmarks.peers.results import Results
from benchmarks.peers.troubles import Found

__all__ = ["HEAD", "absent", "figures"]


def _spread(values: Sequence[float]) -> str:
    middle = f"{statistics.median(values):.2f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}–{max(values):.2f})"


def _small(results: Results, cell: str, name: str) -> str:
    rate = results.median(cell, name, "rate")
    if rate is None:
        return results.none(cell, name)
    p50, p99 = results.median(cell, name, "p50_ms"), results.median(cell, name, "p99_ms")
    ratios = results.ratios(cell, name)
    told = [f"**{_spread(ratios)}**"] if ratios else []
    told += [f"{rate:.0f}/s", f"p50 {p50:.2f}, p99 {p99:.1f} ms"]
    failures = sum(results.of(cell, name, "failures"))
    return " · ".join([*told, *([f"{failures:.0f} failed"] if failures else [])])


def _file(results: Results, name: str) -> str:
    rate = results.median("file", name, "rate")
    if rate is None:
        return results.none("file", name)
    ratios = results.ratios("file", name)
    return " · ".join([*([f"**{_spread(ratios)}**"] if ratios else []), f"{rate:.0f} MB/s"])


def _mixed(results: Results, name: str) -> str:
    idle, loaded = (results.median("mixed", name, what) for what in ("idle_p99_ms", "loaded_p99_ms"))
    if idle is None or loaded is None:
        return results.none("mixed", name)
    kept, before = results.median("mixed", name, "rate"), results.median("mixed", name, "idle_rate")
    share = f", {kept / before:.0%} of the rate" if kept is not None and before else ""
    return f"{idle:.2f} → {loaded:.1f} ms{share}"


def _seconds(found: Found | None, what: str, bound: float) -> str:
    if found is None:
        return "–"
    value = found.get(what)
    if value is None:
        return "never: its client has ended" if found.get("client") == 0 else f"> {bound:.0f} s"
    later = found.get("next")
    return f"{value:.1f} s" + (f", then {later * 1000:.0f} ms" if later is not None else "")


def _slow(found: Found | None) -> str:
    return f"{found['server_mb']:+.0f} / {found['client_mb']:+.0f} MB" if found else "–"


HEAD = (
    "",
    "1 kB, 1 connection",
    "1 kB, 32 connections",
    "each on a new connection, 32 at once",
    "100 MB file",
    "p99 of 1 kB, idle → while the file is read",
    "4 slow readers: growth of server / client",
    "office frozen: a request fails after",
    "server killed for 3 s: serves after",
)


def figures(results: Results) -> list[tuple[str, ...]]:
    """Return the table, a row per tunnel; bold is the share of the direct server's rate."""
    lines = []
    for row in results.rows:
        name = row.name
        lines.append(
            (
                f"{name} ({'; '.join(filter(None, (row.version, row.encryption)))})",
                *(_small(results, cell, name) for cell in ("one", "many", "anew")),
                _file(results, name),
                _mixed(results, name),
                _slow(results.slow_readers.get(name)),
                _seconds(results.frozen.get(name), "first", results.bounds.get("frozen", 0)),
                _seconds(results.away.get(name), "served", results.bounds.get("away", 0)),
            )
        )
    return lines


def absent(results: Results) -> str:
    """Return one line about the tunnels that were not measured, and why."""
    return ", ".join(f"{name} ({why})" for name, why in results.absent.items())
