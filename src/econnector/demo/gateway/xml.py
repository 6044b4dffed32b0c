"""The sandbox as XWeb's gateway and EdgeExpress's host pay and direct pay: XML in, XML out."""

import asyncio
import contextlib
import re
import secrets
from xml.sax.saxutils import escape, unescape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from econnector.demo.gateway.bank import Bank
from econnector.demo.gateway.books import Paper
from econnector.demo.gateway.scripts import AMOUNTS, AUTH_KEY, TERMINAL_ID, XWEB_ID

__all__ = ["Xml", "hang"]

HANG_SECONDS = 60.0
SLOW_SECONDS = 2.0
_FIELD = re.compile(r"<(\w+)>([^<]*)</\1>")
_LONGEST = 2048
_CODES = {"approved": 0, "partial": 7, "declined": 1, "lapsed": 10, "left": 101}
_WORDS = {
    0: "Approval",
    1: "Declined",
    5: "Alias Success",
    7: "Partial Approval",
    10: "Invalid Expiration Date",
    100: "OTK Success",
    101: "Expired without approval",
    102: "Pending",
    801: "Max Request Data Exceeded Error",
    805: "Authentication Error",
    809: "Required field not sent",
    814: "Invalid Reference Error",
}


async def hang(request: Request) -> Response:
    """Answer nothing until whoever asked has given up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HANG_SECONDS):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    return Response(status_code=504)


class Xml:
    """The routes of both."""

    def __init__(self, bank: Bank) -> None:
        """Everything is decided by `bank`."""
        self._bank = bank

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/x-chargeweb.dll", self._gateway, methods=["POST"]),
            Route("/HostPayService/v1/hostpay/transactions/", self._host_pay, methods=["POST"]),
            Route("/HostPayService/v1/directpay/express", self._direct_pay, methods=["POST"]),
        ]

    async def _gateway(self, request: Request) -> Response:
        body = await request.body()
        said = _fields(body)
        if len(body) >= _LONGEST:
            return _answer("GatewayResponse", _code(801))
        if not _let_in(said, "XWEBID", "AUTHKEY", "TERMINALID"):
            return _answer("GatewayResponse", _code(805))
        if said.get("OTK"):
            paper = self._bank.books.by_token(said["OTK"])
            return await self._say(request, "GatewayResponse", paper)
        return await self._page(request, said, "GatewayResponse", said.get("ORDERID") or _any_number())

    async def _host_pay(self, request: Request) -> Response:
        said = _fields(await request.body())
        if not _let_in(said, "XWEBID", "XWEBAUTHKEY", "XWEBTERMINALID"):
            return _answer("RESULT", _code(805))
        return await self._page(request, said, "RESULT", said.get("ORDERID", ""))

    async def _page(self, request: Request, said: dict[str, str], root: str, number: str) -> Response:
        cents = _cents(said.get("AMOUNT", ""))
        if not number or not cents:
            return _answer(root, _code(809))
        if AMOUNTS.get(cents) == "silent-page":
            return await hang(request)
        back = said.get("SUCCESSURL") or said.get("RETURNURL") or ""
        keep = said.get("CREATEALIAS", "").upper() == "TRUE"
        xweb = root == "GatewayResponse"
        paper = self._bank.page(number, "xweb" if xweb else "edgeexpress", cents, back, keep=keep)
        if xweb:
            return _answer(root, _code(100) | {"OTK": paper.token})
        url = str(request.url.replace(path=f"/hostpay/{paper.token}", query=""))
        return _answer(root, {"SESSIONTOKEN": paper.token, "PAYPAGEURL": url})

    async def _direct_pay(self, request: Request) -> Response:
        said = _fields(await request.body())
        if not _let_in(said, "XWEBID", "XWEBAUTHKEY", "XWEBTERMINALID"):
            return _answer("RESULT", _code(805))
        kind = said.get("TRANSACTIONTYPE", "")
        if kind == "QUERYPAYMENT":
            return await self._say(request, "RESULT", self._bank.books.find(said.get("ORDERID", "")))
        if kind == "ALIASDELETE":
            gone = self._bank.books.forget_card(said.get("ALIAS", ""))
            return _answer("RESULT", _code(5 if gone else 814))
        if kind == "CREDITSALE":
            return await self._charge(request, said)
        return _answer("RESULT", _code(809))

    async def _charge(self, request: Request, said: dict[str, str]) -> Response:
        cents = _cents(said.get("AMOUNT", ""))
        number = said.get("ORDERID", "")
        if not cents or not number:
            return _answer("RESULT", _code(809))
        if AMOUNTS.get(cents) == "silent":  # it never came through
            return await hang(request)
        paper = self._bank.charge(number, "edgeexpress", cents, said.get("ALIAS", ""))
        if paper is None:
            return _answer("RESULT", _code(814))
        if paper.script == "silent-charged":
            return await hang(request)
        if paper.script == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        return _answer("RESULT", _told(paper))

    async def _say(self, request: Request, root: str, paper: Paper | None) -> Response:
        """Say what became of an order: XWeb says pending and expired, EdgeExpress neither."""
        if paper is None:
            return _answer(root, _code(814))
        paper, how = self._bank.look(paper)
        if how == "silent":
            return await hang(request)
        if paper.state == "open" or how == "pending":
            if root == "RESULT":
                return _answer(root, _code(814))
            return _answer(root, _code(101 if paper.over and not how else 102))
        return _answer(root, _told(paper))


def _told(paper: Paper) -> dict[str, str]:
    said = _code(_CODES[paper.state])
    if not paper.paid:
        return said
    amount = f"{paper.charged // 100}.{paper.charged % 100:02}"
    return said | {
        "TransactionID": paper.reference,
        "TransactionType": "CREDITSALE",
        "ApprovalCode": paper.approval,
        "Amount": amount,
        "ApprovedAmount": amount,
        "CardType": "Credit",
        "CardBrand": paper.brand,
        "MaskedAcctNum": f"************{paper.last4}",
        "ExpDate": paper.expires,
        "ExpMonth": paper.expires[:2],
        "ExpYear": paper.expires[2:],
        "OrderID": paper.number,
        **({"Alias": paper.alias} if paper.alias else {}),
    }


def _code(code: int) -> dict[str, str]:
    return {"ResponseCode": f"{code:03}", "ResponseDescription": _WORDS[code]}


def _answer(root: str, values: dict[str, str]) -> Response:
    upper = root == "RESULT"
    parts = "".join(
        f"<{name.upper() if upper else name}>{escape(value)}</{name.upper() if upper else name}>"
        for name, value in values.items()
    )
    return Response(f'<?xml version="1.0"?><{root}>{parts}</{root}>', media_type="text/xml")


def _fields(body: bytes) -> dict[str, str]:
    text = body.decode("utf-8", "replace")
    return {name.upper(): unescape(value) for name, value in reversed(_FIELD.findall(text))}


def _let_in(said: dict[str, str], *names: str) -> bool:
    return [said.get(name) for name in names] == [XWEB_ID, AUTH_KEY, TERMINAL_ID]


def _cents(amount: str) -> int:
    whole, _, part = amount.partition(".")
    return int(whole) * 100 + int(f"{part:0<2}"[:2]) if whole.isdigit() and (part or "0").isdigit() else 0


def _any_number() -> str:
    return f"{secrets.randbelow(10**10):010}"
