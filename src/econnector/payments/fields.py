"""XML as XWeb and EdgeExpress speak it: one element around a flat list of named texts.

The reader believes nothing: no document type (so no entities), a bound on size, depth and number, and no name that is
said twice with two meanings where it decides about money.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from econnector.payments.exchange import LARGEST

__all__ = ["Fields", "UnreadableError", "amount_text", "read_fields", "write_fields"]

_DEEPEST: Final = 8
_MOST: Final = 400
_ONCE = frozenset({"RESPONSECODE", "AMOUNT", "APPROVEDAMOUNT", "OTK", "ORDERID", "TRANSACTIONID", "ALIAS"})
_MOST_CENTS = 100_000_000


class UnreadableError(Exception):
    """An answer that cannot be understood; the text says why without its content."""


class Fields:
    """What an answer says, by name; names are asked for in capitals."""

    def __init__(self, root: str, values: Mapping[str, str]) -> None:
        """`root` is the outermost element's name."""
        self.root, self._values = root, values

    def __repr__(self) -> str:
        return f"Fields({self.root})"

    def text(self, *names: str) -> str:
        """Return the first of `names` that says something, else ''."""
        return next((self._values[name] for name in names if self._values.get(name)), "")

    def code(self) -> int:
        """Return the response code. Raises `UnreadableError`: an answer without one says nothing."""
        value = self.text("RESPONSECODE")
        if not (value.isascii() and value.isdigit() and len(value) <= 4):  # noqa: PLR2004 - 1000 is the largest
            raise UnreadableError("it has no response code")
        return int(value)

    def cents(self, *names: str) -> int | None:
        """Return an amount, None where it is not said. Raises `UnreadableError`."""
        value = self.text(*names)
        return None if not value else _cents(value)


def _cents(value: str) -> int:
    try:
        cents = Decimal(value) * 100
        if len(value) <= 16 and cents == int(cents) and 0 <= cents <= _MOST_CENTS:  # noqa: PLR2004 - no amount is longer
            return int(cents)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise UnreadableError("an amount in it is none")


def amount_text(cents: int) -> str:
    """Return an amount as processors take it: `12.30`."""
    return f"{cents // 100}.{cents % 100:02}"


def write_fields(root: str, values: Mapping[str, str], more: str = "") -> bytes:
    """Return the question, its fields in this order; `more` is XML that follows them."""
    parts = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f'<?xml version="1.0" encoding="utf-8"?><{root}>{parts}{more}</{root}>'.encode()


def read_fields(body: bytes) -> Fields:
    """Return what an answer says. Raises `UnreadableError` and nothing else, whatever is given."""
    if len(body) > LARGEST:
        raise UnreadableError("it is far too long")
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise UnreadableError("it is not XML") from None
    return Fields(reader.root, reader.values)


class _Reader:
    """One pass over an answer."""

    def __init__(self) -> None:
        self.root, self.values = "", dict[str, str]()
        self._open: list[list[str]] = []
        self._names: list[str] = []
        self._count = 0
        parser = self.parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        raise UnreadableError("it has a document type")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST or len(self._names) >= _DEEPEST:
            raise UnreadableError("it has too many elements")
        self.root = self.root or name
        self._names.append(name.upper())
        self._open.append([])

    def _text(self, data: str) -> None:
        if self._open:
            self._open[-1].append(data)

    def _end(self, _name: str) -> None:
        name, value = self._names.pop(), "".join(self._open.pop()).strip()
        if not self._names or not value:
            return
        if name in _ONCE and self.values.get(name, value) != value:
            raise UnreadableError("it says two things at once")
        self.values.setdefault(name, value)
