"""`econnector codes`: the Code System Importer at the command line."""

from typing import TYPE_CHECKING

import click

from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.codes_import import cancel, import_codes, on_codes
from econnector.cli.codes_summaries import for_summaries
from econnector.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from econnector.office.codes.importer import Codes, Row

__all__ = ["codes"]

_NAME = click.argument("name", metavar="NAME")
_PERCENT = 100


@click.group()
def codes() -> None:
    """Import code systems (SNOMED CT, CVX, ICD-10 and others) into Open Dental's tables."""


@codes.command("list")
@json_option
@with_settings
def list_codes(choice: Choice, *, as_json: bool) -> None:
    """Show every code system: which version is imported, which is available, how many codes."""
    _show(on_codes(choice, lambda hand: hand.listed()), as_json=as_json)


@codes.command()
@json_option
@with_settings
def check(choice: Choice, *, as_json: bool) -> None:
    """Look which versions are available, here and at HQ, and note them where Open Dental shows them."""

    async def look(hand: "Codes") -> "tuple[list[Row], str]":
        return await hand.check(), await hand.asked()

    rows, asked = on_codes(choice, look)
    _show(rows, as_json=as_json)
    if as_json:
        return
    newer = [f"{row.system.name} {row.available}" for row in rows if row.offer and row.is_newer]
    if newer:
        click.echo(f"\nHQ offers {', '.join(newer)}: `econnector codes import NAME` downloads it.")
    elif asked:
        click.echo(f"\nHQ was asked at {asked} and offers nothing newer.")
    else:
        click.echo("\nHQ has not said yet which versions it offers: the connector asks it when it starts, and daily.")


@codes.command()
@json_option
@with_settings
def status(choice: Choice, *, as_json: bool) -> None:
    """Show how the last import of each system went."""
    from econnector.office.codes.words import said  # noqa: PLC0415 - heavy

    rows = [row for row in on_codes(choice, lambda hand: hand.listed()) if said(row)]
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
    found = on_codes(choice, lambda hand: hand.bad_lines(name))
    if as_json:
        print_json(found)
    elif found:
        print_table(("line", "why"), [(one.line, one.reason) for one in found])
    else:
        click.echo("Every line could be read.")


def _show(rows: "list[Row]", *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    headings = ("system", "what", "imported", "available", "codes", "import from")
    print_table(headings, [_cells(row) for row in rows])
    missing = [row.system.name for row in rows if row.needed]
    if missing:
        click.echo(f"\nCare summaries in the portal need {' and '.join(missing)}: `econnector codes for-summaries`.")


def _cells(row: "Row") -> tuple[str, ...]:
    standing = row.system
    where = "–" if not standing.importable else f"eConnector ({row.shipped})" if row.shipped else row.source
    where = f"HQ ({row.offer.version})" if row.offer else where
    running = " (importing now)" if row.runs else ""
    return (
        standing.name,
        standing.title,
        (standing.current or ("yes" if standing.rows else "no" if standing.importable else "–")) + running,
        row.available or "–",
        f"{standing.rows:,}" if standing.importable else "–",
        where,
    )


def _progress_cells(row: "Row") -> tuple[str, ...]:
    from econnector.office.codes.words import said, size  # noqa: PLC0415 - heavy

    how, last, load = said(row), row.progress, row.download
    word = how.word if how else ""
    if how and how.loads and load:
        many = f"{size(load.done)} of {size(load.total)}" if load.total else size(load.done)
        return (row.system.name, word, many, "", "", "", "", f"{size(load.rate)}/s", load.address)
    if last is None:
        return (row.system.name, word, *[""] * 7)
    where = f"{(last.reached if row.runs else last.line):,} ({last.share * _PERCENT:.0f} %)"
    counts = (last.added, last.changed, last.same, last.bad)
    return (row.system.name, word, where, *(f"{count:,}" for count in counts), f"{last.rate:,.0f}", last.source)


codes.add_command(import_codes)
codes.add_command(cancel)
codes.add_command(for_summaries)
