"""What is hurt, in which order and for how long: decided by the seed before anything happens.

Every fault that there is stands on one card; storms are dealt from the shuffled deck, so that even a short run meets
each fault before any comes again. Two seeds that are alike give the same storms, whatever the machine did meanwhile.
"""

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["Blow", "Storm", "storms"]

CALM = (2.0, 4.0)
PAUSE = (0.0, 1.5)
LASTS = (0.3, 4.0)
SIZES = (1, 1, 1, 2, 3)


class Blow(NamedTuple):
    """One fault, and the seconds before the next one."""

    part: str
    how: str
    pause: float


class Storm(NamedTuple):
    """Faults that come together. Times in seconds."""

    calm: float
    """Before it."""
    blows: tuple[Blow, ...]
    heals: tuple[tuple[int, float], ...]
    """In which order they are healed, and how long before each."""

    def told(self) -> str:
        """Return it in a line; the same line, the same storm."""
        return " + ".join(f"{blow.part} {blow.how}" for blow in self.blows)


def storms(faults: Iterable[tuple[str, str]], seed: str) -> Iterator[Storm]:
    """Yield storms of these faults (part, how) for ever."""
    cards, dice = sorted(set(faults)), random.Random(seed)
    deck: list[tuple[str, str]] = []
    while True:
        dealt: dict[str, str] = {}
        for _ in range(min(dice.choice(SIZES), len({part for part, _ in cards}))):
            if not any(part not in dealt for part, _ in deck):
                # What is left of the old deck lies on top of the new one.
                deck = dice.sample(cards, len(cards)) + deck
            index = max(at for at, (part, _) in enumerate(deck) if part not in dealt)
            part, how = deck.pop(index)
            dealt[part] = how
        yield _storm(dealt, dice)


def _storm(dealt: dict[str, str], dice: random.Random) -> Storm:
    blows = tuple(Blow(part, how, dice.uniform(*PAUSE)) for part, how in dealt.items())
    order = dice.sample(range(len(blows)), len(blows))
    return Storm(dice.uniform(*CALM), blows, tuple((index, dice.uniform(*LASTS)) for index in order))
