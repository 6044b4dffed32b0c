"""Stripe's objects, as far as they are read, and what they mean for an order."""

import msgspec

from econnector.payments.answers import spoken
from econnector.payments.contract import Card, Order, Outcome

__all__ = ["Charge", "Intent", "Listed", "Session", "Wrong", "outcome_of", "outcome_of_wrong"]

_DECLINED, _PARTIAL, _EXPIRED, _PENDING = 1, 7, 101, 102


class Wrong(msgspec.Struct, frozen=True):
    """Why not: `error` of an answer."""

    type: str | None = ""
    code: str | None = ""
    message: str | None = ""


class _Drawn(msgspec.Struct, frozen=True):
    brand: str = ""
    last4: str = ""
    exp_month: int = 0
    exp_year: int = 0


class _Details(msgspec.Struct, frozen=True):
    card: _Drawn | None = None


class Charge(msgspec.Struct, frozen=True):
    """One charge."""

    id: str
    payment_method_details: _Details | None = None
    authorization_code: str | None = None


class _Named(msgspec.Struct, frozen=True):
    id: str = ""


class Intent(msgspec.Struct, frozen=True):
    """What is to be charged; what belongs to it may be ids alone."""

    id: str
    status: str = ""
    amount_received: int = 0
    currency: str = "usd"
    customer: _Named | str | None = None
    payment_method: _Named | str | None = None
    setup_future_usage: str | None = None
    latest_charge: Charge | str | None = None
    metadata: dict[str, str] = {}


class Listed(msgspec.Struct, frozen=True):
    """A page of intents."""

    data: list[Intent] = []
    has_more: bool = False


class Session(msgspec.Struct, frozen=True):
    """One page that Stripe made."""

    id: str
    url: str | None = ""
    status: str = ""
    """`open`, `complete`, `expired`."""
    created: int = 0
    client_reference_id: str | None = ""
    customer: _Named | str | None = None
    payment_intent: Intent | str | None = None


def outcome_of(order: Order, session: Session) -> Outcome:
    """Return what became of an order."""
    intent = session.payment_intent if isinstance(session.payment_intent, Intent) else None
    if intent is not None and intent.status == "succeeded" and intent.currency == "usd" and intent.amount_received > 0:
        return _paid(order, session, intent)
    if session.status == "expired":
        return Outcome(state="expired", code=_EXPIRED, description="the page was not used in time")
    if session.status == "complete" and intent is not None and intent.status in _FAILED:
        return Outcome(state="declined", code=_DECLINED, transaction=intent.id, description="the card was declined")
    return Outcome(state="pending", code=_PENDING, description="not paid yet")


_FAILED = frozenset({"canceled", "requires_payment_method", "requires_action"})
"""Of a charge that nobody is there to confirm: without us nothing will come of it."""


def outcome_of_wrong(wrong: Wrong) -> Outcome:
    """Return what a card that was declined at once became."""
    return Outcome(state="declined", code=_DECLINED, description=spoken(wrong.message or "the card was declined"))


def _paid(order: Order, session: Session, intent: Intent) -> Outcome:
    charge = intent.latest_charge if isinstance(intent.latest_charge, Charge) else Charge("")
    drawn = (charge.payment_method_details or _Details()).card or _Drawn()
    partial = intent.amount_received < order.cents
    return Outcome(
        state="partial" if partial else "approved",
        cents=intent.amount_received,
        transaction=intent.id,
        approval=charge.authorization_code or "",
        brand=spoken(drawn.brand).title()[:32],
        card=Card(
            alias=_alias(session, intent),
            masked=f"XXXXXXXXXXXX{drawn.last4}" if drawn.last4 else "",
            expires=f"{drawn.exp_month:02}{drawn.exp_year % 100:02}" if drawn.exp_month else "",
        ),
        code=_PARTIAL if partial else 0,
        description="paid",
    )


def _alias(session: Session, intent: Intent) -> str:
    """Return customer and payment method where the card is kept, else ''."""
    customer, method = _id(session.customer or intent.customer), _id(intent.payment_method)
    return f"{customer}/{method}" if intent.setup_future_usage and customer and method else ""


def _id(found: _Named | str | None) -> str:
    return found.id if isinstance(found, _Named) else found or ""
