"""`econnector office logs`: the log for a person, its level, and the bundle for support."""

import asyncio
import datetime as dt
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from econnector.base import logs
from econnector.base.clock import SYSTEM
from econnector.base.settings import Loaded
from econnector.cli.choice import Choice, json_option, with_settings
from econnector.cli.terminal import print_json
from econnector.office.settings import Settings

__all__ = ["logs_command"]

LEVELS = ("error", "warning", "information", "info", "verbose", "debug")
_USUAL = dt.timedelta(hours=24)


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> dt.datetime | None:
    try:
        return logs.since(text, SYSTEM.now()) if text else None
    except ValueError:
        raise click.BadParameter(f"{text} is neither like 2h, 30m, 3d nor a date like 2026-11-21") from None


@click.command("logs")
@click.option("--since", "moment", metavar="TIME", callback=_moment, help="From 2h, 30m or 3d ago, or from a date on.")
@click.option("--area", default="", metavar="AREA", help="Only one area, such as Link, Database, Mail, Window, Portal.")
@click.option("--reference", default="", metavar="XXXX-XXXX", help="Only what belongs to this reference.")
@click.option("--least", type=click.Choice(LEVELS, case_sensitive=False), help="Only lines of this level and graver.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option(
    "--level",
    type=click.Choice((*LEVELS, "default"), case_sensitive=False),
    help="Change how much is written, without a restart; `default` goes back to the settings file's.",
)
@click.option("--bundle", type=click.Path(path_type=Path), metavar="FILE.zip", help="Make a zip for support.")
@json_option
@with_settings
def logs_command(  # noqa: PLR0913, PLR0917 - one option each
    choice: Choice,
    moment: dt.datetime | None,
    area: str,
    reference: str,
    least: str | None,
    follow: bool,
    level: str | None,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Read the log, change its level, or make a bundle for support.

    Without --since, the last 24 hours; with --reference, all there is. The running connector takes a new --level
    within seconds and keeps it over restarts. The bundle holds logs, status, settings and the doctor's findings of
    the last days, and neither secrets nor patients' data.
    """
    loaded = choice.load()
    if level is not None:
        _switch(loaded, "" if level == "default" else level, as_json=as_json)
    elif bundle is not None:
        _make_bundle(loaded, bundle, as_json=as_json)
    else:
        least_number = logs.level_of(least) if least else 0
        start = moment or (None if reference else SYSTEM.now() - _USUAL)
        folder = loaded.value.log_folder
        wish: dict[str, Any] = {"area": area, "level": least_number, "reference": reference}
        ends = logs.ends(folder, area)  # what is written while the old lines are printed is not lost between the two
        if not _print(logs.read(folder, since=start, until=ends, **wish), as_json=as_json):
            click.echo(_nothing(folder, area, start, least), err=True)
        if follow:
            _print(logs.follow(folder, start=ends, **wish), as_json=as_json)


def _nothing(folder: Path, area: str, start: dt.datetime | None, least: str | None) -> str:
    """Return why nothing is to be seen, and what to do."""
    known = sorted({file.parent.parent.name for file in logs.log_files(folder)})
    if area and area.lower() not in {each.lower() for each in known}:
        return f"The log has no area {area} so far; it has {', '.join(known) or 'none'}."
    if start is None:
        return "The log has no line with this reference. Next: `econnector office failure REFERENCE`."
    of = f" of level {least} or graver" if least else ""
    return f"The log has no line{of} since {start.astimezone():%Y-%m-%d %H:%M}. Look further back: --since 7d."


def _print(lines: Iterable[logs.Line], *, as_json: bool) -> int:
    """Print lines as they come; return how many."""
    count = 0
    try:
        for count, line in enumerate(lines, 1):  # noqa: B007 - the last number counts
            click.echo(logs.clean_line(line) if as_json else line.text())
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return count


def _switch(loaded: Loaded[Settings], word: str, *, as_json: bool) -> None:
    from econnector.office import loglevel  # noqa: PLC0415 - reading the log needs no database
    from econnector.storage.state.base import join_state  # noqa: PLC0415 - as above

    async def switch() -> str:
        state = await join_state(loaded.value.state_file)
        try:
            await loglevel.choose(state, word)
            return await loglevel.chosen(state, loaded.value.log.level)
        finally:
            await state.close()

    now = asyncio.run(switch())
    if as_json:
        print_json({"ok": True, "level": now})
    else:
        click.echo(f"✓ The log level is {now}. A running connector takes it within seconds.")


def _make_bundle(loaded: Loaded[Settings], file: Path, *, as_json: bool) -> None:
    from econnector.office.bundle import make_bundle  # noqa: PLC0415 - heavy

    if file.exists():
        raise click.UsageError(f"{file} is there already; name another file.")
    made: Any = asyncio.run(make_bundle(loaded))
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError:
        raise click.UsageError(f"{file} is there already; name another file.") from None
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from None
    with os.fdopen(handle, "wb") as stream:
        stream.write(made)
    if as_json:
        print_json({"ok": True, "file": str(file), "bytes": len(made)})
    else:
        click.echo(f"✓ {file} is made ({len(made) // 1024 + 1} kB). It holds neither secrets nor patients' data.")
        click.echo("  Next: send it to support with the reference, if you have one.")
