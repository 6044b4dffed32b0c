"""Stripe Checkout over its plain REST interface.

    POST /v1/checkout/sessions   Idempotency-Key: the order's key   ──►  id and url
    browser                      the session's url                       pays there, comes back to success_url
    GET  /v1/checkout/sessions/ID?expand…                           ──►  open, complete or expired, and the charge

A session is made without an end of its own, so that the same request makes the same page for a day; `look` ends one
that is older than half an hour, and Stripe refuses that for a session that was paid in the meantime.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from econnector.base.clock import Clock
from econnector.base.errors import PaymentCredentialsRefused, PaymentGatewayRefused
from econnector.payments.answers import spoken
from econnector.payments.contract import Begun, Card, Order, Outcome, Processor
from econnector.payments.credentials import StripeCredentials
from econnector.payments.exchange import Answered, Exchange
from econnector.payments.stripewords import Intent, Listed, Session, Wrong, outcome_of, outcome_of_wrong
from econnector.payments.way import Way, encrypted

__all__ = ["Stripe"]

_SERVER: Final = "https://api.stripe.com"
_VERSION: Final = "2024-06-20"
_LIFE: Final = dt.timedelta(minutes=30)
_READS: Final = frozenset({200, 400, 401, 402, 403, 404})
_PAGES: Final = 10
_PER_PAGE: Final = 10
"""Each has two or three thousand bytes; an answer is read up to 64 KiB."""
_PAID_FOR: Final = "Payment to your dentist's office"
_EXPANDED: Final = (("expand[]", "payment_intent.latest_charge"), ("expand[]", "payment_intent.payment_method"))

Pairs = tuple[tuple[str, str], ...]


class Stripe:
    """One account at Stripe; a `Gateway`."""

    name: Processor = "stripe"

    def __init__(self, credentials: StripeCredentials, way: Way, clock: Clock) -> None:
        """Nothing is sent yet."""
        self._credentials, self._clock = credentials, clock
        self._exchange = Exchange(credentials.processor, way)
        self._base = way.base or _SERVER

    async def begin(self, order: Order) -> Begun:
        """Make the page; the same order gets the same page for a day."""
        keeping: Pairs = (
            ("customer_creation", "always"),
            ("payment_intent_data[setup_future_usage]", "off_session"),
        )
        values: Pairs = (
            ("mode", "payment"),
            ("payment_method_types[]", "card"),
            ("client_reference_id", order.number),
            ("metadata[order]", order.number),
            ("payment_intent_data[metadata][order]", order.number),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", str(order.cents)),
            ("line_items[0][price_data][product_data][name]", _PAID_FOR),
            ("success_url", order.back),
            ("cancel_url", order.back),
            *(keeping if order.keep_card else ()),
        )
        answered, url = await self._post("checkout/sessions", values, order.key)
        made = self._read(url, answered, Session)
        if not made.url or not encrypted(made.url):
            words = "the page it made is not encrypted"
            raise PaymentGatewayRefused(processor="Stripe", words=words, number="url")
        return Begun(made.id, made.url, self._end(made))

    async def look(self, order: Order, token: str) -> Outcome:
        """Ask about the session, or look the order up where a kept card was charged."""
        if not token:
            return await self._search(order)
        path = f"checkout/sessions/{quote(token, safe='')}"
        answered, url = await self._get(path, _EXPANDED)
        if answered.status == 404:  # noqa: PLR2004 - HTTP's word for it
            return Outcome(state="unknown", code=814, description="Stripe knows no such session")
        session = self._read(url, answered, Session)
        if session.client_reference_id != order.number:
            raise self._exchange.silent(url, "its answer is about another order")
        if session.status == "open" and self._clock.now() > self._end(session):
            await self._end_session(path)
            session = self._read(url, (await self._get(path, _EXPANDED))[0], Session)
        return outcome_of(order, session)

    async def charge(self, order: Order, card: Card) -> Outcome:
        """Charge a kept card; the same order is charged once, however often it is said."""
        customer, _, method = card.alias.partition("/")
        values: Pairs = (
            ("amount", str(order.cents)),
            ("currency", "usd"),
            ("customer", customer),
            ("payment_method", method),
            ("off_session", "true"),
            ("confirm", "true"),
            ("description", _PAID_FOR),
            ("metadata[order]", order.number),
            ("expand[]", "latest_charge"),
            ("expand[]", "payment_method"),
        )
        answered, url = await self._post("payment_intents", values, order.key)
        if answered.status == 402:  # noqa: PLR2004 - Stripe's word for a card that was declined
            return outcome_of_wrong(self._wrong(url, answered))
        return self._paid(order, self._read(url, answered, Intent), card)

    async def forget(self, card: Card) -> None:
        """Take a kept card off its customer."""
        method = card.alias.partition("/")[2]
        answered, url = await self._post(f"payment_methods/{quote(method, safe='')}/detach", ())
        if answered.status in {401, 403}:
            self._read(url, answered, Session)

    async def check(self) -> None:
        """Ask for the account's balance: it needs the key and changes nothing."""
        answered, url = await self._get("balance", ())
        self._read(url, answered, Listed)

    def _paid(self, order: Order, intent: Intent, card: Card) -> Outcome:
        session = Session(id="", client_reference_id=order.number, status="complete", payment_intent=intent)
        outcome = outcome_of(order, session)
        return msgspec.structs.replace(outcome, card=card) if outcome.card else outcome

    def _end(self, session: Session) -> dt.datetime:
        return dt.datetime.fromtimestamp(session.created, dt.UTC) + _LIFE

    async def _end_session(self, path: str) -> None:
        """End an open page. One that was paid a moment ago cannot be ended, and then says so when it is asked."""
        answered, url = await self._post(path + "/expire", ())
        if answered.status != 400:  # noqa: PLR2004 - it is not open any more
            self._read(url, answered, Session)

    async def _search(self, order: Order) -> Outcome:
        """Find the order among the newest charges; Stripe's own search lags behind by a minute."""
        after: Pairs = ()
        url = self._base
        for _ in range(_PAGES):
            answered, url = await self._get("payment_intents", (("limit", str(_PER_PAGE)), *after))
            listed = self._read(url, answered, Listed)
            for intent in listed.data:
                if intent.metadata.get("order") == order.number:
                    session = Session(id="", client_reference_id=order.number, status="complete", payment_intent=intent)
                    return outcome_of(order, session)
            if not listed.has_more or not listed.data:
                return Outcome(state="unknown", code=814, description="Stripe has charged nothing for this order")
            after = (("starting_after", listed.data[-1].id),)
        raise self._exchange.silent(url, "more was charged since than is looked through")

    async def _post(self, path: str, values: Pairs, key: str = "") -> tuple[Answered, str]:
        content = urlencode(values).encode()
        more = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Idempotency-Key": key} if key else {})
        return await self._ask("POST", f"{self._base}/v1/{path}", content, more)

    async def _get(self, path: str, values: Pairs) -> tuple[Answered, str]:
        question = f"?{urlencode(values)}" if values else ""
        return await self._ask("GET", f"{self._base}/v1/{path}{question}", b"", {})

    async def _ask(self, method: str, url: str, content: bytes, more: Mapping[str, str]) -> tuple[Answered, str]:
        headers = {"Authorization": f"Bearer {self._credentials.secret_key}", "Stripe-Version": _VERSION, **more}
        return await self._exchange.ask(url, content, headers, method=method, reads=_READS), url

    def _read(self, url: str, answered: Answered, kind: type[Any]) -> Any:
        """Return what was answered. Raises the failure that it is instead."""
        if answered.status != 200:  # noqa: PLR2004 - HTTP's word for it
            wrong = self._wrong(url, answered)
            if answered.status in {401, 403}:
                mine = self._credentials
                which, words = mine.described(), self._words(wrong)
                raise PaymentCredentialsRefused(
                    processor="Stripe", program="Stripe", clinic=mine.clinic, which=which, words=words
                )
            raise PaymentGatewayRefused(
                processor="Stripe", words=self._words(wrong), number=wrong.code or wrong.type or "?"
            )
        try:
            return msgspec.json.decode(answered.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._exchange.silent(url, "its answer cannot be understood") from None

    def _wrong(self, url: str, answered: Answered) -> Wrong:
        try:
            return msgspec.json.decode(answered.body, type=dict[str, Wrong])["error"]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
            raise self._exchange.silent(url, "its answer cannot be understood") from None

    def _words(self, wrong: Wrong) -> str:
        mine = self._credentials
        return spoken(wrong.message or "nothing more", mine.secret_key, mine.webhook_secret)
