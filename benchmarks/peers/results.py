"""Everything that one run found, as it is kept, and the figures that its tables are made of."""

import statistics

import msgspec

from benchmarks.peers.rounds import Sweep
from benchmarks.peers.troubles import Found

__all__ = ["Results", "Row"]


class Row(msgspec.Struct, frozen=True):
    """A row of the table before it was measured."""

    name: str
    version: str
    encryption: str
    """Nothing for a direct one, whose name says it."""
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

    def none(self, cell: str, name: str) -> str:
        """Return what is said of a figure that is not there."""
        tried = any(name in sweep.failures for sweep in self.sweeps if sweep.cell == cell)
        return "failed" if tried else "–"

    def repeats(self) -> int:
        """Return how many sweeps were measured again."""
        return sum(sweep.repeated for sweep in self.sweeps)
