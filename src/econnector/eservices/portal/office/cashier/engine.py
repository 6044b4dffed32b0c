"""The cashier: begins payments, asks what became of them, and puts what was paid into Open Dental exactly once.

An attempt is in the state file before anything is asked of a processor, and what the processor said is there before
anything is written into Open Dental. Whoever dies on any line leaves an attempt from which it can be seen what is still
to do, and `reconcile` does it: at the start and every minute. Every step finds what an earlier try has done. Around one
attempt one thing is done at a time.
"""

import asyncio
import datetime as dt
import weakref
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from econnector.base.clock import Clock
from econnector.base.errors import Failure, PaymentCredentialsIncomplete, PaymentGatewaySilent
from econnector.eservices.portal.office.around import card as practice_card
from econnector.eservices.portal.office.cashier import booking, receipt
from econnector.eservices.portal.office.cashier.sealed import Page, alias_of, page_of, sealed_alias, sealed_page
from econnector.eservices.portal.office.cashier.till import Till, Tills, name_of
from econnector.eservices.portal.office.letters import language_of
from econnector.eservices.portal.office.post import Post
from econnector.mail.compose import usable
from econnector.mail.letter import Letter
from econnector.opendental import signals
from econnector.opendental.balances import dollars
from econnector.opendental.reachable import reachable
from econnector.opendental.schema import Schema
from econnector.payments.contract import FINAL, Card, Order, Outcome
from econnector.storage.database import Database
from econnector.storage.state import payments
from econnector.storage.state.payments import Attempt
from econnector.storage.state.sealing import Seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

__all__ = ["RECONCILE_SECONDS", "Cashier"]

log = structlog.get_logger(__name__)

R = TypeVar("R")

RECONCILE_SECONDS: Final = 60.0
_ASKED_WITHIN: Final = 5.0
"""Seconds within which a processor is not asked again about the same payment: it wants no more."""
_DEAD_AFTER: Final = 120.0
"""Seconds after which nobody is still at work on beginning a payment: the call takes less."""
_LOST_AFTER: Final = 600.0
"""Seconds after which a charge that the processor has never heard of does not arrive any more."""
_ASKED_FOR: Final = 48 * 3600.0
"""Seconds; processors know their answers for a day."""
_AT_ONCE: Final = 4
_REMEMBERED: Final = 30.0


