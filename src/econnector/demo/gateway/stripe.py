"""The sandbox as Stripe's REST interface: form data in, JSON out, idempotency keys, signed notices."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from econnector.demo.gateway.bank import Bank
from econnector.demo.gateway.books import Paper
from econnector.demo.gateway.scripts import AMOUNTS, STRIPE_KEY, WEBHOOK_SECRET
from econnector.demo.gateway.xml import SLOW_SECONDS, hang

__all__ = ["StripeShaped"]

_AGAIN_SECONDS = 1.0
_USUAL, _MOST = 10, 100
Json = dict[str, Any]
Answer = Callable[[Request, Mapping[str, str]], Awaitable[tuple[int, Json]]]


class _HangError(Exception):
    """Nothing is answered."""


class StripeShaped:
    """The routes, and the sending of notices."""

    def __init__(self, bank: Bank, notify: str) -> None:
        """`notify`: where notices go; empty for nowhere."""
        self._bank, self._notify = bank, notify

    def routes(self) -> list[Route]:
        """Return them."""
        wanted: list[tuple[str, str, Answer]] = [
            ("GET", "/v1/balance", self._balance),
            ("POST", "/v1/checkout/sessions", self._make),
            ("GET", "/v1/checkout/sessions/{token}", self._session),
            ("POST", "/v1/checkout/sessions/{token}/expire", self._expire),
            ("GET", "/v1/payment_intents", self._intents),
            ("POST", "/v1/payment_intents", self._charge),
            ("POST", "/v1/payment_methods/{method}/detach", self._detach),
        ]
        return [Route(path, self._answering(answer), methods=[method]) for method, path, answer in wanted]

    async def send_notices(self) -> None:
        """Send what is not sent yet, for ever; a notice that is not taken is sent again."""
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as client:
            while self._notify:
                for number, body in self._bank.books.unsent():
                    if await _post(client, self._notify, body):
                        self._bank.books.sent(number)
                await asyncio.sleep(_AGAIN_SECONDS)

    def _answering(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def answering(request: Request) -> Response:
            if not hmac.compare_digest(request.headers.get("authorization", ""), f"Bearer {STRIPE_KEY}"):
                return _json(401, _wrong("invalid_request_error", "Invalid API Key provided"))
            body = await request.body()
            key = request.headers.get("idempotency-key", "")
            asked = hashlib.sha256(f"{request.url.path} ".encode() + body).hexdigest()
            before = self._bank.books.replied(key) if key else None
            if before is not None:
                if before[0] != asked:
                    return _json(400, _wrong("idempotency_error", "Keys can only be used with the same parameters"))
                return Response(before[2], before[1], media_type="application/json")
            try:
                status, said = await answer(request, dict(parse_qsl(body.decode("utf-8", "replace"))))
            except _HangError:
                return await hang(request)
            if key:
                self._bank.books.reply(key, asked, status, msgspec.json.encode(said))
            return _json(status, said)

        return answering

    async def _balance(self, _request: Request, _said: Mapping[str, str]) -> tuple[int, Json]:
        return 200, {"object": "balance", "available": []}

    async def _make(self, request: Request, said: Mapping[str, str]) -> tuple[int, Json]:
        amount = said.get("line_items[0][price_data][unit_amount]", "")
        number = said.get("client_reference_id", "")
        if not (amount.isdigit() and number and said.get("success_url")):
            return 400, _wrong("invalid_request_error", "Missing required param")
        if AMOUNTS.get(int(amount)) == "silent-page":
            raise _HangError
        keep = said.get("payment_intent_data[setup_future_usage]") == "off_session"
        token = f"cs_test_{secrets.token_hex(16)}"
        paper = self._bank.page(number, "stripe", int(amount), said["success_url"], keep=keep, token=token)
        url = str(request.url.replace(path=f"/c/pay/{paper.token}", query=""))
        return 200, _told(paper) | {"url": url}

    async def _session(self, request: Request, _said: Mapping[str, str]) -> tuple[int, Json]:
        paper = self._bank.books.by_token(request.path_params["token"])
        if paper is None:
            return 404, _wrong("invalid_request_error", "No such checkout session", "resource_missing")
        paper, how = self._bank.look(paper)
        if how == "silent":
            raise _HangError
        if how == "pending":
            paper = msgspec.structs.replace(paper, state="open")
        return 200, _told(paper)

    async def _expire(self, request: Request, _said: Mapping[str, str]) -> tuple[int, Json]:
        paper = self._bank.books.by_token(request.path_params["token"])
        if paper is None:
            return 404, _wrong("invalid_request_error", "No such checkout session", "resource_missing")
        if paper.state != "open":
            return 400, _wrong("invalid_request_error", "Only open sessions can be expired")
        self._bank.leave(paper)
        return 200, _told(self._bank.books.find(paper.number) or paper)

    async def _charge(self, _request: Request, said: Mapping[str, str]) -> tuple[int, Json]:
        alias = f"{said.get('customer', '')}/{said.get('payment_method', '')}"
        number, amount = said.get("metadata[order]", ""), said.get("amount", "")
        if not (number and amount.isdigit()):
            return 400, _wrong("invalid_request_error", "Missing required param")
        if AMOUNTS.get(int(amount)) == "silent":
            raise _HangError
        paper = self._bank.charge(number, "stripe", int(amount), alias)
        if paper is None:
            return 400, _wrong("invalid_request_error", "No such PaymentMethod", "resource_missing")
        if paper.script == "silent-charged":
            raise _HangError
        if paper.script == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if not paper.paid:
            return 402, _wrong("card_error", "Your card was declined.", "card_declined")
        return 200, _intent(paper)

    async def _intents(self, request: Request, _said: Mapping[str, str]) -> tuple[int, Json]:
        papers = [each for each in self._bank.books.newest() if each.speech == "stripe" and each.state != "open"]
        intents = [_intent(each) for each in papers]
        after, limit = request.query_params.get("starting_after"), request.query_params.get("limit", "")
        begin = next((place for place, each in enumerate(intents, 1) if each["id"] == after), 0)
        end = begin + min(int(limit) if limit.isdigit() else _USUAL, _MOST)
        return 200, {"data": intents[begin:end], "has_more": len(intents) > end}

    async def _detach(self, request: Request, _said: Mapping[str, str]) -> tuple[int, Json]:
        method = request.path_params["method"]
        gone = self._bank.books.forget_method(method)
        missing = _wrong("invalid_request_error", "The payment method is not attached", "resource_missing")
        return (200, {"id": method}) if gone else (400, missing)


async def _post(client: httpx2.AsyncClient, url: str, body: bytes) -> bool:
    at = int(time.time())
    signed = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={at},v1={signed}", "Content-Type": "application/json"}
    try:
        return (await client.post(url, content=body, headers=headers)).is_success
    except httpx2.HTTPError:
        return False


def _told(paper: Paper) -> Json:
    status = "complete" if paper.paid else "open" if not paper.over else "expired"
    intent = _intent(paper) if paper.paid else None
    return {
        "id": paper.token,
        "object": "checkout.session",
        "url": None,
        "status": status,
        "payment_status": "paid" if paper.paid else "unpaid",
        "created": int(paper.created),
        "client_reference_id": paper.number,
        "customer": paper.alias.partition("/")[0] or None,
        "payment_intent": intent,
    }


def _intent(paper: Paper) -> Json:
    customer, _, method = paper.alias.partition("/")
    card = {
        "brand": paper.brand.lower(),
        "last4": paper.last4,
        "exp_month": int(paper.expires[:2] or 0),
        "exp_year": 2000 + int(paper.expires[2:] or 0),
    }
    return {
        "id": f"pi_{paper.reference or paper.number}",
        "status": "succeeded" if paper.paid else "requires_payment_method",
        "amount": paper.cents,
        "amount_received": paper.charged,
        "currency": "usd",
        "customer": customer or None,
        "payment_method": {"id": method} if method else None,
        "setup_future_usage": "off_session" if paper.keep else None,
        "metadata": {"order": paper.number},
        "latest_charge": {
            "id": f"ch_{paper.reference}",
            "authorization_code": paper.approval,
            "payment_method_details": {"card": card},
        },
    }


def _wrong(kind: str, message: str, code: str = "") -> Json:
    return {"error": {"type": kind, "code": code or None, "message": message}}


def _json(status: int, said: Json) -> Response:
    return Response(msgspec.json.encode(said), status, media_type="application/json")
