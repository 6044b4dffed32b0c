"""What Open Dental has of a payment that a patient made online: `xwebresponse`, `payment`, its traces and its alert.

Each function finds what it wrote before: `xwebresponse` by `OrderId`, `payment` by `ExternalId`, both the payment's own
ten digits. Nothing here is a transaction on a MyISAM server, so that each may be the last thing that was done.

The processor's one-time key and page are not written, though there are columns for them: whoever has them can pay, or
see who pays what, and everybody who works with Open Dental can read them there. The state file has them, sealed.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, func, select

from econnector.opendental import alerts, audit, cachesignals, preferences, times, writes
from econnector.opendental.audit import Action, Permission
from econnector.opendental.balances import dollars
from econnector.opendental.schema import Schema
from econnector.opendental.tables import patient, payment, paysplit, xwebresponse

__all__ = [
    "SETTINGS",
    "Books",
    "Online",
    "alert",
    "books",
    "find",
    "may_split",
    "note_begun",
    "note_ended",
    "post",
    "split",
    "trace",
]

Word = Literal["pending", "approved", "partial", "declined", "expired"]

SETTINGS = ("OnlinePaymentsMarkAsProcessed",)
"""The preference that says whether staff need not process what is posted."""

_EDGE_EXPRESS: Final = "edgeexpress"
_KNOWN: Final = frozenset({_EDGE_EXPRESS, "xweb"})
_STATUS: Final[dict[str, dict[str, int]]] = {
    "xweb": {"pending": 1, "expired": 2, "declined": 2, "approved": 3, "partial": 4},
    _EDGE_EXPRESS: {"pending": 11, "expired": 12, "declined": 12, "approved": 13, "partial": 14},
}
"""XWebTransactionStatus. What was declined has no number of its own: it is over without an approval, as `ResponseCode`
says."""
_BY_TOKEN: Final = 6
"""DtgPaymentApproved: a kept card charged at XWeb."""
_CODES: Final = {
    0: "Approval",
    1: "Declined",
    5: "AliasSuccess",
    7: "PartialApproval",
    9: "AutoDecline",
    10: "InvalidExpirationDate",
    32: "ZeroDollarAuthApproval",
    100: "OtkSuccess",
    101: "ExpiredWithoutApproval",
    102: "Pending",
    800: "ParsingError",
    805: "AuthenticationError",
    813: "DuplicateTransactionError",
    814: "InvalidReferenceError",
    820: "TemporaryServiceOutage",
    821: "ProcessingHostUnavailable",
    823: "InvalidAccountData",
    828: "CardTypeNotSupported",
    901: "ProcessorError",
}
_UNDEFINED: Final = 1000
_DONE_ONLINE, _WAITS_ONLINE = 1, 2
_TO_PROVIDER = "2"
_LONGEST: Final = 255


class Online(msgspec.Struct, frozen=True, kw_only=True):
    """One payment that was made online. Nothing of it is a secret."""

    number: str
    """Ten digits."""
    key: str
    """A UUID of its own."""
    account: int
    """PatNum of the account holder, whose payment it is."""
    clinic: int
    processor: str
    processor_name: str
    by_card: bool = False
    """Whether a kept card was charged, without the processor's page."""
    pay_type: int
    source: int
    """CreditCardSource."""
    state: Word
    cents: int
    """What was paid; before that, what was asked for."""
    payer: int
    payer_name: str
    address: str = ""
    """Where the receipt goes."""
    transaction: str = ""
    approval: str = ""
    brand: str = ""
    masked: str = ""
    expires: str = ""
    """`MMYY`."""
    code: int = _UNDEFINED
    description: str = ""
    until: dt.datetime | None = None
    """When the processor's page ends; office time."""

    def __repr__(self) -> str:
        return f"Online({self.number})"

    @property
    def amount(self) -> str:
        """What was paid, for people of the office."""
        return dollars(self.cents)


class Books(msgspec.Struct, frozen=True):
    """How a payment stands in the practice's books."""

    posted: bool
    """Whether it has splits: then it counts in an account's balance."""
    waits: bool
    """Whether it stands in Open Dental's window of online payments that staff have not processed."""


