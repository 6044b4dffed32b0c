"""How the command line speaks: failures, tables, JSON. Rich is imported only where something is printed."""

import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from econnector.base.errors import Failure

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["STATES", "console", "failure_fields", "plain", "print_json", "print_table", "show_failure", "state"]

STATES = {
    "ok": ("green", "✓"),
    "attention": ("yellow", "!"),
    "problem": ("red", "✗"),
    "unknown": ("bright_black", "?"),
}
"""The four states of the design kit: colour and sign; the word always stands beside them."""


_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return a text without what commands a terminal or turns its writing round: offices and servers say anything."""
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


def console(*, stderr: bool = False) -> "Console":
    """Return a console on standard output or standard error; plain text where that is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - `--help` does not pay for it

    return Console(stderr=stderr, highlight=False, soft_wrap=True, legacy_windows=False)


def print_json(value: object) -> None:
    """Print `value` (Structs, dates and plain data) as indented JSON on standard output."""
    import msgspec  # noqa: PLC0415 - as above

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print `rows` under `headings` (all empty: none); every cell becomes text, markup in it is not interpreted."""
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    head = Text(plain(title), style="table.title") if title else None
    table = Table(title=head, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.show_header = any(headings)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(plain(str(cell))) for cell in row))
    console().print(table)


def state(word: str) -> Any:
    """Return one of the four states as sign and word, coloured (a rich Text)."""
    from rich.text import Text  # noqa: PLC0415 - as above

    colour, sign = STATES.get(word, STATES["unknown"])
    return Text(f"{sign} {word}", style=colour)


def failure_fields(failure: Failure) -> dict[str, object]:
    """Return a failure as the JSON that `--json` prints for it."""
    return {
        "ok": False,
        "code": failure.code,
        "title": failure.title,
        "cause": failure.office_text(),
        "remedy": list(failure.remedy_steps()),
        "facts": failure.facts,
        "reference": failure.reference,
        "check": failure.check,
        "exit": failure.exit,
    }


def show_failure(failure: Failure, *, json: bool = False, log: str = "") -> int:
    """Print cause, numbered remedy, code and reference on standard error; return the exit status.

    The title is left out: it is a page's, and speaks to patients. With `json`, print `failure_fields` on standard
    output instead. `log` is the path of the file with the details.
    """
    if json:
        print_json(failure_fields(failure))
        return failure.exit
    from rich.text import Text  # noqa: PLC0415 - as above

    out = console(stderr=True)
    out.print(Text.assemble(("✗ ", "red"), (plain(failure.office_text()), "bold red")))
    for number, step in enumerate(failure.remedy_steps(), 1):
        out.print(Text(f"  {number}. {plain(step)}"))
    tail = f"  code {failure.code} · reference {failure.reference}" + (f" · log {log}" if log else "")
    out.print(Text(tail, style="bright_black"))
    sys.stderr.flush()
    return failure.exit
