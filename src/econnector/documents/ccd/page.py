"""The care summary as one HTML file: opened from a disk or a letter, it needs nothing else and asks for nothing.

It wears the design kit's stylesheet, inside the file. Every text is escaped, and a policy in the file itself forbids
whatever could be loaded or run.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from econnector.documents.ccd.breaks import BREAK, breakable
from econnector.documents.ccd.front import front
from econnector.documents.ccd.narrative import Told
from econnector.opendental.summary.records import Summary

__all__ = ["page"]

_LONGEST = 14


def page(summary: Summary, told: Sequence[Told], language: str = "en") -> bytes:
    """Return the file, UTF-8, in `en` or `es`."""
    shown = front(summary, language)
    return _template().render(front=shown, words=shown.words, sections=told).encode()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("econnector.documents", "ccd"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["breakable"] = _breakable
    sheet = files("econnector.web").joinpath("static", "kit.css").read_text(encoding="utf-8")
    return environment.get_template("page.html", globals={"kit_sheet": Markup(sheet)})  # noqa: S704 - our own file


def _breakable(text: str) -> Markup:
    """Return HTML of a text that leaves other columns their room."""
    return escape(breakable(text, _LONGEST)).replace(BREAK, Markup("<wbr>"))