# -- what the processor answered ---------------------------------------------------------------------------------------


def note_begun(connection: Connection, schema: Schema, online: Online) -> None:
    """Note that a payment is begun, unless that is noted.

    Nothing is noted of a processor that Open Dental does not know: it would offer to return the money there.
    """
    if online.processor not in _KNOWN or not schema.has(xwebresponse):
        return
    now = times.now(connection)
    values = _answer(online) | {
        "PatNum": online.account,
        "ProvNum": connection.scalar(select(patient.c.PriProv).where(patient.c.PatNum == online.account)) or 0,
        "ClinicNum": online.clinic,
        "DateTEntry": now,
        "DateTUpdate": now,
        "HpfExpiration": online.until,
        "TransactionType": "CreditSaleTransaction",
        "CCSource": online.source,
        "OrderId": online.number,
        "EmailResponse": online.address[:_LONGEST],
        "LogGuid": online.key,
    }
    writes.insert_unless(connection, schema, xwebresponse, values, *_answer_of(online))


def note_ended(connection: Connection, schema: Schema, online: Online, pay_num: int) -> None:
    """Note what became of a payment, begun or not; `pay_num` is 0 unless it was paid."""
    if online.processor not in _KNOWN or not schema.has(xwebresponse):
        return
    note_begun(connection, schema, online)
    values = _answer(online) | {"DateTUpdate": times.now(connection), "PaymentNum": pay_num}
    writes.update(connection, schema, xwebresponse, values, *_answer_of(online))


def _answer_of(online: Online) -> tuple[sa.ColumnElement[bool], ...]:
    return xwebresponse.c.PatNum == online.account, xwebresponse.c.OrderId == online.number


def _answer(online: Online) -> dict[str, Any]:
    status = _STATUS[online.processor][online.state]
    if online.by_card and online.state in {"approved", "partial"} and online.processor != _EDGE_EXPRESS:
        status = _BY_TOKEN
    return {
        "TransactionStatus": status,
        "ResponseCode": online.code,
        "XWebResponseCode": _CODES.get(online.code, "Undefined"),
        "ResponseDescription": online.description[:_LONGEST],
        "TransactionID": online.transaction[:_LONGEST],
        "CardType": online.brand[:_LONGEST],
        "CardBrand": online.brand[:_LONGEST],
        "MaskedAcctNum": online.masked[:_LONGEST],
        "Amount": online.cents / 100,
        "ApprovalCode": online.approval[:_LONGEST],
        "ExpDate": online.expires,
        "PayNote": f"Payment {online.number} in the patient portal",
    }


# -- the payment -------------------------------------------------------------------------------------------------------


def may_split(schema: Schema) -> bool:
    """Return whether an outside program may say what a payment is for without the row being shown as a stranger's."""
    return schema.has(paysplit) and not schema.has(paysplit, "SecurityHash")


def find(connection: Connection, account: int, number: str) -> int:
    """Return the PayNum of the payment with this number in the account of this PatNum; 0 if there is none."""
    here = (payment.c.PatNum == account) & (payment.c.ExternalId == number)
    return connection.scalar(select(payment.c.PayNum).where(here).order_by(payment.c.PayNum).limit(1)) or 0


def post(connection: Connection, schema: Schema, online: Online, *, allocated: bool) -> int:
    """Write the payment unless it is there; return its PayNum.

    `allocated` says that `split` follows; otherwise it waits for staff, whatever the practice's preferences say.
    """
    if schema.has(xwebresponse) and (by_others := _posted_by_others(connection, online)):
        return by_others
    today = times.now(connection).date()
    marked = allocated and preferences.read(connection, SETTINGS[0]) == "1"
    values = {
        "PayType": online.pay_type,
        "PayDate": today,
        "PayAmt": online.cents / 100,
        "PayNote": _note(online),
        "PatNum": online.account,
        "ClinicNum": online.clinic,
        "DateEntry": today,
        "Receipt": "",
        "PaymentSource": online.source,
        "ProcessStatus": _DONE_ONLINE if marked else _WAITS_ONLINE,
        "ExternalId": online.number,
    }
    same = payment.c.PatNum == online.account, payment.c.ExternalId == online.number
    writes.insert_unless(connection, schema, payment, values, *same)
    return find(connection, online.account, online.number)


