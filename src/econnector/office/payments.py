"""What the connector's settings say about payments, as the portal's answers take it."""

from econnector.base.settings import Loaded
from econnector.eservices.portal.office.merchant import Terms
from econnector.office.settings import Settings
from econnector.payments.credentials import StripeCredentials
from econnector.payments.way import Way

__all__ = ["payment_terms"]


def payment_terms(loaded: Loaded[Settings], seconds: float = 10.0) -> Terms:
    """Return them; `seconds`: how long one question to the processor may take."""
    settings = loaded.value
    payments = settings.payments
    return Terms(
        processor=payments.processor,
        way=Way(
            gateway=payments.gateway,
            ca=payments.ca,
            proxy=settings.hq.way_out(),
            seconds=seconds,
            place=loaded.places["payments.gateway"],
        ),
        stripe=StripeCredentials(
            secret_key=payments.stripe_key.strip(), webhook_secret=payments.stripe_webhook_secret.strip()
        ),
    )
