"""`econnector doctor`: what is wrong on this machine, and what to do."""

import asyncio
from pathlib import Path

import click

from econnector.base import logs
from econnector.cli.terminal import console, print_json, state
from econnector.office.doctor import CHECKS
from econnector.office.doctor.check import EXITS, Check, Finding, examine, worst
from econnector.office.doctor.scene import Scene
from econnector.office.settings import find_file

__all__ = ["doctor"]

AREAS = sorted({check.area for check in CHECKS} | {check.id for check in CHECKS})


@click.command()
@click.option("--settings", type=click.Path(path_type=Path), help="The connector's settings file.")
@click.option("--only", "only", multiple=True, type=click.Choice(AREAS), metavar="AREA", help="Area or check; again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--list", "listed", is_flag=True, help="Print what is checked, and check nothing.")
def doctor(settings: Path | None, only: tuple[str, ...], as_json: bool, listed: bool) -> None:
    """Find what is wrong on this machine, and say what to do.

    Everything is looked at side by side, in less than 15 seconds, and nothing is changed. The exit status is the worst
    finding's: 0 ok, 1 attention, 2 problem, 3 unknown.
    """
    chosen = [check for check in CHECKS if not only or {check.id, check.area} & set(only)]
    if listed:
        for check in chosen:
            click.echo(f"{check.id:18} {check.area:10} {check.proves}")
        return
    findings = asyncio.run(_examine(find_file(settings), chosen))
    verdict = worst(findings)
    if as_json:
        print_json({"ok": verdict == "ok", "state": verdict, "findings": findings})
    else:
        for finding in findings:
            _show(finding)
    click.get_current_context().exit(EXITS[verdict])


async def _examine(file: Path | None, chosen: list[Check]) -> list[Finding]:
    logs.configure(None)  # the findings say what happened
    scene = Scene(file)
    try:
        return await examine(scene, chosen)
    finally:
        await scene.close()


def _show(finding: Finding) -> None:
    from rich.text import Text  # noqa: PLC0415 - `--json` and `--list` do not pay for it

    out = console()
    tail = f" ({finding.code} · {finding.reference})" if finding.code else ""
    out.print(Text.assemble(state(finding.state), f"  {finding.check}: {finding.text}", (tail, "bright_black")))
    for detail in finding.details:
        out.print(Text(f"      {detail}", style="bright_black"))
    for number, step in enumerate(finding.remedy, 1):
        out.print(Text(f"      {number}. {step}"))
