"""What a clinic is paid through: its account at a processor, and how Open Dental books what comes in by it."""

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from econnector.base.clock import Clock
from econnector.eservices.portal.office.merchant import Terms, account
from econnector.payments.contract import Gateway
from econnector.payments.notice import verify_notice

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["NAMES", "MerchantTills", "Till", "Tills", "name_of"]

NAMES: Final[dict[str, str]] = {"edgeexpress": "EdgeExpress", "xweb": "XWeb", "stripe": "Stripe"}
"""As people know them."""


def name_of(processor: str) -> str:
    """Return a processor's name for people, of one that is not known any more its own word."""
    return NAMES.get(processor, processor)


class Till(msgspec.Struct, frozen=True, kw_only=True):
    """One clinic's account at a processor."""

    gateway: Gateway
    name: str
    """The processor's, as patients know it."""
    clinic: int
    """ClinicNum of what is paid; 0 where clinics are switched off."""
    pay_type: int
    """DefNum for `payment.PayType`."""
    source: int
    """CreditCardSource for `payment.PaymentSource`."""
    may_keep: bool = False
    """Whether a card may be kept for the next time."""
    sandbox: bool = False
    """Whether no real money moves."""

    def __repr__(self) -> str:
        return f"Till({self.name}, clinic {self.clinic})"


class Tills(Protocol):
    """Every clinic's."""

    def open(self, connection: "Connection", clinic: int, processor: str = "") -> Till:
        """Return what this clinic (ClinicNum) is paid through; nothing is sent.

        With `processor` (`Gateway.name`) what it was paid through when something was begun: only to ask about that,
        whatever is switched off since. Raises `PaymentsOff` where it takes no payments online,
        `PaymentCredentialsIncomplete`, `SettingInvalid`.
        """
        ...

    def believe(self, processor: str, body: bytes, signature: str) -> str:
        """Return the number of the payment that a processor's notice is about; empty for one that proves nothing."""
        ...


class MerchantTills:
    """As Open Dental's program links and the connector's settings say."""

    def __init__(self, terms: Terms, clock: Clock) -> None:
        """`terms` are the settings'."""
        self._terms, self._clock = terms, clock

    def open(self, connection: "Connection", clinic: int, processor: str = "") -> Till:
        """Return what this clinic is paid through. Raises as `Tills` says."""
        found = account(connection, clinic, self._terms, self._clock, processor)
        setup = found.setup
        return Till(
            gateway=found.gateway,
            name=NAMES[found.gateway.name],
            clinic=setup.clinic,
            pay_type=setup.pay_type,
            source=setup.source,
            # Open Dental takes a kept card's token for its own processor's.
            may_keep=setup.may_keep and bool(setup.program),
            sandbox=self._terms.sandbox,
        )

    def believe(self, processor: str, body: bytes, signature: str) -> str:
        """Return whom a notice of Stripe's is about; the others send none."""
        if processor != "stripe" or self._terms.processor != "stripe":
            return ""
        notice = verify_notice(body, signature, self._terms.stripe.webhook_secret, self._clock.now())
        return notice.order if notice else ""
