"""Code systems: how each one stands, importing several at once, and how far they are while they run.

Imports run in the process that serves the window. How far one is stands in the state file, so that every window and
the command line show the same, whoever imports.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.responses import Response

from econnector.base.errors import CodeFileUnreadable, Failure, PageMissing, Unexpected
from econnector.office.codes.importer import SHIPPED, Codes, Row, Wanted, terms_shown
from econnector.office.codes.importing import Import
from econnector.office.install.machine import middle_tier_file
from econnector.office.window.frame import Page, Section, Visitor
from econnector.office.window.scene import Scene

__all__ = ["PAGES", "SECTION"]

SECTION = Section("Code systems", "/codes", "file")

_LONGEST: Final = 1000


@dataclass(slots=True)
class _Run:
    """One import that was begun in this window."""

    work: Import
    task: asyncio.Task[None]


_RUNS: dict[tuple[str, str], _Run] = {}
"""By state file's place and system."""


def codes_of(scene: Scene) -> Codes:
    """Return the hand on this practice's code systems."""
    folder, middle_tier = scene.settings.state_file.parent, middle_tier_file(scene.loaded)
    return Codes(scene.database, scene.state, scene.schemas, scene.machine, folder, middle_tier, scene.clock)


async def show(visitor: Visitor) -> Response:
    """Show every system, what it can be imported from, and how its last import went."""
    rows = await codes_of(visitor.scene).listed()
    missing = [row for row in rows if row.needed]
    return visitor.page(
        "window/codes.html",
        rows=rows,
        missing=missing,
        running=[row for row in rows if row.runs],
        mine={name for state, name in _RUNS if state == visitor.scene.state.server},
    )


async def check(visitor: Visitor) -> Response:
    """Look which versions are available."""
    await codes_of(visitor.scene).check()
    return visitor.go("/codes", "Looked. The versions that come with eConnector stand in the list.")


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
    form, row = visitor.form, await _row(visitor, visitor.form.get("name"))
    name, path = row.system.name, form.get("file").strip().strip('"')[:_LONGEST]
    if not path and name not in SHIPPED:
        form.wrong("file", "Enter where the file is on this computer.")
    elif path and not Path(path).is_absolute():
        form.wrong("file", "Enter the whole path, as the file manager shows it.")
    terms = terms_shown(name)
    if terms and not row.terms_accepted_by and form.get("terms") != "1":
        form.wrong("terms", "Read the terms and accept them, or do not import this system.")
    if form.mistakes:
        return await _one(visitor, name)
    wanted = Wanted(
        name,
        Path(path) if path else None,
        form.get("new") != "1",
        form.get("release").strip()[:_LONGEST],
        form.get("checksum").strip()[:_LONGEST],
        form.get("terms") == "1",
    )
    try:
        await _start(visitor, wanted)
    except CodeFileUnreadable as failure:
        form.wrong("file", failure.office_text())
        return await _one(visitor, name)
    return visitor.go("/codes", f"{name} is being imported.")


async def shipped(visitor: Visitor) -> Response:
    """Import everything that comes with eConnector and is not there yet, at once."""
    wanted = [row.system.name for row in await codes_of(visitor.scene).listed() if _is_due(row)]
    for name in wanted:
        await _start(visitor, Wanted(name))
    if not wanted:
        return visitor.go("/codes", "What comes with eConnector is imported already.", "info")
    return visitor.go("/codes", f"Being imported: {', '.join(wanted)}.")


def _is_due(row: Row) -> bool:
    return bool(row.shipped) and not row.runs and row.system.current != row.shipped


async def cancel(visitor: Visitor) -> Response:
    """Stop an import behind the batch that is being written."""
    name = visitor.form.get("name")
    run = _RUNS.get((visitor.scene.state.server, name))
    if run is None:
        return visitor.go("/codes", "It does not run in this window, so it cannot be stopped here.", "attention")
    run.work.cancel()
    await asyncio.wait([run.task], timeout=10)
    return visitor.go("/codes", f"{name} is stopped. Importing it again goes on where it was.")


async def _start(visitor: Visitor, wanted: Wanted) -> None:
    prepared = await codes_of(visitor.scene).prepare(visitor.who, wanted)
    key = (visitor.scene.state.server, prepared.work.progress.system)

    async def run() -> None:
        try:
            async with prepared as work:
                await work.run()
        except Failure:  # kept where the page reads it
            pass
        except Exception as fault:  # noqa: BLE001 - nobody else would tell the person who waits
            await prepared.work.failed(Unexpected(kind=type(fault).__name__))
        finally:
            _RUNS.pop(key, None)

    _RUNS[key] = _Run(prepared.work, asyncio.create_task(run()))


PAGES = (
    Page("/codes", show),
    Page("/codes/import", one),
    Page("/codes/import", begin, method="POST", needs="setup"),
    Page("/codes/check", check, method="POST", needs="setup"),
    Page("/codes/shipped", shipped, method="POST", needs="setup"),
    Page("/codes/cancel", cancel, method="POST", needs="setup"),
)