def _posted_by_others(connection: Connection, online: Online) -> int:
    """Return the payment that Open Dental's own service has made of the answer, if it runs here, too; else 0."""
    found = select(xwebresponse.c.PaymentNum).where(*_answer_of(online), xwebresponse.c.PaymentNum != 0)
    return connection.scalar(found.limit(1)) or 0


def _note(online: Online) -> str:
    lines = (
        f"Paid online in the patient portal by {online.payer_name}",
        f"Amount: {online.amount}",
        f"Card Number: {online.masked} {online.brand}".rstrip(),
        f"Transaction ID: {online.transaction}",
        f"Approval Code: {online.approval}",
        f"Response: {online.description or _CODES.get(online.code, '')}",
        f"Payment number: {online.number}",
    )
    return "\r\n".join(lines)


def split(connection: Connection, schema: Schema, online: Online, pay_num: int) -> None:
    """Write the one split of a payment, of money that is not allocated yet, unless it has any.

    Raises `WriteRefused` where `may_split` says no.
    """
    settings = preferences.read_many(connection, (), RigorousAccounting="1", PrepaymentUnearnedType="0")
    unearned = settings["PrepaymentUnearnedType"]
    kind = int(unearned) if unearned.isascii() and unearned.isdigit() else 0
    to_provider = settings["RigorousAccounting"] == _TO_PROVIDER or not kind
    provider = connection.scalar(select(patient.c.PriProv).where(patient.c.PatNum == online.account)) or 0
    today = times.now(connection).date()
    values = {
        "SplitAmt": online.cents / 100,
        "PatNum": online.account,
        "PayNum": pay_num,
        "ProvNum": provider if to_provider else 0,
        "DatePay": today,
        "DateEntry": today,
        "UnearnedType": 0 if to_provider else kind,
        "ClinicNum": online.clinic,
    }
    with writes.splitting(schema):
        writes.insert_unless(connection, schema, paysplit, values, paysplit.c.PayNum == pay_num)


def trace(connection: Connection, schema: Schema, online: Online, pay_num: int, computer: str) -> None:
    """Write the traces that a payment leaves, unless they are there, and let workstations read their lists again."""
    by = f"{online.processor_name} payment by {online.payer_name}, {online.amount} (online payment {online.number})"
    audit.record_once(
        connection, schema, Permission.PAYMENT_CREATE, by, patient=online.account, about=pay_num, computer=computer
    )
    # Its own mark instead of a session's: with dashes, as those of other programs, so that it counts in who looked.
    payer, mark = online.payer, online.key
    audit.note_activity_once(connection, schema, Action.PAID, patient=payer, session=mark, clinic=online.clinic)
    cachesignals.tell(connection, schema, cachesignals.Kind.BILLING_LIST)


# -- what waits for staff ----------------------------------------------------------------------------------------------


def books(connection: Connection, pay_nums: Collection[int]) -> dict[int, Books]:
    """Return how payments stand, by PayNum; one that staff have deleted is not among them."""
    if not pay_nums:
        return {}
    splits = select(func.count()).where(paysplit.c.PayNum == payment.c.PayNum).scalar_subquery()
    rows = connection.execute(
        select(payment.c.PayNum, payment.c.ProcessStatus, splits.label("splits")).where(
            payment.c.PayNum.in_(list(pay_nums))
        )
    )
    return {row.PayNum: Books(row.splits > 0, row.ProcessStatus == _WAITS_ONLINE) for row in rows}


def alert(connection: Connection, schema: Schema) -> None:
    """Let Open Dental's alerts say how many online payments wait for staff, by clinic; none where none does."""
    waiting = select(payment.c.ClinicNum, func.count().label("many")).where(payment.c.ProcessStatus == _WAITS_ONLINE)
    counts = {row.ClinicNum: row.many for row in connection.execute(waiting.group_by(payment.c.ClinicNum))}
    if alerts.count(connection, schema, alerts.Kind.ONLINE_PAYMENTS, counts):
        cachesignals.tell(connection, schema, cachesignals.Kind.ALERTS)
