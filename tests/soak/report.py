"""What a soak has seen, as a table: on the terminal, and in docs/performance.md between its two marks."""

import datetime as dt
import re
from pathlib import Path
from typing import NamedTuple

from econnector.base.version import version
from tests.soak.account import Account
from tests.soak.controller import Controller
from tests.soak.writes import Judged

__all__ = ["Run", "markdown", "run_of", "write"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
_MARK, _END = "<!-- soak -->", "<!-- end of soak -->"
_OUTCOMES = ("right", "kind page", "no answer")
_DIGITS = re.compile(r"\d+")


class Run(NamedTuple):
    """One stage's run."""

    name: str
    seed: int
    rows: dict[str, str]
    wrongs: list[str]


def run_of(  # noqa: PLR0917 - what a run has seen
    name: str, seed: int, seconds: float, controller: Controller, account: Account, judged: dict[str, Judged]
) -> Run:
    """Return the run as rows."""
    rows = {"minutes": f"{seconds / 60:.1f}", "storms": str(controller.storms)}
    faults: dict[str, list[str]] = {}
    for what, count in sorted(controller.done.items()):
        part, how = next((p, what.removeprefix(f"{p} ")) for p in controller.parts if what.startswith(f"{p} "))
        faults.setdefault(part, []).append(f"{how} {count}")
    rows |= {f"faults: {part}": ", ".join(ways) for part, ways in faults.items()}
    for outcome in _OUTCOMES:
        rows[f"requests: {outcome}"] = str(sum(n for (_, one), n in account.counts.items() if one == outcome))
    for kind, one in judged.items():
        rows[f"{kind}: acknowledged / refused / uncertain (took place)"] = (
            f"{one.acknowledged} / {one.refused} / {one.uncertain} ({one.took})"
        )
        rows[f"{kind}: lost / twice / never sent"] = f"{len(one.lost)} / {len(one.twice)} / {len(one.ghosts)}"
    waits = sorted(controller.recoveries)
    rows["serves again without help after"] = f"{waits[len(waits) // 2]:.1f} s (half), {waits[-1]:.1f} s (longest)"
    return Run(name, seed, rows | account.facts, _alike(account))


def _alike(account: Account) -> list[str]:
    found: dict[str, list[str]] = {}
    for wrong in account.wrongs:
        found.setdefault(_DIGITS.sub("#", wrong.what), []).append(f"{wrong.who}: {wrong.what}")
    return [f"{len(each)} ×, first {each[0]}" for each in found.values()]


def markdown(runs: list[Run]) -> str:
    """Return the table, and what was wrong under it."""
    names = list(dict.fromkeys(name for run in runs for name in run.rows))
    lines = ["| what | " + " | ".join(run.name for run in runs) + " |", "|---" * (len(runs) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(run.rows.get(name, "–") for run in runs) + " |" for name in names]
    lines.append("| **wrong** | " + " | ".join(f"**{len(run.wrongs) or 'nothing'}**" for run in runs) + " |")
    wrongs = [f"* {run.name}: {wrong}" for run in runs for wrong in run.wrongs]
    return "\n".join(lines) + ("\n\n" + "\n".join(wrongs) if wrongs else "")


def write(runs: list[Run], page: Path = PAGE) -> None:
    """Put the runs' table into the page."""
    text = page.read_text()
    begin, end = text.index(_MARK) + len(_MARK), text.index(_END)
    head = f"\n\nVersion {version()}, {dt.datetime.now(dt.UTC):%Y-%m-%d}, 2 cores, seed {runs[0].seed}.\n\n"
    page.write_text(text[:begin] + head + markdown(runs) + "\n\n" + text[end:])
