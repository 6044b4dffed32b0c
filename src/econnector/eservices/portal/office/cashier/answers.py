"""The answers about paying: the form, beginning, what became of it, kept cards, and the processors' notices.

Whoever may see what an account owes may pay it. A kept card is its owner's alone.
"""

import datetime as dt
import hashlib
import platform
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from econnector.base.errors import NotAllowed, PaymentNotMade, PaymentsOff
from econnector.eservices.portal import calls
from econnector.eservices.portal.office.admission import Visitor, admit
from econnector.eservices.portal.office.around import begin, note_view, text_of
from econnector.eservices.portal.office.cashier.engine import Cashier
from econnector.eservices.portal.office.cashier.showing import as_online
from econnector.eservices.portal.office.cashier.till import Till
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.writing import draft_key
from econnector.mail.compose import new_message_id
from econnector.opendental import balances, onlinecards, onlinepayments, statements
from econnector.opendental.family import Relative
from econnector.opendental.onlinecards import StoredCard
from econnector.opendental.onlinepayments import Books
from econnector.opendental.reachable import reachable
from econnector.payments.contract import Card
from econnector.storage.state import payments
from econnector.storage.state.payments import Attempt
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["answer"]

_LEAST, _MOST = 100, 1_000_000
"""Cents."""
_AGAIN_WITHIN: Final = 600.0
_RECENT: Final = 86400.0
_LONGEST_BACK: Final = 1000
_WHY: Final = {
    "amount": "This amount cannot be paid here. Enter at least $1.00 and at most $10,000.00.",
    "again": "The same amount was paid or begun here a few minutes ago. If you really want to pay it again, tick the "
    "box and continue.",
    "card": "This card cannot be used any more. Choose another one.",
    "open": "Several payments are open already. Finish them first, or wait until they end.",
    "changed": "This payment was begun already, before your last change to it. You find it in the list above.",
}


class _Wanted(msgspec.Struct, frozen=True):
    """What may be paid, checked."""

    attempt: Attempt
    till: Till
    card: StoredCard | None


def answer(desk: Desk, answers: Answers) -> None:
    """Answer the calls of `calls/paying.py`.

    Those with a session raise `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`.
    """

    @answers.to(calls.PAY_FORM)
    async def _(_asked: Asked, params: calls.PayAsked) -> calls.PayForm:
        session, cashier = await desk.session(params.token), _cashier(desk)
        recent = await desk.state.run(payments.of_accounts, desk.clock.now().timestamp() - _RECENT)
        form, shown = await desk.show(_form, session, params, cashier, recent)
        for attempt, one in shown:
            one.url = await cashier.url_of(attempt) if one.mine else ""
        form.recent = [one for _attempt, one in shown]
        return form

    @answers.to(calls.PAY)
    async def _(_asked: Asked, params: calls.Pay) -> calls.PayBegun:
        return await _pay(desk, params)

    @answers.to(calls.PAYMENT_STATE)
    async def _(asked: Asked, params: calls.PaymentStateAsked) -> calls.PaymentShown:
        return await _state(desk, asked, params)

    @answers.to(calls.FORGET_CARD)
    async def _(_asked: Asked, params: calls.ForgetCard) -> calls.Nothing:
        return await _forget(desk, params)

    @answers.to(calls.PAYMENT_NOTICE)
    async def _(_asked: Asked, params: calls.PaymentNotice) -> calls.Nothing:
        return await _notice(desk, params)


def _cashier(desk: Desk) -> Cashier:
    if desk.cashier is None:
        raise PaymentsOff(why="this connector is not set up for it.")
    return desk.cashier


# -- the form ----------------------------------------------------------------------------------------------------------


def _form(  # noqa: PLR0913, PLR0917 - what the form shows
    connection: "Connection",
    desk: Desk,
    session: PortalSession,
    params: calls.PayAsked,
    cashier: Cashier,
    recent: list[Attempt],
) -> tuple[calls.PayForm, list[tuple[Attempt, calls.OnlinePayment]]]:
    begun = begin(connection, desk, session, params, topic="account")
    visitor = begun.visitor
    holder = _holder(visitor, begun.looking_at)
    till = cashier.tills.open(connection, reachable(connection, holder.number).clinic)
    owed = balances.balance(holder.total, holder.insurance, visitor.settings)
    document = _statement(connection, visitor, holder, params.document)
    note_view(connection, visitor, begun.looking_at, "payments")
    names = {person.number: person.name for person in visitor.people}
    here = [one for one in recent if one.holder == holder.number]
    books = onlinepayments.books(connection, [one.payment for one in here if one.payment])
    since = desk.clock.now().timestamp() - _RECENT
    here = [one for one in here if one.begun > since or not one.is_paid or not _posted(one, books)]
    marks = visitor.settings["OnlinePaymentsMarkAsProcessed"] == "1"
    today = desk.clock.now().astimezone().date()
    form = calls.PayForm(
        **begun.frame,
        holder=holder.number,
        holder_name=holder.name,
        balance_cents=owed.cents,
        balance_known=owed.as_of is not None,
        statement_cents=document.cents or 0 if document else 0,
        statement_date=text_of(document.created) if document else "",
        least_cents=_LEAST,
        most_cents=_MOST,
        may_keep=till.may_keep,
        cards=[
            calls.KeptCard(
                card=one.number,
                masked=one.masked,
                expires=f"{one.expires:%Y-%m}" if one.expires else "",
                expired=one.expires is not None and one.expires < today,
            )
            for one in _cards(connection, visitor, till)
        ],
        processor=till.name,
        sandbox=till.sandbox,
    )
    shown = [
        as_online(one, names, mine=one.login == session.login and not desk.preview, books=books.get(one.payment))
        for one in here
    ]
    for one, item in zip(here, shown, strict=True):
        item.posted = item.posted and not _ahead(one, books[one.payment], owed.as_of, marks=marks)
    return form, list(zip(here, shown, strict=True))


