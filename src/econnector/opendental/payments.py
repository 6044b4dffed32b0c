"""What patients paid: `payment`, and for whom: `paysplit`.

A payment is its payer's (`payment.PatNum`); its splits say whose treatment it went to. An amount of nothing is a
transfer between accounts, and a negative one is money that the office gave back. `ProcessStatus` 2 is a payment made
online that staff have not processed yet; `PaymentStatus` 3 a bank transfer that failed. Notes are the staff's.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select, union

from econnector.opendental.balances import cents
from econnector.opendental.tables import definition, payment, paysplit

__all__ = ["Payment", "Standing", "latest", "made"]

Standing = Literal["done", "pending", "failed"]

_ONLINE_PENDING, _TRANSFER_FAILED = 2, 3
_MOST_PENDING = 20


class Payment(msgspec.Struct, frozen=True):
    """One payment."""

    number: int
    """PayNum."""
    payer: int
    """PatNum."""
    day: dt.date | None
    cents: int
    """Negative is money given back."""
    kind: str
    """How it was paid, in the practice's words (definition category 10)."""
    check: str
    """Number of the check, where it was one."""
    standing: Standing
    shares: dict[int, int] = {}
    """For whom it was made: cents by PatNum."""


_COLUMNS = (
    payment.c.PayNum,
    payment.c.PatNum,
    payment.c.PayDate,
    payment.c.PayAmt,
    payment.c.CheckNum,
    payment.c.ProcessStatus,
    payment.c.PaymentStatus,
    definition.c.ItemName,
)
# Built once: building a statement takes longer than running it.
_OF_PEOPLE = (
    select(*_COLUMNS)
    .join_from(payment, definition, definition.c.DefNum == payment.c.PayType, isouter=True)
    .where(payment.c.PatNum.in_(bindparam("people", expanding=True)), payment.c.PayAmt != 0)
    .order_by(payment.c.PayDate.desc(), payment.c.PayNum.desc())
)
_NEWEST = _OF_PEOPLE.limit(bindparam("most"))


def _made() -> Select[Any]:
    """Return a page of payments, each as often as there are people for whom it was made."""
    page = _NEWEST.offset(bindparam("skip")).subquery()
    amount = func.sum(paysplit.c.SplitAmt).label("amount")
    return (
        select(page, paysplit.c.PatNum.label("person"), amount)
        .outerjoin_from(page, paysplit, paysplit.c.PayNum == page.c.PayNum)
        .group_by(*page.c, paysplit.c.PatNum)
        .order_by(page.c.PayDate.desc(), page.c.PayNum.desc(), paysplit.c.PatNum)
    )


def _latest() -> Select[Any]:
    """Return the newest payments and those that wait, which may be older."""
    waiting = _OF_PEOPLE.where(payment.c.ProcessStatus == _ONLINE_PENDING).limit(_MOST_PENDING)
    both = union(select(_NEWEST.subquery()), select(waiting.subquery())).subquery()
    return select(both).order_by(both.c.PayDate.desc(), both.c.PayNum.desc())


_MADE, _LATEST = _made(), _latest()


def made(connection: Connection, people: Sequence[int], most: int, skip: int = 0) -> list[Payment]:
    """Return the payments of `people` (PatNums), newest first, at most `most` after the first `skip`."""
    found: dict[int, Payment] = {}
    for row in connection.execute(_MADE, {"people": list(people), "most": most, "skip": skip}):
        payment = found.setdefault(row.PayNum, _payment(row))
        if row.person is not None:
            payment.shares[row.person] = cents(row.amount)
    return list(found.values())


def latest(connection: Connection, people: Sequence[int], most: int) -> list[Payment]:
    """Return the `most` newest payments of `people`, and all that staff have not processed yet, newest first.

    Without their shares.
    """
    return [_payment(row) for row in connection.execute(_LATEST, {"people": list(people), "most": most})]


def _payment(row: Any) -> Payment:
    return Payment(
        number=row.PayNum,
        payer=row.PatNum,
        day=row.PayDate,
        cents=cents(row.PayAmt),
        kind=(row.ItemName or "").strip(),
        check=(row.CheckNum or "").strip(),
        standing=_standing(row),
    )


def _standing(row: Any) -> Standing:
    if row.PaymentStatus == _TRANSFER_FAILED:
        return "failed"
    return "pending" if row.ProcessStatus == _ONLINE_PENDING else "done"
