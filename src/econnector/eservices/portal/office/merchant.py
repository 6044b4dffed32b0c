"""The office's account at a card processor: what Open Dental and the settings say, put together."""

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.opendental import paymentsetup
from econnector.opendental.paymentsetup import PaymentSetup, Program
from econnector.payments.contract import Gateway
from econnector.payments.credentials import Credentials, StripeCredentials, XWebCredentials
from econnector.payments.opening import open_gateway
from econnector.payments.way import Way, is_loopback
from econnector.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Merchant", "Terms", "account", "merchant"]


_PROGRAMS: Final[dict[str, Program | Literal[""]]] = {"edgeexpress": "EdgeExpress", "xweb": "Xcharge", "stripe": ""}
"""Where each processor's credentials stand in Open Dental."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the connector's settings say about payments."""

    processor: Literal["open-dental", "stripe"] = "open-dental"
    way: Way = Way()
    stripe: StripeCredentials = StripeCredentials(secret_key="")

    @property
    def sandbox(self) -> bool:
        """Whether no real money moves."""
        test = self.stripe.secret_key.startswith(("sk_test_", "rk_test_"))
        # The sandbox serves its own machine alone; any other address is some real server of the processor.
        return is_loopback(self.way.gateway) or (self.processor == "stripe" and test)


class Merchant(msgspec.Struct, frozen=True):
    """One clinic's account."""

    setup: PaymentSetup
    gateway: Gateway


async def merchant(database: Database, clinic: int, terms: Terms, clock: Clock = SYSTEM) -> Merchant:
    """Return the account that a clinic takes cards with; nothing is sent yet.

    Raises `PaymentsOff`, `PaymentCredentialsIncomplete`, and what `Database.run` raises.
    """
    return await database.run(account, clinic, terms, clock)


def account(
    connection: "Connection", clinic: int, terms: Terms, clock: Clock = SYSTEM, processor: str = ""
) -> Merchant:
    """Return what `merchant` returns; with `processor` the account there, switched off or not, only to ask about it.

    Raises `PaymentsOff`, `PaymentCredentialsIncomplete`.
    """
    if processor in _PROGRAMS:
        setup = paymentsetup.read_again(connection, clinic, _PROGRAMS[processor])
    else:
        setup = paymentsetup.read(connection, clinic, elsewhere=terms.processor == "stripe")
    return Merchant(setup, open_gateway(_credentials(setup, terms), terms.way, clock))


def _credentials(setup: PaymentSetup, terms: Terms) -> Credentials:
    if not setup.program:
        return msgspec.structs.replace(terms.stripe, clinic=setup.clinic_words)
    return XWebCredentials(
        program=setup.program,
        clinic=setup.clinic_words,
        xweb_id=setup.xweb_id,
        auth_key=setup.auth_key,
        terminal_id=setup.terminal_id,
        names=setup.names,
    )
