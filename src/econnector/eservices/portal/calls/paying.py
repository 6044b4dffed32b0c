"""Paying: the form, a payment that is begun, what became of it, and kept cards.

The amount is charged on the card processor's own page; no card number passes through a call. That the browser came
back means nothing: `PAYMENT_STATE` asks the processor.
"""

from typing import Literal

import msgspec

from econnector.eservices.portal.calls.around import Around, Nothing, PersonAsked
from econnector.wire.call import Call

__all__ = [
    "FORGET_CARD",
    "PAY",
    "PAYMENT_NOTICE",
    "PAYMENT_STATE",
    "PAY_FORM",
    "ForgetCard",
    "KeptCard",
    "OnlinePayment",
    "OnlineState",
    "Pay",
    "PayAsked",
    "PayBegun",
    "PayForm",
    "PaymentNotice",
    "PaymentShown",
    "PaymentStateAsked",
]

OnlineState = Literal["pending", "paid", "partial", "declined", "expired", "failed"]
"""`pending`: nobody knows yet, and the office asks the processor by itself until somebody does. `expired`: the
processor's page was left unused. `failed`: it was never begun. Nothing was charged by the last three."""


class OnlinePayment(msgspec.Struct):
    """One payment that was begun in the portal. Times are the office's."""

    payment: str
    """Ten digits: names it between people, at the processor and in Open Dental; it opens nothing."""
    state: OnlineState
    cents: int
    """What was asked for."""
    begun: str
    paid_cents: int = 0
    ended: str = ""
    card: str = ""
    """Masked."""
    brand: str = ""
    approval: str = ""
    by_name: str = ""
    """Who paid, where it is somebody the reader may see."""
    mine: bool = True
    """Whether the reader began it."""
    url: str = ""
    """The processor's page, while the reader's own payment can still be made there; a secret."""
    posted: bool = False
    """Whether it is in the practice's books already."""


class KeptCard(msgspec.Struct):
    """A card that the processor keeps."""

    card: int
    """CreditCardNum."""
    masked: str
    expires: str = ""
    """`YYYY-MM`."""
    expired: bool = False


class PayAsked(PersonAsked):
    """The form for the account of `person`."""

    document: int = 0
    """DocNum of a statement that is to be paid; 0 for none."""


class PayForm(Around, kw_only=True):
    """What may be paid. Raises `PaymentsOff` instead, where nothing can."""

    holder: int
    """PatNum of whose account it is."""
    holder_name: str
    balance_cents: int = 0
    balance_known: bool = False
    statement_cents: int = 0
    """Of the statement that was named."""
    statement_date: str = ""
    least_cents: int = 100
    most_cents: int = 1_000_000
    may_keep: bool = False
    """Whether a card may be kept for the next time."""
    cards: list[KeptCard] = msgspec.field(default_factory=list)
    """The visitor's own ones."""
    processor: str = ""
    """Its name, as patients know it."""
    recent: list[OnlinePayment] = msgspec.field(default_factory=list)
    """Of this account: what is pending, what was begun within a day, and what was paid and is not posted; newest first.

    `posted` says here that the balance counts it, too.
    """
    sandbox: bool = False
    """Whether no real money moves here."""


class Pay(PersonAsked, kw_only=True):
    """Begin a payment.

    A form keeps its `draft` from the first time it is shown: sent again, it is the same payment.
    """

    draft: str
    cents: int
    document: int = 0
    card: int = 0
    """CreditCardNum of a kept card; 0 for the processor's page."""
    keep_card: bool = False
    again: bool = False
    """Yes, although the same amount was paid or begun a short while ago."""
    back: str = ""
    """URL of the page that shows what became of it; `{payment}` stands for its number."""
    receipt: bool = True
    """Whether a receipt is mailed to the visitor's address in the chart."""


class PayBegun(msgspec.Struct):
    """It is begun."""

    payment: str
    url: str = ""
    """The processor's page, a secret; empty where a kept card was charged."""


class PaymentStateAsked(msgspec.Struct):
    """One payment."""

    token: str
    payment: str


class PaymentShown(Around, kw_only=True):
    """What became of one payment, and what a receipt says."""

    item: OnlinePayment
    holder_name: str = ""
    receipt_mailed: bool = False


class ForgetCard(msgspec.Struct):
    """Delete a kept card, here and at the processor."""

    token: str
    card: int


class PaymentNotice(msgspec.Struct):
    """What a processor posted to HQ, unread."""

    processor: str
    body: bytes
    """At most 64 KiB."""
    signature: str


PAY_FORM = Call("portal.pay-form", PayAsked, PayForm, limit=10)
PAY = Call("portal.pay", Pay, PayBegun, limit=40, changes=True)
PAYMENT_STATE = Call("portal.payment-state", PaymentStateAsked, PaymentShown, limit=25)
FORGET_CARD = Call("portal.forget-card", ForgetCard, Nothing, limit=30, changes=True)
PAYMENT_NOTICE = Call("portal.payment-notice", PaymentNotice, Nothing, limit=20)
