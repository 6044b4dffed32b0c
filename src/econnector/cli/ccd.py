"""`econnector ccd`: care summaries (C-CDA) at the command line: what is missing for them, and their files."""

import asyncio
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from econnector.cli.choice import Choice, json_option, whoever_types, with_settings
from econnector.cli.terminal import print_json, print_table

if TYPE_CHECKING:
    from econnector.office.summaries import Exported, Readiness, Summaries

__all__ = ["ccd"]

R = TypeVar("R")

SHORT = 1
"""Exit status where something is missing, so that a script sees it."""

_PATIENT = click.option(
    "--patient", type=click.IntRange(1, 2**63 - 1), metavar="NUMBER", help="One patient, by PatNum."
)
_ALL = click.option("--all", "everybody", is_flag=True, help="Everybody whom the patient portal can show.")
_DAY = click.DateTime(["%Y-%m-%d"])
_TYPED = "YYYY-MM-DD"


@click.group()
def ccd() -> None:
    """Care summaries (C-CDA): see what is missing for them, write them as files."""


@ccd.command()
@_PATIENT
@_ALL
@json_option
@with_settings
def check(choice: Choice, patient: int | None, *, everybody: bool, as_json: bool) -> None:
    """Show what must be recorded before care summaries can be made; without --patient, for everybody.

    Exit status 0: nothing is missing; 1: something is.
    """
    _one_of(patient, everybody=everybody)
    found = _do(choice, lambda hand: hand.check(patient or 0))
    if as_json:
        print_json(found)
    else:
        _show(found)
    if not found.ready:
        sys.exit(SHORT)


def _show(found: "Readiness") -> None:
    if found.everywhere:
        click.echo("Missing for everybody:")
        for one in found.everywhere:
            click.echo(f"  {one.text}")
    if found.short:
        click.echo("Missing in single charts:")
        rows = [
            (one.patient.number, one.patient.name if place == 0 else "", lacks.text)
            for one in found.short
            for place, lacks in enumerate(one.missing)
        ]
        print_table(("number", "patient", "missing"), rows)
    whom = "1 patient was" if found.looked_at == 1 else f"{found.looked_at:,} patients were"
    ready = 0 if found.everywhere else found.looked_at - len(found.short)
    click.echo(f"{whom} looked at; for {ready:,} a care summary can be made.")


@ccd.command()
@_PATIENT
@_ALL
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write to.")
@click.option("--from", "first", type=_DAY, metavar=_TYPED, help="Only what happened from this day on.")
@click.option("--to", "last", type=_DAY, metavar=_TYPED, help="Only what happened up to this day.")
@json_option
@with_settings
def export(  # noqa: PLR0913 - what may be typed
    choice: Choice,
    patient: int | None,
    out: Path,
    first: dt.datetime | None,
    last: dt.datetime | None,
    *,
    everybody: bool,
    as_json: bool,
) -> None:
    """Write care summaries as XML files on this machine; each leaves a trace in the audit trail.

    The files hold patients' records: only the account that writes them can read them. Exit status 0: all were written;
    1: something is missing in single charts, which are named.
    """
    if _one_of(patient, everybody=everybody) == 0:
        raise click.UsageError("Say whose: --patient NUMBER or --all.")
    if first and last and last < first:
        raise click.BadParameter("it is before --from", param_hint="--to")
    _prepare(out)

    async def work(hand: "Summaries") -> "tuple[list[Path], list[Exported]]":
        from econnector.opendental.summary.records import Period  # noqa: PLC0415 - heavy

        period = Period(first.date() if first else None, last.date() if last else None)
        numbers = [patient] if patient else await hand.everybody()
        return await _write(hand.export(whoever_types(), numbers, period), out)

    written, left_out = _do(choice, work)
    if as_json:
        print_json({"written": [str(path) for path in written], "left_out": [_left_out(one) for one in left_out]})
    else:
        click.echo(f"Written to {out}: {len(written):,}.")
        for one in left_out:
            click.echo(f"Not written for {one.patient.number}: {'; '.join(lacks.text for lacks in one.missing)}")
    if left_out:
        sys.exit(SHORT)


def _left_out(one: "Exported") -> dict[str, object]:
    return {"patient": one.patient.number, "missing": one.missing}


def _one_of(patient: int | None, *, everybody: bool) -> int:
    """Return how many of the two were typed. Raises for both."""
    if patient and everybody:
        raise click.UsageError("Say either --patient NUMBER or --all.")
    return (patient is not None) + everybody


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"the folder cannot be made: {error.strerror}", param_hint="--out") from None
    if not os.access(folder, os.W_OK):
        raise click.BadParameter("this account may not write to the folder", param_hint="--out")


async def _write(made: "AsyncIterator[Exported]", folder: Path) -> "tuple[list[Path], list[Exported]]":
    written, left_out = [], []
    async for one in made:
        if one.missing:
            left_out.append(one)
            continue
        # The number, not the name: a file's name is seen where its content is not.
        path = folder / f"care-summary-{one.patient.number}.xml"
        await asyncio.to_thread(_put, path, one.content)
        written.append(path)
    return written, left_out


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable to its owner alone."""
    half = path.with_suffix(".part")
    half.unlink(missing_ok=True)
    with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _do(choice: Choice, work: "Callable[[Summaries], Awaitable[R]]") -> R:
    """Return what is done with the practice's care summaries."""
    from econnector.office.opened import opened  # noqa: PLC0415 - heavy
    from econnector.office.summaries import Summaries  # noqa: PLC0415 - as above
    from econnector.opendental.schema import Schemas  # noqa: PLC0415 - as above

    async def done() -> R:
        loaded = choice.load()
        async with opened(loaded, statement_seconds=_STATEMENT_SECONDS) as there:
            return await work(Summaries(there.database, there.state, Schemas(), loaded.value.machine_name))

    return asyncio.run(done())


_STATEMENT_SECONDS = 60.0
