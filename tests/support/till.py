"""What a small office (`site.py`) answers about paying."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from econnector.base.errors import NotAllowed, PaymentNotMade, PaymentsOff
from econnector.eservices.portal import calls
from econnector.wire.call import Answers, Asked

__all__ = ["Till"]


@dataclass
class Till:
    """Payments of Ann's account. Change its fields to cause things."""

    open: bool = False
    """Whether the office takes payments at all."""
    page: str = "https://pay.example.com/hosted?otk=secret"
    cards: list[calls.KeptCard] = field(default_factory=list)
    begun: dict[str, calls.OnlinePayment] = field(default_factory=dict)
    pays: list[calls.Pay] = field(default_factory=list)
    notices: list[calls.PaymentNotice] = field(default_factory=list)
    refuse: str = ""
    """A rule of `PaymentNotMade`."""

    @staticmethod
    def answer(office: Any, answers: Answers) -> None:
        """Answer the five calls, as `office.till` is by then."""

        @answers.to(calls.PAY_FORM)
        async def _(asked: Asked, params: calls.PayAsked) -> calls.PayForm:
            around = office.papers._around(office, asked, params)
            if not office.till.open:
                raise PaymentsOff(reference=asked.reference, why="no program is enabled")
            return calls.PayForm(
                **around, holder=11, holder_name="Ann Example", balance_cents=office.balance_cents, balance_known=True,
                statement_cents=9800 if params.document else 0, statement_date="2026-11-18" if params.document else "",
                may_keep=True, cards=office.till.cards, processor="EdgeExpress",
                recent=list(office.till.begun.values()),
            )  # fmt: skip

        @answers.to(calls.PAY)
        async def _(asked: Asked, params: calls.Pay) -> calls.PayBegun:
            office._live(params.token, asked)
            if office.till.refuse and not (office.till.refuse == "again" and params.again):
                raise PaymentNotMade(reference=asked.reference, rule=office.till.refuse, why="The office says why.")
            office.till.pays.append(params)
            number = f"{4_000_000_000 + len(office.till.pays)}"
            card = bool(params.card)
            office.till.begun[number] = calls.OnlinePayment(
                number, "paid" if card else "pending", params.cents, "2026-11-21T10:00:00",
                paid_cents=params.cents if card else 0, url="" if card else office.till.page,
            )  # fmt: skip
            return calls.PayBegun(number, "" if card else office.till.page)

        @answers.to(calls.PAYMENT_STATE)
        async def _(asked: Asked, params: calls.PaymentStateAsked) -> calls.PaymentShown:
            around = office.papers._around(office, asked, calls.PersonAsked(params.token))
            if params.payment not in office.till.begun:
                raise NotAllowed(reference=asked.reference)
            return calls.PaymentShown(**around, item=office.till.begun[params.payment], holder_name="Ann Example")

        @answers.to(calls.FORGET_CARD)
        async def _(asked: Asked, params: calls.ForgetCard) -> calls.Nothing:
            office._live(params.token, asked)
            office.till.cards = [one for one in office.till.cards if one.card != params.card]
            return calls.Nothing()

        @answers.to(calls.PAYMENT_NOTICE)
        async def _(asked: Asked, params: calls.PaymentNotice) -> calls.Nothing:
            if params.signature != "good":
                raise NotAllowed(reference=asked.reference)
            office.till.notices.append(params)
            return calls.Nothing()

    def becomes(self, number: str, **facts: Any) -> None:
        """Let a payment become what the processor says."""
        self.begun[number] = msgspec.structs.replace(self.begun[number], **facts)
