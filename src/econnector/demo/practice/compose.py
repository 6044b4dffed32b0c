"""Put a practice together."""

import datetime as dt
import hashlib
import random

import msgspec

from econnector.demo.practice.accounts import add_account, insure, store_balances
from econnector.demo.practice.book import Book
from econnector.demo.practice.cards import add_cards, pay_online, tell_staff
from econnector.demo.practice.cast import add_cast
from econnector.demo.practice.charts import add_chart_lists, add_charts, add_odd_people
from econnector.demo.practice.clinical import add_clinical, add_code_lists
from econnector.demo.practice.codes import PLANS, add_codes
from econnector.demo.practice.images import add_images, misplace
from econnector.demo.practice.ledger import Ledger
from econnector.demo.practice.logins import add_sign_ins
from econnector.demo.practice.mail import add_mail
from econnector.demo.practice.papers import add_statements, add_traps
from econnector.demo.practice.people import Family, File, Making, SignIn, add_families
from econnector.demo.practice.plans import add_plans
from econnector.demo.practice.setup import add_setup
from econnector.demo.practice.traces import add_traces
from econnector.demo.practice.visits import add_next, add_visits

__all__ = ["PEOPLE", "SEED", "Practice", "compose"]

SEED = 1
PEOPLE = 200
"""About so many patients; the last family is not cut short."""


class Practice(msgspec.Struct, frozen=True):
    """A finished practice."""

    book: Book
    files: list[File]
    sign_ins: list[SignIn]
    """The first one is that of an ordinary patient with a whole family."""
    seed: int
    today: dt.date

    def digest(self) -> str:
        """Return a short text that is another one for other rows."""
        whole = hashlib.sha256()
        for table, shelf in self.book.tables():
            whole.update(repr((table, shelf.rows)).encode())
        return whole.hexdigest()[:16]


def compose(today: dt.date, seed: int = SEED, people: int = PEOPLE) -> Practice:
    """Return the practice of a day: visits ahead lie after `today`, everything else before it."""
    making = Making(Book(), random.Random(seed), today)  # noqa: S311 - repeatable on purpose; no secret comes from it
    add_setup(making.book, today)
    add_codes(making.book)
    add_code_lists(making.book)
    add_chart_lists(making.book)
    cast = add_cast(making)
    add_families(making, people)
    accounts = {family.head.number: _live(making, family) for family in making.families}
    _pay_yesterday(making, cast.rivera, accounts[cast.rivera.head.number])
    _online(making, accounts)
    add_images(making, cast.rivera)
    misplace(making, gone=cast.nakamura, mixed=cast.rivera)
    add_mail(making, cast.rivera)
    add_clinical(making)
    add_plans(making)
    add_next(making, cast.rivera)
    add_traces(making, cast.rivera)
    add_sign_ins(making, {int(str(row["FKey"])) for row in making.book.rows("userweb")})
    add_charts(making, cast.rivera)
    add_odd_people(making)
    return Practice(making.book, making.files, making.sign_ins, seed, today)


def _live(making: Making, family: Family) -> Ledger:
    by_chance = making.dice.randrange(1, len(PLANS) + 1) if making.chance(55) else 0
    plan = by_chance if family.wants < 0 else family.wants
    if plan:
        insure(making, family, plan)
    ledger, sent = add_account(making, family, add_visits(making, family))
    add_statements(making, family, ledger, sent)
    return ledger


def _pay_yesterday(making: Making, family: Family, ledger: Ledger) -> None:
    """Let the first sample pay a little in the portal after the last statement: less is owed now than it says."""
    day = making.today - dt.timedelta(days=1)
    add_cards(making, family, pay_online(making, family, ledger, day, 25_00), day, 25_00)
    store_balances(making, family, ledger)
    add_traps(making, family, ledger, day)


def _online(making: Making, accounts: dict[int, Ledger]) -> None:
    """Let the family that owes most pay part of it in the portal, yesterday."""
    day = making.today - dt.timedelta(days=1)
    family = max(making.families[1:], key=lambda family: accounts[family.head.number].due(day))
    ledger = accounts[family.head.number]
    cents = ledger.due(day) // 2 // 100 * 100
    payment = pay_online(making, family, ledger, day, cents)
    add_cards(making, family, payment, day, cents)
    store_balances(making, family, ledger)
    tell_staff(making)