class Cashier:
    """One practice's."""

    def __init__(  # noqa: PLR0913 - what a payment needs
        self,
        database: Database,
        state: Database,
        schema_of: "Callable[[Connection], Schema]",
        clock: Clock,
        tills: Tills,
        *,
        post: Post | None = None,
        seal: Seal | None = None,
    ) -> None:
        """Without `post` no receipt is mailed; without `seal` what is sealed is lost when the process ends."""
        self.database, self.state, self.schema_of, self.clock, self.tills = database, state, schema_of, clock, tills
        self._post, self._seal = post, seal or Seal()
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._alerted = False
        self._taking: dict[int, tuple[float, bool]] = {}

    def takes(self, connection: "Connection", clinic: int) -> bool:
        """Return whether a clinic (ClinicNum) takes payments online, as of the last half minute."""
        known, now = self._taking.get(clinic), self.clock.monotonic()
        if known is None or not 0 <= now - known[0] < _REMEMBERED:
            try:
                self.tills.open(connection, clinic)
            except Failure:
                known = (now, False)
            else:
                known = (now, True)
            self._taking[clinic] = known
        return known[1]

    # -- beginning -----------------------------------------------------------------------------------------------------

    async def begin(self, number: str, till: Till, back: str, card: Card | None = None) -> str:
        """Begin a planned attempt, or go on with it; return the processor's page, empty where there is none (any more).

        Raises what the processor refuses; then nothing was charged. A kept card (`card`) about which the processor
        says nothing is charged or not: `look` finds out.
        """
        async with self._turn(number):
            attempt = await self.state.run(_begin, number, till, self._now())
            if attempt is None or attempt.state != "planned":
                return await self.url_of(attempt) if attempt else ""
            order = _order(attempt, back)
            if card is not None:
                await self._charge(attempt, till, order, card)
                return ""
            return await self._open(attempt, till, order)

    async def url_of(self, attempt: Attempt) -> str:
        """Return the processor's page on which an attempt can still be paid; empty for none."""
        if attempt.state != "open" or attempt.until <= self._now():
            return ""
        return (await asyncio.to_thread(page_of, self._seal, attempt)).url

    async def _open(self, attempt: Attempt, till: Till, order: Order) -> str:
        try:
            begun = await till.gateway.begin(order)
        except Failure:
            # Nobody has seen a page, so nothing can be charged.
            await self.state.run(payments.take, attempt.number, frozenset({"planned"}), "failed")
            raise
        page = await asyncio.to_thread(sealed_page, self._seal, attempt.number, Page(begun.token, begun.url))
        if not await self.state.run(_opened, attempt.number, page, begun.until.timestamp()):
            return ""  # given up meanwhile: what is not asked about must not be paid
        await self._note_begun(attempt.number)
        return begun.url

    async def _note_begun(self, number: str) -> None:
        """Write that it is begun; a database that is away now is written to when it is over."""
        attempt = await self.state.run(payments.by_number, number)
        if attempt is None:
            return
        try:
            await self.database.run(self._with_schema(booking.note_begun), attempt)
        except Failure as failure:
            log.warning("a payment is not noted yet", payment=number, code=failure.code)
        else:
            await self.state.run(_change, number, {"noted": True})

    async def _charge(self, attempt: Attempt, till: Till, order: Order, card: Card) -> None:
        # Written first: from here on it may have been charged, and is never charged again.
        if not await self.state.run(payments.take, attempt.number, frozenset({"planned"}), "charging"):
            return
        try:
            outcome = await till.gateway.charge(order, card)
        except PaymentGatewaySilent:
            log.warning("a charge was not answered", payment=attempt.number)
            return
        except Failure:
            await self.state.run(payments.take, attempt.number, frozenset({"charging"}), "failed")
            raise
        try:
            await self._conclude(attempt, outcome)
        except Failure as failure:
            # It is charged: nobody may read now that it is not. What is left to do is done within a minute.
            log.warning("a charge is not in the books yet", payment=attempt.number, code=failure.code)

    # -- asking --------------------------------------------------------------------------------------------------------

    async def look(self, number: str, *, again: bool = False) -> Attempt | None:
        """Return an attempt as it stands after asking the processor, and after doing what follows.

        It is asked again about the same one after some seconds at the earliest, unless `again`. Raises the processor's
        failures and the databases'.
        """
        async with self._turn(number):
            attempt = await self.state.run(payments.by_number, number)
            if attempt is None:
                return None
            if not attempt.is_over or again:
                await self._ask(attempt, again=again)
            attempt = await self.state.run(payments.by_number, number)
            if attempt is not None and attempt.is_over and not attempt.done:
                await self._settle(attempt)
            return await self.state.run(payments.by_number, number)

    async def look_now(self, attempt: Attempt, reference: str) -> Attempt:
        """Return an attempt after asking, or as it was known before where nobody answers now."""
        try:
            return await self.look(attempt.number) or attempt
        except Failure as failure:
            log.info("nobody knows yet", payment=attempt.number, code=failure.code, reference=reference)
        return await self.state.run(payments.by_number, attempt.number) or attempt

    async def _ask(self, attempt: Attempt, *, again: bool) -> None:
        now = self._now()
        if attempt.state in {"planned", "failed"}:
            if attempt.state == "planned" and now - attempt.begun > _DEAD_AFTER:
                await self.state.run(payments.take, attempt.number, frozenset({"planned"}), "failed")
            return
        if attempt.is_paid or (not again and 0 <= now - attempt.looked < _ASKED_WITHIN):
            return
        await self.state.run(_change, attempt.number, {"looked": now})
        till = await self.database.run(self._till, attempt)
        page = await asyncio.to_thread(page_of, self._seal, attempt)
        outcome = await till.gateway.look(_order(attempt), page.token)
        if outcome.state == "unknown" and attempt.state == "charging" and now - attempt.begun > _LOST_AFTER:
            await self.state.run(_lost, attempt.number, now)
        await self._conclude(attempt, outcome)

    def _till(self, connection: "Connection", attempt: Attempt) -> Till:
        till = self.tills.open(connection, attempt.clinic, attempt.processor)
        if till.gateway.name != attempt.processor:
            was = name_of(attempt.processor)
            raise PaymentCredentialsIncomplete(
                processor=was,
                program=was,
                clinic="this clinic",
                which=f"payments that were begun with {was} can be asked about only while it is set up",
            )
        return till

    async def _conclude(self, attempt: Attempt, outcome: Outcome) -> None:
        """Keep what a processor said, if it is the end, and do what follows."""
        if outcome.state not in FINAL:
            return
        card = outcome.card
        alias = await asyncio.to_thread(sealed_alias, self._seal, attempt.number, card.alias if card else "")
        over = await self.state.run(_concluded, attempt.number, outcome, alias, self._now())
        if over is not None and not over.done:
            await self._settle(over)

    # -- what follows --------------------------------------------------------------------------------------------------

    async def _settle(self, attempt: Attempt) -> None:
        """Do what follows from the end of an attempt, as far as it is not done."""
        number = attempt.number
        if attempt.is_paid and not attempt.mode:
            schema = await self.database.run(self.schema_of)
            attempt = await self.state.run(_decide, number, schema)
        alias = await asyncio.to_thread(alias_of, self._seal, attempt)
        pay_num = await self.database.run(self._with_schema(booking.book), attempt, alias)
        await self.state.run(_settled, attempt, {"payment": pay_num})
        if attempt.is_paid and attempt.receipt and not attempt.mailed and self._post is not None:
            letter, clinic = await self.database.run(_letter, attempt)
            if letter is not None:
                # No patient's mail in the chart: the payment itself stands there.
                await self._post.hand_in(letter, purpose="portal", clinic=clinic)
                await self.state.run(_change, number, {"mailed": True})
        await self.state.run(_settled, attempt, {"done": True})

    async def reconcile(self) -> None:
        """Do for every attempt what is left to do: at the start, then every minute."""
        slots = asyncio.Semaphore(_AT_ONCE)
        left = await self.state.run(payments.to_settle, self._now())
        await asyncio.gather(*(self._attend(slots, attempt) for attempt in left))
        doubted = await self.state.run(payments.to_doubt, self._now())
        await asyncio.gather(*(self._attend(slots, attempt, again=True) for attempt in doubted))
        try:
            await self._watch()
        except Failure as failure:
            log.info("payments are watched later", code=failure.code, reference=failure.reference)

    async def _watch(self) -> None:
        """See which payments staff have nothing left to do with; mend the alerts."""
        watched = await self.state.run(payments.to_watch)
        if watched or not self._alerted:
            over = await self.database.run(self._with_schema(booking.watch), watched)
            for number in over:
                await self.state.run(_change, number, {"processed": True})
            self._alerted = True

    async def _attend(self, slots: asyncio.Semaphore, attempt: Attempt, *, again: bool = False) -> None:
        """Look after one attempt; whatever is wrong with it is no other's trouble."""
        if self._turn(attempt.number).locked():
            return
        async with slots:
            try:
                await self.look(attempt.number, again=again)
            except Failure as failure:
                log.info("a payment waits", payment=attempt.number, code=failure.code, reference=failure.reference)
            except Exception as error:  # noqa: BLE001 - as above
                log.warning("a payment waits", payment=attempt.number, kind=type(error).__name__)
            await self._give_up(attempt.number)

    async def _give_up(self, number: str) -> None:
        """After two days tell the office that nobody knows what became of an attempt."""
        attempt = await self.state.run(payments.by_number, number)
        if attempt is None or attempt.is_over or attempt.told or self._now() - attempt.begun < _ASKED_FOR:
            return
        try:
            await self.database.run(self._with_schema(_tell), attempt)
        except Failure as failure:
            log.info("the office is told later", payment=number, code=failure.code)
        else:
            await self.state.run(_change, number, {"told": self._now()})

    # -- details -------------------------------------------------------------------------------------------------------

    def _turn(self, number: str) -> asyncio.Lock:
        return self._turns.setdefault(number, asyncio.Lock())

    def _now(self) -> float:
        return self.clock.now().timestamp()

    def _with_schema(self, work: "Callable[..., R]") -> "Callable[..., R]":
        def run(connection: "Connection", *args: Any) -> R:
            return work(connection, self.schema_of(connection), *args)

        return run


