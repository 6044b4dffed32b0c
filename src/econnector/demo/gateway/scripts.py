"""How the sandbox misbehaves: by the card that is typed on its page, or by the amount a kept card is charged."""

from typing import Final

import msgspec

__all__ = [
    "AMOUNTS",
    "AUTH_KEY",
    "CARDS",
    "DEMO_CARD",
    "STRIPE_KEY",
    "TERMINAL_ID",
    "WEBHOOK_SECRET",
    "XWEB_ID",
    "SandboxCard",
]

XWEB_ID: Final = "800000009001"
AUTH_KEY: Final = "SandboxOpensNothingAndNobody0001"
TERMINAL_ID: Final = "80009001"
STRIPE_KEY: Final = "sk_test_SandboxOpensNothing0001"
WEBHOOK_SECRET: Final = "whsec_SandboxOpensNothing0001"  # noqa: S105 - everybody may know it
DEMO_CARD: Final = ("DEMO-TOKEN-4242", "Visa", "4242", "0135")
"""The card that the demo practice has kept since before the sandbox was there: alias, brand, last digits, expiry."""


class SandboxCard(msgspec.Struct, frozen=True):
    """One card that is none; no other is taken, so that nobody types a real one."""

    number: str
    script: str
    shown: str
    brand: str = "Visa"


CARDS: Final = {
    card.number: card
    for card in (
        SandboxCard("4242424242424242", "approved", "is approved"),
        SandboxCard("5555555555554444", "approved", "is approved", "Mastercard"),
        SandboxCard("4000000000000002", "declined", "is declined"),
        SandboxCard("4000000000000077", "partial", "pays only half of the amount"),
        SandboxCard("4000000000000069", "lapsed", "has expired"),
        SandboxCard("4000000000000119", "slow", "is approved, and three questions later the office hears of it"),
        SandboxCard("4000000000000127", "silent", "is approved, and the next two questions are never answered"),
        SandboxCard("4000000000000135", "twice", "is approved, and the notice comes twice"),
        SandboxCard("4000000000000143", "reordered", "is approved, then said to be pending, then approved again"),
    )
}
AMOUNTS: Final = {
    102: "declined",
    105: "silent-page",
    107: "partial",
    119: "slow",
    127: "silent-charged",
    128: "silent",
}
"""Cents by which a kept card, or the making of a page (105), misbehaves."""
