"""Code systems: how each one stands, importing several at once, and how far they are while they run.

Imports run in the process that serves the window. How far one is stands in the state file, so that every window and
the command line show the same, whoever imports; and each of them can cancel it.
"""

import datetime as dt

from starlette.responses import Response

from econnector.base.errors import PageMissing
from econnector.office.codes.importer import Row, Wanted, terms_shown
from econnector.office.codes.words import CANCELLED, said, size
from econnector.office.window import codes_summaries
from econnector.office.window.codes_form import begun
from econnector.office.window.codes_running import codes_of, start, stop
from econnector.office.window.frame import Page, Section, Visitor

__all__ = ["PAGES", "SECTION"]

SECTION = Section("Code systems", "/codes", "file")


async def show(visitor: Visitor) -> Response:
    """Show every system, what it can be imported from, and how its last import went."""
    codes = codes_of(visitor.scene)
    rows = await codes.listed()
    return visitor.page(
        "window/codes.html",
        rows=rows,
        missing=[row for row in rows if row.needed],
        running=[row for row in rows if row.runs],
        updates=[row for row in rows if row.offer and row.is_newer],
        asked=_when(await codes.asked()),
        said=said,
        size=size,
    )


def _when(moment: str) -> str:
    return f"{dt.datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}" if moment else ""


async def check(visitor: Visitor) -> Response:
    """Look which versions are available."""
    codes = codes_of(visitor.scene)
    rows = await codes.check()
    newer = [f"{row.system.name} {row.available}" for row in rows if row.offer and row.is_newer]
    if newer:
        return visitor.go("/codes", f"HQ offers {', '.join(newer)}.")
    if not await codes.asked():
        words = "HQ has not said yet which versions it offers; the connector asks it when it starts, and daily."
        return visitor.go("/codes", f"{words} What comes with eConnector stands in the list.", "info")
    return visitor.go("/codes", "HQ offers nothing that is newer than what is imported.")


async def one(visitor: Visitor) -> Response:
    """Show the form of one system."""
    return await _one(visitor, visitor.request.query_params.get("name", ""))


async def _one(visitor: Visitor, name: str) -> Response:
    row = await _row(visitor, name)
    bad = await codes_of(visitor.scene).bad_lines(row.system.name) if row.progress and row.progress.bad else []
    status = 422 if visitor.form.mistakes else 200
    return visitor.page("window/codes-import.html", status, row=row, terms=terms_shown(row.system.name), bad=bad)


async def _row(visitor: Visitor, name: str) -> Row:
    for row in await codes_of(visitor.scene).listed():
        if row.system.name == name and row.system.importable:
            return row
    raise PageMissing(reference=visitor.reference)


async def begin(visitor: Visitor) -> Response:
    """Begin an import with the form's answers."""
    row = await _row(visitor, visitor.form.get("name"))
    if not await begun(visitor, row):
        return await _one(visitor, row.system.name)
    return visitor.go("/codes", f"{row.system.name} is being imported.")


async def shipped(visitor: Visitor) -> Response:
    """Import everything that comes with eConnector and is not there yet, at once."""
    wanted = [row.system.name for row in await codes_of(visitor.scene).listed() if _is_due(row)]
    for name in wanted:
        await start(visitor, Wanted(name, shipped=True))
    if not wanted:
        return visitor.go("/codes", "What comes with eConnector is imported already.", "info")
    return visitor.go("/codes", f"Being imported: {', '.join(wanted)}.")


def _is_due(row: Row) -> bool:
    newer = row.offer is not None and row.system.rows
    return bool(row.shipped) and not row.runs and row.system.current != row.shipped and not newer


async def updates(visitor: Visitor) -> Response:
    """Download and import everything newer that HQ offers, at once, as far as its terms are accepted."""
    rows = [row for row in await codes_of(visitor.scene).listed() if row.offer and row.is_newer and not row.runs]
    ready = [row.system.name for row in rows if row.terms_accepted_by or not terms_shown(row.system.name)]
    for name in ready:
        await start(visitor, Wanted(name))
    waiting = [row.system.name for row in rows if row.system.name not in ready]
    words = [f"Being downloaded: {', '.join(ready)}."] if ready else []
    if waiting:
        words.append(f"Terms must be accepted first, on the page of each: {', '.join(waiting)}.")
    if not words:
        return visitor.go("/codes", "HQ offers nothing that is newer than what is imported.", "info")
    return visitor.go("/codes", " ".join(words), "attention" if waiting else "ok")


async def cancel(visitor: Visitor) -> Response:
    """Stop an import behind the batch that is being written, whichever process runs it."""
    name = visitor.form.get("name")
    back = "/codes/for-summaries" if visitor.form.get("back") else "/codes"
    if await stop(visitor, name):
        return visitor.go(back, f"{name}: {CANCELLED}. Importing it again goes on where it was.")
    return visitor.go(back, f"{name} stops as soon as it can.", "info")


PAGES = (
    Page("/codes", show),
    Page("/codes/import", one),
    Page("/codes/import", begin, method="POST", needs="setup"),
    Page("/codes/check", check, method="POST", needs="setup"),
    Page("/codes/shipped", shipped, method="POST", needs="setup"),
    Page("/codes/updates", updates, method="POST", needs="setup"),
    Page("/codes/cancel", cancel, method="POST", needs="setup"),
    *codes_summaries.PAGES,
)
