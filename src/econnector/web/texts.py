"""The words on the pages: one TOML file per room and language, read once.

A text is found by a dotted key (`home.balance.title`); braces in it are filled with named values. English is
complete; a text that another language lacks would be shown in English (a test keeps them equal).
"""

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Protocol

from econnector.web.language import SPOKEN

__all__ = ["Say", "Texts"]


class Say(Protocol):
    """Says a text in one language."""

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text under `key` with `values` filled in. Raises `KeyError` when nobody wrote it."""


class Texts:
    """All texts of some rooms in every spoken language."""

    def __init__(self, packages: Iterable[str]) -> None:
        """Read `texts/<language>.toml` of each package, such as `econnector.web`; a later one may not repeat a key."""
        self._by_language: dict[str, dict[str, str]] = {words: {} for words in SPOKEN}
        for package in packages:
            for words, known in self._by_language.items():
                known.update(_read(package, words))

    def keys(self, words: str) -> frozenset[str]:
        """Return the keys that the language has."""
        return frozenset(self._by_language[words])

    def find(self, words: str, key: str) -> str | None:
        """Return a text as it was written, or None."""
        return self._by_language[words].get(key)

    def say(self, words: str) -> Say:
        """Return the function that says texts in the language."""
        known, english = self._by_language[words], self._by_language["en"]

        def say(key: str, /, **values: object) -> str:
            text = known.get(key) or english[key]
            return text.format_map(values) if values else text

        return say


def _read(package: str, words: str) -> dict[str, str]:
    source = files(package).joinpath("texts", f"{words}.toml")
    return dict(_flat(tomllib.loads(source.read_text(encoding="utf-8"))))


def _flat(table: Mapping[str, object], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, str(value)
