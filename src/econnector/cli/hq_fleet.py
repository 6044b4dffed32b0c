"""`econnector hq fleet`: every office in one line, with the same facts and words as the fleet page."""

from typing import Any

import click

from econnector.cli.hq_office import Desk, at_desk, when
from econnector.cli.terminal import STATES, print_json, print_table
from econnector.hq.admin.words import CEMT_STATES, SIGNS, WORDS
from econnector.hq.registry import fleet as registry
from econnector.hq.registry.fleet import STATUSES, Line, Wanted

__all__ = ["fleet"]


@click.command()
@at_desk
@click.option("--status", type=click.Choice(STATUSES), default=None, help="Only offices that are so.")
@click.option("--name", default="", metavar="PART", help="Only offices with this in name or title.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fleet(desk: Desk, status: str | None, name: str, as_json: bool) -> None:
    """Show every office: how it is for HQ, and what Open Dental's enterprise tool (CEMT) shows of its database.

    The connector works CEMT's word out in the database by CEMT's own rule and says it every minute. When HQ has heard
    nothing for six minutes the rule makes it Critical; in the database itself heartbeats may then still be seen, if it
    is only the way to HQ that is broken (`current` is false in the JSON).
    """
    found = desk.do(registry.look, Wanted(name=name, status=status or "", size=None), desk.now)
    if as_json:
        print_json(found.lines)
        return
    heads = ["office", "status", "since", "CEMT", "version", "heartbeat", "outage", "last failure"]
    print_table(heads, map(_row, found.lines))
    counts = ", ".join(f"{count} {WORDS[word].lower()}" for word, count in found.counts.items() if count)
    click.echo(f"All offices: {counts}." if counts else "There is no office yet.")


def _row(line: Line) -> tuple[object, ...]:
    return (
        line.name,
        _said(SIGNS[line.status], WORDS[line.status]),
        when(line.since),
        _said(CEMT_STATES.get(line.cemt.status, "unknown"), line.cemt.status) if line.cemt.status else "–",
        f"{line.version or '–'}{' (behind)' if line.behind else ''}",
        when(line.heartbeat_at),
        f"{when(line.outage_since)} {line.outage_cause}" if line.outage_since else "–",
        line.failure or (f"{line.failed_code} {line.failed_reference}" if line.failed_code else "–"),
    )


def _said(state: str, words: str) -> Any:
    from rich.text import Text  # noqa: PLC0415 - `--json` does not pay for it

    colour, sign = STATES[state]
    return Text(f"{sign} {words}", style=colour)
