"""A statement, receipt or invoice as a tagged PDF, from plain data.

Money is whole cents. The layout is `statement.typ`; nothing here reads a database, so that a statement can be
drawn from Open Dental's rows, from a demo or from a test alike.
"""

import datetime as dt

import msgspec

from econnector.documents.drawing import draw
from econnector.opendental.balances import dollars

__all__ = ["Aging", "Line", "Party", "Statement", "dollars", "render"]


class Party(msgspec.Struct, frozen=True):
    """Who sends it or who gets it: a name and the lines of a postal address."""

    name: str
    address: tuple[str, ...] = ()
    phone: str = ""


class Line(msgspec.Struct, frozen=True):
    """One thing that happened on the account; `amount_cents` is negative for what was paid or taken off."""

    date: dt.date
    person: str
    text: str
    amount_cents: int


class Aging(msgspec.Struct, frozen=True):
    """How old the balance is, in days; the four add up to the balance unless that is a credit."""

    to_30_cents: int = 0
    to_60_cents: int = 0
    to_90_cents: int = 0
    over_90_cents: int = 0


class Statement(msgspec.Struct, frozen=True):
    """Everything a statement shows.

    The balance is what came forward plus the lines; what is to be paid is the balance less the insurance
    estimate, and never less than nothing.
    """

    practice: Party
    guarantor: Party
    account: str
    """The number that the office finds the account by."""
    date: dt.date
    lines: tuple[Line, ...] = ()
    forward_cents: int = 0
    """The balance before the first line."""
    insurance_cents: int = 0
    """What insurance is expected to pay of the balance."""
    aging: Aging = Aging()
    title: str = "Statement"
    note: str = ""
    language: str = "en"

    @property
    def balance_cents(self) -> int:
        """What the family owes before the insurance estimate; negative is a credit."""
        return self.forward_cents + sum(line.amount_cents for line in self.lines)

    @property
    def due_cents(self) -> int:
        """What the family owes after the insurance estimate; negative is a credit."""
        return self.balance_cents - self.insurance_cents


def render(statement: Statement) -> bytes:
    """Return the PDF, as `draw` does."""
    return draw("statement.typ", "statement", _shown(statement), statement.date)


def _shown(statement: Statement) -> dict[str, object]:
    """Return the statement as the layout shows it: every number already a text."""
    aging = statement.aging
    return {
        "title": statement.title,
        "language": statement.language,
        "practice": statement.practice,
        "guarantor": statement.guarantor,
        "account": statement.account,
        "date": _day(statement.date),
        "note": statement.note,
        "lines": [
            {
                "date": f"{line.date:%m/%d/%Y}",
                "person": line.person,
                "text": line.text,
                "charge": dollars(line.amount_cents) if line.amount_cents >= 0 else "",
                "credit": dollars(-line.amount_cents) if line.amount_cents < 0 else "",
            }
            for line in statement.lines
        ],
        "forward": dollars(statement.forward_cents) if statement.forward_cents else "",
        "balance": dollars(statement.balance_cents),
        "insurance": dollars(statement.insurance_cents) if statement.insurance_cents else "",
        "due": dollars(statement.due_cents),
        "settled": statement.due_cents <= 0,
        "credit": statement.due_cents < 0,
        "aging": [
            dollars(cents) for cents in (aging.to_30_cents, aging.to_60_cents, aging.to_90_cents, aging.over_90_cents)
        ],
    }


def _day(day: dt.date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