def _posted(attempt: Attempt, books: Mapping[int, Books]) -> bool:
    return attempt.payment in books and books[attempt.payment].posted


def _ahead(attempt: Attempt, books: Books, as_of: dt.date | None, *, marks: bool) -> bool:
    """Return whether what we have posted is not in the balance yet: Open Dental ages it later, or when staff open it.

    `marks`: it is processed without staff.
    """
    aged = as_of is not None and dt.date.fromtimestamp(attempt.ended) < as_of  # noqa: DTZ012 - the office's day
    return attempt.mode == "ledger" and (books.waits or marks) and not aged


def _holder(visitor: Visitor, looking_at: Relative) -> Relative:
    """Return whose account is paid. Raises `NotAllowed` where what it owes is not the visitor's to see."""
    holder = visitor.purse(looking_at)
    if holder is None:
        raise NotAllowed
    return holder


def _cards(connection: "Connection", visitor: Visitor, till: Till) -> list[StoredCard]:
    """Return the visitor's own cards that this account at the processor can charge."""
    kept = onlinecards.of_patient(connection, visitor.me.number)
    return [one for one in kept if (one.source, one.clinic) == (till.source, till.clinic)]


def _statement(
    connection: "Connection", visitor: Visitor, holder: Relative, document: int
) -> statements.StatementDocument | None:
    """Return a statement of this account. Raises `NotAllowed` for any other document."""
    if not document:
        return None
    file = statements.find(connection, document)
    family = {one.number for one in visitor.people if one.guarantor == holder.number}
    if file is None or file.patient not in family:
        raise NotAllowed
    listed = statements.listed(connection, [file.patient])
    found = next((one for one in listed if one.number == document), None)
    return found or statements.StatementDocument(document, file.patient, file.created, "", None)


# -- paying ------------------------------------------------------------------------------------------------------------


async def _pay(desk: Desk, params: calls.Pay) -> calls.PayBegun:
    """Begin a payment once. Raises `PaymentNotMade`, `PaymentsOff` and what the processor refuses."""
    session, cashier = await desk.session(params.token), _cashier(desk)
    draft = draft_key(session, params.draft)
    wanted = await desk.database.run(_wanted, desk, session, params, draft, cashier)
    attempt = await desk.state.run(_planned, wanted.attempt, params.again)
    card = Card(wanted.card.token, wanted.card.masked) if wanted.card else None
    url = await cashier.begin(attempt.number, wanted.till, params.back, card)
    return calls.PayBegun(attempt.number, url)


def _wanted(  # noqa: PLR0913, PLR0917 - what is wanted
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.Pay, draft: str, cashier: Cashier
) -> _Wanted:
    """Return what may be paid, by whom the database knows now."""
    visitor = admit(connection, desk.schema_of(connection), session, topic="account")
    holder = _holder(visitor, visitor.pick(params.person))
    till = cashier.tills.open(connection, reachable(connection, holder.number).clinic)
    _statement(connection, visitor, holder, params.document)
    if not _LEAST <= params.cents <= _MOST:
        raise _refused("amount")
    if urlsplit(params.back).scheme not in {"https", "http"} or len(params.back) > _LONGEST_BACK:
        raise NotAllowed
    card = next((one for one in _cards(connection, visitor, till) if one.number == params.card), None)
    if params.card and card is None:
        raise _refused("card")
    keep = params.keep_card and till.may_keep and card is None
    said = (holder.number, params.cents, params.document, params.card, keep, params.receipt)
    attempt = Attempt(
        number="",
        key=str(uuid.uuid4()),
        draft=draft,
        content=hashlib.sha256(msgspec.json.encode(said)).hexdigest(),
        login=session.login,
        payer=visitor.me.number,
        holder=holder.number,
        clinic=till.clinic,
        cents=params.cents,
        document=params.document,
        kind="card" if card else "hosted",
        card=params.card,
        keep_card=keep,
        receipt=params.receipt,
        processor=till.gateway.name,
        pay_type=till.pay_type,
        source=till.source,
        mail=new_message_id("portal.econnector.local"),
        begun=desk.clock.now().timestamp(),
    )
    return _Wanted(attempt, till, card)


