"""The account of writes: entered before anything is sent, and held against the books when the storms are over.

=============  ====================================  ============
a write is     when                                  in the books
=============  ====================================  ============
acknowledged   the answer said that it was done      exactly once
refused        every answer said that it was not     not at all
uncertain      no answer, or one that leaves it open  at most once
=============  ====================================  ============
"""

import collections
import threading
from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["Judged", "Writes"]

Became = Literal["uncertain", "acknowledged", "refused"]


class Judged(NamedTuple):
    """What became of the writes of one kind."""

    acknowledged: int
    uncertain: int
    refused: int
    took: int
    """Uncertain ones that stand in the books."""
    lost: list[str]
    """Acknowledged, and not there."""
    twice: list[str]
    ghosts: list[str]
    """Refused or never sent, and there."""

    @property
    def wrongs(self) -> list[str]:
        """Return what must not be, in words."""
        return [
            f"{word}: {mark}"
            for word, marks in (
                ("lost though it was acknowledged", self.lost),
                ("there more than once", self.twice),
                ("there though nobody was told so", self.ghosts),
            )
            for mark in marks
        ]


class Writes:
    """Everything that people sent. Shared by all threads."""

    def __init__(self) -> None:
        """Nobody has sent anything."""
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Became] = {}
        self._unclear: set[tuple[str, str]] = set()

    def enter(self, kind: str, mark: str) -> None:
        """Enter a write before its first byte leaves; `mark` is what its row can be found by.

        What was refused may be tried anew. Raises ValueError for what is done.
        """
        with self._lock:
            if self._known.get((kind, mark)) == "acknowledged":
                raise ValueError(f"{kind} {mark} is done")
            self._known[kind, mark] = "uncertain"

    def acknowledge(self, kind: str, mark: str) -> None:
        """The answer said that it was done."""
        with self._lock:
            self._known[kind, mark] = "acknowledged"

    def refuse(self, kind: str, mark: str) -> None:
        """The answer said that it was not done; an earlier answer that left it open still counts."""
        with self._lock:
            if (kind, mark) not in self._unclear:
                self._known[kind, mark] = "refused"

    def doubt(self, kind: str, mark: str) -> None:
        """No answer, or one that leaves it open; nothing but a later "it was done" settles that."""
        with self._lock:
            self._unclear.add((kind, mark))

    def marks(self, kind: str) -> dict[str, Became]:
        """Return the writes of a kind."""
        with self._lock:
            return {mark: became for (one, mark), became in self._known.items() if one == kind}

    def judge(self, kind: str, found: Mapping[str, int]) -> Judged:
        """Hold the writes of a kind against the books: how often each mark stands there."""
        known = self.marks(kind)
        became = collections.Counter(known.values())
        return Judged(
            acknowledged=became["acknowledged"],
            uncertain=became["uncertain"],
            refused=became["refused"],
            took=sum(known.get(mark) == "uncertain" for mark in found),
            lost=sorted(m for m, one in known.items() if one == "acknowledged" and not found.get(m)),
            twice=sorted(mark for mark, count in found.items() if count > 1),
            ghosts=sorted(mark for mark, count in found.items() if count and known.get(mark, "refused") == "refused"),
        )
