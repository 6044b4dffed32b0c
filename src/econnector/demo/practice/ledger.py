"""What a family owes: charges and credits by day, and what insurance is still expected to pay.

The rules are Open Dental's (`Ledgers.ComputeAging`): a credit pays the oldest charge first; the balance is before the
insurance estimate; the estimate counts payment and write-off of claims that are not received yet.
"""

import datetime as dt

import msgspec

from econnector.documents.statement import Aging

__all__ = ["Entry", "Expected", "Ledger"]


class Entry(msgspec.Struct, frozen=True):
    """One line of the account; negative cents are a credit."""

    date: dt.date
    person: int
    text: str
    cents: int


class Expected(msgspec.Struct, frozen=True):
    """What insurance was expected to pay and write off from `since` until the day before `until`."""

    person: int
    since: dt.date
    until: dt.date
    cents: int


class Ledger:
    """A family's account."""

    def __init__(self) -> None:
        """Start empty."""
        self.entries: list[Entry] = []
        self.expected: list[Expected] = []

    def note(self, date: dt.date, person: int, text: str, cents: int) -> None:
        """Write a line; nothing is written for no money."""
        if cents:
            self.entries.append(Entry(date, person, text, cents))

    def expect(self, person: int, since: dt.date, until: dt.date, cents: int) -> None:
        """Write what insurance is expected to take over between two days."""
        self.expected.append(Expected(person, since, until, cents))

    def between(self, after: dt.date, to: dt.date) -> list[Entry]:
        """Return the lines after one day up to and including another, in order."""
        return sorted((entry for entry in self.entries if after < entry.date <= to), key=lambda entry: entry.date)

    def balance(self, on: dt.date, person: int = 0) -> int:
        """Return the cents owed at the end of a day, by the family or by one person of it."""
        return sum(each.cents for each in self.entries if each.date <= on and person in {0, each.person})

    def insurance(self, on: dt.date, person: int = 0) -> int:
        """Return the cents that insurance is expected to take over, as known at the end of a day."""
        return sum(each.cents for each in self.expected if each.since <= on < each.until and person in {0, each.person})

    def due(self, on: dt.date, person: int = 0) -> int:
        """Return the cents to be paid: the balance less the insurance estimate."""
        return self.balance(on, person) - self.insurance(on, person)

    def aging(self, on: dt.date) -> Aging:
        """Return how old the balance is."""
        credit = -sum(each.cents for each in self.entries if each.date <= on and each.cents < 0)
        parts = [0, 0, 0, 0]
        for each in self.between(dt.date.min, on):
            if each.cents <= 0:
                continue
            paid = min(credit, each.cents)
            credit -= paid
            parts[min(3, max(0, ((on - each.date).days - 1) // 30))] += each.cents - paid
        return Aging(*parts)
