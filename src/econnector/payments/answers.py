"""What XWeb's response codes mean: one table for XWeb and for EdgeExpress, its successor, which keeps its codes."""

import re
from typing import Final

from econnector.base.errors import Failure, PaymentCredentialsRefused, PaymentGatewayRefused
from econnector.payments.contract import PAID, Card, Order, Outcome, State
from econnector.payments.credentials import XWebCredentials
from econnector.payments.exchange import Exchange
from econnector.payments.fields import Fields, UnreadableError, read_fields

__all__ = ["ALIAS_DONE", "INVALID_REFERENCE", "OTK_MADE", "Reader", "spoken"]

OTK_MADE: Final = 100
ALIAS_DONE: Final = frozenset({0, 5})
INVALID_REFERENCE: Final = 814
"""No such key, order or card; EdgeExpress says so of an order whose page is still open, too."""

_STATES: Final[dict[int, State]] = {
    0: "approved",
    1: "declined",
    7: "partial",
    9: "declined",
    10: "declined",
    101: "expired",
    102: "pending",
    INVALID_REFERENCE: "unknown",
    **dict.fromkeys(range(823, 832), "declined"),
}
_CREDENTIALS: Final = frozenset({805, 806, 807, 808})
_PASSING: Final = frozenset({818, 819, 820, 821, 900, 901, 903})
"""The processor itself, or the bank behind it, is away: nobody knows whether it was done."""

_LONG_NUMBER = re.compile(r"[0-9][0-9 -]{7,}[0-9]")
_MOST_WORDS = 200


def spoken(words: str, *secrets: str) -> str:
    """Return a processor's words as people may see them: without long numbers and without `secrets`."""
    for secret in secrets:
        if secret:
            words = words.replace(secret, "…")
    printable = " ".join("".join(each if each.isprintable() else " " for each in words).split())
    return _LONG_NUMBER.sub("…", printable)[:_MOST_WORDS]


class Reader:
    """Reads the answers to questions that were asked with one account's credentials."""

    def __init__(self, credentials: XWebCredentials, exchange: Exchange) -> None:
        """`exchange` is what the questions went through."""
        self._credentials, self._exchange = credentials, exchange

    async def ask(self, url: str, content: bytes) -> tuple[Fields, int]:
        """Send a question and return what was said, and its code if it has one (else 1000).

        Raises `PaymentGatewaySilent`, `PaymentGatewayRefused` and `PaymentCredentialsRefused`.
        """
        answered = await self._exchange.ask(url, content, {"Content-Type": "text/xml"})
        try:
            fields = read_fields(answered.body)
            code = fields.code() if fields.text("RESPONSECODE") else 1000
        except UnreadableError as error:
            raise self._exchange.silent(url, f"its answer cannot be understood: {error}") from None
        if code in _CREDENTIALS:
            raise self._not_let_in(fields)
        if code in _PASSING:
            raise self._exchange.silent(url, f"it says {self.words(fields)} (code {code})")
        return fields, code

    def outcome(self, url: str, order: Order, fields: Fields) -> Outcome:
        """Return what became of `order`. Raises `PaymentGatewaySilent` and `PaymentGatewayRefused`."""
        try:
            code = fields.code()
            said = fields.cents("APPROVEDAMOUNT", "AMOUNT")
        except UnreadableError as error:
            raise self._exchange.silent(url, f"its answer cannot be understood: {error}") from None
        other = fields.text("ORDERID")
        if other and other != order.number:
            raise self._exchange.silent(url, "its answer is about another order")
        state = _STATES.get(code)
        if state is None:
            raise self.refusal(fields, code)
        paid = state in PAID
        if paid and (said == 0 or (said is None and state == "partial")):
            raise self._exchange.silent(url, "it approves an amount that it does not say")
        charged = order.cents if said is None else said
        if state == "approved" and charged < order.cents:
            state = "partial"
        return Outcome(
            state=state,
            cents=charged if paid else 0,
            transaction=fields.text("TRANSACTIONID")[:64],
            approval=fields.text("APPROVALCODE")[:32] if paid else "",
            brand=spoken(fields.text("CARDBRAND", "CARDTYPE"))[:32],
            card=_card(fields) if paid else None,
            code=code,
            description=self.words(fields),
        )

    def refusal(self, fields: Fields, code: int) -> Failure:
        """Return the failure that it was not done, in the processor's words."""
        processor = self._credentials.processor
        return PaymentGatewayRefused(processor=processor, words=self.words(fields), number=f"{code:03}")

    def words(self, fields: Fields) -> str:
        """Return the processor's words."""
        mine = self._credentials
        said = fields.text("RESPONSEDESCRIPTION", "RESULTMSG", "ERRORMESSAGE") or "nothing more"
        return spoken(said, mine.auth_key, mine.xweb_id, mine.terminal_id)

    def _not_let_in(self, fields: Fields) -> Failure:
        mine = self._credentials
        return PaymentCredentialsRefused(
            processor=mine.processor,
            program=mine.program,
            clinic=mine.clinic,
            which=mine.described(),
            words=self.words(fields),
        )


def _card(fields: Fields) -> Card:
    digits = "".join(each for each in fields.text("MASKEDACCTNUM", "MASKEDCARDNUMBER", "ACCOUNT") if each.isdigit())[
        -4:
    ]
    return Card(
        alias=fields.text("ALIAS")[:255],
        masked=f"XXXXXXXXXXXX{digits}" if digits else "",
        expires=_expires(fields),
    )


def _expires(fields: Fields) -> str:
    month, year = fields.text("EXPMONTH"), fields.text("EXPYEAR")
    value = fields.text("EXPDATE") or (f"{month:0>2}{year[-2:]:0>2}" if month and year else "")
    return value if len(value) == 4 and value.isascii() and value.isdigit() else ""  # noqa: PLR2004 - MMYY
