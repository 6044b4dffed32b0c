"""Print docs/errors.md: the catalogue, the tests that cause each failure, and what is proved of what people meet today.

The tests are only read, never run or imported: `tests/support/causing.py` keeps their marks honest.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "src") not in sys.path:
    sys.path.insert(0, str(ROOT / "src"))

from econnector.cli.errors import errors_page  # noqa: E402 - it is found only now

__all__ = ["SEES", "Cause", "Mark", "causes", "marks", "page", "rows"]

SEES = {
    "patient": "the patient reads",
    "history": "the office reads",
    "doctor": "the doctor finds",
    "again": "works again",
}
"""What can be proved of a cause, and how the table's head calls it."""


@dataclass(frozen=True)
class Mark:
    """One `@pytest.mark.causes(…)` of a test."""

    test: str
    """Such as `tests/office/test_doctor.py::test_it_works`."""
    codes: tuple[str, ...]
    row: str = ""
    sees: frozenset[str] = frozenset()
    aside: bool = False
    body: str = ""
    """The test's own lines."""


@dataclass(frozen=True)
class Cause:
    """One cause of what people meet today."""

    name: str
    """As marks name it: `ROW: CAUSE`."""
    today: str
    cause: str
    needs: tuple[str, ...]
    why: str
    """Why not everything is needed."""


def rows(file: Path = ROOT / "tests" / "failures" / "rows.toml") -> list[Cause]:
    """Return every cause of every row, in their order."""
    found = tomllib.loads(file.read_text("utf-8"))
    return [_cause(name, row, each) for name, row in found.items() for each in row["causes"]]


def _cause(name: str, row: dict[str, Any], said: str | dict[str, Any]) -> Cause:
    own = {"cause": said} if isinstance(said, str) else said
    both = {"needs": tuple(SEES), "why": ""} | row | own
    return Cause(f"{name}: {both['cause']}", both["today"], both["cause"], tuple(both["needs"]), both["why"])


def marks(folder: Path = ROOT / "tests") -> list[Mark]:
    """Return every mark of every test below `folder`, by file and then as they stand there."""
    return [mark for file in sorted(folder.rglob("test_*.py")) for mark in _marks_in(file, folder)]


def causes(found: list[Mark]) -> dict[str, list[str]]:
    """Return for each code the tests that cause it."""
    by_code: dict[str, list[str]] = {}
    for mark in found:
        for code in mark.codes:
            tests = by_code.setdefault(code, [])
            tests += [mark.test] if mark.test not in tests else []
    return by_code


def _marks_in(file: Path, folder: Path) -> Iterator[Mark]:
    source = file.read_text("utf-8")
    if "mark.causes(" not in source:
        return
    tree = ast.parse(source)
    named = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    place = file.relative_to(folder.parent).as_posix()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_"):
            lines = "\n".join(ast.unparse(each) for each in function.body)
            for decorator in function.decorator_list:
                for call in _calls(decorator, named):
                    yield _mark(call, f"{place}::{function.name}", lines)


def _calls(node: ast.AST, named: dict[str, ast.expr]) -> Iterator[ast.Call]:
    """Yield every `….causes(…)` in a decorator, and in the lists of the module that it names."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "causes":
            yield each
        elif isinstance(each, ast.Name) and each.id in named:
            yield from _calls(named[each.id], {})


def _mark(call: ast.Call, test: str, body: str) -> Mark:
    values = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
    sees = frozenset(values.get("sees", "").replace(",", " ").split())
    codes = tuple(ast.literal_eval(each) for each in call.args)
    return Mark(test, codes, values.get("row", ""), sees, values.get("aside", False), body)


def page() -> str:
    """Return docs/errors.md."""
    found = marks()
    return errors_page(causes(found)) + "".join(_table(found))


def _table(found: list[Mark]) -> Iterator[str]:
    yield "\n# What people meet today, and what is proved of it\n\n"
    yield "Each cause is really caused. A number stands for the test below the table, – for what needs no proof.\n\n"
    yield f"| today's message | cause | {' | '.join(SEES.values())} | |\n|---|---|{'---|' * len(SEES)}---|\n"
    tests: list[str] = []
    reasons: dict[str, str] = {}
    before = ""
    for cause in rows():
        mine = [mark for mark in found if mark.row == cause.name]
        tests += [test for test in dict.fromkeys(mark.test for mark in mine) if test not in tests]
        cells = [_cell(mine, need, tests, needed=need in cause.needs) for need in SEES]
        state = "red" if "**missing**" in cells else "green"
        yield f"| {cause.today if cause.today != before else ''} | {cause.cause} | {' | '.join(cells)} | {state} |\n"
        before = cause.today
        if cause.why:
            reasons.setdefault(cause.today, cause.why)
    yield "\n" + "".join(f"{number}. `{test}`\n" for number, test in enumerate(tests, 1))
    yield "\nNot everything needs a proof:\n\n" + "".join(f"- *{today}*: {why}.\n" for today, why in reasons.items())


def _cell(mine: list[Mark], need: str, tests: list[str], *, needed: bool) -> str:
    numbers = sorted({tests.index(mark.test) + 1 for mark in mine if need in mark.sees})
    return ", ".join(map(str, numbers)) or ("**missing**" if needed else "–")


if __name__ == "__main__":
    print(page(), end="")
