"""The sandbox's own pages: where people pay, and what it is."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from econnector.demo.gateway.bank import Bank
from econnector.demo.gateway.books import Paper
from econnector.demo.gateway.scripts import AMOUNTS, CARDS, TERMINAL_ID, XWEB_ID
from econnector.web.forms import Form, read_form
from econnector.web.kit import Kit, Visit
from econnector.web.language import ENGLISH

__all__ = ["Pages"]

_ROOM = {"gateway": ("econnector.demo.gateway", "")}
# Without `form-action`: the answer to the form sends the browser back to the office's portal, which is another site.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_EXPIRES = re.compile(r"(0[1-9]|1[0-2])\s*/?\s*(?:20)?([0-9]{2})")


class Pages:
    """The routes."""

    def __init__(self, bank: Bank) -> None:
        """Everything is decided by `bank`."""
        self._bank, self._kit = bank, Kit(_ROOM, languages=(ENGLISH.words,))

    def routes(self) -> list[Route]:
        """Return them: each speech has its own address of the one page."""
        both = ["GET", "POST"]
        return [
            Route("/", self._about),
            Route("/hpf/hpf.aspx", self._pay, methods=both),
            Route("/hostpay/{token}", self._pay, methods=both),
            Route("/c/pay/{token}", self._pay, methods=both),
        ]

    async def _about(self, request: Request) -> Response:
        values = {"cards": list(CARDS.values()), "amounts": AMOUNTS, "xweb_id": XWEB_ID, "terminal_id": TERMINAL_ID}
        return self._page(request, "gateway/about.html", values)

    async def _pay(self, request: Request) -> Response:
        token = request.path_params.get("token") or request.query_params.get("otk", "")
        paper = self._bank.books.by_token(token)
        if paper is None:
            return self._page(request, "gateway/gone.html", {"back": ""}, 404)
        if paper.over:
            return self._back(request, paper)
        if request.method == "GET":
            return self._form(request, paper, Form())
        form = await read_form(request)
        if form.get("do") == "cancel":
            self._bank.leave(paper)
        else:
            self._take(paper, form)
        return self._form(request, paper, form) if form.mistakes else self._back(request, paper)

    def _take(self, paper: Paper, form: Form) -> None:
        """Pay with what was typed, or note what is wrong with it."""
        number = re.sub(r"[\s-]", "", form.get("card"))
        expires = _EXPIRES.fullmatch(form.get("expires").strip())
        if number not in CARDS:
            form.wrong("card", "This is a sandbox: use one of the test cards below, and never a real one.")
        if expires is None:
            form.wrong("expires", "Type the month and the year, such as 08/29.")
        elif not form.mistakes:
            self._bank.pay(paper, CARDS[number], "".join(expires.groups()))

    def _form(self, request: Request, paper: Paper, form: Form) -> Response:
        values = {"paper": paper, "form": form, "cards": list(CARDS.values())}
        return self._page(request, "gateway/pay.html", values, 422 if form.mistakes else 200)

    def _back(self, request: Request, paper: Paper) -> Response:
        if request.method == "POST" and _is_address(paper.back):
            return RedirectResponse(paper.back, 303)
        return self._page(request, "gateway/gone.html", {"back": paper.back if _is_address(paper.back) else ""})

    def _page(self, request: Request, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        answer = Visit(self._kit, request, "", None, ENGLISH).page(template, status, **values)
        answer.headers["content-security-policy"] = _POLICY
        return answer


def _is_address(url: str) -> bool:
    return urlsplit(url).scheme in {"http", "https"}
