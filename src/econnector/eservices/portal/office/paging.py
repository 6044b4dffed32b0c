"""Pages of long lists: one row more than is shown tells whether another page follows."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from econnector.eservices.portal import calls

__all__ = ["ROWS", "Page", "cut", "page_of"]

T = TypeVar("T")

ROWS = 50
"""Rows of a page."""
_LAST = 1000
"""Nobody reads further, and the database counts through everything before it."""


class Page(msgspec.Struct, frozen=True):
    """Which page, from 0."""

    number: int

    @property
    def span(self) -> tuple[int, int]:
        """How many rows to ask for, and how many to skip."""
        return ROWS + 1, self.number * ROWS


def page_of(asked: calls.PageAsked) -> Page:
    """Return the page that is asked for, or the nearest one there may be."""
    return Page(min(max(asked.page, 0), _LAST))


def cut(rows: Sequence[T]) -> tuple[list[T], bool]:
    """Return the rows to show and whether more follow."""
    return list(rows[:ROWS]), len(rows) > ROWS
