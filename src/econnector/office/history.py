"""The history of the last 30 days: which rows to show, and as CSV for a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from typing import Literal, get_args

from econnector.opendental.signals import WORDS, Severity, Signal

__all__ = ["SHOW", "Show", "csv_text", "is_unacknowledged", "matching", "plain_cell", "word_of"]

Show = Literal["all", "errors", "unacknowledged"]
SHOW: tuple[Show, ...] = get_args(Show)
_ERRORS = (Severity.ERROR, Severity.CRITICAL)
_HEADINGS = ("DateTime", "Status", "Details", "Acknowledged")
# A spreadsheet takes a cell that begins with one of these for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def word_of(signal: Signal) -> str:
    """Return the row's status as Open Dental prints it; a severity of a newer version is its number."""
    return WORDS.get(signal.severity, str(signal.severity))


def is_unacknowledged(signal: Signal) -> bool:
    """Return whether the row is an error that nobody has acknowledged."""
    return signal.severity == Severity.ERROR and not signal.is_processed


def matching(signals: Iterable[Signal], *, show: Show = "all", text: str = "") -> list[Signal]:
    """Return the rows to show, in their order: `errors` are Error and Critical; `text` is looked for in any case."""
    wanted = text.strip().casefold()
    return [
        each for each in signals if _shown(each, show) and wanted in f"{word_of(each)} {each.description}".casefold()
    ]


def _shown(signal: Signal, show: Show) -> bool:
    if show == "unacknowledged":
        return is_unacknowledged(signal)
    return show == "all" or signal.severity in _ERRORS


def csv_text(signals: Iterable[Signal]) -> str:
    """Return the rows as CSV (RFC 4180, ISO 8601 times); no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_HEADINGS)
    for each in signals:
        seen = "" if each.severity != Severity.ERROR else "yes" if each.is_processed else "no"
        writer.writerow((each.at.isoformat(), word_of(each), plain_cell(each.description), seen))
    return out.getvalue()


def plain_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (ASVS 5, 1.2.10)."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
