"""XWeb's hosted payment form: a one-time key is made, the patient pays on the form, the key is asked about.

    POST GatewayRequest   SpecVersion, credentials, amount  ──►  100 and a one-time key (OTK)
    browser               hpf.aspx?otk=…                         pays there
    POST GatewayRequest   OTK, ResponseMode POLL            ──►  102 pending, then 000, 001, 007 or 101 for a day

The addresses and field names are those that Open Dental's own program used; nobody has tried them against the real
XWeb from here, so another address can be set.
"""

import datetime as dt
import secrets
from typing import Final
from urllib.parse import quote

from econnector.base.clock import Clock
from econnector.base.errors import PaymentGatewayRefused
from econnector.payments.answers import INVALID_REFERENCE, OTK_MADE, Reader
from econnector.payments.contract import Begun, Card, Order, Outcome, Processor
from econnector.payments.credentials import XWebCredentials
from econnector.payments.directpay import DirectPay
from econnector.payments.edgeexpress import SERVER
from econnector.payments.exchange import Exchange
from econnector.payments.fields import Fields, amount_text, write_fields
from econnector.payments.way import Way

__all__ = ["XWeb"]

_GATEWAY: Final = "https://gw.t3secure.net"
_FORM: Final = "https://online.t3secure.net"
_MINUTES: Final = 10
"""How long the form can be used; XWeb takes 5 to 30."""
_LONGEST: Final = 2048
_LEAST_CENTS: Final = 100


class XWeb:
    """One account at XWeb; a `Gateway`."""

    name: Processor = "xweb"

    def __init__(self, credentials: XWebCredentials, way: Way, clock: Clock) -> None:
        """Nothing is sent yet."""
        self._credentials, self._clock = credentials, clock
        self._reader = Reader(credentials, Exchange(credentials.processor, way))
        self._direct = DirectPay(credentials, self._reader, way.base or SERVER)
        self._url = (way.base or _GATEWAY) + "/x-chargeweb.dll"
        self._form = (way.base or _FORM) + "/hpf/hpf.aspx"

    async def begin(self, order: Order) -> Begun:
        """Make a one-time key. A second one for the same order is another page; only the first was ever shown."""
        until = self._clock.now() + dt.timedelta(minutes=_MINUTES)
        otk = await self._make(order)
        return Begun(otk, f"{self._form}?otk={quote(otk, safe='')}", until)

    async def look(self, order: Order, token: str) -> Outcome:
        """Ask about the one-time key, or about the order where a kept card was charged."""
        if not token:
            return await self._direct.look(order)
        fields, code = await self._ask({"OTK": token, "ResponseMode": "POLL"})
        if code == INVALID_REFERENCE:  # keys are known for a day; what became of the order, longer
            return await self._direct.look(order)
        return self._reader.outcome(self._url, order, fields)

    async def charge(self, order: Order, card: Card) -> Outcome:
        """Charge a kept card."""
        return await self._direct.charge(order, card)

    async def forget(self, card: Card) -> None:
        """Delete a kept card."""
        await self._direct.forget(card)

    async def check(self) -> None:
        """Make a one-time key that nobody is shown: it ends by itself."""
        await self._make(Order(number=f"{secrets.randbelow(10**10):010}", key="", cents=_LEAST_CENTS))

    async def _make(self, order: Order) -> str:
        fields, code = await self._ask(
            {
                "TransactionType": "CreditSaleTransaction",
                "FormTimeout": str(_MINUTES),
                **({"SuccessURL": order.back} if order.back else {}),
                "DeviceType": "NONE",
                "DuplicateMode": "CHECKING_OFF",
                "CreateAlias": "TRUE" if order.keep_card else "FALSE",
                "OrderID": order.number,
                "Amount": amount_text(order.cents),
                "AmountLocked": "TRUE",
                "EnablePartialApprovals": "FALSE",
            }
        )
        otk = fields.text("OTK")
        if code != OTK_MADE or not otk:
            raise self._reader.refusal(fields, code)
        return otk

    async def _ask(self, values: dict[str, str]) -> tuple[Fields, int]:
        mine = self._credentials
        opening = {
            "SpecVersion": "XWebSecure3.6",
            "XWebID": mine.xweb_id,
            "AuthKey": mine.auth_key,
            "TerminalID": mine.terminal_id,
        }
        content = write_fields("GatewayRequest", opening | values)
        if len(content) >= _LONGEST:
            words = "the request is longer than XWeb takes"
            raise PaymentGatewayRefused(processor=mine.processor, words=words, number="801")
        return await self._reader.ask(self._url, content)
