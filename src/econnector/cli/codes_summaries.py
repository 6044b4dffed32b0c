"""`econnector codes for-summaries`: everything that care summaries need of the code systems, from beginning to end."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.codes_import import STOPPED, imported, on_codes, words
from econnector.cli.terminal import print_json

if TYPE_CHECKING:
    from econnector.office.codes.summaries import Step

__all__ = ["for_summaries"]


@click.command("for-summaries")
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file with SNOMED CT, as it was downloaded.",
)
@click.option("--url", default="", metavar="ADDRESS", help="Or the address from which SNOMED CT is downloaded.")
@click.option("--checksum", default="", help="The SHA-256 that the file must have.")
@click.option("--accept-terms", is_flag=True, help="You have read the terms of SNOMED CT and accept them.")
@json_option
@with_settings
def for_summaries(  # noqa: PLR0913 - as many options
    choice: Choice, file: Path | None, url: str, checksum: str, *, accept_terms: bool, as_json: bool
) -> None:
    """Get ready for care summaries: import the vaccines (CVX) at once, and be led through SNOMED CT."""
    from econnector.office.codes.importer import Wanted  # noqa: PLC0415 - heavy
    from econnector.office.codes.summaries import WHY  # noqa: PLC0415 - heavy

    if file is not None and url:
        raise click.UsageError("Choose one of --file and --url.")
    say = _nothing if as_json else click.echo
    say(f"{WHY}\n")
    vaccines, terms = _steps(choice)
    if not vaccines.done:
        say(words(imported(choice, Wanted(vaccines.row.system.name, shipped=True), quiet=as_json)))
    if not terms.done:
        _lead(choice, terms, file, url, checksum, accept=accept_terms, quiet=as_json)
    found = _steps(choice)
    if as_json:
        print_json(
            [{"system": step.row.system.name, "codes": step.row.system.rows, "done": step.done} for step in found]
        )
    _end(found, quiet=as_json)


def _lead(  # noqa: PLR0913 - what was typed
    choice: Choice, step: "Step", file: Path | None, url: str, checksum: str, *, accept: bool, quiet: bool
) -> None:
    """Lead through SNOMED CT as far as somebody answers."""
    from econnector.office.codes.importer import Wanted  # noqa: PLC0415 - heavy

    asks = not quiet and _somebody_is_there()
    if not quiet:
        click.echo(f"{step.title}. {step.what}")
    if file is None and not url and not step.ready:
        where = _asked(step) if asks else ""
        if not where:
            return
        url, file = (where, None) if "://" in where else ("", Path(where))
    accept = accept or bool(step.row.terms_accepted_by) or (asks and _agrees(step))
    if not accept and not asks:
        _say_terms(step, quiet=quiet)
        return
    if accept:
        where_file = file.absolute() if file else None
        wanted = Wanted(step.row.system.name, where_file, checksum=checksum, accept_terms=True, url=url)
        ended = imported(choice, wanted, quiet=quiet)
        if not quiet:
            click.echo(words(ended))


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


def _asked(step: "Step") -> str:
    _say_errands(step)
    said: str = click.prompt("Where is the file, or its address? (Enter: later)", default="", show_default=False)
    return said.strip().strip("\"'")


def _say_errands(step: "Step") -> None:
    for number, errand in enumerate(step.how, 1):
        click.echo(f"  {number}. {errand.text}{f' {errand.address}' if errand.address else ''}")


def _agrees(step: "Step") -> bool:
    _say_terms(step, quiet=False)
    return click.confirm("Do you accept these terms for this practice?", default=False)


def _say_terms(step: "Step", *, quiet: bool) -> None:
    from econnector.office.codes.importer import terms_shown  # noqa: PLC0415 - heavy

    terms = terms_shown(step.row.system.name)
    if terms is not None and not quiet:
        click.echo(f"\n{terms.words}\nThe full terms of {terms.publisher}: {terms.where}")


def _end(found: "list[Step]", *, quiet: bool) -> None:
    missing = [step for step in found if not step.done]
    if not missing:
        if not quiet:
            click.echo("\nBoth lists are there: nothing is missing for care summaries.")
        return
    if not quiet:
        click.echo(f"\nStill missing: {' and '.join(step.title for step in missing)}.")
        for step in missing:
            _say_errands(step)
            name = step.row.system.name
            if name == "SNOMEDCT":
                where = "" if step.ready else " --file FILE"
                click.echo(f"Then: `econnector codes for-summaries{where} --accept-terms`")
    raise SystemExit(STOPPED)


def _steps(choice: Choice) -> "list[Step]":
    from econnector.office.codes.summaries import steps  # noqa: PLC0415 - heavy

    return steps(on_codes(choice, lambda hand: hand.listed()))


def _nothing(_text: str) -> None:
    pass
