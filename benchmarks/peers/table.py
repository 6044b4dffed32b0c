"""The figures as people read them: a row per tunnel, and what ours had to reach."""

import statistics
from collections.abc import Callable, Iterable, Sequence

import msgspec

from benchmarks.peers.rounds import Sweep
from benchmarks.peers.troubles import Found

__all__ = ["OURS", "Results", "Row", "figures", "verdicts"]

OURS = ("ours, native", "ours, relay")
_SLOW_BAR, _FROZEN_BAR, _MIXED_BAR, _TAIL_BAR = 12.0, 5.0, 10.0, 3.0
_RATES = {
    "one": ("1 kB, 1 connection", 0.30),
    "many": ("1 kB, 32 connections", 0.33),
    "anew": ("1 kB, 32 at once, each on a new connection", None),
    "file": ("100 MB file", 0.35),
}


class Row(msgspec.Struct, frozen=True):
    """A row of the table before it was measured."""

    name: str
    version: str
    encryption: str
    beside: str
    """The row its figures are divided by; nothing for a direct one."""


class Results(msgspec.Struct):
    """Everything that one run found."""

    rows: list[Row]
    absent: dict[str, str]
    """Peers that are not here, and why."""
    sweeps: list[Sweep]
    slow_readers: dict[str, Found] = {}
    frozen: dict[str, Found] = {}
    away: dict[str, Found] = {}
    bounds: dict[str, float] = {}
    """Seconds that were waited at most, by trouble."""

    def of(self, cell: str, name: str, what: str) -> list[float]:
        """Return a figure of a row in every round."""
        sweeps = (sweep.figures.get(name, []) for sweep in self.sweeps if sweep.cell == cell)
        return [statistics.mean(one[what] for one in found) for found in sweeps if found]

    def ratios(self, cell: str, name: str) -> list[float]:
        """Return a row's rate over the direct server's, round by round."""
        beside = next((row.beside for row in self.rows if row.name == name), "")
        pairs = ((sweep.rate(name), sweep.rate(beside)) for sweep in self.sweeps if sweep.cell == cell)
        return [ours / theirs for ours, theirs in pairs if ours and theirs]

    def median(self, cell: str, name: str, what: str) -> float | None:
        """Return the median of a figure; None where it was not measured."""
        found = self.of(cell, name, what)
        return statistics.median(found) if found else None

    def ratio(self, cell: str, name: str) -> float | None:
        """Return the median of the ratios; None where there is none."""
        found = self.ratios(cell, name)
        return statistics.median(found) if found else None

    def repeats(self) -> int:
        """Return how many sweeps were measured again."""
        return sum(sweep.repeated for sweep in self.sweeps)


def _spread(values: Sequence[float]) -> str:
    middle = f"{statistics.median(values):.2f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}–{max(values):.2f})"


def _small(results: Results, cell: str, name: str) -> str:
    rate = results.median(cell, name, "rate")
    if rate is None:
        return "failed"
    p50, p99 = results.median(cell, name, "p50_ms"), results.median(cell, name, "p99_ms")
    ratios = results.ratios(cell, name)
    told = [f"**{_spread(ratios)}**"] if ratios else []
    told += [f"{rate:.0f}/s", f"p50 {p50:.2f}, p99 {p99:.1f} ms"]
    failures = sum(results.of(cell, name, "failures"))
    return " · ".join([*told, *([f"{failures:.0f} failed"] if failures else [])])


def _file(results: Results, name: str) -> str:
    rate = results.median("file", name, "rate")
    if rate is None:
        return "failed"
    ratios = results.ratios("file", name)
    return " · ".join([*([f"**{_spread(ratios)}**"] if ratios else []), f"{rate:.0f} MB/s"])


def _mixed(results: Results, name: str) -> str:
    idle, loaded = (results.median("mixed", name, what) for what in ("idle_p99_ms", "loaded_p99_ms"))
    if idle is None or loaded is None:
        return "failed"
    kept, before = results.median("mixed", name, "rate"), results.median("mixed", name, "idle_rate")
    share = f", {kept / before:.0%} of the rate" if kept is not None and before else ""
    return f"{idle:.2f} → {loaded:.1f} ms{share}"


