"""Where the texts of a narrow column may break: within long words, and never within a day such as `4 May 2026`."""

import re
from typing import Final

__all__ = ["BREAK", "breakable"]

BREAK: Final = "\N{ZERO WIDTH SPACE}"
_SPACE = "\N{NO-BREAK SPACE}"
_DAY = re.compile(r"\b(\d{1,2}) (\w{3}) (\d{4})\b")
_PIECE = re.compile(r"[^/.,;_@-]{1,10}[/.,;_@-]?|[/.,;_@-]")
"""Up to ten characters, and the mark behind them after which people would break the word themselves."""


def breakable(text: str, longest: int) -> str:
    """Return the text with a BREAK at every place where a word of more than `longest` characters may be broken."""
    whole = _DAY.sub(rf"\1{_SPACE}\2{_SPACE}\3", text)
    return re.sub(rf"\S{{{longest + 1},}}", lambda word: BREAK.join(_PIECE.findall(word[0])), whole)
