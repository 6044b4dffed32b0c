"""A layout (typst) and its values become a PDF, whatever stands in the texts.

Texts reach the layout as data and are never read as markup. Standards for readers with screen readers ask that every
character has a glyph: a document with a character that no font of this machine has is drawn without that promise,
rather than not at all.
"""

import datetime as dt
import re
import threading
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from typst import Compiler

__all__ = ["draw"]

_ENCODE = msgspec.json.Encoder(decimal_format="string").encode
_LOCK = threading.Lock()
_NO_TEXT = re.compile(r"(\\\\)|\\u00[01][0-9a-f]|\\[bf]|[\x7f-\x9f\ufffe\uffff]")
"""In JSON: characters that are drawn nowhere. The first group keeps a backslash that stands for itself."""


def draw(layout: str, name: str, values: object, day: dt.date) -> bytes:
    """Return the PDF of `layout` (a file of this package) with `values` under `name`; `day` is its date.

    Tagged, PDF/UA-1 wherever every character can be shown. The same values give the same bytes on the same release.
    """
    from typst import TypstError  # noqa: PLC0415 - 40 MB that only those who draw a document need

    inputs = {name: _NO_TEXT.sub(r"\1", _ENCODE(values).decode())}
    stamp = int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp())
    with _LOCK:
        compiler = _compiler(layout)
        try:
            pdf = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=["ua-1"], timestamp=stamp)
        except TypstError:
            pdf = compiler.compile(format="pdf", sys_inputs=inputs, timestamp=stamp)
    if not isinstance(pdf, bytes):
        raise TypeError("a document is one file")
    return pdf


@cache
def _compiler(layout: str) -> "Compiler":
    """Return the one compiler of a layout: it keeps fonts and the parsed layout, and is imported only when needed."""
    from typst import Compiler  # noqa: PLC0415 - as above

    place = Path(str(files("econnector.documents").joinpath(layout)))
    return Compiler(str(place), root=str(place.parent))
