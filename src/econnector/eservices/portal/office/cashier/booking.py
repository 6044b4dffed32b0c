"""What follows from the end of a payment, in Open Dental's database: found or made, step by step.

Each step may be the last before the process dies, and is done again then. The payment comes first: it is the money.
"""

import datetime as dt
import platform
from typing import TYPE_CHECKING, Final

from econnector.eservices.portal.office.cashier.till import name_of
from econnector.mail.compose import usable
from econnector.opendental import accesslog, onlinecards, onlinepayments
from econnector.opendental.family import merged_into
from econnector.opendental.onlinepayments import Online, Word
from econnector.opendental.reachable import reachable
from econnector.opendental.schema import Schema
from econnector.storage.state.payments import Attempt, Mode

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["book", "mode_here", "note_begun", "paid_already", "watch"]

_PENDING: Final = 102
_WORDS: Final[dict[str, Word]] = {"approved": "approved", "partial": "partial", "declined": "declined"}


def mode_here(schema: Schema, chosen: Mode) -> Mode:
    """Return how a payment gets into the books: as the practice chose, where this version lets us."""
    return chosen if onlinepayments.may_split(schema) else "pending"


def note_begun(connection: "Connection", schema: Schema, attempt: Attempt) -> None:
    """Note in Open Dental that a payment is begun."""
    onlinepayments.note_begun(connection, schema, _online(connection, attempt))


def book(connection: "Connection", schema: Schema, attempt: Attempt, alias: str) -> int:
    """Write everything that follows from what became of an attempt; return the PayNum, 0 if nothing was paid.

    `alias` is what the processor calls the card that it keeps now; empty for none.
    """
    online, pay_num = _online(connection, attempt), attempt.payment
    if attempt.is_paid:
        allocated = attempt.mode == "ledger" and onlinepayments.may_split(schema)
        # A payment that staff have deleted since is theirs to delete: it is written once.
        pay_num = pay_num or onlinepayments.post(connection, schema, online, allocated=allocated)
        if allocated and pay_num == onlinepayments.find(connection, online.account, online.number):
            onlinepayments.split(connection, schema, online, pay_num)
    if attempt.state != "failed":
        onlinepayments.note_ended(connection, schema, online, pay_num)
    if pay_num:
        onlinepayments.trace(connection, schema, online, pay_num, platform.node())
        onlinepayments.alert(connection, schema)
    if alias and attempt.keep_card:
        onlinecards.keep(
            connection,
            schema,
            owner=attempt.payer,
            token=alias,
            masked=attempt.masked,
            expires=attempt.expires,
            source=attempt.source,
            clinic=attempt.clinic,
            computer=platform.node(),
        )
    return pay_num


def watch(connection: "Connection", schema: Schema, attempts: list[Attempt]) -> list[str]:
    """Return the numbers of those attempts with whose payments staff have nothing left to do; mend the alerts."""
    stand = onlinepayments.books(connection, [one.payment for one in attempts])
    over = [one.number for one in attempts if one.payment not in stand or not stand[one.payment].waits]
    if over:
        onlinepayments.alert(connection, schema)
    return over


def paid_already(connection: "Connection", attempt: Attempt) -> bool:
    """Return whether the payment of an attempt is there, though the state file does not know of it yet."""
    return bool(onlinepayments.find(connection, merged_into(connection, attempt.holder), attempt.number))


def _online(connection: "Connection", attempt: Attempt) -> Online:
    state = _WORDS.get(attempt.state) or ("expired" if attempt.is_over else "pending")
    code = attempt.code if attempt.is_over else _PENDING
    to = reachable(connection, attempt.payer).email if attempt.receipt else ""
    return Online(
        number=attempt.number,
        key=attempt.key,
        account=merged_into(connection, attempt.holder),
        clinic=attempt.clinic,
        processor=attempt.processor,
        processor_name=name_of(attempt.processor),
        by_card=attempt.kind == "card",
        pay_type=attempt.pay_type,
        source=attempt.source,
        state=state,
        cents=attempt.paid_cents if attempt.is_paid else attempt.cents,
        payer=attempt.payer,
        payer_name=accesslog.names(connection, [attempt.payer]).get(attempt.payer, ""),
        address=to if usable(to) else "",
        transaction=attempt.transaction,
        approval=attempt.approval,
        brand=attempt.brand,
        masked=attempt.masked,
        expires=attempt.expires,
        code=code,
        description=attempt.description if attempt.is_over else "Pending",
        until=_office_time(attempt.until),
    )


def _office_time(moment: float) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(moment).astimezone().replace(tzinfo=None) if moment else None
