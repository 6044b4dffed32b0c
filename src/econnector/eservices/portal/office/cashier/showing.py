"""Attempts as the portal's pages have them."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from econnector.eservices.portal import calls
from econnector.eservices.portal.office.admission import Visitor
from econnector.eservices.portal.office.around import text_of
from econnector.eservices.portal.office.cashier import booking
from econnector.eservices.portal.office.desk import Desk
from econnector.opendental import practice
from econnector.opendental.family import Relative
from econnector.opendental.onlinepayments import Books
from econnector.opendental.reachable import reachable
from econnector.storage.state import payments
from econnector.storage.state.payments import Attempt, AttemptState

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

__all__ = ["as_online", "as_payment", "payable", "unposted", "waiting"]

_STATES: Final[dict[AttemptState, calls.OnlineState]] = {
    "planned": "pending",
    "open": "pending",
    "charging": "pending",
    "approved": "paid",
    "partial": "partial",
    "declined": "declined",
    "expired": "expired",
    "failed": "failed",
    "lost": "failed",
}


def as_online(
    attempt: Attempt, names: Mapping[int, str], *, mine: bool, url: str = "", books: Books | None = None
) -> calls.OnlinePayment:
    """Return an attempt as the contract has it; `names` are of those whom the reader may see, by PatNum."""
    return calls.OnlinePayment(
        payment=attempt.number,
        state=_STATES[attempt.state],
        cents=attempt.cents,
        begun=_moment(attempt.begun),
        paid_cents=attempt.paid_cents,
        ended=_moment(attempt.ended),
        card=attempt.masked,
        brand=attempt.brand,
        approval=attempt.approval,
        by_name=names.get(attempt.payer, ""),
        mine=mine,
        url=url if mine else "",
        posted=books is not None and books.posted,
    )


def payable(connection: "Connection", desk: Desk, visitor: Visitor, holder: Relative | None) -> bool:
    """Return whether the account of `holder` can be paid here; None is one that the visitor may not see."""
    if desk.cashier is None or holder is None:
        return False
    clinics = practice.practice(visitor.settings).has_clinics
    return desk.cashier.takes(connection, reachable(connection, holder.number).clinic if clinics else 0)


async def unposted(desk: Desk) -> list[Attempt]:
    """Return what was paid and is perhaps not in the practice's database yet, of every account."""
    return await desk.state.run(payments.unposted)


def waiting(connection: "Connection", attempts: list[Attempt], people: "Collection[int]") -> list[Attempt]:
    """Return those that were paid for the accounts of `people` (PatNums) and that Open Dental does not have."""
    return [one for one in attempts if one.holder in people and not booking.paid_already(connection, one)]


def as_payment(attempt: Attempt, names: Mapping[int, str]) -> calls.Payment:
    """Return what was paid as a line among Open Dental's payments."""
    return calls.Payment(
        number=0,
        date=_moment(attempt.ended)[:10],
        cents=attempt.paid_cents,
        kind=f"{attempt.brand} {attempt.masked}".strip(),
        standing="pending",
        payer_name=names.get(attempt.holder, ""),
    )


def _moment(at: float) -> str:
    """Return a Unix time as the office's; empty for none."""
    return text_of(dt.datetime.fromtimestamp(int(at)).astimezone().replace(tzinfo=None)) if at else ""
