"""The stylesheet keeps its own rules."""

import re
from pathlib import Path

SHEET = (Path(__file__).parents[2] / "src/econnector/web/static/kit.css").read_text(encoding="utf-8")
TOKENS, _, REST = SHEET.partition("@layer base {")


def test_every_colour_of_two_schemes_is_a_token_and_has_one_for_older_browsers() -> None:
    assert "light-dark(" not in REST
    fallback = TOKENS.split("@supports not")[1]
    for name, light in re.findall(r"(--[\w-]+): light-dark\((.+?\)|\w+), ", TOKENS):
        assert f"{name}: {light}" in fallback, name


def test_every_token_that_is_used_exists_and_every_one_that_exists_is_used() -> None:
    made = set(re.findall(r"^\s*(--[\w-]+):", TOKENS, re.MULTILINE))
    used = set(re.findall(r"var\((--[\w-]+)\)", SHEET))
    assert made == used


def test_nothing_is_fetched_from_anywhere() -> None:
    assert "url(" not in SHEET
    assert "@import" not in SHEET
