"""The documents' pictures: each that a page shows is there, is small, and is taken by a test; no other lies around."""

import re
from pathlib import Path

import pytest

from tests.support.pictures import FOLDER, LARGEST

ROOT = Path(__file__).resolve().parent.parent
MOST = 8
"""Pictures in all: more would be out of date sooner than anybody looks."""
TAKEN = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r'take_picture\(\s*[\w.]+,\s*"([\w.-]+)"', file.read_text(encoding="utf-8"))
}
SHOWN = {
    (page.name, name): words
    for page in (ROOT / "docs").glob("*.md")
    for words, name in re.findall(r"!\[([^\]]*)\]\(pictures/([^)]+)\)", page.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize(("page", "name"), SHOWN, ids=str)
def test_a_picture_that_a_page_shows_is_there_and_is_taken_by_a_test(page: str, name: str) -> None:
    file = FOLDER / name
    assert file.exists(), f"{page} shows {name}: take it with DOCS_PICTURES=1"
    assert file.read_bytes()[8:12] == b"WEBP"
    assert file.stat().st_size <= LARGEST
    assert name in TAKEN, f"no test takes {name}"
    assert SHOWN[page, name].strip(), "who cannot see the picture reads its words"


def test_no_picture_lies_around_that_nobody_shows() -> None:
    shown = {name for _, name in SHOWN}
    assert {file.name for file in FOLDER.iterdir()} == shown == TAKEN
    assert len(shown) <= MOST
