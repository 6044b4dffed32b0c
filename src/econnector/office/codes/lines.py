"""A line of a file as a row of its code system, or why it is none."""

import re
from collections.abc import Callable, Sequence

from econnector.office.codes.source import FileLine
from econnector.opendental.coderows import Line
from econnector.opendental.codesystems import CodeSystem

__all__ = ["NotARow", "Reader", "reader_of"]

_CPT = re.compile(r"([0-9A-Z]{5})[ \t]+(\S.*)")
_CDC_COLUMNS = 5
_YES_NO = {"Y": 1, "N": 0, "": 0, "1": 1, "0": 0}
_NOT_TEXT = re.compile("[\ud800-\udfff]")


class NotARow(ValueError):  # noqa: N818 - it says what it is
    """A line that cannot be imported; its text says why."""


Split = Callable[[str], Sequence[str]]


class Reader:
    """Makes rows of lines."""

    def __init__(self, system: CodeSystem, split: Split, lengths: Sequence[int | None]) -> None:
        """`lengths` are the columns' own."""
        self._split, self._lengths = split, lengths
        self._least = min((most for most in lengths if most is not None), default=0)
        self._keys, self._width = len(system.same), len(system.columns)
        self._numbers = {place: _NUMBERS[name] for place, name in enumerate(system.columns) if name in _NUMBERS}

    def row(self, line: FileLine) -> tuple[Line, bool]:
        """Return a row, and whether a text of it had to be shortened. Raises `NotARow`, also for a blank line."""
        text = line.text
        if not line.whole:
            raise NotARow("the line is longer than any line of codes")
        if (not text.isascii() and _NOT_TEXT.search(text)) or "\x00" in text:
            raise NotARow("the line holds bytes that are no text")
        row: Line = tuple(map(str.strip, self._split(text)[: self._width]))
        if len(row) < self._width:
            raise NotARow(f"{self._width} columns are expected, the line has {len(row)}")
        if not row[0]:
            raise NotARow("there is no code")
        if self._numbers:
            row = self._with_numbers(row)
        # Of a line that is shorter than every column nothing can be too long.
        return (row, False) if len(text) <= self._least else self._fitting(row)

    def _with_numbers(self, row: Line) -> Line:
        values = list(row)
        for place, number in self._numbers.items():
            values[place] = number(str(values[place]))
        return tuple(values)

    def _fitting(self, row: Line) -> tuple[Line, bool]:
        values, shortened = list(row), False
        for place, (value, most) in enumerate(zip(row, self._lengths, strict=True)):
            if most is None or isinstance(value, int) or len(value) <= most:
                continue
            if place < self._keys:
                raise NotARow(f"the code is longer than {most} characters")
            values[place], shortened = value[:most].rstrip(), True
        return tuple(values), shortened


def reader_of(system: CodeSystem, first: str, lengths: Sequence[int | None]) -> Reader:
    """Return what reads a system's lines; `first` is the file's first line, which tells the CDC's own form."""
    return Reader(system, _split_of(system, first), lengths)


def _split_of(system: CodeSystem, first: str) -> Split:
    if system.name == "CPT" and "\t" not in first:
        return _cpt
    if system.name == "CVX" and "\t" not in first and first.count("|") >= _CDC_COLUMNS:
        return _cdc_vaccine
    return _tabs


def _tabs(text: str) -> list[str]:
    return text.split("\t")


def _cpt(text: str) -> Sequence[str]:
    match = _CPT.fullmatch(text.strip())
    if match is None:
        raise NotARow("the line is not a code of five characters and its text")
    return match.groups()


def _cdc_vaccine(text: str) -> list[str]:
    """Split a line of the CDC's own file: code, short name, full name, note, status, and more, with bars between."""
    columns = text.split("|")
    if len(columns) < _CDC_COLUMNS:
        raise NotARow(f"{_CDC_COLUMNS} columns at least are expected, the line has {len(columns)}")
    return columns


def _whether(text: str) -> int:
    if text.upper() not in _YES_NO:
        raise NotARow("Y or N is expected where something else stands")
    return _YES_NO[text.upper()]


def _number(text: str) -> int:
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 9):  # noqa: PLR2004 - fits its column
        raise NotARow("a number is expected where something else stands")
    return int(text or 0)


_NUMBERS = {"UnitsRequired": _whether, "RankCommonTests": _number, "RankCommonOrders": _number}
