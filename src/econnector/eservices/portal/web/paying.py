"""Paying: the form, what became of a payment, kept cards, and the processor's notices.

The card is typed on the processor's own page, to which the whole browser goes. It goes there from a page of ours and
not straight from the form: browsers hold a form's redirects to `form-action`, which names no other site. What the
browser brings back from there is believed in nothing: the page asks the office, which asks the processor.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from econnector.base.errors import Failure, PageMissing, PaymentNotMade, PaymentsOff, RequestTooLarge, SessionEnded
from econnector.base.ids import new_id
from econnector.eservices.portal.calls import (
    FORGET_CARD,
    PAY,
    PAY_FORM,
    PAYMENT_NOTICE,
    PAYMENT_STATE,
    ForgetCard,
    Pay,
    PayAsked,
    PayForm,
    PaymentNotice,
    PaymentShown,
    PaymentStateAsked,
)
from econnector.eservices.portal.web.frame import frame
from econnector.eservices.portal.web.visiting import PortalVisit
from econnector.web.amounts import cents_of
from econnector.web.failing import FailureView, view
from econnector.web.forms import Form, read_form

__all__ = ["NOTICES", "PAGES"]

_PATH: Final = "/pay"
_FIELDS_OF_RULES: Final = {"amount": "amount", "again": "again", "card": "card"}
_NUMBER: Final = re.compile(r"[0-9]{10}")
_LOOK_AGAIN_SECONDS: Final = 6
"""How long a page waits before it asks what became of a payment; the office asks a processor every five seconds."""
_MOST_LOOKS: Final = 20
_LARGEST_NOTICE: Final = 64 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


async def _form(visit: PortalVisit) -> Response:
    """Show the form with the amount that is due."""
    document = visit.number(visit.request.query_params.get("document", "0"))
    shown = await visit.ask(PAY_FORM, PayAsked(visit.signed_in(), visit.person, document))
    due = shown.balance_cents
    if document and shown.statement_cents > 0:
        # An older statement may name what was paid since.
        due = min(shown.statement_cents, due) if shown.balance_known else shown.statement_cents
    due -= _on_its_way(shown)
    values = {
        "draft": new_id(),
        "document": str(document),
        "amount": visit.money(due).replace("$", "").strip() if due > 0 else "",
        "card": str(next((one.card for one in shown.cards if not one.expired), 0)),
        "receipt": "yes",
    }
    notice = "forgotten" if visit.request.query_params.get("notice") == "forgotten" else ""
    return _page(visit, Form(values), shown, notice=notice)


def _on_its_way(shown: PayForm) -> int:
    """Return the cents that were paid lately and that the balance does not know of yet."""
    return sum(one.paid_cents for one in shown.recent if not one.posted)


async def _pay(visit: PortalVisit) -> Response:
    """Begin the payment. What was typed stays until it is begun."""
    form = await read_form(visit.request)
    token = visit.signed_in()
    if not visit.sent_by_us(form):
        status, notice = visit.not_sent()
        return await _again(visit, form, status, notice=notice)
    cents = cents_of(form.get("amount"))
    if cents is None:
        form.wrong("amount", visit.say("pay.amount-missing"))
        return await _again(visit, form, 422)
    params = Pay(
        token,
        visit.person,
        draft=form.get("draft"),
        cents=cents,
        document=visit.number(form.get("document") or "0"),
        card=visit.number(form.get("card") or "0"),
        keep_card=form.get("keep_card") == "yes",
        again=form.get("again") == "yes",
        back=_back(visit),
        receipt=form.get("receipt") == "yes",
    )
    try:
        begun = await visit.ask(PAY, params, form)
    except (SessionEnded, PaymentsOff):
        raise
    except Failure as failure:
        return await _refused(visit, form, failure)
    return visit.redirect(f"{_PATH}/{begun.payment}{'?go=1' if begun.url else ''}")


def _back(visit: PortalVisit) -> str:
    """Return the address to which the processor sends the browser back; `{payment}` is filled in by the office."""
    url = visit.request.url
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{visit.base}{_PATH}/{{payment}}"


async def _state(visit: PortalVisit) -> Response:
    """Show what became of a payment; while nobody knows, look again by itself for a while."""
    number = visit.request.path_params["payment"]
    if not _NUMBER.fullmatch(number):
        raise PageMissing(reference=visit.reference)
    shown = await visit.ask(PAYMENT_STATE, PaymentStateAsked(visit.signed_in(), number))
    query, looks = visit.request.query_params, visit.number(visit.request.query_params.get("look", "0"))
    pending = shown.item.state == "pending"
    url = _usable(shown) if pending else ""
    go = bool(url) and query.get("go") == "1"
    address = visit.base + f"{_PATH}/{number}"
    return visit.page(
        "portal/paid.html",
        frame=frame(visit, _PATH, shown),
        shown=shown,
        item=shown.item,
        url=url,
        host=urlsplit(url).hostname,
        go=go,
        refresh=f"{address}?look={looks + 1}" if pending and not go and looks < _MOST_LOOKS else "",
        seconds=_LOOK_AGAIN_SECONDS,
        again=address,
    )


def _usable(shown: PaymentShown) -> str:
    """Return the processor's page; nothing where a browser should not be sent to it."""
    url = shown.item.url
    parts = urlsplit(url)
    good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return url if good and shown.item.mine else ""


