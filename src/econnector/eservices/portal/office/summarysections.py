"""A care summary's sections in what one answer may hold: a record of thirty years does not fit in one."""

from typing import Final

from econnector.documents.ccd.narrative import Told
from econnector.eservices.portal import calls

__all__ = ["PAGE", "all_sections", "one_section"]

PAGE: Final = 100
"""Rows of a page of one section."""
_FIRST: Final = 20
"""Rows of each section where all are shown."""
_SECTION_BYTES: Final = 64 * 1024
_ROW_BYTES: Final = 8000
"""So twelve sections, and a page of one, stay below the megabyte that an answer may have."""


def all_sections(told: list[Told]) -> list[calls.SummarySection]:
    """Return every section, as far as it goes."""
    return [_section(one, 0, _FIRST, _SECTION_BYTES) for one in told]


def one_section(told: Told, page: int) -> tuple[calls.SummarySection, bool]:
    """Return one page of a section, from 0, and whether another follows."""
    begins = page * PAGE
    return _section(told, begins, PAGE, PAGE * _ROW_BYTES), begins + PAGE < len(told.lines)


def _section(told: Told, begins: int, most: int, room: int) -> calls.SummarySection:
    rows, shortened = list[list[str]](), False
    for line in told.lines[begins : begins + most]:
        row = _fitted(line.cells)
        room -= sum(len(cell.encode()) for cell in row)
        if room < 0:
            break
        rows.append(row)
        shortened = shortened or row != list(line.cells)
    return calls.SummarySection(
        key=told.key,
        title=told.title,
        columns=list(told.columns),
        rows=rows,
        nothing=told.nothing,
        total=len(told.lines),
        shortened=shortened,
    )


def _fitted(cells: tuple[str, ...]) -> list[str]:
    """Return the texts of a row, the very long ones in part."""
    if sum(len(cell.encode()) for cell in cells) <= _ROW_BYTES:
        return list(cells)
    most = _ROW_BYTES // len(cells) - 3  # the ellipsis
    return [cell if len(cell.encode()) <= most else f"{_start(cell, most)}…" for cell in cells]


def _start(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")
