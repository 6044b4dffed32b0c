"""The sheet that a patient takes home: where to sign in, with what, and what comes next. One page each, a tagged PDF.

It holds a password: nothing here keeps it, and the PDF is for the printer.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec

from econnector.documents.drawing import draw

__all__ = ["Sheet", "render"]


class Sheet(msgspec.Struct, frozen=True):
    """One patient's sheet."""

    practice: str
    phone: str
    patient: str
    date: dt.date
    url: str
    """Where to sign in."""
    user_name: str
    password: str
    """Good for the first sign-in."""

    def __repr__(self) -> str:
        return f"Sheet(date={self.date.isoformat()})"


def render(sheets: Sequence[Sheet]) -> bytes:
    """Return the PDF, a page for each sheet, as `draw` does. Raises `ValueError` for none."""
    if not sheets:
        raise ValueError("no sheet to draw")
    shown = [
        msgspec.structs.asdict(sheet) | {"date": f"{sheet.date:%B} {sheet.date.day}, {sheet.date.year}"}
        for sheet in sheets
    ]
    return draw("accesssheet.typ", "sheets", shown, sheets[0].date)
