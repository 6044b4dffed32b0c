"""`econnector codes`: the Code System Importer at the command line."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from econnector.cli.choice import Choice, json_option, whoever_types, with_settings
from econnector.cli.terminal import console, print_json, print_table

if TYPE_CHECKING:
    from econnector.office.codes.importer import Codes, Row, Wanted
    from econnector.office.codes.importing import Import
    from econnector.storage.state.code_imports import Progress

__all__ = ["codes"]

R = TypeVar("R")

_NAME = click.argument("name", metavar="NAME")
_PERCENT = 100
STOPPED = 75
"""Exit status of an import that was cancelled: it may be run again, and goes on."""


@click.group()
def codes() -> None:
    """Import code systems (SNOMED CT, CVX, ICD-10 and others) into Open Dental's tables."""


@codes.command("list")
@json_option
@with_settings
def list_codes(choice: Choice, *, as_json: bool) -> None:
    """Show every code system: which version is imported, which is available, how many codes."""
    _show(_do(choice, lambda hand: hand.listed()), as_json=as_json)


@codes.command()
@json_option
@with_settings
def check(choice: Choice, *, as_json: bool) -> None:
    """Look which versions are available, and note them where Open Dental shows them."""
    _show(_do(choice, lambda hand: hand.check()), as_json=as_json)


@codes.command()
@json_option
@with_settings
def status(choice: Choice, *, as_json: bool) -> None:
    """Show how the last import of each system went."""
    rows = [row for row in _do(choice, lambda hand: hand.listed()) if row.progress]
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo("Nothing was imported with eConnector yet.")
    else:
        headings = ("system", "status", "line", "new", "changed", "as before", "bad", "rows/s", "from")
        print_table(headings, [_progress_cells(row) for row in rows])


@codes.command()
@_NAME
@json_option
@with_settings
def terms(choice: Choice, name: str, *, as_json: bool) -> None:
    """Show the terms that must be accepted before NAME is imported."""
    from econnector.office.codes.importer import terms_shown  # noqa: PLC0415 - heavy

    del choice
    found = terms_shown(name)
    if as_json:
        print_json(found)
    elif found is None:
        click.echo("Nothing has to be accepted for it.")
    else:
        click.echo(f"{found.words}\n\nThe full terms of {found.publisher}: {found.where}")


@codes.command("bad-lines")
@_NAME
@json_option
@with_settings
def bad_lines(choice: Choice, name: str, *, as_json: bool) -> None:
    """Show the lines of the last import of NAME that could not be read, the first thousand."""
    found = _do(choice, lambda hand: hand.bad_lines(name))
    if as_json:
        print_json(found)
    elif found:
        print_table(("line", "why"), [(one.line, one.reason) for one in found])
    else:
        click.echo("Every line could be read.")


@codes.command("import")
@_NAME
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file: a text with tabs between its columns, or a zip with one. Without it, what comes with eConnector.",
)
@click.option("--release", default="", help="The version's name, as it is to be shown.")
@click.option("--checksum", default="", help="The SHA-256 that the file must have.")
@click.option(
    "--keep-old/--take-new", default=True, show_default=True, help="Keep descriptions that are there?"
)  # fmt: skip
@click.option("--accept-terms", is_flag=True, help="You have read the terms of NAME and accept them for the practice.")
@json_option
@with_settings
def import_codes(  # noqa: PLR0913 - as many options
    choice: Choice,
    name: str,
    file: Path | None,
    release: str,
    checksum: str,
    *,
    keep_old: bool,
    accept_terms: bool,
    as_json: bool,
) -> None:
    """Import NAME. An import that was cut off goes on where it stopped; nothing is ever there twice."""
    from econnector.office.codes.importer import Wanted  # noqa: PLC0415 - heavy

    wanted = Wanted(name, file.absolute() if file else None, keep_old, release, checksum, accept_terms)
    ended = _do(choice, lambda hand: _import(hand, wanted, quiet=as_json))
    if as_json:
        print_json(ended)
    else:
        click.echo(_words(ended))
    if ended.status != "complete":
        raise SystemExit(STOPPED)


async def _import(hand: "Codes", wanted: "Wanted", *, quiet: bool) -> "Progress":
    async with await hand.prepare(whoever_types(), wanted) as work:
        with _stopping(work):
            if quiet:
                return await work.run()
            return await _with_bar(work)


@contextlib.contextmanager
def _stopping(work: "Import") -> Iterator[None]:
    """Let Ctrl-C stop behind the batch that is being written."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, work.cancel)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or a thread: Ctrl-C cancels the task
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _with_bar(work: "Import") -> "Progress":
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - heavy
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    rate = TextColumn("{task.fields[lines]:,} lines, {task.fields[rate]:,.0f}/s")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn())
    with Bar(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(work.progress.system, total=1.0, lines=work.progress.line, rate=0.0)

        def told(progress: "Progress") -> None:
            bar.update(task, completed=progress.share, lines=progress.line, rate=progress.rate)

        return await work.run(told)


def _words(ended: "Progress") -> str:
    counts = f"{ended.added:,} new, {ended.changed:,} changed, {ended.same:,} as before"
    more = f", {ended.shortened:,} texts shortened to fit" if ended.shortened else ""
    bad = f", {ended.bad:,} lines could not be read (`econnector codes bad-lines {ended.system}`)" if ended.bad else ""
    if ended.status == "complete":
        return f"{ended.system} {ended.version} is imported: {counts}{more}{bad}."
    return f"{ended.system} was stopped at line {ended.line:,}: {counts}{more}{bad}. Import it again to go on there."


def _show(rows: "list[Row]", *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    headings = ("system", "what", "imported", "available", "codes", "import from")
    print_table(headings, [_cells(row) for row in rows])
    missing = [row.system.name for row in rows if row.needed]
    if missing:
        click.echo(f"\nCare summaries in the portal need {' and '.join(missing)}: `econnector codes import NAME`.")


def _cells(row: "Row") -> tuple[str, ...]:
    standing = row.system
    where = "–" if not standing.importable else f"eConnector ({row.shipped})" if row.shipped else row.source
    running = " (importing now)" if row.runs else ""
    return (
        standing.name,
        standing.title,
        (standing.current or ("yes" if standing.rows else "no" if standing.importable else "–")) + running,
        standing.available or "–",
        f"{standing.rows:,}" if standing.importable else "–",
        where,
    )


def _progress_cells(row: "Row") -> tuple[str, ...]:
    last = row.progress
    assert last is not None  # noqa: S101 - the caller chose those that have one
    word = "running" if row.runs else "cut off" if last.status == "importing" else last.status
    where = f"{last.line:,} ({last.share * _PERCENT:.0f} %)"
    counts = (last.added, last.changed, last.same, last.bad)
    said = word if not last.failure else f"{word}: {last.failure}"
    return (row.system.name, said, where, *(f"{count:,}" for count in counts), f"{last.rate:,.0f}", last.source)


def _do(choice: Choice, work: "Callable[[Codes], Awaitable[R]]") -> R:
    """Return what is done at this practice's database, beside a connector that may run."""
    from econnector.office.codes.open import codes_of  # noqa: PLC0415 - heavy

    async def done() -> R:
        async with codes_of(choice.load()) as hand:
            return await work(hand)

    return asyncio.run(done())
