"""What is read in a section: a table whose lines are the section's rows, or a sentence that says there are none.

The XML's narrative block, the page, the PDF and the portal all show exactly this.
"""

from typing import Literal

import msgspec

__all__ = ["Line", "SectionKey", "Told"]

SectionKey = Literal[
    "allergies",
    "medications",
    "problems",
    "procedures",
    "results",
    "vitals",
    "social",
    "immunizations",
    "encounters",
    "functional",
    "plan",
    "referral",
]
"""The sections, in the order in which they are read."""


class Line(msgspec.Struct, frozen=True):
    """One row."""

    id: str
    """Unique in the document: what an entry of the XML refers to."""
    cells: tuple[str, ...]
    """As many as there are columns; a text may be empty."""


class Told(msgspec.Struct, frozen=True):
    """One section in words."""

    key: SectionKey
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    nothing: str = ""
    """The sentence that stands instead of lines; never empty where there are none."""
