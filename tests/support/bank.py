"""A card processor in this process, and an office whose patients pay through it."""

import datetime as dt
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from econnector.base.errors import PaymentGatewaySilent, PaymentsOff
from econnector.base.ids import new_id
from econnector.eservices.portal import calls
from econnector.eservices.portal.office import portal_answers
from econnector.eservices.portal.office.cashier import Cashier, Till
from econnector.mail.letter import Letter
from econnector.opendental import tables
from econnector.opendental.schema import Schemas
from econnector.payments.contract import Begun, Card, Order, Outcome, Processor, State
from econnector.storage.database import Database
from econnector.storage.state import payments
from econnector.storage.state.payments import Attempt
from econnector.storage.state.sealing import Seal
from tests.support.practice import Cast, PortalOffice, add

__all__ = ["BACK", "Bank", "BankTills", "PayingOffice", "has_paid"]

BACK = "https://portal.example.com/o/bright/portal/pay/{payment}"
PAY_TYPE = 71


@dataclass
class Bank:
    """What it says of an order is set by the test: `says[number]`."""

    clock: Any
    name: Processor = "xweb"
    said: dict[str, Outcome] = field(default_factory=dict)
    pages: list[Order] = field(default_factory=list)
    charges: list[tuple[Order, str]] = field(default_factory=list)
    looks: list[tuple[str, str]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    fails: Exception | None = None
    """Raised by whatever is asked."""
    silent_after: bool = False
    """Whether a charge is made and not answered."""
    charged: State = "approved"

    def ends(self, number: str, state: State, cents: int = 0, card: Card | None = None) -> None:
        """Let an order become this."""
        codes = {"approved": 0, "declined": 1, "partial": 7, "expired": 101, "pending": 102}
        card = card or (Card("", "XXXXXXXXXXXX1111", "1229") if state in {"approved", "partial"} else None)
        self.said[number] = Outcome(
            state=state, cents=cents, transaction=f"T{number}" if cents else "", approval="0K4711" if cents else "",
            brand="Visa" if card else "", card=card, code=codes.get(state, 1000), description=state.upper(),
        )  # fmt: skip

    async def begin(self, order: Order) -> Begun:
        self._fail()
        self.pages.append(order)
        self.said.setdefault(order.number, Outcome(state="pending", code=102))
        token = uuid.uuid4().hex
        return Begun(token, f"https://pay.example.com/?otk={token}", self.clock.now() + dt.timedelta(minutes=10))

    async def look(self, order: Order, token: str) -> Outcome:
        self._fail()
        self.looks.append((order.number, token))
        return self.said.get(order.number, Outcome(state="unknown"))

    async def charge(self, order: Order, card: Card) -> Outcome:
        self._fail()
        self.charges.append((order, card.alias))
        self.ends(order.number, self.charged, order.cents if self.charged == "approved" else 0)
        if self.silent_after:
            raise PaymentGatewaySilent(processor="XWeb", address="pay.example.com", why="it took too long")
        return self.said[order.number]

    async def forget(self, card: Card) -> None:
        self._fail()
        self.forgotten.append(card.alias)

    async def check(self) -> None:
        self._fail()

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


class BankTills:
    """The one account there is."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.off = bank, False
        self.clinic, self.may_keep = 0, True

    def open(self, connection: Connection, clinic: int, processor: str = "") -> Till:
        assert connection is not None
        if self.off and not processor:
            raise PaymentsOff(why="it is switched off")
        source = {"xweb": 2, "edgeexpress": 12, "stripe": 13}[self.bank.name]
        return Till(
            gateway=self.bank, name="XWeb", clinic=clinic and self.clinic, pay_type=PAY_TYPE, source=source,
            may_keep=self.may_keep, sandbox=True,
        )  # fmt: skip

    def believe(self, processor: str, body: bytes, signature: str) -> str:
        return body.decode() if (processor, signature) == (self.bank.name, "good") else ""


async def has_paid(practice: Database, state: Database, said: str = "Visa") -> None:
    """Let Maria have a kept card and a payment; `said` is what the processor called the card."""
    card = {"PatNum": int(Cast.MARIA), "XChargeToken": "t", "CCNumberMasked": "XXXXXXXXXXXX1111", "CCSource": 2}
    await practice.run(lambda connection: add(connection, tables.creditcard, **card))
    paid = Attempt(
        number="4000000001", key="", draft="", content="", login=1000 + Cast.MARIA, payer=Cast.MARIA, holder=Cast.MARIA,
        clinic=0, cents=100, processor="xweb", pay_type=71, source=2, state="approved", paid_cents=100, mail="",
        brand=said, masked=said, approval=said, payment=1, done=True, begun=time.time(), ended=time.time(),
    )  # fmt: skip
    await state.run(payments.plan, paid)


class Letters:
    """Keeps what is handed in; the same message id twice is one letter, as in the outbox."""

    def __init__(self) -> None:
        self.sent: dict[str, Letter] = {}

    async def hand_in(self, letter: Letter, **_: Any) -> None:
        self.sent.setdefault(letter.message_id, letter)


class PayingOffice:
    """Maria, who holds her family's account, is signed in."""

    def __init__(self, office: PortalOffice) -> None:
        self.office, self.clock = office, office.clock
        self.bank, self.letters, self.seal = Bank(office.clock), Letters(), Seal()
        self.tills = BankTills(self.bank)
        self.token = ""
        self.restart()

    def restart(self) -> None:
        """Let another connector go on with what this one left."""
        office, schemas = self.office, Schemas()
        self.cashier = Cashier(
            office.database, office.state, schemas, office.clock, self.tills, post=self.letters, seal=self.seal
        )
        office.answers = portal_answers(
            *(office.database, office.state, schemas, office.images, office.clock),
            beat=0.001, post=self.letters, seal=self.seal, cashier=self.cashier,
        )  # fmt: skip

    async def begin(self, who: Cast = Cast.MARIA) -> "PayingOffice":
        await self.office.change(tables.patient, {"Email": "maria@example.com"}, PatNum=int(Cast.MARIA))
        self.token = (await self.office.sign_in(who)).token
        return self

    def form(self, cents: int = 10_000, **typed: Any) -> calls.Pay:
        fields: dict[str, Any] = {"token": self.token, "draft": new_id(), "cents": cents, "back": BACK} | typed
        return calls.Pay(**fields)

    async def pay(self, cents: int = 10_000, **typed: Any) -> calls.PayBegun:
        return await self.office.ask(calls.PAY, self.form(cents, **typed))

    async def shown(self, number: str, token: str = "") -> calls.PaymentShown:
        return await self.office.ask(calls.PAYMENT_STATE, calls.PaymentStateAsked(token or self.token, number))

    async def form_shown(self, **asked: Any) -> calls.PayForm:
        return await self.office.ask(calls.PAY_FORM, calls.PayAsked(self.token, **asked))

    async def attempt(self, number: str) -> Attempt:
        found = await self.office.state.run(payments.by_number, number)
        assert found is not None
        return found

    async def paid(self, cents: int = 10_000, **typed: Any) -> str:
        """Pay on the processor's page, and come back."""
        begun = await self.pay(cents, **typed)
        self.bank.ends(begun.payment, "approved", cents)
        await self.shown(begun.payment)
        return begun.payment