async def _forget(visit: PortalVisit) -> Response:
    """Delete a kept card."""
    form = await read_form(visit.request)
    token = visit.signed_in()
    card = visit.number(visit.request.path_params["card"])
    if not visit.sent_by_us(form):
        status, notice = visit.not_sent()
        return await _again(visit, Form({"draft": new_id()}), status, notice=notice)
    await visit.ask(FORGET_CARD, ForgetCard(token, card), form)
    return visit.redirect(f"{_PATH}?{f'person={visit.person}&' if visit.person else ''}notice=forgotten")


async def _refused(visit: PortalVisit, form: Form, failure: Failure) -> Response:
    shown = view(failure, visit)
    rule = failure.facts.get("rule", "") if isinstance(failure, PaymentNotMade) else ""
    if field := _FIELDS_OF_RULES.get(rule):
        form.wrong(field, shown.text)
        return await _again(visit, form, 422, twice=rule == "again")
    return await _again(visit, form, shown.status, failed=shown)


async def _again(  # noqa: PLR0913 - each is one thing the page may show
    visit: PortalVisit,
    form: Form,
    status: int,
    *,
    failed: FailureView | None = None,
    notice: str = "",
    twice: bool = False,
) -> Response:
    """Show the form with what was typed; with the rest too, if the office answers now."""
    document = visit.number(form.get("document") or "0")
    try:
        shown = await visit.ask(PAY_FORM, PayAsked(visit.token, visit.person, document))
    except Failure:
        # Why it was not begun is told already.
        return _page(visit, form, None, status, failed=failed, notice=notice, twice=twice)
    return _page(visit, form, shown, status, failed=failed, notice=notice, twice=twice)


def _page(  # noqa: PLR0913 - each is one thing the page may show
    visit: PortalVisit,
    form: Form,
    shown: PayForm | None,
    status: int = 200,
    *,
    failed: FailureView | None = None,
    notice: str = "",
    twice: bool = False,
) -> Response:
    whose = f"?person={visit.person}" if visit.person else ""
    return visit.page(
        "portal/pay.html",
        status,
        frame=frame(visit, _PATH, shown),
        form=form,
        form_token=visit.form_token(again=form),
        new_token=visit.form_token,
        action=visit.base + _PATH + whose,
        forget=lambda card: f"{visit.base}{_PATH}/cards/{card}/forget{whose}",
        shown=shown,
        on_its_way=_on_its_way(shown) if shown else 0,
        failed=failed,
        notice=notice,
        twice=twice,
    )


async def _notice(visit: PortalVisit) -> Response:
    """Pass a processor's notice on to the office, which proves and uses it. Asked again later unless answered 200."""
    body = bytearray()
    try:
        async for piece in visit.request.stream():
            body += piece
            if len(body) > _LARGEST_NOTICE:
                raise RequestTooLarge(limit="64 KiB")
    except ClientDisconnect:
        return Response(status_code=400)
    processor = visit.request.path_params["processor"]
    signature = visit.request.headers.get("stripe-signature", "")[:1000]
    try:
        await visit.ask(PAYMENT_NOTICE, PaymentNotice(processor[:20], bytes(body), signature))
    except Failure as failure:
        return PlainTextResponse(failure.code, status_code=failure.http)
    return PlainTextResponse("ok")


PAGES = (
    (_PATH, _form, "GET"),
    (_PATH, _pay, "POST"),
    (f"{_PATH}/{{payment}}", _state, "GET"),
    (f"{_PATH}/cards/{{card}}/forget", _forget, "POST"),
)
NOTICES = (f"{_PATH}/notice/{{processor}}", _notice)
"""Posted by a processor and no browser: without session and form, signed instead."""