def _order(attempt: Attempt, back: str = "") -> Order:
    return Order(
        number=attempt.number,
        key=attempt.key,
        cents=attempt.cents,
        back=back.replace("{payment}", attempt.number),
        keep_card=attempt.keep_card,
    )


# -- steps in the state file -------------------------------------------------------------------------------------------


def _change(state: "Connection", number: str, values: dict[str, Any]) -> None:
    payments.change(state, number, **values)


def _settled(state: "Connection", attempt: Attempt, values: dict[str, Any]) -> None:
    payments.settled(state, attempt.number, attempt.state, **values)


def _begin(state: "Connection", number: str, till: Till, now: float) -> Attempt | None:
    """Return an attempt, planned again where it was never begun; a planned one is this till's."""
    if payments.take(state, number, frozenset({"failed"}), "planned"):
        payments.change(state, number, begun=now, done=False)
    attempt = payments.by_number(state, number)
    if attempt is None or attempt.state != "planned":
        return attempt
    # The practice may have changed its processor since the form was sent first: it is asked about where it is begun.
    facts = {"clinic": till.clinic, "pay_type": till.pay_type, "source": till.source}
    payments.change(state, number, processor=till.gateway.name, **facts)
    return payments.by_number(state, number)


def _opened(state: "Connection", number: str, page: bytes, until: float) -> bool:
    if not payments.take(state, number, frozenset({"planned"}), "open"):
        return False
    payments.change(state, number, page=page, until=until)
    return True


