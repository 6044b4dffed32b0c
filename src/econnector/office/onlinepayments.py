"""Online payments as the office sees them: what was begun and paid, what is in the books, and how it gets there."""

import datetime as dt
from typing import Any, Final

import msgspec

from econnector.base.clock import SYSTEM, Clock
from econnector.base.errors import Failure, ValueRejected
from econnector.base.settings import Loaded
from econnector.eservices.portal.office.cashier import Cashier, MerchantTills, Tills
from econnector.eservices.portal.office.cashier.booking import mode_here
from econnector.eservices.portal.office.cashier.till import name_of
from econnector.eservices.portal.office.post import Post
from econnector.office.desk import Who
from econnector.office.hand import WITHIN, Hand, need_setup
from econnector.office.mail.postbox import Postbox
from econnector.office.payments import payment_terms
from econnector.office.settings import Settings
from econnector.opendental import accesslog, onlinepayments, paymentsetup
from econnector.opendental.onlinepayments import Books
from econnector.opendental.schema import Schemas
from econnector.storage.database import Database
from econnector.storage.state import payments
from econnector.storage.state.payments import Attempt, Mode
from econnector.storage.state.sealing import Seal

__all__ = ["MODES", "STATES", "Account", "OnlinePayments", "Overview", "Row", "payments_with"]

_MOST: Final = 200
_ASKED_FOR: Final = 60.0
"""Seconds for a question to the processor and what follows."""
MODES: Final[dict[Mode, str]] = {
    "ledger": "Posted to the account at once",
    "pending": "Wait for staff in Open Dental's window Online Payments",
}
STATES: Final[dict[str, str]] = {
    "planned": "Being begun",
    "open": "On the processor's page",
    "charging": "Asked about",
    "approved": "Paid",
    "partial": "Paid in part",
    "declined": "Declined",
    "expired": "Not used",
    "failed": "Never begun",
    "lost": "Never arrived",
}
"""How a payment stands, by its `payments.AttemptState`."""
_SEALED: Final = (
    "This version of Open Dental seals what a payment is for, and only Open Dental can make the seal. Payments wait in "
    "its window Online Payments until staff post them."
)
_UNKNOWN: Final = "There is no online payment with this number."


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One payment that was begun."""

    number: str
    begun: dt.datetime
    state: str
    """A word of `payments.AttemptState`."""
    cents: int
    paid_cents: int
    account: int
    """PatNum of the account holder."""
    account_name: str
    payer_name: str
    processor: str
    card: str
    payment: int
    """PayNum; 0 while there is none."""
    posted: bool
    waits: bool
    """Whether staff have to post it in Open Dental."""
    unclear: bool
    """Whether nobody knows for days what became of it."""


class Account(msgspec.Struct, frozen=True):
    """What a clinic is paid through, or why it is not."""

    words: str
    ready: bool


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to see."""

    rows: list[Row]
    chosen: Mode
    here: Mode
    """How it is done: as chosen, unless this version of Open Dental does not let us."""
    why_not: str
    """Why `ledger` cannot be chosen; empty where it can."""
    accounts: list[Account]
    sandbox: bool


class OnlinePayments(Hand):
    """One practice's. Every method may raise the database's failures."""

    def __init__(  # noqa: PLR0913 - what a practice's payments stand on
        self,
        database: Database,
        state: Database,
        schemas: Schemas,
        machine: str,
        clock: Clock = SYSTEM,
        *,
        tills: Tills,
        post: Post | None = None,
        seal: Seal | None = None,
    ) -> None:
        """`seal` must be the connector's own."""
        super().__init__(database, state, schemas, machine, clock)
        self._tills = tills
        self._cashier = Cashier(database, state, schemas, clock, tills, post=post, seal=seal)

    async def look(self) -> Overview:
        """Return the newest payments and how things stand."""
        attempts = await self._state.run(payments.listed, _MOST)
        chosen = await self._state.run(payments.mode)
        return await self._database.run(self._overview, attempts, chosen, within=WITHIN)

    async def choose(self, who: Who, mode: Mode) -> bool:
        """Let payments get into the books this way from now on; return whether that is a change.

        Raises `PermissionMissing`, and `ValueRejected` where this version of Open Dental does not let us.
        """
        need_setup(who)
        schema = await self._database.run(self._schemas, within=WITHIN)
        if mode_here(schema, mode) != mode:
            raise ValueRejected(field="mode", why=_SEALED)
        if await self._state.run(payments.mode) == mode:
            return False
        words = "are posted to the account at once" if mode == "ledger" else "wait for staff"
        await self._database.run(self.note, who, 0, f"online payments {words}.", within=WITHIN)
        await self._state.run(payments.set_mode, mode)
        return True

    async def ask(self, who: Who, number: str) -> Row:
        """Ask the processor about one payment now, do what follows, and return it.

        Raises `PermissionMissing`, `ValueRejected` for a number that there is not, and the processor's failures.
        """
        need_setup(who)
        if await self._cashier.look(number, again=True) is None:
            raise ValueRejected(field="number", why=_UNKNOWN)
        attempt = await self._state.run(payments.by_number, number)
        if attempt is None:
            raise ValueRejected(field="number", why=_UNKNOWN)
        return (await self._database.run(_rows, [attempt], within=_ASKED_FOR))[0]

    def _overview(self, connection: Any, attempts: list[Attempt], chosen: Mode) -> Overview:
        schema = self._schemas(connection)
        accounts, sandbox = [], False
        for clinic in paymentsetup.every(connection):
            try:
                till = self._tills.open(connection, clinic)
            except Failure as failure:
                accounts.append(Account(failure.office_text(), ready=False))
            else:
                whose = f"the clinic number {clinic}" if clinic else "the practice"
                accounts.append(Account(f"{till.name} for {whose}", ready=True))
                sandbox = sandbox or till.sandbox
        return Overview(
            rows=_rows(connection, attempts),
            chosen=chosen,
            here=mode_here(schema, chosen),
            why_not="" if onlinepayments.may_split(schema) else _SEALED,
            accounts=accounts,
            sandbox=sandbox,
        )


def _rows(connection: Any, attempts: list[Attempt]) -> list[Row]:
    books = onlinepayments.books(connection, [one.payment for one in attempts if one.payment])
    names = accesslog.names(connection, {number for one in attempts for number in (one.holder, one.payer)})
    return [_row(one, names, books.get(one.payment, Books(posted=False, waits=False))) for one in attempts]


def _row(attempt: Attempt, names: dict[int, str], books: Books) -> Row:
    return Row(
        number=attempt.number,
        begun=dt.datetime.fromtimestamp(attempt.begun, dt.UTC),
        state=attempt.state,
        cents=attempt.cents,
        paid_cents=attempt.paid_cents,
        account=attempt.holder,
        account_name=names.get(attempt.holder, ""),
        payer_name=names.get(attempt.payer, ""),
        processor=name_of(attempt.processor),
        card=f"{attempt.brand} {attempt.masked}".strip(),
        payment=attempt.payment,
        posted=books.posted,
        waits=books.waits,
        unclear=bool(attempt.told) and not attempt.is_over,
    )


def payments_with(loaded: Loaded[Settings], database: Database, state: Database, schemas: Schemas) -> OnlinePayments:
    """Return the practice's, as the connector's settings say."""
    return OnlinePayments(
        database,
        state,
        schemas,
        loaded.value.machine_name,
        tills=MerchantTills(payment_terms(loaded), SYSTEM),
        post=Postbox(state),
        seal=Seal(loaded.value.state_file.parent),
    )
