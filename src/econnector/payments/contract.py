"""What a card processor is to us: it makes a page on which a patient pays, and it says what became of it.

The truth of a payment is what `Gateway.look` answers. That a patient's browser came back says nothing, and neither does
a notice by itself: it is a reason to look.
"""

import datetime as dt
from typing import Final, Literal, Protocol

import msgspec

__all__ = ["FINAL", "PAID", "Begun", "Card", "Gateway", "Order", "Outcome", "Processor", "State"]

Processor = Literal["edgeexpress", "xweb", "stripe"]
State = Literal["unknown", "pending", "approved", "partial", "declined", "expired"]
"""`unknown`: the processor has never heard of the order, so nothing was charged by it. `partial`: less than was asked
for was charged, and that is final. `expired`: its page was not used in time, and cannot be any more."""

PAID: Final = frozenset[State]({"approved", "partial"})
FINAL: Final = PAID | frozenset[State]({"declined", "expired"})


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One payment that is wanted. It names no patient."""

    number: str
    """Ten digits, unique in this office: what the processor knows it by."""
    key: str
    """Idempotency key, the same for every try of this order (UUID)."""
    cents: int
    back: str = ""
    """URL that the processor sends the browser to afterwards."""
    keep_card: bool = False
    """Whether the patient asked that the card be kept for the next time."""

    def __repr__(self) -> str:
        return f"Order({self.number})"


class Begun(msgspec.Struct, frozen=True):
    """The processor's page for one order."""

    token: str
    """What `look` needs beside the order; a secret."""
    url: str
    """Where the browser goes; a secret, whoever has it can pay."""
    until: dt.datetime
    """When the page ends by itself; aware."""

    def __repr__(self) -> str:
        return "Begun()"


class Card(msgspec.Struct, frozen=True):
    """A card that the processor keeps for the office."""

    alias: str
    """Its name at the processor; charges without the card's number, so it is a secret."""
    masked: str = ""
    """As Open Dental shows it: the last four digits behind crosses."""
    expires: str = ""
    """`MMYY`."""

    def __repr__(self) -> str:
        return "Card()"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order."""

    state: State
    cents: int = 0
    """What was charged; 0 unless paid."""
    transaction: str = ""
    """The processor's number of it."""
    approval: str = ""
    brand: str = ""
    card: Card | None = None
    """The card that was used: masked; with an alias where the processor keeps it now."""
    code: int = 1000
    """The answer in XWeb's numbers: 000 approval, 001 declined, 007 partial, 101 expired, 102 pending."""
    description: str = ""
    """The processor's words; no secret and no patient is in them."""


class Gateway(Protocol):
    """One account at one processor. Blocking calls are made in threads by the implementation; every call is bounded.

    All raise `PaymentGatewaySilent` (no answer: it may or may not have been done), `PaymentCredentialsRefused`,
    `PaymentCredentialsIncomplete` (before anything is sent) and `PaymentGatewayRefused` (any other refusal).
    """

    name: Processor

    async def begin(self, order: Order) -> Begun:
        """Make the page for an order. Again with the same order: nothing can be charged twice by it."""
        ...

    async def look(self, order: Order, token: str) -> Outcome:
        """Say what became of an order; `token` is empty for one that was charged by `charge`."""
        ...

    async def charge(self, order: Order, card: Card) -> Outcome:
        """Charge a kept card. After `PaymentGatewaySilent` ask `look` whether it was done; never simply try again."""
        ...

    async def forget(self, card: Card) -> None:
        """Let the processor delete a kept card; no failure when it has none."""
        ...

    async def check(self) -> None:
        """Prove that the credentials are taken, without any charge."""
        ...
