"""Rounds: each cell is measured for the direct server, for every tunnel in turn, and for the direct server again."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from benchmarks.peers.asking import Address
from benchmarks.peers.cells import Figures

__all__ = ["NOISE", "Asked", "Plan", "Sweep", "run"]

NOISE = 0.25
"""How far the direct server's rate may be from its own median before a sweep is repeated, once."""


class Asked(msgspec.Struct, frozen=True):
    """A row of the table: `beside` names the row that its figures are divided by."""

    name: str
    address: Address
    beside: str
    before: Callable[[], None] | None = None
    """What is done before each measurement."""


class Sweep(msgspec.Struct):
    """One cell of one round, of every row; the first direct row holds two measurements."""

    cell: str
    figures: dict[str, list[Figures]]
    failures: dict[str, str] = {}
    repeated: bool = False
    noisy: bool = False
    """Kept though the direct server varied, as there was no time left."""

    def rate(self, name: str) -> float | None:
        """Return a row's mean rate."""
        found = self.figures.get(name)
        return statistics.mean(one["rate"] for one in found) if found else None


Measure = Callable[[Address], Figures]
_OWN = "mixed"
"""The cell in which each row is compared with itself."""


class Plan(msgspec.Struct, frozen=True):
    """How many rounds, and until when (`time.monotonic`) a noisy sweep may be repeated."""

    rounds: int
    until: float


def _sweep(cell: str, measure: Measure, direct: Sequence[Asked], tunnels: Sequence[Asked], *, twice: bool) -> Sweep:
    sweep = Sweep(cell, {})
    own = cell == _OWN
    for asked in (*(direct[:1] if own else direct), *tunnels, *(direct[:1] if twice and not own else ())):
        try:
            if asked.before is not None:
                asked.before()
            sweep.figures.setdefault(asked.name, []).append(measure(asked.address))
        except (RuntimeError, OSError) as failure:
            sweep.failures[asked.name] = str(failure)
            _say(f"{asked.name}: {failure}")
    return sweep


def _noisy(sweeps: Sequence[Sweep], direct: Sequence[Asked]) -> list[int]:
    """Return which of the same cell's sweeps met another direct server than the others did."""
    found = set()
    for asked in direct:
        every = [one["rate"] for sweep in sweeps for one in sweep.figures.get(asked.name, [])]
        if not every:
            continue
        middle = statistics.median(every)
        found |= {
            number
            for number, sweep in enumerate(sweeps)
            if any(abs(one["rate"] / middle - 1) > NOISE for one in sweep.figures.get(asked.name, []))
        }
    return sorted(found)


def run(cells: Mapping[str, Measure], direct: Sequence[Asked], tunnels: Sequence[Asked], plan: Plan) -> list[Sweep]:
    """Measure all cells in every round; the tunnels change places from round to round.

    The first of `direct` is measured before and after them, any other before them.
    """
    found: dict[str, list[Sweep]] = {cell: [] for cell in cells}
    twice = plan.rounds > 1
    for number in range(plan.rounds):
        turn = number % len(tunnels) if tunnels else 0
        for cell, measure in cells.items():
            _say(f"round {number + 1} of {plan.rounds}: {cell}")
            found[cell].append(_sweep(cell, measure, direct, [*tunnels[turn:], *tunnels[:turn]], twice=twice))
    for cell, sweeps in found.items():
        for number in _noisy(sweeps, direct) if twice else ():
            if time.monotonic() > plan.until:
                _say(
                    f"round {number + 1} of {cell} met another direct server than the others, and there is no time left"
                )
                sweeps[number].noisy = True
                continue
            _say(f"round {number + 1} of {cell} again, as the direct server varied by more than {NOISE:.0%}")
            sweeps[number] = _sweep(cell, cells[cell], direct, tunnels, twice=twice)
            sweeps[number].repeated = True
    return [sweep for sweeps in found.values() for sweep in sweeps]


def _say(what: str) -> None:
    print(f"bench-peers: {what}", file=sys.stderr, flush=True)
