"""The form that begins an import: where the file is, which one it must be, and whether the terms are accepted.

Both the page of one system and the way through for care summaries have it.
"""

from pathlib import Path
from typing import Final

from econnector.base.errors import CodeAddressUnusable, CodeFileUnreadable
from econnector.office.codes.importer import Row, Wanted, terms_shown
from econnector.office.codes.transfer import usable
from econnector.office.window.codes_running import start
from econnector.office.window.frame import Visitor

__all__ = ["begun"]

_LONGEST: Final = 2000


async def begun(visitor: Visitor, row: Row) -> bool:
    """Begin an import with the form's answers; return whether it has, else the form says what is wrong.

    Raises what forbids it and is nobody's mistake in a field.
    """
    wanted = _wanted(visitor, row)
    if visitor.form.mistakes:
        return False
    try:
        await start(visitor, wanted)
    except CodeFileUnreadable as failure:
        visitor.form.wrong("file", failure.office_text())
        return False
    return True


def _wanted(visitor: Visitor, row: Row) -> Wanted:
    form, name = visitor.form, row.system.name
    path, url = _typed(visitor, "file").strip('"'), _typed(visitor, "url")
    if path and url:
        form.wrong("url", "Enter a file or an address, not both.")
    elif not path and not url and not row.shipped and not row.offer:
        form.wrong("file", "Enter where the file is on this computer, or below from where it is downloaded.")
    elif path and not Path(path).is_absolute():
        form.wrong("file", "Enter the whole path, as the file manager shows it.")
    if url:
        try:
            usable(url)
        except CodeAddressUnusable as failure:
            form.wrong("url", failure.office_text())
    if terms_shown(name) and not row.terms_accepted_by and form.get("terms") != "1":
        form.wrong("terms", "Read the terms and accept them, or do not import this system.")
    return Wanted(
        name,
        Path(path) if path else None,
        form.get("new") != "1",
        _typed(visitor, "release"),
        _typed(visitor, "checksum"),
        form.get("terms") == "1",
        url,
    )


def _typed(visitor: Visitor, name: str) -> str:
    return visitor.form.get(name).strip()[:_LONGEST]
