"""EdgeExpress's hosted pay page: XWeb's successor, with the same credentials and response codes.

    POST REQUEST   CREDITSALE, ORDERID, AMOUNT  ──►  SESSIONTOKEN, PAYPAGEURL
    browser        PAYPAGEURL                        pays there, comes back to RETURNURL
    POST REQUEST   QUERYPAYMENT, ORDERID        ──►  814 until somebody paid, then 000, 001 or 007

It never says that a page ended without a payment: 814 stays for ever. So the token that is kept says until when the
page is good, and after that and five minutes more the order counts as expired, as in Open Dental.

The addresses and field names are those of Open Dental's own program; nobody has tried them against the real EdgeExpress
from here, so another address can be set.
"""

import datetime as dt
import secrets
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from econnector.base.clock import Clock
from econnector.base.errors import PaymentGatewayRefused
from econnector.payments.answers import Reader
from econnector.payments.contract import Begun, Card, Order, Outcome, Processor
from econnector.payments.credentials import XWebCredentials
from econnector.payments.directpay import DirectPay
from econnector.payments.exchange import Exchange
from econnector.payments.fields import amount_text, write_fields
from econnector.payments.way import Way, encrypted

__all__ = ["SERVER", "EdgeExpress"]

SERVER: Final = "https://ee.paygateway.com"
_PATH: Final = "/HostPayService/v1/hostpay/transactions/"
_MINUTES: Final = 10
_GRACE: Final = dt.timedelta(minutes=5)
_LEAST_CENTS: Final = 100
_PENDING, _EXPIRED = 102, 101


class EdgeExpress:
    """One account at EdgeExpress; a `Gateway`."""

    name: Processor = "edgeexpress"

    def __init__(self, credentials: XWebCredentials, way: Way, clock: Clock) -> None:
        """Nothing is sent yet."""
        self._credentials, self._clock = credentials, clock
        base = way.base or SERVER
        self._reader = Reader(credentials, Exchange(credentials.processor, way))
        self._direct = DirectPay(credentials, self._reader, base)
        self._url = base + _PATH

    async def begin(self, order: Order) -> Begun:
        """Make the page; EdgeExpress charges an order's number once, however many pages were made for it."""
        until = self._clock.now() + dt.timedelta(minutes=_MINUTES)
        token, url = await self._make(order)
        return Begun(f"{int(until.timestamp())}.{token}", url, until)

    async def look(self, order: Order, token: str) -> Outcome:
        """Ask about the order."""
        outcome = await self._direct.look(order)
        if outcome.state != "unknown" or not token:
            return outcome
        over = self._clock.now() > _until(token) + _GRACE
        if over:
            return msgspec.structs.replace(
                outcome, state="expired", code=_EXPIRED, description="the page was not used in time"
            )
        return msgspec.structs.replace(outcome, state="pending", code=_PENDING, description="not paid yet")

    async def charge(self, order: Order, card: Card) -> Outcome:
        """Charge a kept card."""
        return await self._direct.charge(order, card)

    async def forget(self, card: Card) -> None:
        """Delete a kept card."""
        await self._direct.forget(card)

    async def check(self) -> None:
        """Make a page that nobody is shown: it ends by itself."""
        await self._make(Order(number=f"{secrets.randbelow(10**10):010}", key="", cents=_LEAST_CENTS))

    async def _make(self, order: Order) -> tuple[str, str]:
        values = self._direct.opening("CREDITSALE") | {
            "ORDERID": order.number,
            "AMOUNT": amount_text(order.cents),
            **({"CREATEALIAS": "true"} if order.keep_card else {}),
            "ALLOWDUPLICATES": "True",
            "INVOICENO": order.number,
        }
        content = write_fields("REQUEST", values, _page(order))
        fields, code = await self._reader.ask(self._url, content)
        token, url = fields.text("SESSIONTOKEN"), fields.text("PAYPAGEURL")
        if not token or not url:
            raise self._reader.refusal(fields, code)
        if not encrypted(url):
            words = "the page it made is not encrypted"
            raise PaymentGatewayRefused(processor=self._credentials.processor, words=words, number="PAYPAGEURL")
        return token, url


def _page(order: Order) -> str:
    """Return how the page shall be: for a typed card, without a name, and the way back."""
    hidden = ("BILLINGFIRSTNAME", "BILLINGMIDDLENAME", "BILLINGLASTNAME", "BILLINGCOMPANY", "BILLINGCUSTOMERTITLE")
    pieces = "".join(f"<{name}><VISIBLE>false</VISIBLE></{name}>" for name in hidden)
    back = f"<RETURNURL>{escape(order.back)}</RETURNURL><RETURNTARGET>_self</RETURNTARGET>" if order.back else ""
    return (
        "<HOSTPAYSETTING><POSDEVICE><TYPE>KEYED</TYPE></POSDEVICE>"
        f"<RETURNOPTION>{back}</RETURNOPTION><DISABLEFRAMING>true</DISABLEFRAMING>"
        f"<CUSTOMIZATION><PAGE>{pieces}</PAGE></CUSTOMIZATION></HOSTPAYSETTING>"
    )


def _until(token: str) -> dt.datetime:
    """Return until when the page is good; of a token that says nothing, now and for ever over."""
    seconds = token.partition(".")[0]
    known = seconds.isascii() and seconds.isdigit() and len(seconds) <= 10  # noqa: PLR2004 - until the year 2286
    return dt.datetime.fromtimestamp(int(seconds) if known else 0, dt.UTC)
