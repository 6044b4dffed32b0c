"""The house's shape: what `make check` cannot say about files, names and the front page."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from econnector.base.version import version

ROOT = Path(__file__).resolve().parent.parent
SOURCE = sorted((ROOT / "src" / "econnector").rglob("*.py"))
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
FORBIDDEN = {"utils", "util", "common", "helpers", "core", "misc"}


def functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("file", SOURCE, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_a_file_can_be_held_in_the_head(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert [name for name, lines in functions(file) if lines > MOST_FUNCTION_LINES] == []
    assert not FORBIDDEN & {part.removesuffix(".py") for part in file.relative_to(ROOT / "src").parts}


def test_most_functions_are_short() -> None:
    lengths = sorted(lines for file in SOURCE for _, lines in functions(file))
    assert lengths[len(lengths) // 2] <= 10


def test_changelog_and_package_say_the_same_version() -> None:
    newest = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert newest
    assert newest[1] == project["version"] == version()


@pytest.mark.parametrize(
    "page", sorted(p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda p: p.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_map_names_every_room() -> None:
    shown = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [folder.name for folder in (ROOT / "src" / "econnector").iterdir() if (folder / "__init__.py").exists()]
    assert [room for room in rooms if f"  {room}/" not in shown] == []