def _lost(state: "Connection", number: str, now: float) -> None:
    payments.conclude(state, number, "lost", now)


def _concluded(state: "Connection", number: str, outcome: Outcome, alias: bytes, now: float) -> Attempt | None:
    card = outcome.card or Card("")
    if outcome.state == "unknown" or outcome.state == "pending":  # noqa: PLR1714 - so it is narrowed
        return None
    return payments.conclude(
        state,
        number,
        outcome.state,
        now,
        paid_cents=outcome.cents,
        transaction=outcome.transaction[:255],
        approval=outcome.approval[:255],
        brand=outcome.brand[:255],
        masked=card.masked[:255],
        expires=card.expires[:8],
        alias=alias,
        code=outcome.code,
        description=outcome.description[:255],
    )


def _decide(state: "Connection", number: str, schema: Schema) -> Attempt:
    """Keep how a payment gets into the books: once, whatever the practice chooses later."""
    payments.change(state, number, mode=booking.mode_here(schema, payments.mode(state)))
    decided = payments.by_number(state, number)
    if decided is None:
        raise LookupError("a payment that was paid is never deleted")
    return decided


# -- in the practice's database ----------------------------------------------------------------------------------------


def _letter(connection: "Connection", attempt: Attempt) -> tuple[Letter | None, int]:
    to, practice = reachable(connection, attempt.payer), practice_card(connection)
    if not usable(to.email):
        return None, to.clinic
    return receipt.letter(to.email, language_of(to, practice), practice, attempt), to.clinic


def _tell(connection: "Connection", schema: Schema, attempt: Attempt) -> None:
    begun = dt.datetime.fromtimestamp(attempt.begun).astimezone()
    text = (
        f"Nobody knows what became of the online payment {attempt.number} of {dollars(attempt.cents)}, begun on "
        f"{begun:%Y-%m-%d} at {begun:%H:%M}: {name_of(attempt.processor)} gave no final answer for two days. "
        f"Look the number up at the processor; then `econnector office payments look {attempt.number}`."
    )
    signals.report_error(connection, schema, text)
