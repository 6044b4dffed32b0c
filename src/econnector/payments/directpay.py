"""What needs no page: asking about an order, charging a kept card, deleting one. EdgeExpress's direct pay.

Open Dental goes this way for XWeb's accounts too: both are opened by the same three values.
"""

from typing import Final

from econnector.payments.answers import ALIAS_DONE, INVALID_REFERENCE, Reader
from econnector.payments.contract import Card, Order, Outcome
from econnector.payments.credentials import XWebCredentials
from econnector.payments.fields import Fields, amount_text, write_fields

__all__ = ["DirectPay"]

_PATH: Final = "/HostPayService/v1/directpay/express"


class DirectPay:
    """One account's direct pay. Raises as `Gateway` says."""

    def __init__(self, credentials: XWebCredentials, reader: Reader, base: str) -> None:
        """`base` is the server's address."""
        self._credentials, self._reader, self._url = credentials, reader, base + _PATH

    def opening(self, kind: str) -> dict[str, str]:
        """Return the fields that every question begins with."""
        mine = self._credentials
        return {
            "XWEBID": mine.xweb_id,
            "XWEBTERMINALID": mine.terminal_id,
            "XWEBAUTHKEY": mine.auth_key,
            "TRANSACTIONTYPE": kind,
        }

    async def look(self, order: Order) -> Outcome:
        """Say what became of an order; `unknown` while nothing was charged, even if a page is open for it."""
        fields, _ = await self._ask("QUERYPAYMENT", ORDERID=order.number)
        return self._reader.outcome(self._url, order, fields)

    async def charge(self, order: Order, card: Card) -> Outcome:
        """Charge a kept card."""
        fields, code = await self._ask(
            "CREDITSALE",
            ORDERID=order.number,
            AMOUNT=amount_text(order.cents),
            ALIAS=card.alias,
            # Somebody who pays the same amount twice on purpose was asked by the portal.
            ALLOWDUPLICATES="True",
            INVOICENO=order.number,
        )
        if code == INVALID_REFERENCE:  # of the card, not of the order
            raise self._reader.refusal(fields, code)
        return self._reader.outcome(self._url, order, fields)

    async def forget(self, card: Card) -> None:
        """Delete a kept card; one that is not there is deleted."""
        fields, code = await self._ask("ALIASDELETE", ALIAS=card.alias)
        if code not in ALIAS_DONE | {INVALID_REFERENCE}:
            raise self._reader.refusal(fields, code)

    async def _ask(self, kind: str, **more: str) -> tuple[Fields, int]:
        return await self._reader.ask(self._url, write_fields("REQUEST", self.opening(kind) | more))
