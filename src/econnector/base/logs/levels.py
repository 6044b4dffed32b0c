"""How much is written: Open Dental's words Error, Information and Verbose, and the usual ones.

Each level holds those before it: `error`, `warning`, `info` (Information), `debug` (Verbose).
"""

from typing import Literal

__all__ = ["NUMBERS", "WORDS", "Level", "level_of", "word_of"]

Level = Literal[
    "error",
    "information",
    "verbose",
    "Error",
    "Information",
    "Verbose",
    "warning",
    "info",
    "debug",
]
"""As it may stand in a settings file; the capitals are those of Open Dental's `LogLevelOfApplication`."""

NUMBERS = {"debug": 10, "verbose": 10, "info": 20, "information": 20, "warning": 30, "error": 40, "critical": 50}
WORDS = ("Error", "Information", "Verbose")
"""The three that people choose from."""


def level_of(word: str) -> int:
    """Return a level's number, as Python's `logging` counts. Raises ValueError for a word that is none."""
    try:
        return NUMBERS[word.lower()]
    except KeyError:
        raise ValueError(f"{word!r} is no level") from None


def word_of(number: int) -> str:
    """Return the word that people read for a level's number."""
    return "Error" if number >= NUMBERS["error"] else "Verbose" if number <= NUMBERS["debug"] else "Information"
