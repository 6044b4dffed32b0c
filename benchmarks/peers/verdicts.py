"""What ours has to reach, whether it did, and which tunnel was better."""

import math
from collections.abc import Callable, Sequence

import msgspec

from benchmarks.peers.results import Results
from benchmarks.peers.troubles import Found

__all__ = ["HEAD", "OURS", "verdicts"]

OURS = ("ours, native", "ours, relay")
HEAD = ("what", "bar", *OURS, "best tunnel in this run")
_Value = float | None


class _Bar(msgspec.Struct, frozen=True):
    what: str
    of: Callable[[str], _Value]
    """A row's figure, by the row's name; infinite where it did not come within the time that was waited."""
    bar: _Value = None
    most: bool = False
    """Whether more is better."""
    digits: int = 1
    shared: bool = True
    """Whether the tunnels' figures say something too."""

    def met(self, value: float) -> bool:
        """Judge a figure as it is shown."""
        assert self.bar is not None
        shown = round(value, self.digits) if math.isfinite(value) else value
        return shown >= self.bar if self.most else shown <= self.bar

    def said(self, value: _Value) -> str:
        """Return a figure with its verdict."""
        if value is None:
            return "–"
        told = f"{value:.{self.digits}f}" if math.isfinite(value) else "not in time"
        if self.bar is None:
            return told
        return f"{told}, met" if self.met(value) else f"{told}, **missed**"

    def best(self, tunnels: Sequence[str]) -> str:
        """Name the best of the tunnels, and which of ours it is ahead of."""
        known = [(value, name) for name in tunnels if (value := self.of(name)) is not None]
        if not known or not self.shared:
            return "–"
        value, name = max(known) if self.most else min(known)
        if not math.isfinite(value):
            return "none in time"
        ours = {own: mine for own in OURS if (mine := self.of(own)) is not None}
        behind = [own for own, mine in ours.items() if (value > mine if self.most else value < mine)]
        told = f"{name} {value:.{self.digits}f}"
        return told + (f", **ahead of {' and '.join(own.removeprefix('ours, ') for own in behind)}**" if behind else "")

    @property
    def bar_said(self) -> str:
        """Return the bar in words."""
        if self.bar is None or not math.isfinite(self.bar):
            return "–"
        return f"{'≥' if self.most else '≤'} {self.bar:g}"


def _over(value: _Value, by: _Value) -> _Value:
    return value / by if value is not None and by else None


def _bars(results: Results) -> list[_Bar]:
    """The bars of the project, in the order of the table."""

    def share(cell: str) -> Callable[[str], _Value]:
        return lambda name: results.ratio(cell, name)

    def tail(name: str) -> _Value:
        return _over(results.median("many", name, "p99_ms"), results.median("many", name, "p50_ms"))

    def loaded(name: str) -> _Value:
        return results.median("mixed", name, "loaded_p99_ms")

    def grown(name: str) -> _Value:
        found = results.slow_readers.get(name)
        return max(value for value in found.values() if value is not None) if found else None

    def time_of(found: dict[str, Found], what: str) -> Callable[[str], _Value]:
        def of(name: str) -> _Value:
            value = found[name].get(what) if name in found else math.nan
            return math.inf if value is None else None if math.isnan(value) else value

        return of

    return [
        _Bar("share of direct: 1 kB, 1 connection", share("one"), 0.30, most=True, digits=2),
        _Bar("share of direct: 1 kB, 32 connections", share("many"), 0.33, most=True, digits=2),
        _Bar("share of direct: 1 kB, 32 at once, each on a new connection", share("anew"), most=True, digits=2),
        _Bar("share of direct: 100 MB file", share("file"), 0.35, most=True, digits=2),
        _Bar("p99 / p50: 1 kB, 32 connections", tail, 3, shared=False),
        _Bar(
            "p99 of 1 kB while the file is read / idle",
            lambda name: _over(loaded(name), results.median("mixed", name, "idle_p99_ms")),
            10,
            shared=False,
        ),
        _Bar("p99 of 1 kB while the file is read, in ms", loaded),
        _Bar("4 slow readers: the most that server or client grows, in MB", grown, 12),
        _Bar("office frozen: seconds until a request fails", time_of(results.frozen, "first"), 5),
        _Bar("server killed for 3 s: seconds until it serves", time_of(results.away, "served")),
    ]


def verdicts(results: Results) -> list[tuple[str, ...]]:
    """Return a row per bar; where ours only has to be ahead of every tunnel there is none."""
    tunnels = [row.name for row in results.rows if row.beside and row.name not in OURS]
    return [
        (bar.what, bar.bar_said, *(bar.said(bar.of(name)) for name in OURS), bar.best(tunnels))
        for bar in _bars(results)
    ]
