"""One account at one processor, from its credentials."""

from econnector.base.clock import SYSTEM, Clock
from econnector.payments.contract import Gateway
from econnector.payments.credentials import Credentials, StripeCredentials
from econnector.payments.way import Way

__all__ = ["open_gateway"]


def open_gateway(credentials: Credentials, way: Way, clock: Clock = SYSTEM) -> Gateway:
    """Return the account; nothing is sent yet, and nothing has to be closed.

    Raises `PaymentCredentialsIncomplete` where a credential is missing or cannot be one, `SettingInvalid` where the
    address or the file of authorities cannot be used.
    """
    credentials.validate()
    way.validate()
    # Imported late: the HTTP client takes its time and memory, and most offices' connectors never pay.
    if isinstance(credentials, StripeCredentials):
        from econnector.payments.stripe import Stripe  # noqa: PLC0415 - as above

        return Stripe(credentials, way, clock)
    if credentials.program == "EdgeExpress":
        from econnector.payments.edgeexpress import EdgeExpress  # noqa: PLC0415 - as above

        return EdgeExpress(credentials, way, clock)
    from econnector.payments.xweb import XWeb  # noqa: PLC0415 - as above

    return XWeb(credentials, way, clock)