def _seconds(found: Found | None, what: str, bound: float) -> str:
    if found is None:
        return "–"
    value = found.get(what)
    if value is None:
        return f"> {bound:.0f} s" + (", its client has ended" if found.get("client") == 0 else "")
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
                f"{name} ({row.version}; {row.encryption})",
                *(_small(results, cell, name) for cell in ("one", "many", "anew")),
                _file(results, name),
                _mixed(results, name),
                _slow(results.slow_readers.get(name)),
                _seconds(results.frozen.get(name), "first", results.bounds.get("frozen", 0)),
                _seconds(results.away.get(name), "served", results.bounds.get("away", 0)),
            )
        )
    return lines + [(f"{name}: {why}", *("–" for _ in HEAD[1:])) for name, why in results.absent.items()]


def _judged(value: float | None, digits: int, good: Callable[[float], bool] | None) -> str:
    """Return it with whether it is good, judged as it is shown."""
    if value is None:
        return "–"
    word = "" if good is None else ", met" if good(round(value, digits)) else ", **missed**"
    return f"{value:.{digits}f}{word}"


def _best(values: Iterable[tuple[str, float | None]], ours: Sequence[float | None], *, most: bool = True) -> str:
    """Name the best of the tunnels, and which of ours it is ahead of."""
    known = [(value, name) for name, value in values if value is not None]
    if not known:
        return "–"
    value, name = max(known) if most else min(known)
    ahead = [
        word.removeprefix("ours, ")
        for word, own in zip(OURS, ours, strict=True)
        if own is not None and (value > own if most else value < own)
    ]
    return f"{name} {value:.2f}" + (f", **ahead of {' and '.join(ahead)}**" if ahead else "")


VERDICT_HEAD = ("what", "bar", *OURS, "best tunnel in this run")


def verdicts(results: Results) -> list[tuple[str, ...]]:
    """Return what ours had to reach, whether it did, and who was better."""
    tunnels = [row.name for row in results.rows if row.beside and row.name not in OURS]
    lines = []
    for cell, (what, bar) in _RATES.items():
        ours = [results.ratio(cell, name) for name in OURS]
        good = None if bar is None else lambda value, bar=bar: value >= bar
        shown = [_judged(value, 2, good) for value in ours]
        best = _best(((name, results.ratio(cell, name)) for name in tunnels), ours)
        lines.append((f"{what}: share of direct", f"≥ {bar:.2f}" if bar else "–", *shown, best))
    return [*lines, *_of_time(results, tunnels), *_of_trouble(results, tunnels)]


def _over(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None


def _of_time(results: Results, tunnels: Sequence[str]) -> list[tuple[str, ...]]:
    tails = [_over(results.median("many", name, "p99_ms"), results.median("many", name, "p50_ms")) for name in OURS]
    loaded = {name: results.median("mixed", name, "loaded_p99_ms") for name in (*tunnels, *OURS)}
    times = [_over(loaded[name], results.median("mixed", name, "idle_p99_ms")) for name in OURS]
    ours = [loaded[name] for name in OURS]
    least = min((value for name, value in loaded.items() if name in tunnels and value is not None), default=None)
    return [
        (
            "1 kB, 32 connections: p99 / p50",
            f"≤ {_TAIL_BAR:.0f}",
            *(_judged(value, 1, lambda value: value <= _TAIL_BAR) for value in tails),
            "–",
        ),
        (
            "p99 of 1 kB while the file is read / idle",
            f"≤ {_MIXED_BAR:.0f}",
            *(_judged(value, 1, lambda value: value <= _MIXED_BAR) for value in times),
            "–",
        ),
        (
            "p99 of 1 kB while the file is read, ms",
            "below every tunnel",
            *(_judged(value, 1, lambda value: least is None or value < least) for value in ours),
            _best(((name, loaded[name]) for name in tunnels), ours, most=False),
        ),
    ]


def _of_trouble(results: Results, tunnels: Sequence[str]) -> list[tuple[str, ...]]:
    def worst(name: str) -> float | None:
        found = results.slow_readers.get(name)
        return max(value for value in found.values() if value is not None) if found else None

    def first(name: str) -> float | None:
        return results.frozen.get(name, {}).get("first")

    def served(name: str) -> float | None:
        return results.away.get(name, {}).get("served")

    lines = []
    for what, bar, of in (
        ("4 slow readers: most that server or client grows, MB", _SLOW_BAR, worst),
        ("office frozen: seconds until a request fails", _FROZEN_BAR, first),
        ("server killed for 3 s: seconds until it serves", None, served),
    ):
        ours = [of(name) for name in OURS]
        good = None if bar is None else lambda value, bar=bar: value <= bar
        told = [_judged(value, 1, good) for value in ours]
        lines.append(
            (
                what,
                f"≤ {bar:.0f}" if bar else "–",
                *told,
                _best(((name, of(name)) for name in tunnels), ours, most=False),
            )
        )
    return lines
