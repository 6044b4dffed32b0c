"""`econnector codes import` and `cancel`: one code system into Open Dental's table, and stopping that."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from econnector.cli.choice import Choice, json_option, whoever_types, with_settings
from econnector.cli.terminal import console, print_json

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from econnector.office.codes.importer import Codes, Wanted
    from econnector.office.codes.job import Job
    from econnector.storage.state.code_downloads import Download
    from econnector.storage.state.code_imports import Progress

__all__ = ["STOPPED", "cancel", "import_codes", "imported", "on_codes", "words"]

R = TypeVar("R")

STOPPED = 75
"""Exit status of an import that was cancelled: it may be run again, and goes on."""
_WAIT_SECONDS = 60.0
_LOOK_SECONDS = 0.1

_NAME = click.argument("name", metavar="NAME")


@click.command("import")
@_NAME
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file: a text with tabs between its columns, a zip with one, or as the publisher gives it out.",
)
@click.option("--url", default="", metavar="ADDRESS", help="Download the file from here (https://…) first.")
@click.option("--shipped", is_flag=True, help="Take what comes with eConnector, whatever HQ offers.")
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
    url: str,
    *,
    release: str,
    checksum: str,
    shipped: bool,
    keep_old: bool,
    accept_terms: bool,
    as_json: bool,
) -> None:
    """Import NAME: from a file, an address, what HQ offers, or what comes with eConnector.

    A download or an import that was cut off goes on where it stopped; nothing is ever there twice.
    """
    from econnector.office.codes.importer import Wanted  # noqa: PLC0415 - heavy

    if (file is not None) + bool(url) + shipped > 1:
        raise click.UsageError("Choose one of --file, --url and --shipped.")
    where = file.absolute() if file else None
    wanted = Wanted(name, where, keep_old, release, checksum, accept_terms, url, shipped)
    ended = imported(choice, wanted, quiet=as_json)
    if as_json:
        print_json(ended)
    else:
        click.echo(words(ended))
    if ended.status != "complete":
        raise SystemExit(STOPPED)


@click.command()
@_NAME
@with_settings
def cancel(choice: Choice, name: str) -> None:
    """Cancel the import of NAME, whichever process runs it; importing it again goes on where it was."""

    async def stop(hand: "Codes") -> bool:
        await hand.cancel(whoever_types(), name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WAIT_SECONDS):
                while hand.runs(name.upper()):  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(_LOOK_SECONDS)
                return True
        return False

    if on_codes(choice, stop):
        click.echo(f"{name.upper()}: Import cancelled. Importing it again goes on where it was.")
    else:
        click.echo(f"{name.upper()} has not stopped yet; it does behind the batch that it is writing.")
        raise SystemExit(STOPPED)


def imported(choice: Choice, wanted: "Wanted", *, quiet: bool) -> "Progress":
    """Import, with a bar unless `quiet`; return how it ended."""

    async def work(hand: "Codes") -> "Progress":
        async with await hand.prepare(whoever_types(), wanted) as job:
            with _stopping(job):
                return await (job.run() if quiet else _with_bar(job))

    return on_codes(choice, work)


@contextlib.contextmanager
def _stopping(job: "Job") -> Iterator[None]:
    """Let Ctrl-C stop behind the batch that is being written."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, job.cancel)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or a thread: Ctrl-C cancels the task
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _with_bar(job: "Job") -> "Progress":
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - heavy
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[many]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=console(stderr=True), transient=True) as bar:
        return await _shown(job, bar)


async def _shown(job: "Job", bar: "Bar") -> "Progress":
    from econnector.office.codes.words import DOWNLOADING, IMPORTING, PUTTING, size  # noqa: PLC0415 - heavy

    name = job.progress.system
    task = bar.add_task(name, total=1.0, many="")

    def fetched(load: "Download") -> None:
        of = f" of {size(load.total)}" if load.total else ""
        many = f"{size(load.done)}{of}, {size(load.rate)}/s"
        bar.update(task, description=f"{DOWNLOADING} {name}", completed=load.share, many=many)

    def told(progress: "Progress") -> None:
        many = f"{progress.reached:,} lines, {progress.rate:,.0f}/s"
        word = PUTTING if progress.putting else IMPORTING
        bar.update(task, description=f"{word} {name}", completed=progress.share, many=many)

    return await job.run(told, fetched)


def words(ended: "Progress") -> str:
    """Return how an import ended, for people."""
    counts = f"{ended.added:,} new, {ended.changed:,} changed, {ended.same:,} as before"
    more = f", {ended.shortened:,} texts shortened to fit" if ended.shortened else ""
    bad = f", {ended.bad:,} lines could not be read (`econnector codes bad-lines {ended.system}`)" if ended.bad else ""
    if ended.status == "complete":
        return f"{ended.system} {ended.version} is imported: {counts}{more}{bad}."
    if not ended.digest:
        return f"{ended.system}: Import cancelled while it was downloaded. Import it again to go on there."
    at = f"at line {ended.line:,}: {counts}{more}{bad}"
    return f"{ended.system}: Import cancelled {at}. Import it again to go on there."


def on_codes(choice: Choice, work: "Callable[[Codes], Awaitable[R]]") -> R:
    """Return what is done at this practice's database, beside a connector that may run."""
    from econnector.office.codes.open import codes_of  # noqa: PLC0415 - heavy

    async def done() -> R:
        async with codes_of(choice.load()) as hand:
            return await work(hand)

    return asyncio.run(done())
