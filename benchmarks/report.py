"""A table: on the terminal, as JSON, and in docs/performance.md between its two marks."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from econnector.base.version import version

__all__ = ["LARGE", "write"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
TABLE, LARGE = "table", "large"
"""The tables of `make bench` and of `make bench-large`."""
_HEAD = ("what", "ours", "beside it", "ratio", "bar")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else "–"
    return row["what"], row["ours"], row.get("beside", "–"), ratio, row.get("target", "–")


def _markdown(rows: list[dict[str, Any]]) -> str:
    lines = ["| " + " | ".join(_HEAD) + " |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def write(rows: list[dict[str, Any]], seconds: float, which: str = TABLE, what: str = "") -> Path:
    """Print the rows, write them as JSON and into the page; return the JSON file.

    `which` table of the page it is; `what` it is about, where that is not always the same.
    """
    table = Table(*_HEAD, title="ratios of figures within this run")
    for row in rows:
        table.add_row(*_cells(row))
    Console().print(table)
    RESULTS.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    file = RESULTS / (f"{now:%Y-%m-%d}.json" if which == TABLE else f"{now:%Y-%m-%d}-{which}.json")
    told = {"version": version(), "machine": "2 cores", "at": now.isoformat(timespec="seconds"), "rows": rows}
    file.write_text(json.dumps(told | {"seconds": round(seconds)}, indent=1, ensure_ascii=False) + "\n")
    page = PAGE.read_text()
    mark = f"<!-- {which} -->"
    begin, end = page.index(mark) + len(mark), page.index(f"<!-- end of {which} -->")
    about = f" {what}." if what else ""
    head = f"\n\nVersion {version()}, {now:%Y-%m-%d}, 2 cores.{about}\n\n"
    PAGE.write_text(page[:begin] + head + _markdown(rows) + "\n\n" + page[end:])
    return file