def _planned(state: "Connection", wanted: Attempt, again: bool) -> Attempt:
    """Write an attempt down within all bounds, or return the one that the same form has begun."""
    known = payments.by_draft(state, wanted.draft)
    if known is not None and known.content == wanted.content:
        return known
    if known is not None:
        if known.state != "failed":
            raise _refused("changed")
        payments.forget_failed(state, known.number)
    if not again and _twice(state, wanted):
        raise _refused("again")
    if payments.crowded(state, wanted.payer, wanted.begun):
        raise _refused("open")
    return payments.plan(state, msgspec.structs.replace(wanted, number=payments.new_number(state)))


def _twice(state: "Connection", wanted: Attempt) -> bool:
    now = wanted.begun
    return payments.again(state, wanted.holder, wanted.cents, now - _AGAIN_WITHIN, now)


def _refused(rule: str) -> PaymentNotMade:
    return PaymentNotMade(rule=rule, why=_WHY[rule])


# -- what became of it -------------------------------------------------------------------------------------------------


async def _state(desk: Desk, asked: Asked, params: calls.PaymentStateAsked) -> calls.PaymentShown:
    """Say what became of a payment: what the processor says now, or what was known last where it says nothing."""
    session, cashier = await desk.session(params.token), _cashier(desk)
    attempt = await desk.state.run(payments.by_number, params.payment)
    if attempt is None:
        raise NotAllowed
    await desk.database.run(_may_look, desk, session, attempt)
    if not desk.preview and not (attempt.is_over and attempt.done):
        attempt = await cashier.look_now(attempt, asked.reference)
    shown = await desk.show(_shown, session, params, attempt)
    if shown.item.mine:
        shown.item.url = await cashier.url_of(attempt)
    return shown


def _may_look(connection: "Connection", desk: Desk, session: PortalSession, attempt: Attempt) -> None:
    visitor = admit(connection, desk.schema_of(connection), session, topic="account")
    if attempt.payer != visitor.me.number and _seen(visitor, attempt) is None:
        raise NotAllowed


def _seen(visitor: Visitor, attempt: Attempt) -> Relative | None:
    """Return the holder of the account that was paid, if what it owes is the visitor's to see."""
    holder = next((one for one in visitor.people if one.number == attempt.holder), None)
    return holder if holder is not None and visitor.purse(holder) is holder else None


def _shown(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.PaymentStateAsked, attempt: Attempt
) -> calls.PaymentShown:
    asked = calls.PersonAsked(params.token)
    begun = begin(connection, desk, session, asked, topic="account")
    visitor = begun.visitor
    holder = _seen(visitor, attempt)
    names = {person.number: person.name for person in visitor.people}
    books = onlinepayments.books(connection, [attempt.payment] if attempt.payment else [])
    mine = attempt.login == session.login and not desk.preview
    return calls.PaymentShown(
        **begun.frame,
        item=as_online(attempt, names, mine=mine, books=books.get(attempt.payment)),
        holder_name=holder.name if holder else "",
        receipt_mailed=attempt.mailed,
    )


# -- kept cards, notices -----------------------------------------------------------------------------------------------


async def _forget(desk: Desk, params: calls.ForgetCard) -> calls.Nothing:
    """Delete a kept card. Raises `NotAllowed` for another's and one that is not there, alike."""
    session, cashier = await desk.session(params.token), _cashier(desk)
    card, till = await desk.database.run(_own_card, desk, session, params.card, cashier)
    # At the processor first: who is stopped here forgets it once more.
    await till.gateway.forget(Card(card.token, card.masked))
    await desk.database.run(_forgotten, desk, session, card)
    return calls.Nothing()


def _own_card(
    connection: "Connection", desk: Desk, session: PortalSession, number: int, cashier: Cashier
) -> tuple[StoredCard, Till]:
    visitor = admit(connection, desk.schema_of(connection), session, topic="account")
    card = onlinecards.find(connection, visitor.me.number, number)
    if card is None:
        raise NotAllowed
    till = cashier.tills.open(connection, card.clinic)
    if till.source != card.source:
        raise NotAllowed
    return card, till


def _forgotten(connection: "Connection", desk: Desk, session: PortalSession, card: StoredCard) -> None:
    schema = desk.schema_of(connection)
    onlinecards.forget(connection, schema, session.patient, card.number, platform.node())


async def _notice(desk: Desk, params: calls.PaymentNotice) -> calls.Nothing:
    """Ask a processor because it told us to. Raises `NotAllowed` for whatever is not its, or of nothing we know."""
    cashier = _cashier(desk)
    number = cashier.tills.believe(params.processor, params.body, params.signature)
    attempt = await desk.state.run(payments.by_number, number) if number else None
    if attempt is None or attempt.processor != params.processor:
        raise NotAllowed
    await cashier.look(attempt.number, again=True)
    return calls.Nothing()
