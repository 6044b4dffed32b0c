"""The account: who in the family owes what, and what was paid."""

from typing import Literal

import msgspec

from econnector.eservices.portal.calls.around import Around, PageAsked, PersonAsked
from econnector.eservices.portal.calls.statements import Statement
from econnector.wire.call import Call

__all__ = ["ACCOUNT", "PAYMENTS", "Account", "FamilyAccount", "Payment", "Payments", "Share"]


class Share(msgspec.Struct):
    """What is one person's, of a balance or of a payment."""

    person: int
    name: str
    cents: int


class FamilyAccount(msgspec.Struct):
    """What one family owes: its account holder's figures, and whose they are.

    `total_cents` is the sum of `shares` and `others_cents`; less `insurance_cents` it is `cents`.
    """

    holder: int
    holder_name: str
    cents: int
    """To be paid now; negative is a credit."""
    total_cents: int = 0
    """Before insurance."""
    insurance_cents: int = 0
    """What insurance is expected to pay, where the practice counts it."""
    shares: list[Share] = msgspec.field(default_factory=list)
    """Of those whom the visitor may see, the account holder first."""
    others_cents: int = 0
    """Of members whom the visitor may not see, or of before."""


class Payment(msgspec.Struct):
    """One payment."""

    number: int
    date: str
    cents: int
    """Negative is money given back."""
    kind: str = ""
    """How it was paid, in the practice's words."""
    check: str = ""
    """A check's number."""
    standing: Literal["done", "pending", "failed"] = "done"
    """Pending: made online, and not processed by the office yet."""
    payer_name: str = ""
    parts: list[Share] = msgspec.field(default_factory=list)
    """For whom, as far as the visitor may see them."""


class Account(Around, kw_only=True):
    """What the family of `looking_at` owes and paid."""

    payable: bool = False
    """Whether this account can be paid here (`PAY_FORM`)."""
    family: FamilyAccount | None = None
    """None where it is not the visitor's to see."""
    others: list[FamilyAccount] = msgspec.field(default_factory=list)
    """Accounts of others whom the visitor looks after, while they look at their own."""
    balance_holder: str = ""
    """Who holds the account, where it is the visitor's own family's and its balance is not theirs to see."""
    balance_as_of: str = ""
    last_statement_cents: int = 0
    last_statement_date: str = ""
    pending: list[Payment] = msgspec.field(default_factory=list)
    latest: list[Payment] = msgspec.field(default_factory=list)


class Payments(Around, kw_only=True):
    """One page of payments, newest first."""

    items: list[Payment]
    page: int = 0
    more: bool = False
    """Whether older ones follow on the next page."""
    receipts: list[Statement] = msgspec.field(default_factory=list)
    """Receipts among the statement documents; on the first page only."""


ACCOUNT = Call("portal.account", PersonAsked, Account, limit=10)
PAYMENTS = Call("portal.payments", PageAsked, Payments, limit=10)
