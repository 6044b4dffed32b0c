"""Pages of rows, and moments as the contract writes them. What HQ lets through is looked at anew: HQ is a stranger."""

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from econnector.eservices.api import calls

__all__ = ["Page", "page_of", "text_of"]

T = TypeVar("T")

_NO_TIME: Final = "0001-01-01 00:00:00"


class Page(NamedTuple):
    """Which rows."""

    offset: int
    limit: int

    @property
    def span(self) -> tuple[int, int]:
        """How many rows to ask for, one more than is shown, and how many to skip."""
        return self.limit + 1, self.offset

    def cut(self, rows: Sequence[T]) -> tuple[list[T], bool]:
        """Return the rows to show and whether more follow."""
        return list(rows[: self.limit]), len(rows) > self.limit


def page_of(asked: calls.AppointmentsAsked | calls.DocumentsAsked) -> Page:
    """Return the page that is asked for, or the nearest one there may be."""
    return Page(min(max(asked.offset, 0), calls.MOST_OFFSET), min(max(asked.limit, 1), calls.MOST_ROWS))


def text_of(moment: dt.datetime | None) -> str:
    """Return a moment of office time as text."""
    return moment.isoformat(sep=" ", timespec="seconds") if moment else _NO_TIME
