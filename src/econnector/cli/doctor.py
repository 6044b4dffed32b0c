"""`econnector doctor`: what is wrong on this machine, what to do, and, when asked, the safe part of it done."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from econnector.base import logs
from econnector.base.clock import SYSTEM
from econnector.cli.terminal import console, plain, print_json, state
from econnector.office.doctor import CHECKS
from econnector.office.doctor.check import EXITS, Check, Finding, examine, worst
from econnector.office.doctor.scene import NotNowError, Scene
from econnector.office.doctor.threads import run
from econnector.office.settings import find_file

if TYPE_CHECKING:
    from econnector.office.doctor.fixing import Mended

__all__ = ["doctor"]

AREAS = sorted({check.area for check in CHECKS} | {check.id for check in CHECKS})
_NEW = "-"
"""What `--bundle` without a file is given: the usual name."""


@click.command()
@click.option("--settings", type=click.Path(path_type=Path), help="The connector's settings file.")
@click.option("--only", "only", multiple=True, type=click.Choice(AREAS), metavar="AREA", help="Area or check; again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--list", "listed", is_flag=True, help="Print what is checked, and check nothing.")
@click.option("--fix", is_flag=True, help="Mend what can be mended safely; each time it asks first.")
@click.option("--yes", is_flag=True, help="With --fix: ask nothing.")
@click.option(
    "--bundle", is_flag=False, flag_value=_NEW, metavar="[FILE]", help="Make the zip for support, with the findings."
)
def doctor(  # noqa: PLR0913, PLR0917 - click passes one per option
    settings: Path | None,
    only: tuple[str, ...],
    as_json: bool,
    listed: bool,
    fix: bool,
    yes: bool,
    bundle: str | None,
) -> None:
    """Find what is wrong on this machine, and say what to do.

    Everything is looked at side by side, in less than 15 seconds, and nothing is changed without --fix. The exit status
    is the worst finding's: 0 ok, 1 attention, 2 problem, 3 unknown.
    """
    if yes and not fix:
        raise click.UsageError("--yes says yes to what --fix asks; give both.")
    if as_json and fix and not yes:
        raise click.UsageError("--json cannot ask; give --yes too.")
    chosen = [check for check in CHECKS if not only or {check.id, check.area} & set(only)]
    if listed:
        for check in chosen:
            click.echo(f"{check.id:18} {check.area:10} {check.proves}")
        return
    logs.configure(None)  # the findings say what happened
    _examine_and_say(_Wish(find_file(settings), chosen, as_json, fix, yes, bundle))


class _Wish(NamedTuple):
    """What was typed."""

    file: Path | None
    chosen: Sequence[Check]
    as_json: bool
    fix: bool
    yes: bool
    bundle: str | None


def _examine_and_say(wish: _Wish) -> None:
    began = time.monotonic()
    findings = run(_examine(wish.file, wish.chosen))
    seconds = round(time.monotonic() - began, 1)
    if not wish.as_json:
        for finding in findings:
            _show(finding)
    mended = _mend(wish, findings) if wish.fix else []
    after = {each.check: each.after for each in mended}
    findings = [after.get(finding.check, finding) for finding in findings]
    made = _bundle(wish.file, findings, wish.bundle) if wish.bundle is not None else None
    verdict = worst(findings)
    if wish.as_json:
        said = {"ok": verdict == "ok", "state": verdict, "seconds": seconds, "findings": findings}
        print_json(said | ({"mended": mended} if wish.fix else {}) | ({"bundle": str(made)} if made else {}))
    elif made:
        click.echo(f"✓ {made} is made. It holds neither secrets nor patients' data; send it to support.")
    click.get_current_context().exit(EXITS[verdict])


async def _examine(file: Path | None, chosen: Sequence[Check]) -> list[Finding]:
    scene = Scene(file)
    try:
        return await examine(scene, chosen)
    finally:
        await scene.close()


def _show(finding: Finding) -> None:
    from rich.text import Text  # noqa: PLC0415 - `--json` and `--list` do not pay for it

    out = console()
    tail = f" ({finding.code} · {finding.reference})" if finding.code else ""
    out.print(Text.assemble(state(finding.state), f"  {finding.check}: {plain(finding.text)}", (tail, "bright_black")))
    for detail in finding.details:
        out.print(Text(f"      {plain(detail)}", style="bright_black"))
    for number, step in enumerate(finding.remedy, 1):
        out.print(Text(f"      {number}. {plain(step)}"))
    if finding.mend:
        out.print(Text(f"      --fix: {plain(finding.mend)}", style="cyan"))


# -- mending --------------------------------------------------------------------------------------------------------


def _mend(wish: _Wish, findings: Sequence[Finding]) -> "list[Mended]":
    """Mend what a person says yes to; return how each went."""
    by_id = {check.id: check for check in wish.chosen}
    offered = [finding for finding in findings if finding.fix]
    if not offered and not wish.as_json:
        click.echo("Nothing was changed: there is nothing that can be mended from here.")
    done = []
    for finding in offered:
        if not wish.yes and not _agreed(f"\n{plain(finding.mend)} Do it?"):
            click.echo("  Nothing was changed.")
            continue
        mended = run(_do(wish.file, by_id[finding.check]))
        done.append(mended)
        if not wish.as_json:
            _say(mended)
    return done


def _agreed(question: str) -> bool:
    """Return whether a person says yes; where nobody is there to answer, nobody did."""
    try:
        return click.confirm(question, default=False)
    except click.Abort as gone:
        if not isinstance(gone.__context__, EOFError):
            raise
        click.echo()
        return False


async def _do(file: Path | None, check: Check) -> "Mended":
    from econnector.office.doctor.fixing import mend  # noqa: PLC0415 - most only look

    mended = await mend(lambda: Scene(file), check)
    if mended.outcome == "mended":
        await _note(file, mended)
    return mended


async def _note(file: Path | None, mended: "Mended") -> None:
    """Leave the trace in Open Dental's audit trail, where its database can be reached."""
    from econnector.cli.office_desk import operator  # noqa: PLC0415 - as above
    from econnector.office.doctor.fixing import note  # noqa: PLC0415 - as above

    with contextlib.suppress(NotNowError):  # settings that cannot be used lead to no database
        await note(Scene(file).loaded, operator(), mended)


def _say(mended: "Mended") -> None:
    sign = {"mended": "ok", "failed": "problem", "needless": "unknown"}[mended.outcome]
    click.echo(f"  {plain(mended.text)}")
    for number, step in enumerate(mended.remedy, 1):
        click.echo(f"      {number}. {plain(step)}")
    if sign != "unknown":
        _show(mended.after)


# -- the zip for support --------------------------------------------------------------------------------------------


def _bundle(file: Path | None, findings: Sequence[Finding], named: str) -> Path:
    from econnector.office.bundle import make_bundle, write_bundle  # noqa: PLC0415 - heavy

    place = Path(f"econnector-{SYSTEM.now().astimezone():%Y-%m-%d-%H%M%S}.zip") if named == _NEW else Path(named)
    place = place.absolute()
    if place.exists():
        raise click.UsageError(f"{place} is there already; name another file.")
    scene = Scene(file)
    try:
        loaded = None if scene.settings_failure else scene.loaded
        write_bundle(place, asyncio.run(make_bundle(loaded, findings=findings)))
    except FileExistsError:
        raise click.UsageError(f"{place} is there already; name another file.") from None
    except OSError as error:
        raise click.FileError(str(place), error.strerror) from None
    return place
