"""The sandbox's site."""

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from econnector.demo.gateway.bank import Bank
from econnector.demo.gateway.books import Books
from econnector.demo.gateway.pages import Pages
from econnector.demo.gateway.stripe import StripeShaped
from econnector.demo.gateway.xml import Xml
from econnector.web.headers import protect
from econnector.web.static import STATIC

__all__ = ["Sandbox"]


class Sandbox:
    """All of it over one file."""

    def __init__(self, books: Books, *, notify: str = "", page_seconds: float = 600.0) -> None:
        """`notify`: where Stripe's notices go; `page_seconds`: how long a page can be used."""
        self._books = books
        bank = Bank(books, page_seconds)
        self.stripe = StripeShaped(bank, notify)
        routes = [*Xml(bank).routes(), *self.stripe.routes(), *Pages(bank).routes()]
        ledger = Route("/ledger", self._ledger)
        self.app = Starlette(routes=[*routes, ledger, STATIC.route()], middleware=[Middleware(_Safe)])

    async def _ledger(self, _request: Request) -> Response:
        orders = {
            each.number: {"state": each.state, "cents": each.cents, "charged": each.charged, "script": each.script}
            for each in self._books.newest()
        }
        said = {"charges": self._books.charges(), "orders": orders}
        return Response(msgspec.json.encode(said), media_type="application/json")


class _Safe:
    """Gives every answer its safety headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                protect(MutableHeaders(scope=message), https=False)
            await send(message)

        await self._app(scope, receive, sending)
