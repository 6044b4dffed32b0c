"""A table: on the terminal, as JSON, and in docs/performance.md between its two marks."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from econnector.base.version import version

__all__ = ["LARGE", "PEERS", "ROOT", "SCALE", "keep", "markdown", "show", "write"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
TABLE, LARGE, PEERS, SCALE = "table", "large", "peers", "scale"
"""The tables of `make bench`, `bench-large`, `bench-peers` and `bench-scale`."""
_HEAD = ("what", "ours", "beside it", "ratio", "bar")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else "–"
    return row["what"], row["ours"], row.get("beside", "–"), ratio, row.get("target", "–")


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table of a page."""
    told = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(told + ["| " + " | ".join(line) + " |" for line in lines])


def show(title: str, head: Sequence[str], lines: Iterable[Sequence[str]], width: int | None = None) -> None:
    """Print a table; `width` in characters where nobody's terminal says one."""
    table = Table(*head, title=title)
    for line in lines:
        table.add_row(*line)
    console = Console()
    (console if console.is_terminal or width is None else Console(width=width)).print(table)


def keep(which: str, told: dict[str, Any], tables: str, seconds: float, what: str = "") -> Path:
    """Write what a run found as JSON, and its tables into the page; return the JSON file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    file = RESULTS / (f"{now:%Y-%m-%d}.json" if which == TABLE else f"{now:%Y-%m-%d}-{which}.json")
    known = {"version": version(), "machine": "2 cores", "at": now.isoformat(timespec="seconds"), **told}
    file.write_text(json.dumps(known | {"seconds": round(seconds)}, indent=1, ensure_ascii=False) + "\n")
    page = PAGE.read_text()
    mark = f"<!-- {which} -->"
    begin, end = page.index(mark) + len(mark), page.index(f"<!-- end of {which} -->")
    about = f" {what}." if what else ""
    head = f"\n\nVersion {version()}, {now:%Y-%m-%d}, 2 cores.{about}\n\n"
    PAGE.write_text(page[:begin] + head + tables + "\n\n" + page[end:])
    return file


def write(rows: list[dict[str, Any]], seconds: float, which: str = TABLE, what: str = "") -> Path:
    """Print the rows, write them as JSON and into the page; return the JSON file.

    `which` table of the page it is; `what` it is about, where that is not always the same.
    """
    lines = [_cells(row) for row in rows]
    show("ratios of figures within this run", _HEAD, lines)
    return keep(which, {"rows": rows}, markdown(_HEAD, lines), seconds, what)
