"""The care summary on paper: a tagged PDF of what the page shows, the patient's name and the date on every sheet."""

import re
from collections.abc import Sequence
from typing import Final

from econnector.documents.ccd.breaks import BREAK, breakable
from econnector.documents.ccd.front import front
from econnector.documents.ccd.narrative import Told
from econnector.documents.drawing import draw
from econnector.opendental.summary.records import Summary

__all__ = ["pdf"]

_LONGEST: Final = 18
_WORDS: Final = re.compile(f"[ \n{BREAK}]")
_LINE, _GAP, _BOLD, _WIDE = 105, 2, 1.1, 40
"""Characters on a line, between two columns, of the room that bold ones take, and that a column is made for at most."""


def pdf(summary: Summary, told: Sequence[Told], language: str = "en") -> bytes:
    """Return the PDF in `en` or `es`, as `draw` does."""
    shown = front(summary, language)
    values = {
        "language": shown.language.words,
        "title": shown.title,
        "name": shown.name,
        "born": shown.person[0] if summary.subject.birth_date else None,
        "made": shown.made,
        "practice": shown.practice,
        "phone": shown.phone,
        "person": shown.person,
        "about": shown.about,
        "words": shown.words,
        "end": shown.end,
        "sections": [_section(one) for one in told],
    }
    return draw("ccd/pdf.typ", "summary", values, summary.made.date())


def _section(told: Told) -> dict[str, object]:
    return {
        "key": told.key,
        "title": told.title,
        "columns": told.columns,
        "widths": _widths(told),
        "rows": [[breakable(text, _LONGEST) or "–" for text in line.cells] for line in told.lines],
        "nothing": told.nothing,
    }


def _widths(told: Told) -> list[float]:
    """Return each column's share of the line in characters: its longest word, and of the rest what its cells need."""
    columns = zip(told.columns, *(line.cells for line in told.lines), strict=True)
    needs, wishes = [], []
    for texts in columns:
        words = max(
            len(word) for text in texts for word in breakable(text, _LONGEST).replace(BREAK, " ").split(" ") or [""]
        )
        lengths = sorted(max(map(len, text.split("\n"))) for text in texts)
        needs.append(words * _BOLD + _GAP)
        wishes.append(max(1, min(lengths[len(lengths) * 9 // 10], _WIDE) - words))
    spare = max(0, _LINE - sum(needs))
    return [round(need + spare * wish / sum(wishes), 2) for need, wish in zip(needs, wishes, strict=True)]
