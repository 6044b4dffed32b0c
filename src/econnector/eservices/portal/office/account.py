"""The account: who in the family owes what, and what was paid."""

from typing import TYPE_CHECKING

from econnector.eservices.portal import calls
from econnector.eservices.portal.office.admission import Visitor
from econnector.eservices.portal.office.around import begin, note_view, text_of
from econnector.eservices.portal.office.cashier.showing import as_payment, payable, unposted, waiting
from econnector.eservices.portal.office.desk import Desk
from econnector.eservices.portal.office.paging import cut, page_of
from econnector.eservices.portal.office.statements import as_item, balance_of, holder_of, whose_money
from econnector.opendental import balances, payments, statements
from econnector.opendental.balances import cents
from econnector.opendental.family import Relative
from econnector.storage.state.payments import Attempt
from econnector.storage.state.sessions import PortalSession
from econnector.wire.call import Answers, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

__all__ = ["answer"]

_LATEST = 3
"""Payments on the account's own page."""
_RECEIPTS = 20


def answer(desk: Desk, answers: Answers) -> None:
    """Answer `ACCOUNT` and `PAYMENTS`. Both raise `NotAllowed`, `PageOff`, `SessionEnded`, `ChangeRequired`."""

    @answers.to(calls.ACCOUNT)
    async def _(_asked: Asked, params: calls.PersonAsked) -> calls.Account:
        session = await desk.session(params.token)
        return await desk.show(_account, session, params, await unposted(desk))

    @answers.to(calls.PAYMENTS)
    async def _(_asked: Asked, params: calls.PageAsked) -> calls.Payments:
        session = await desk.session(params.token)
        return await desk.show(_payments, session, params, await unposted(desk))


def _account(
    connection: "Connection",
    desk: Desk,
    session: PortalSession,
    params: calls.PersonAsked,
    ahead: list[Attempt],
) -> calls.Account:
    begun = begin(connection, desk, session, params, topic="account")
    visitor, looking_at = begun.visitor, begun.looking_at
    names = {person.number: person.name for person in visitor.people}
    people = whose_money(visitor, looking_at)
    balance = balance_of(visitor, looking_at)
    last = statements.last_sent(connection, people) if balance else None
    paid = payments.latest(connection, people, _LATEST)
    note_view(connection, visitor, looking_at, "account")
    purse = visitor.purse(looking_at)
    return calls.Account(
        **begun.frame,
        family=_family(visitor, purse) if purse else None,
        others=[_family(visitor, holder) for holder in _others(visitor, looking_at)],
        balance_holder=holder_of(connection, visitor, looking_at),
        balance_as_of=text_of(balance.as_of) if balance else "",
        last_statement_cents=last.cents if last else 0,
        last_statement_date=text_of(last.sent) if last else "",
        pending=[as_payment(one, names) for one in waiting(connection, ahead, people)]
        + [_as_payment(payment, names) for payment in paid if payment.standing == "pending"],
        payable=payable(connection, desk, visitor, purse),
        latest=[_as_payment(payment, names) for payment in paid[:_LATEST] if payment.standing != "pending"],
    )


def _payments(
    connection: "Connection", desk: Desk, session: PortalSession, params: calls.PageAsked, ahead: list[Attempt]
) -> calls.Payments:
    begun = begin(connection, desk, session, params, topic="account")
    visitor, looking_at = begun.visitor, begun.looking_at
    names = {person.number: person.name for person in visitor.people}
    people, page = whose_money(visitor, looking_at), page_of(params)
    made, more = cut(payments.made(connection, people, *page.span))
    receipts = statements.receipts(connection, people, _RECEIPTS) if not page.number else []
    note_view(connection, visitor, looking_at, "payments")
    return calls.Payments(
        **begun.frame,
        items=([] if page.number else [as_payment(one, names) for one in waiting(connection, ahead, people)])
        + [_as_payment(payment, names) for payment in made],
        page=page.number,
        more=more,
        receipts=[as_item(row, begun.name(row.patient)) for row in receipts],
    )


def _others(visitor: Visitor, looking_at: Relative) -> list[Relative]:
    """Return the account holders, besides one's own family's, whose account somebody looking at themselves may see."""
    if looking_at is not visitor.me:
        return []
    return [one for one in visitor.people if one.number == one.guarantor != visitor.me.guarantor]


def _family(visitor: Visitor, holder: Relative) -> calls.FamilyAccount:
    """Return the account of this account holder, its members as far as the visitor may see them."""
    owed = balances.balance(holder.total, holder.insurance, visitor.settings)
    members = [one for one in visitor.people if one.guarantor == holder.number]
    members.sort(key=lambda one: one.number != holder.number)
    shares = [calls.Share(one.number, one.name, cents(one.own)) for one in members]
    total = cents(holder.total)
    return calls.FamilyAccount(
        holder=holder.number,
        holder_name=holder.name,
        cents=owed.cents,
        total_cents=total,
        insurance_cents=total - owed.cents,
        shares=shares,
        others_cents=total - sum(share.cents for share in shares),
    )


def _as_payment(payment: payments.Payment, names: "Mapping[int, str]") -> calls.Payment:
    parts = payment.shares
    return calls.Payment(
        number=payment.number,
        date=text_of(payment.day),
        cents=payment.cents,
        kind=payment.kind,
        check=payment.check,
        standing=payment.standing,
        payer_name=names.get(payment.payer, ""),
        parts=[calls.Share(person, names[person], part) for person, part in parts.items() if person in names and part],
    )
